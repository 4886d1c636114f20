#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pki/authority.h"
#include "proxy/cli/ca_text.h"
#include "tests/support/kept.h"

/* remove_all removes the files of a flat folder, and the folder. */
static void remove_all(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	if (system(command) != 0)
		print_message("%s stays\n", folder);
}

/* found makes the CAs that are to be looked at. */
static void found(struct authority_options *options)
{
	struct authority *authority;
	char err[512] = "";

	options->link = kept_link();
	options->validity_s = KEPT_VALIDITY_S;
	if (authority_open(options, &authority, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	authority_free(authority);
}

/* value_of copies what text has behind label. */
static void value_of(const char *text, const char *label, char out[128])
{
	char start[32];
	const char *at;

	snprintf(start, sizeof(start), "%-13s", label);
	at = strstr(text, start);
	if (!at)
		fail_msg("no %s in:\n%s", label, text);
	snprintf(out, 128, "%.*s", (int)strcspn(at + 13, "\n"), at + 13);
}

static void all_that_people_ask(void **state)
{
	char folder[] = "/tmp/sallyport-ca.XXXXXX", err[512] = "", value[128];
	struct authority_options options = {
		.state = mkdtemp(folder), .crl_base = "http://crl.test:81/x",
	};
	struct authority_view view;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	(void)state;
	found(&options);
	if (authority_look(&options, &view, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ca_text_print(&view, options.crl_base, out), 0);
	fclose(out);
	value_of(text, "subject", value);
	assert_non_null(strstr(value, "CN=Sallyport"));
	value_of(text, "issuer", value);
	assert_non_null(strstr(value, "Root"));
	value_of(text, "serial", value);
	assert_true(strlen(value) >= 16);
	assert_int_equal(strspn(value, "0123456789abcdef"), strlen(value));
	value_of(text, "not before", value);
	assert_string_equal(value + strlen(value) - 4, " GMT");
	value_of(text, "key", value);
	assert_string_equal(value, "EC P-256");
	value_of(text, "SHA-256", value);
	assert_int_equal(strlen(value), 32 * 3 - 1);
	value_of(text, "CRL", value);
	assert_memory_equal(value, "http://crl.test:81/x/crl/", 25);
	assert_string_equal(strrchr(value, '.'), ".crl");
	free(text);
	authority_view_clear(&view);
	remove_all(folder);
}

/* print is what ca_text_print writes, to be freed. */
static char *print(const struct authority_view *view)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(ca_text_print(view, "http://crl.test", out), 0);
	fclose(out);
	return text;
}

static void no_crl_of_a_ca_that_may_not(void **state)
{
	char folder[] = "/tmp/sallyport-ca.XXXXXX", err[512] = "", value[128];
	struct authority_options options = {.state = mkdtemp(folder)};
	struct authority_view view;
	char *text;

	(void)state;
	found(&options);
	if (authority_look(&options, &view, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	view.signs_crls = false;
	text = print(&view);
	value_of(text, "CRL", value);
	assert_string_equal(value, "none, the CA may not sign one");
	free(text);
	authority_view_clear(&view);
	remove_all(folder);
}

static int tear_down(void **state)
{
	(void)state;
	kept_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_that_people_ask),
		cmocka_unit_test(no_crl_of_a_ca_that_may_not),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
