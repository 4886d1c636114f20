/*
 * fuzz_config.c - any bytes as a configuration file, and a policy over it.
 *
 * Behind a line "%%%" comes what goes over what stands before. Targets: node_read,
 * fields_walk, every read_ of values.h, categories_load, rules_load. What loads
 * must be usable, what does not must have said why with the file's name, or the
 * policy's.
 */
#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/catalog.h"
#include "policy/policy.h"
#include "proxy/config/config.h"
#include "proxy/core/lists.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char mark[] = "\n%%%\n";

/* seal puts what stands in the file itself into the policy's hands. */
static void seal(struct config *config)
{
	uint8_t digest[LIST_DIGEST_SIZE];
	char *told;
	struct catalog *catalog = NULL;
	char err[256];

	for (size_t i = 0; i < config->num_categories; i++) {
		for (size_t j = 0; j < config->categories[i].num_files; j++)
			free(config->categories[i].files[j].path);
		config->categories[i].num_files = 0;
	}
	assert(lists_load(config, NULL, stderr, &catalog, digest,
		&told) == 0);
	free(told);
	assert(policy_seal(config->policy, catalog, err, sizeof(err)) == 0);
	catalog_unref(catalog);
}

static void use(struct config *config)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct facts facts = {.source = (struct sockaddr *)&in,
		.host = "a.test", .port = 443, .tls = true, .path = "/a"};
	char base[CRL_BASE_SIZE];
	struct decision decision;
	struct url_decision url;

	assert(config->policy && config->clients && config->state);
	assert(config->proxy.num > 0 && config->access_log);
	assert(config->limits.header_bytes >= 4096 && config->users.realm);
	config_crl_base(config, base, sizeof(base));
	assert(strncmp(base, "http://", 7) == 0);
	(void)config_connect_to(config, "a.test", 443);
	facts.user = config_user_at(config, facts.source);
	seal(config);
	policy_decide(config->policy, &facts, &decision);
	policy_decide_url(config->policy, &facts, &url);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	const char *over = size > 0 ? memmem(text, size, mark, 5) : NULL;
	struct config_source source = {
		.name = "f.yaml", .text = text, .len = size,
	};
	struct config *config = NULL;
	char *told = NULL;
	size_t told_size = 0;
	FILE *errors = open_memstream(&told, &told_size);
	int rc;

	if (over) {
		source.len = (size_t)(over - text);
		source.policy_name = "policy";
		source.policy = over + 5;
		source.policy_len = size - source.len - 5;
	}
	rc = config_load_source(&source, &config, errors);
	fclose(errors);
	if (rc == 0)
		use(config);
	else
		assert(!config && (strncmp(told, "f.yaml:", 7) == 0 ||
			(over && strncmp(told, "policy:", 7) == 0)));
	free(told);
	return 0;
}
