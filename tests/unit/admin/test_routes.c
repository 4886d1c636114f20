#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include <jansson.h>

#include "proxy/admin/routes.h"

static const struct route routes[] = {
#define ROUTE(method, pattern, handler, access, summary) \
	{#method, pattern, handler, ACCESS_##access, summary},
#include "proxy/admin/routes.def"
#undef ROUTE
};

enum { NUM_ROUTES = sizeof(routes) / sizeof(*routes) };

static struct slice of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static struct routes_match match;

static enum routes_found find(const char *method, const char *path)
{
	return routes_find(of(method), of(path), &match);
}

static void finds_calls(void **state)
{
	static const struct {
		const char *method, *path, *part;
		void (*answer)(struct call *call);
	} cases[] = {
		{"GET", "/api/v1/intermediateCaCertificate", "", rest_list},
		{"HEAD", "/zia/api/v1/intermediateCaCertificate/", "",
			rest_list},
		{"POST", "/api/v1/intermediateCaCertificate/", "",
			rest_create},
		{"GET", "/api/v1/intermediateCaCertificate/lite", "",
			rest_list_lite},
		{"GET", "/api/v1/intermediateCaCertificate/lite/12/", "12",
			rest_get_lite},
		{"GET", "/api/v1/intermediateCaCertificate/7", "7", rest_get},
		{"PUT", "/zia/api/v1/intermediateCaCertificate/makeDefault/0",
			"0", rest_make_default},
		{"GET", "/api/v1/sallyport/crl/00ff", "00ff", rest_crl},
		{"DELETE", "/api/v1/sallyport/tokens/a%20b", "a%20b",
			rest_token_delete},
		{"POST", "/oauth2/v1/token", "", rest_oauth},
		{"POST", "/oauth2/v1/token/", "", rest_oauth},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(find(cases[i].method, cases[i].path),
			ROUTES_FOUND);
		assert_true(match.route->answer == cases[i].answer);
		assert_true(slice_is(match.part, cases[i].part));
	}
}

static void finds_nothing_else(void **state)
{
	static const char *const paths[] = {"", "/", "/api/v1", "/api/v1/",
		"/api/v1x/intermediateCaCertificate", "/intermediateCaCert"
		"ificate", "/api/v1/intermediateCaCertificate/lite/x",
		"/api/v1/intermediateCaCertificate/7/8",
		"/api/v1/intermediateCaCertificate/-7",
		"/api/v1/intermediateCaCertificatex",
		"/API/v1/intermediateCaCertificate",
		"/api/v1//intermediateCaCertificate",
		"/api/v1/sallyport/crl/", "/api/v1/sallyport/crl//",
		"/api/v1/sallyport/crl/a/b", "/zia/oauth2/v1/token",
		"/oauth2/v1/tokens"};

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		if (find("GET", paths[i]) != ROUTES_UNKNOWN)
			fail_msg("%s", paths[i]);
		assert_null(match.route);
	}
	assert_int_equal(routes_find((struct slice){NULL, 0},
		(struct slice){NULL, 0}, &match), ROUTES_UNKNOWN);
}

static void says_what_a_path_takes(void **state)
{
	(void)state;
	assert_int_equal(find("TRACE", "/api/v1/intermediateCaCertificate/7"),
		ROUTES_OTHER_METHOD);
	assert_string_equal(match.allow, "GET, HEAD, PUT, DELETE");
	assert_false(match.open);
	assert_int_equal(find("GET", "/oauth2/v1/token"), ROUTES_OTHER_METHOD);
	assert_string_equal(match.allow, "POST");
	assert_true(match.open);
}

static void guesses_what_was_meant(void **state)
{
	(void)state;
	assert_string_equal(routes_nearest(of("/api/v1/intermediateCertificate"
		)), "/intermediateCaCertificate");
	assert_string_equal(routes_nearest(of("/oauth/v1/token")),
		"/oauth2/v1/token");
	assert_null(routes_nearest(of("/api/v1/what/ever")));
	assert_null(routes_nearest((struct slice){NULL, 0}));
}

/* --- openapi.json has the same calls ------------------------------------ */

static json_t *read_document(void)
{
	json_error_t error;
	json_t *document = json_load_file("proxy/admin/openapi.json",
		JSON_REJECT_DUPLICATES, &error);

	if (!document)
		fail_msg("proxy/admin/openapi.json:%d: %s", error.line,
			error.text);
	return document;
}

