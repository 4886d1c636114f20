/*
 * The readers of values that are places in the network: addresses, hosts,
 * networks, ports, URLs.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/domains.h"
#include "policy/netset.h"
#include "proxy/config/places.h"
#include "proxy/config/units.h"
#include "proxy/config/values.h"

static void *must(void *memory)
{
	if (!memory)
		abort();
	return memory;
}

/* tell passes on why an item was refused. */
static bool tell(struct loader *loader, const struct field *field,
	const struct node *item, const char *err)
{
	mistakes_error(&loader->mistakes, item->line, "%s: %s", field->path,
		err);
	return false;
}

static bool one_endpoint(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct endpoints *endpoints = member;
	struct endpoint endpoint;
	char err[256];

	if (place_endpoint(item->text, 0, &endpoint, err, sizeof(err)) != 0)
		return tell(loader, field, item, err);
	endpoints->at = must(realloc(endpoints->at,
		(endpoints->num + 1) * sizeof(endpoint)));
	endpoints->at[endpoints->num++] = endpoint;
	return true;
}

void read_endpoints(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_endpoint, member);
}

static const struct {
	const char *word;
	const char *networks[5];
} client_words[] = {
	{"local", {"127.0.0.0/8", "::1"}},
	/* RFC 1918 and RFC 4193. */
	{"private", {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
		"fc00::/7"}},
};

static bool add_network(struct loader *loader, const struct field *field,
	const struct node *item, struct netset *set, const char *network)
{
	char err[256];

	if (netset_add(set, network, err, sizeof(err)) != 0)
		return tell(loader, field, item, err);
	return true;
}

static bool one_client(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = member;

	if (strcmp(item->text, "any") == 0) {
		config->clients_any = true;
		return true;
	}
	for (size_t i = 0; i < 2; i++) {
		if (strcmp(item->text, client_words[i].word) != 0)
			continue;
		for (size_t j = 0; client_words[i].networks[j]; j++) {
			if (!add_network(loader, field, item, config->clients,
				client_words[i].networks[j]))
				return false;
		}
		return true;
	}
	return add_network(loader, field, item, config->clients, item->text);
}

void read_clients(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	struct config *config = loader->config;

	(void)member;
	netset_free(config->clients);
	config->clients = netset_new();
	config->clients_any = false;
	value_each(loader, field, node, one_client, config);
	if (config->clients_any && node->num > 1)
		mistakes_warning(&loader->mistakes, node->line,
			"%s: beside any the others say nothing", field->path);
}

static bool one_connect_to(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = member;
	struct connect_to entry, *all = config->origin.connect_to;
	size_t num = config->origin.num_connect_to;
	char err[256];

	if (place_connect_to(item->text, &entry, err, sizeof(err)) != 0)
		return tell(loader, field, item, err);
	all = must(realloc(all, (num + 1) * sizeof(entry)));
	all[num] = entry;
	config->origin.connect_to = all;
	config->origin.num_connect_to = num + 1;
	return true;
}

void read_connect_to(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	value_each(loader, field, node, one_connect_to, loader->config);
}

static bool one_dns(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct endpoint endpoint;
	char err[256], **dns = member, *old = *dns;

	if (place_endpoint(item->text, 53, &endpoint, err, sizeof(err)) != 0)
		return tell(loader, field, item, err);
	if (asprintf(dns, "%s%s%s", old ? old : "",
		old ? "," : "", endpoint.text) < 0)
		abort();
	free(old);
	return true;
}

void read_dns(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_dns, member);
}

void read_crl_url(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = value_scalar(loader, field, node);
	char err[256], **url = member;

	if (!text)
		return;
	if (place_crl_url(text, err, sizeof(err)) != 0)
		tell(loader, field, node, err);
	else
		*url = must(strdup(text));
}

/* bounded_text is a scalar of at most as many bytes as high says. */
static const char *bounded_text(struct loader *loader,
	const struct field *field, const struct node *node)
{
	const char *text = value_scalar(loader, field, node);
	uint64_t most;

	if (!text)
		return NULL;
	if (units_count(field->high, &most) != 0)
		abort();
	if (strlen(text) > most) {
		mistakes_error(&loader->mistakes, node->line,
			"%s: longer than %s bytes", field->path, field->high);
		return NULL;
	}
	return text;
}

void read_note(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	if (node->kind != NODE_SCALAR || node->text[0] != '\0')
		*(const char **)member = bounded_text(loader, field, node);
}

/* A rule's name goes to logs and to pages. */
void read_name(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = bounded_text(loader, field, node);

	if (text && strcmp(shown(text).text, text) != 0)
		mistakes_error(&loader->mistakes, node->line,
			"%s: \"%s\" has characters that can't be shown",
			field->path, shown(text).text);
	else
		*(const char **)member = text;
}

static bool one_name(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct name_list *names = member;

	(void)loader;
	(void)field;
	names->at = must(realloc(names->at,
		(names->num + 1) * sizeof(const char *)));
	names->at[names->num++] = item->text;
	return true;
}

void read_names(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_name, member);
}

static bool one_host(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	char err[256];

	if (domains_add(member, item->text, err, sizeof(err)) != 0)
		return tell(loader, field, item, err);
	return true;
}

void read_hosts(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	struct domains **hosts = member;

	*hosts = domains_new();
	value_each(loader, field, node, one_host, *hosts);
	domains_seal(*hosts);
}

static bool one_network(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	return add_network(loader, field, item, member, item->text);
}

void read_networks(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	struct netset **set = member;

	*set = netset_new();
	value_each(loader, field, node, one_network, *set);
}

static bool one_port(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct port_list *ports = member;
	struct port_range range;
	char err[256];

	if (place_ports(item->text, &range.first, &range.last, err,
		sizeof(err)) != 0)
		return tell(loader, field, item, err);
	ports->at = must(realloc(ports->at, (ports->num + 1) * sizeof(range)));
	ports->at[ports->num++] = range;
	return true;
}

void read_ports(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_port, member);
}
