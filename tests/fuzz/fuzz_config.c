/*
 * fuzz_config.c - any bytes as a configuration file.
 *
 * Targets: node_read, fields_walk, every read_ of values.h, rules_load. What
 * loads must be usable, what does not must have said why with the file's name.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "proxy/config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void use(struct config *config)
{
	struct facts facts = {.host = "a.test", .port = 443, .tls = true};
	char base[CRL_BASE_SIZE];
	struct decision decision;

	assert(config->policy && config->clients && config->state);
	assert(config->proxy.num > 0 && config->access_log);
	assert(config->limits.header_bytes >= 4096);
	config_crl_base(config, base, sizeof(base));
	assert(strncmp(base, "http://", 7) == 0);
	(void)config_connect_to(config, "a.test", 443);
	policy_decide(config->policy, &facts, &decision);
	config_free(config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *config = NULL;
	char *told = NULL;
	size_t told_size = 0;
	FILE *errors = open_memstream(&told, &told_size);
	int rc = config_load_text("f.yaml", (const char *)data, size, &config,
		errors);

	fclose(errors);
	if (rc == 0)
		use(config);
	else
		assert(!config && strncmp(told, "f.yaml:", 7) == 0);
	free(told);
	return 0;
}
