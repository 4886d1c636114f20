/*
 * told.h - load text as a configuration and see what is told.
 */
#ifndef TESTS_UNIT_CONFIG_TOLD_H
#define TESTS_UNIT_CONFIG_TOLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/catalog.h"
#include "policy/policy.h"
#include "proxy/config/config.h"
#include "proxy/core/lists.h"

/* told_load loads text as the file "t.yaml" and gives what was told, to be
 * freed. *out is NULL where it failed. */
static inline char *told_load(const char *text, struct config **out)
{
	char *told = NULL;
	size_t size = 0;
	FILE *errors = open_memstream(&told, &size);

	*out = NULL;
	if (config_load_text("t.yaml", text, strlen(text), out, errors) != 0)
		assert_null(*out);
	fclose(errors);
	return told;
}

/* told_nothing is the configuration of text, which must be without a flaw. */
static inline struct config *told_nothing(const char *text)
{
	struct config *config;
	char *told = told_load(text, &config);

	assert_string_equal(told, "");
	assert_non_null(config);
	free(told);
	return config;
}

/* told_error: text fails, telling exactly this. */
static inline void told_error(const char *text, const char *expected)
{
	struct config *config;
	char *told = told_load(text, &config);

	assert_string_equal(told, expected);
	assert_null(config);
	free(told);
}

/* told_warning: text loads, telling exactly this. */
static inline void told_warning(const char *text, const char *expected)
{
	struct config *config;
	char *told = told_load(text, &config);

	assert_string_equal(told, expected);
	assert_non_null(config);
	config_free(config);
	free(told);
}

/* told_seal reads the lists of a configuration and seals its policy. */
static inline void told_seal(struct config *config)
{
	uint8_t digest[LIST_DIGEST_SIZE];
	struct catalog *catalog;
	char *told, err[128];

	assert_int_equal(lists_load(config, NULL, stderr, &catalog, digest,
		&told), 0);
	free(told);
	assert_int_equal(policy_seal(config->policy, catalog, err, sizeof(err)),
		0);
	catalog_unref(catalog);
}

#endif
