#include "proxy/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/netset.h"
#include "proxy/config/categories.h"
#include "proxy/config/fields.h"
#include "proxy/config/handed.h"
#include "proxy/config/memory.h"
#include "proxy/config/places.h"
#include "proxy/config/rules.h"
#include "proxy/config/state.h"
#include "proxy/config/values.h"

/* Two listeners on one address: the kernel would give connections to either. */
static void check_listeners(struct loader *loader, const struct node *listen)
{
	const struct endpoints *lists[] = {
		&loader->config->proxy, &loader->config->transparent,
		&loader->config->proxy_tls, &loader->config->admin,
	};
	size_t num_lists = loader->config->admin_given ? 4 : 3;
	const char *seen[64];
	size_t num = 0;

	for (size_t i = 0; i < num_lists; i++) {
		for (size_t j = 0; j < lists[i]->num && num < 64; j++) {
			seen[num++] = lists[i]->at[j].text;
			for (size_t k = 0; k + 1 < num; k++) {
				if (strcmp(seen[k], seen[num - 1]) == 0)
					mistakes_error(&loader->mistakes,
						listen ? listen->line : 0,
						"%s is listened on twice",
						seen[k]);
			}
		}
	}
}

static bool covers(const struct connect_to *a, const struct connect_to *b)
{
	return a->below == b->below && strcmp(a->host, b->host) == 0 &&
		(a->port == 0 || a->port == b->port);
}

static void check_connect_to(struct loader *loader, const struct node *origin)
{
	const struct node *node = origin ? node_get(origin, "connect-to") : NULL;
	const struct connect_to *all = loader->config->origin.connect_to;
	size_t num = loader->config->origin.num_connect_to;

	/* A warning is worth a look at some hundreds, not at all pairs of
	 * thousands. */
	for (size_t i = 1; node && i < num && i < 500; i++) {
		for (size_t j = 0; j < i; j++) {
			if (!covers(&all[j], &all[i]))
				continue;
			mistakes_warning(&loader->mistakes, node->line,
				"origin.connect-to: entry %zu never counts, "
				"entry %zu fits first", i + 1, j + 1);
			break;
		}
	}
}

static void default_state(struct loader *loader)
{
	struct config *config = loader->config;

	if (config->state)
		return;
	config->state = state_default();
	if (!config->state)
		mistakes_error(&loader->mistakes, 0, "state must be given, "
			"as this user has no home folder: set HOME or "
			"XDG_STATE_HOME to a folder, or \"state: FOLDER\" in a "
			"file for -c");
}

static unsigned line_below(const struct node *section, const char *key)
{
	const struct node *node = section->kind == NODE_MAP ?
		node_get(section, key) : NULL;

	return node ? node->line : section->line;
}

/* check_users: with users, who is nobody is refused; it must be possible to be
 * somebody. */
static void check_users(struct loader *loader, const struct node *users,
	const struct given *given)
{
	struct config *config = loader->config;

	if (!users)
		return;
	config->users.given = true;
	config->users.htpasswd_line = line_below(users, "htpasswd");
	config->users.client_ca_line = line_below(users, "client-ca");
	if (config->users.required && !fields_given(given, "users.htpasswd") &&
		!fields_given(given, "users.client-ca") &&
		!fields_given(given, "users.sources"))
		mistakes_error(&loader->mistakes, users->line,
			"users gives no way to be one, so that all would be "
			"refused; give htpasswd, client-ca or sources, or "
			"required: false");
	if (config->users.client_ca && config->proxy_tls.num == 0)
		mistakes_warning(&loader->mistakes,
			config->users.client_ca_line, "users.client-ca says "
			"nothing without listen.proxy-tls: certificates are "
			"shown there alone");
}

/* below is what root has under key, or NULL. */
static const struct node *below(const struct node *root, const char *key)
{
	return root && root->kind == NODE_MAP ? node_get(root, key) : NULL;
}

static void load_tree(struct loader *loader, const struct node *root)
{
	struct given given = {{0}};

	if (root && root->kind != NODE_MAP)
		mistakes_error(&loader->mistakes, root->line,
			"the file must be a map of keys, as \"workers: 2\"");
	else if (root)
		fields_walk(loader, root, "", "", loader->config, &given);
	fields_default(loader, OF_config, loader->config, &given);
	if (!fields_given(&given, "origin.trust"))
		loader->config->origin.trust_system_line = 0;
	loader->config->limits.connections_given =
		fields_given(&given, "limits.connections");
	loader->config->admin_given = fields_given(&given, "listen.admin");
	default_state(loader);
	check_listeners(loader, below(root, "listen"));
	check_connect_to(loader, below(root, "origin"));
	check_users(loader, below(root, "users"), &given);
}