/* has_scheme: one of the ways to be let in is that one, with that scope. */
static bool has_scheme(const json_t *security, const char *scheme,
	const char *scope)
{
	const json_t *way, *scopes;
	size_t i;

	json_array_foreach(security, i, way) {
		scopes = json_object_get(way, scheme);
		if (scopes && (!scope || (json_array_size(scopes) == 1 &&
			    strcmp(json_string_value(json_array_get(scopes,
					   0)), scope) == 0)))
			return true;
	}
	return false;
}

static bool has_access(const json_t *security, enum access access)
{
	const char *scope = access == ACCESS_READ ? "read" : "write";

	if (!json_is_array(security))
		return false;
	switch (access) {
	case ACCESS_OPEN:
		return json_array_size(security) == 0;
	case ACCESS_READ:
	case ACCESS_WRITE:
		return json_array_size(security) == 3 &&
			has_scheme(security, "bearer", NULL) &&
			has_scheme(security, "oauth", scope) &&
			has_scheme(security, "session", NULL);
	case ACCESS_LOCAL:
		return json_array_size(security) == 1 &&
			has_scheme(security, "local", NULL);
	}
	return false;
}

static const json_t *find_operation(const json_t *paths,
	const struct route *route)
{
	char method[16] = "";

	for (size_t i = 0; route->method[i]; i++)
		method[i] = (char)(route->method[i] | 0x20);
	return json_object_get(json_object_get(paths, route->pattern), method);
}

static bool has_path_parameter(const json_t *operation)
{
	const json_t *first = json_array_get(json_object_get(operation,
		"parameters"), 0);
	const char *in = json_string_value(json_object_get(first, "in"));

	return in && strcmp(in, "path") == 0;
}

static void is_described(void **state)
{
	json_t *document = read_document();
	const json_t *paths = json_object_get(document, "paths");
	(void)state;
	for (size_t i = 0; i < NUM_ROUTES; i++) {
		const json_t *operation = find_operation(paths, &routes[i]);
		const char *summary = json_string_value(
			json_object_get(operation, "summary"));

		if (!operation)
			fail_msg("openapi.json lacks %s %s", routes[i].method,
				routes[i].pattern);
		if (!has_access(json_object_get(operation, "security"),
			    routes[i].access))
			fail_msg("openapi.json: other access to %s %s",
				routes[i].method, routes[i].pattern);
		assert_string_equal(summary, routes[i].summary);
		assert_int_equal(strchr(routes[i].pattern, '{') != NULL,
			has_path_parameter(operation));
	}
	json_decref(document);
}

/* is_route: the table has what the document has. */
static bool is_route(const char *method, const char *pattern)
{
	for (size_t i = 0; i < NUM_ROUTES; i++) {
		if (strcasecmp(routes[i].method, method) == 0 &&
		    strcmp(routes[i].pattern, pattern) == 0)
			return true;
	}
	return false;
}

static void describes_nothing_else(void **state)
{
	json_t *document = read_document(), *item, *operation;
	const char *pattern, *key;

	(void)state;
	json_object_foreach(json_object_get(document, "paths"), pattern,
		item) {
		json_object_foreach(item, key, operation) {
			if (strcmp(key, "servers") == 0)
				continue;
			if (!is_route(key, pattern))
				fail_msg("there is no %s %s", key, pattern);
		}
	}
	json_decref(document);
}

/* Whatever is referred to is there. */
static void check_references(json_t *document, json_t *in)
{
	const char *key, *text;
	json_t *value;
	size_t i;

	json_object_foreach(in, key, value) {
		char kind[32], name[64];

		text = json_string_value(value);
		if (strcmp(key, "$ref") != 0 || !text) {
			check_references(document, value);
			continue;
		}
		assert_int_equal(sscanf(text, "#/components/%31[a-z]/%63s",
			kind, name), 2);
		if (!json_object_get(json_object_get(json_object_get(document,
			    "components"), kind), name))
			fail_msg("there is no %s", text);
	}
	json_array_foreach(in, i, value)
		check_references(document, value);
}

static void refers_to_what_is_there(void **state)
{
	json_t *document = read_document();

	(void)state;
	check_references(document, document);
	json_decref(document);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_calls),
		cmocka_unit_test(finds_nothing_else),
		cmocka_unit_test(says_what_a_path_takes),
		cmocka_unit_test(guesses_what_was_meant),
		cmocka_unit_test(is_described),
		cmocka_unit_test(describes_nothing_else),
		cmocka_unit_test(refers_to_what_is_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
