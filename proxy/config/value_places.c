/*
 * The readers of values that are places in the network: addresses, hosts,
 * networks, ports, URLs.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/entry.h"
#include "policy/netset.h"
#include "proxy/config/memory.h"
#include "proxy/config/places.h"
#include "proxy/config/values.h"

static void one_endpoint(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct endpoints *endpoints = member;
	struct endpoint endpoint;
	char err[256];

	if (place_endpoint(item->text, 0, &endpoint, err, sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		return;
	}
	endpoints->at = must(realloc(endpoints->at,
		(endpoints->num + 1) * sizeof(endpoint)));
	endpoints->at[endpoints->num++] = endpoint;
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

static void add_network(struct loader *loader, const struct field *field,
	const struct node *item, struct netset *set, const char *network)
{
	char err[256];

	if (netset_add(set, network, err, sizeof(err)) != 0)
		value_told(loader, field, item, err);
}

static void one_client(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = member;
	char err[256];

	if (strcmp(item->text, "any") == 0) {
		config->clients_any = true;
		return;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *const *networks = client_words[i].networks;

		if (strcmp(item->text, client_words[i].word) != 0)
			continue;
		for (; *networks; networks++)
			add_network(loader, field, item, config->clients,
				*networks);
		return;
	}
	if (netset_add(config->clients, item->text, err, sizeof(err)) != 0)
		mistakes_error(&loader->mistakes, item->line, "%s: %s; there "
			"are addresses, networks, and the words any, local "
			"and private", field->path, err);
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

static void one_connect_to(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = member;
	struct connect_to entry, *all = config->origin.connect_to;
	size_t num = config->origin.num_connect_to;
	char err[256];

	if (place_connect_to(item->text, &entry, err, sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		return;
	}
	all = must(realloc(all, (num + 1) * sizeof(entry)));
	all[num] = entry;
	config->origin.connect_to = all;
	config->origin.num_connect_to = num + 1;
}

void read_connect_to(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	(void)member;
	value_each(loader, field, node, one_connect_to, loader->config);
}

static void one_dns(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct endpoint endpoint;
	char err[256], **dns = member, *old = *dns;

	if (place_endpoint(item->text, 53, &endpoint, err, sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		return;
	}
	if (asprintf(dns, "%s%s%s", old ? old : "", old ? "," : "",
		endpoint.text) < 0)
		abort();
	free(old);
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
		value_told(loader, field, node, err);
	else
		*url = must(strdup(text));
}

static void one_network(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	add_network(loader, field, item, member, item->text);
}

void read_networks(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	struct netset **set = member;

	*set = netset_new();
	value_each(loader, field, node, one_network, *set);
}

static void one_port(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct port_list *ports = member;
	struct port_range range;
	char err[256];

	if (place_ports(item->text, &range.first, &range.last, err,
		sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		return;
	}
	ports->at = must(realloc(ports->at, (ports->num + 1) * sizeof(range)));
	ports->at[ports->num++] = range;
}

void read_ports(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_port, member);
}

void read_isolate(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	const char *text = value_scalar(loader, field, node);
	char err[256];

	if (!text)
		return;
	if (place_isolate(text, err, sizeof(err)) != 0)
		value_told(loader, field, node, err);
	else
		*(const char **)member = text;
}

/* why_not_direct: what a PAC file can't say, or not so that all browsers know it. */
static const char *why_not_direct(const struct entry *entry)
{
	if (entry->path_len > 0)
		return "browsers keep paths from the PAC file; name the host "
			"alone";
	if (entry->port != 0)
		return "a PAC file goes by hosts; leave the port out";
	if (!entry->host[0] && entry->network.family != AF_INET)
		return "not all browsers know IPv6 networks in a PAC file; name "
			"hosts or addresses";
	return NULL;
}

static void one_direct(struct loader *loader, const struct field *field,
	const struct node *item, void *member)
{
	struct config *config = loader->config;
	size_t num = config->portal.num_direct;
	struct direct *all;
	struct entry entry;
	const char *why;
	char err[256];

	(void)member;
	if (entry_parse(item->text, strlen(item->text), &entry, err,
		sizeof(err)) != 0) {
		value_told(loader, field, item, err);
		return;
	}
	why = why_not_direct(&entry);
	if (why) {
		mistakes_error(&loader->mistakes, item->line,
			"%s: \"%s\": %s", field->path,
			shown(item->text).text, why);
		return;
	}
	all = must(realloc(config->portal.direct, (num + 1) * sizeof(*all)));
	config->portal.direct = all;
	config->portal.num_direct = num + 1;
	all[num].below = entry.below;
	all[num].network = entry.network;
	memcpy(all[num].host, entry.host, sizeof(entry.host));
}

void read_direct(struct loader *loader, const struct field *field,
	const struct node *node, void *member)
{
	value_each(loader, field, node, one_direct, member);
}