/* load_policy keeps what goes over the configuration. */
static void load_policy(struct loader *loader, const struct node *root)
{
	if (root && root->kind != NODE_MAP) {
		mistakes_error(&loader->mistakes, root->line, "a policy must "
			"have the keys ssl-rules, url-rules or categories");
		return;
	}
	for (size_t i = 0; root && i < root->num; i++) {
		const struct node *node = root->at[i];

		if (strcmp(node->key, "categories") == 0)
			loader->policy.categories = node;
		else if (strcmp(node->key, "ssl-rules") == 0)
			loader->policy.ssl_rules = node;
		else if (strcmp(node->key, "url-rules") == 0)
			loader->policy.url_rules = node;
		else
			mistakes_error(&loader->mistakes, node->line,
				"a policy has the keys ssl-rules, url-rules "
				"and categories; \"%s\" is for the "
				"configuration", shown(node->key).text);
	}
}

char *config_folder(const char *name)
{
	const char *slash = name ? strrchr(name, '/') : NULL;
	char *folder = handed_folder(), *absolute;

	if (folder)
		return folder;
	if (!slash)
		folder = must(strdup("."));
	else
		folder = must(strndup(name, slash == name ? 1 :
			(size_t)(slash - name)));
	absolute = realpath(folder, NULL);
	if (!absolute)
		return folder;
	free(folder);
	return absolute;
}

static void read_tree(struct loader *loader, const char *text, size_t len,
	struct node **out)
{
	unsigned line = 0;
	char err[256];

	if (node_read(text, len, out, &line, err, sizeof(err)) == 0)
		return;
	mistakes_error(&loader->mistakes, line, "%s", err);
	*out = NULL;
}

/* load reads rules only where there is a file whose rules these are, not half of
 * one. */
static void load(struct loader *loader, const struct config_source *source)
{
	struct node *root = NULL, *policy = NULL;
	size_t errors;

	read_tree(loader, source->text, source->len, &root);
	errors = loader->mistakes.errors;
	if (errors == 0)
		load_tree(loader, root);
	if (source->policy_name) {
		loader->mistakes.file = source->policy_name;
		read_tree(loader, source->policy, source->policy_len, &policy);
		load_policy(loader, policy);
	}
	if (errors == 0) {
		categories_load(loader);
		groups_load(loader);
		rules_load(loader);
	}
	loader->mistakes.file = source->name;
	node_free(policy);
	node_free(root);
}

int config_load_source(const struct config_source *source,
	struct config **out, FILE *errors)
{
	struct config *config = must(calloc(1, sizeof(*config)));
	char *folder = config_folder(source->name);
	struct loader loader = {
		.mistakes = {.file = source->name},
		.config = config,
		.folder = folder,
		.to_look = source->to_look,
		.file = {.name = source->name},
		.policy = {.name = source->policy_name},
	};
	int rc = 0;

	config->path = source->name ? must(strdup(source->name)) : NULL;
	config->policy = policy_new();
	load(&loader, source);
	mistakes_print(&loader.mistakes, errors);
	if (loader.mistakes.errors > 0) {
		config_free(config);
		rc = -1;
	} else {
		*out = config;
	}
	mistakes_clear(&loader.mistakes);
	free(folder);
	return rc;
}

int config_load_text(const char *name, const char *text, size_t len,
	struct config **out, FILE *errors)
{
	return config_load_source(&(struct config_source){.name = name,
		.text = text, .len = len}, out, errors);
}

/* read_whole reads file up to one byte more than a configuration may have, so
 * that the one who parses it can say so. */
static int read_whole(FILE *file, char **out, size_t *out_len)
{
	size_t room = 4096, len = 0, n;
	char *text = must(malloc(room));

	while ((n = fread(text + len, 1, room - len, file)) > 0) {
		len += n;
		if (len > YAML_MAX_BYTES)
			break;
		if (len == room)
			text = must(realloc(text, room *= 2));
	}
	if (ferror(file)) {
		free(text);
		return -1;
	}
	*out = text;
	*out_len = len;
	return 0;
}

