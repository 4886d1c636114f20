#include "tests/unit/config/told.h"

#include <sys/stat.h>
#include <unistd.h>

#include "policy/catalog.h"
#include "policy/policy.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/lists.h"
#include "proxy/core/load.h"

static char folder[] = "/tmp/sallyport-lists.XXXXXX";

static char *in_folder(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_file(const char *name, const char *text, size_t len)
{
	FILE *file = fopen(in_folder(name), "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	fclose(file);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	write_file("a.txt", "", 0);
	write_file("b.txt", "", 0);
	write_file("users", "", 0);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(in_folder("a.txt"));
	unlink(in_folder("b.txt"));
	unlink(in_folder("users"));
	return rmdir(folder);
}

/* load gives what was told, without the folder. *out is NULL where it failed. */
static char *load(const char *text, const struct settings *before,
	struct settings **out)
{
	size_t size = 0, len = strlen(folder) + 1;
	char name[128], *told = NULL, *at;
	FILE *errors = open_memstream(&told, &size);
	struct config *config = NULL;

	snprintf(name, sizeof(name), "%s/c.yaml", folder);
	assert_int_equal(config_load_text(name, text, strlen(text), &config,
		errors), 0);
	*out = NULL;
	if (load_settings(config, before, errors, out) != 0)
		assert_null(*out);
	fclose(errors);
	while ((at = strstr(told, folder)) != NULL)
		memmove(at, at + len, strlen(at + len) + 1);
	return told;
}

static struct settings *load_told(const char *text,
	const struct settings *before, const char *expected)
{
	struct settings *settings;
	char *told = load(text, before, &settings);

	assert_string_equal(told, expected);
	assert_non_null(settings);
	free(told);
	return settings;
}

static bool is_in(const struct settings *settings, unsigned set,
	const char *host)
{
	uint64_t bits[CATALOG_WORDS(2)] = {0};

	catalog_find(settings->catalog, CATALOG_HOSTS, host, 443, NULL, bits);
	return bits[0] & UINT64_C(1) << set;
}

static const char two[] = "origin: {trust: [system]}\n"
	"categories:\n"
	"  one: {hosts: [in.test], file: a.txt}\n"
	"  two:\n"
	"    file:\n"
	"    - b.txt\n"
	"    - a.txt\n";

static void files_are_read(void **state)
{
	static const char a[] = "\xef\xbb\xbf" "# no\r\na.test\r\n\n.b.test\n"
		"0.0.0.0 c.test d.test # hosts\n||e.test^\nf.test/path";
	struct settings *settings;

	(void)state;
	write_file("a.txt", a, sizeof(a) - 1);
	write_file("b.txt", "G.test.\n", 8);
	settings = load_told(two, NULL, "");
	assert_true(is_in(settings, 0, "in.test"));
	assert_false(is_in(settings, 1, "in.test"));
	assert_true(is_in(settings, 0, "a.test"));
	assert_true(is_in(settings, 1, "a.test"));
	assert_true(is_in(settings, 0, "x.b.test"));
	assert_true(is_in(settings, 0, "c.test"));
	assert_true(is_in(settings, 0, "d.test"));
	assert_true(is_in(settings, 0, "e.test"));
	assert_true(is_in(settings, 0, "f.test"));
	assert_true(is_in(settings, 1, "g.test"));
	assert_false(is_in(settings, 0, "g.test"));
	settings_unref(settings);
}

static void bad_lines_are_told_and_the_rest_counts(void **state)
{
	static const char b[] = "good.test\nbad host\n\0zero\nfine.test\n";
	struct settings *settings;
	char *told;

	(void)state;
	write_file("a.txt", "", 0);
	write_file("b.txt", b, sizeof(b) - 1);
	told = load(two, NULL, &settings);
	assert_non_null(settings);
	assert_memory_equal(told, "b.txt:2: warning: ", 18);
	assert_non_null(strstr(told, "\nb.txt:3: warning: "));
	assert_null(strstr(told, "b.txt:4"));
	assert_true(is_in(settings, 1, "good.test"));
	assert_true(is_in(settings, 1, "fine.test"));
	free(told);
	settings_unref(settings);
}

static void twenty_bad_lines_are_enough(void **state)
{
	struct settings *settings;
	char b[5000], *told, *at;
	size_t lines = 0;

	(void)state;
	memset(b, 'x', sizeof(b));
	for (size_t i = 0; i < 50; i += 2)
		memcpy(b + i, "/\n", 2);
	b[4999] = '\n'; /* the 26th is too long */
	write_file("b.txt", b, sizeof(b));
	told = load(two, NULL, &settings);
	for (at = told; (at = strchr(at, '\n')) != NULL; at++)
		lines++;
	assert_int_equal(lines, 21);
	assert_non_null(strstr(told, "\nb.txt:20: warning: "));
	assert_string_equal(strrchr(told, 'b'), "b.txt: warning: and 6 more\n");
	free(told);
	settings_unref(settings);
	write_file("b.txt", b + 50, sizeof(b) - 50);
	settings = load_told(two, NULL, "b.txt:1: warning: this line is longer "
		"than 4096 bytes; passed over\n");
	settings_unref(settings);
}

static void a_file_that_has_gone(void **state)
{
	struct settings *settings;
	char name[128], *told = NULL;
	struct config *config = NULL;
	FILE *errors;
	size_t size;

	(void)state;
	write_file("b.txt", "b.test\n", 7);
	settings = load_told(two, NULL, "");
	snprintf(name, sizeof(name), "%s/c.yaml", folder);
	assert_int_equal(config_load_text(name, two, strlen(two), &config,
		stderr), 0);
	unlink(in_folder("b.txt"));
	errors = open_memstream(&told, &size);
	assert_int_equal(load_settings(config, settings, errors,
		&(struct settings *){NULL}), LOAD_WRONG);
	fclose(errors);
	assert_non_null(strstr(told, "/c.yaml:6: categories.two.file: "));
	assert_non_null(strstr(told, ": No such file or directory\n"));
	free(told);
	settings_unref(settings);
	write_file("b.txt", "", 0);
}

/* A pipe is empty where nobody writes to it: so would the category be. */
static void a_file_that_is_none_any_more(void **state)
{
	struct settings *settings, *none;
	char *told;

	(void)state;
	write_file("b.txt", "b.test\n", 7);
	settings = load_told(two, NULL, "");
	unlink(in_folder("b.txt"));
	assert_int_equal(mkfifo(in_folder("b.txt"), 0600), 0);
	told = load(two, settings, &none);
	assert_null(none);
	assert_non_null(strstr(told, "c.yaml:6: categories.two.file: b.txt: "
		"it is a pipe, a socket or a device; give a regular file"));
	free(told);
	unlink(in_folder("b.txt"));
	settings_unref(settings);
	write_file("b.txt", "", 0);
}

static void what_is_empty_since_a_reload_is_told(void **state)
{
	static const char text[] = "categories:\n  one: {file: a.txt}\n"
		"  two: {file: b.txt}\n", more[] = "categories:\n"
		"  two: {file: b.txt}\n  one: {file: a.txt}\n"
		"  new: {file: b.txt}\n";
	struct settings *first, *second, *third;

	(void)state;
	write_file("a.txt", "", 0);
	write_file("b.txt", "b.test\nc.test\n", 14);
	first = load_told(text, NULL, "");
	write_file("b.txt", "# soon\n", 7);
	second = load_told(more, first, "c.yaml:2: warning: categories.two: "
		"there is no entry in it any more, after 2; its rules fit "
		"nothing\n");
	write_file("b.txt", "", 0);
	third = load_told(more, second, ""); /* told once */
	settings_unref(first);
	settings_unref(second);
	settings_unref(third);
}

static void unchanged_lists_are_shared(void **state)
{
	struct settings *first, *second, *third;

	(void)state;
	write_file("b.txt", "b.test\n/\n", 9);
	first = load_told(two, NULL, "b.txt:2: warning: "
		"\"/\" is not a host, a domain, an address or a network\n");
	second = load_told(two, first, ""); /* nothing is told twice */
	assert_ptr_equal(first->catalog, second->catalog);
	assert_memory_equal(first->catalog_digest, second->catalog_digest, 32);
	settings_unref(first);
	assert_true(is_in(second, 1, "b.test"));
	write_file("b.txt", "c.test\n", 7);
	third = load_told(two, second, "");
	assert_ptr_not_equal(third->catalog, second->catalog);
	assert_true(is_in(third, 1, "c.test"));
	assert_false(is_in(third, 1, "b.test"));
	settings_unref(second);
	settings_unref(third);
}

/* Names, order and what is inline make other lists. */
static void what_is_another_list(void **state)
{
	static const char *const texts[] = {
		"categories: {a: {hosts: [b.test]}, c: {hosts: []}}",
		"categories: {a: {hosts: []}, c: {hosts: [b.test]}}",
		"categories: {c: {hosts: []}, a: {hosts: [b.test]}}",
		"categories: {x: {hosts: [b.test]}, c: {hosts: []}}",
		"categories: {a: {hosts: [b.test]}}",
		"categories: {a: {hosts: [b.test, b.test]}, c: {hosts: []}}",
	};
	struct settings *all[6];

	(void)state;
	for (size_t i = 0; i < 6; i++)
		all[i] = load_told(texts[i], i > 0 ? all[i - 1] : NULL, "");
	for (size_t i = 0; i < 6; i++) {
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(all[i]->catalog_digest,
				all[j]->catalog_digest, 32);
	}
	for (size_t i = 0; i < 6; i++)
		settings_unref(all[i]);
}

static void a_path_that_ssl_rules_do_not_see(void **state)
{
	static const char text[] = "categories:\n"
		"  one: {urls: [a.test, github.com/x, github.com/y]}\n"
		"  two: {file: b.txt}\n"
		"ssl-rules:\n"
		"- {name: Dev, match: {categories: [one, two]}, "
		"action: do-not-inspect}\n";
	struct settings *settings;

	(void)state;
	write_file("b.txt", "\nb.test/z\n", 10);
	settings = load_told(text, NULL,
		"c.yaml:2: warning: the rule \"Dev\" leaves all of github.com "
		"alone, not /x only: SSL rules see no path\n"
		"b.txt:2: warning: the rule \"Dev\" leaves all of b.test "
		"alone, not /z only: SSL rules see no path\n");
	settings_unref(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_read),
		cmocka_unit_test(bad_lines_are_told_and_the_rest_counts),
		cmocka_unit_test(twenty_bad_lines_are_enough),
		cmocka_unit_test(a_file_that_has_gone),
		cmocka_unit_test(a_file_that_is_none_any_more),
		cmocka_unit_test(what_is_empty_since_a_reload_is_told),
		cmocka_unit_test(unchanged_lists_are_shared),
		cmocka_unit_test(what_is_another_list),
		cmocka_unit_test(a_path_that_ssl_rules_do_not_see),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
