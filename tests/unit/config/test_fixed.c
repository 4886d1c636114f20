#include "tests/unit/config/told.h"

#include "proxy/config/fields.h"
#include "proxy/config/fixed.h"

/* changed is what differs between two files, a line each; to be freed. */
static char *changed(const char *old_text, const char *new_text)
{
	struct config *old = told_nothing(old_text);
	struct config *new = told_nothing(new_text);
	char *text = NULL;
	size_t size = 0, at = 0;
	FILE *out = open_memstream(&text, &size);
	const char *path;

	while ((path = fixed_next(old, new, &at)) != NULL)
		fprintf(out, "%s\n", path);
	fclose(out);
	config_free(old);
	config_free(new);
	return text;
}

static void assert_changed(const char *old, const char *new,
	const char *expected)
{
	char *text = changed(old, new);

	assert_string_equal(text, expected);
	free(text);
}

static const char all[] =
	"listen: {proxy: 127.0.0.1:81, transparent: 127.0.0.1:82, "
	"proxy-tls: 127.0.0.1:83}\n"
	"state: /x\nworkers: 3\norigin: {dns: 127.0.0.1}\n"
	"limits: {connections: 5, leaf-cache-entries: 6, "
	"leaf-cache-bytes: 1MB}\n";

static void names_what_only_a_start_changes(void **state)
{
	(void)state;
	assert_changed("state: /y\n", all, "listen.proxy\n"
		"listen.transparent\nlisten.proxy-tls\nstate\nworkers\n"
		"origin.dns\n"
		"limits.connections\nlimits.leaf-cache-entries\n"
		"limits.leaf-cache-bytes\n");
	assert_changed(all, all, "");
	assert_changed("origin: {dns: [127.0.0.1, 127.0.0.2]}\n",
		"origin: {dns: 127.0.0.1}\n", "origin.dns\n");
}

static void passes_over_what_a_reload_changes(void **state)
{
	(void)state;
	assert_changed("", "clients: any\nnon-tls: block\n"
		"issuing: {validity: 2d}\nlimits: {idle-timeout: 2m}\n"
		"origin: {pool: off}\nreload: {watch: none}\n"
		"users: {required: off}\n", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_only_a_start_changes),
		cmocka_unit_test(passes_over_what_a_reload_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