int config_read(const char *path, char **out, size_t *out_len, FILE *errors)
{
	int fd = handed_open(path, O_RDONLY, 0);
	FILE *file = fd >= 0 ? fdopen(fd, "r") : NULL;
	int rc = file ? read_whole(file, out, out_len) : -1;

	if (rc != 0)
		fprintf(errors, "%s: can't be read: %s%s\n", path,
			strerror(errno), errno == ENOENT ?
			"; -c names the configuration, and without it the "
			"defaults count" : "");
	if (file)
		fclose(file);
	else if (fd >= 0)
		close(fd);
	return rc;
}

static int load_file(const char *path, bool to_look, struct config **out,
	FILE *errors)
{
	struct config_source source = {.name = path, .to_look = to_look};
	char *text = NULL;
	int rc;

	if (path && config_read(path, &text, &source.len, errors) != 0)
		return -1;
	source.text = path ? text : "";
	rc = config_load_source(&source, out, errors);
	free(text);
	return rc;
}

int config_load(const char *path, struct config **out, FILE *errors)
{
	return load_file(path, false, out, errors);
}

int config_load_to_look(const char *path, struct config **out, FILE *errors)
{
	return load_file(path, true, out, errors);
}

static void users_free(struct config *config)
{
	free(config->users.realm);
	free(config->users.htpasswd);
	free(config->users.client_ca);
	for (size_t i = 0; i < config->users.num_sources; i++) {
		netset_free(config->users.sources[i].network);
		free(config->users.sources[i].text);
		free(config->users.sources[i].user);
	}
	free(config->users.sources);
	for (size_t i = 0; i < config->users.num_named; i++)
		free(config->users.named[i].name);
	free(config->users.named);
}

static void locations_free(struct config *config)
{
	for (size_t i = 0; i < config->log.num_locations; i++) {
		free(config->log.locations[i].name);
		netset_free(config->log.locations[i].networks);
	}
	free(config->log.locations);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	free(config->path);
	free(config->proxy.at);
	free(config->transparent.at);
	free(config->admin.at);
	free(config->proxy_tls.at);
	free(config->named);
	netset_free(config->clients);
	free(config->state);
	for (size_t i = 0; i < config->origin.num_trust_files; i++)
		free(config->origin.trust_files[i].path);
	free(config->origin.trust_files);
	free(config->origin.connect_to);
	free(config->portal.direct);
	free(config->origin.dns);
	free(config->issuing.crl_url);
	free(config->passphrase_file);
	categories_free(config);
	users_free(config);
	policy_free(config->policy);
	free(config->access_log);
	locations_free(config);
	free(config->key_log);
	free(config);
}

/* is_below: "a.many.test" is below "many.test", which itself is not. */
static bool is_below(const char *host, const char *domain)
{
	size_t len = strlen(host), len2 = strlen(domain);

	return len > len2 + 1 && host[len - len2 - 1] == '.' &&
		strcmp(host + len - len2, domain) == 0;
}

const struct connect_to *config_connect_to(const struct config *config,
	const char *host, uint16_t port)
{
	for (size_t i = 0; i < config->origin.num_connect_to; i++) {
		const struct connect_to *entry = &config->origin.connect_to[i];

		if (entry->port != 0 && entry->port != port)
			continue;
		if (entry->host[0] == '\0' ||
			(entry->below && is_below(host, entry->host)) ||
			(!entry->below && strcmp(host, entry->host) == 0))
			return entry;
	}
	return NULL;
}

bool config_logs_to_file(const struct config *config)
{
	return value_in(VALUE_LOG_WORDS, config->access_log) < 0;
}

bool config_has_certificates(const struct config *config)
{
	return config->users.client_ca && config->proxy_tls.num > 0;
}

void config_note_user(struct config *config, const char *name, const char *from,
	unsigned line)
{
	size_t num = config->users.num_named++;

	config->users.named = grow(config->users.named, num,
		sizeof(*config->users.named));
	config->users.named[num] = (struct named_user){
		must(strdup(name)), from, line};
}

const char *config_user_at(const struct config *config,
	const struct sockaddr *address)
{
	for (size_t i = 0; i < config->users.num_sources; i++) {
		const struct user_source *source = &config->users.sources[i];

		if (netset_match(source->network, address))
			return source->user;
	}
	return NULL;
}

const char *config_location_at(const struct config *config,
	const struct sockaddr *address)
{
	for (size_t i = 0; i < config->log.num_locations; i++) {
		const struct location *location = &config->log.locations[i];

		if (netset_match(location->networks, address))
			return location->name;
	}
	return NULL;
}
