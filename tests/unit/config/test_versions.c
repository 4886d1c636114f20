#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/config/versions.h"
#include "tests/support/folder.h"

static struct version version;
static char *text;
static size_t len;
static char err[1024];

static int set_up(void **state)
{
	(void)state;
	folder_make("versions");
	text = NULL;
	err[0] = '\0';
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free(text);
	return folder_remove();
}

static int add(unsigned number, const char *document)
{
	struct version made = {.number = number, .made = 1000 + number,
		.who = "ann", .note = "a \"note\""};

	return versions_add(folder, &made, document, strlen(document), err,
		sizeof(err));
}

static void added(unsigned number, const char *document)
{
	if (add(number, document) != 0)
		fail_msg("%s", err);
}

static void put(unsigned number)
{
	if (versions_set_current(folder, number, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static int read_one(unsigned number)
{
	free(text);
	return versions_read(folder, number, &version, &text, &len, err,
		sizeof(err));
}

static int read_current(void)
{
	free(text);
	return versions_current(folder, &version, &text, &len, err,
		sizeof(err));
}

static unsigned next(void)
{
	unsigned number;

	if (versions_next(folder, &number, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return number;
}

/* numbers_are tells which there are, by "1 2! 3": '!' one that can't be read. */
static void numbers_are(const char *wanted)
{
	struct version *list;
	char got[4096] = "";
	size_t num, at = 0;

	if (versions_list(folder, &list, &num, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	for (size_t i = 0; i < num; i++)
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%u%s",
			i ? " " : "", list[i].number, list[i].err[0] ? "!" :
				"");
	free(list);
	assert_string_equal(got, wanted);
}

static void has_none_at_first(void **state)
{
	(void)state;
	assert_int_equal(read_current(), VERSIONS_NONE);
	assert_int_equal(version.number, 0);
	assert_null(text);
	assert_int_equal(read_one(1), VERSIONS_NONE);
	assert_null(text);
	assert_int_equal(next(), 1);
	numbers_are("");
	folder_shell("test ! -e policy"); /* who only reads makes nothing */
}

static void keeps_a_document_as_it_came(void **state)
{
	static const char document[] = "ssl-rules: # \xc3\xa4\n  - name: \"x\\y"
		"\"\n\taction: block\r\n";

	(void)state;
	added(1, document);
	assert_int_equal(read_one(1), 0);
	assert_string_equal(text, document);
	assert_int_equal(len, sizeof(document) - 1);
	assert_int_equal(version.number, 1);
	assert_int_equal(version.made, 1001);
	assert_string_equal(version.who, "ann");
	assert_string_equal(version.note, "a \"note\"");
	added(2, "");
	assert_int_equal(read_one(2), 0);
	assert_string_equal(text, "");
}

static void is_for_its_owner_alone(void **state)
{
	(void)state;
	added(1, "a");
	put(1);
	folder_shell("test $(stat -c %a policy) = 700");
	folder_shell("test $(stat -c %a policy/000001.json) = 600");
	folder_shell("test $(stat -c %a policy/current) = 600");
	folder_shell("test $(ls -A policy | wc -l) = 2");
}

static void goes_by_the_one_that_was_put(void **state)
{
	(void)state;
	added(1, "one");
	assert_int_equal(read_current(), VERSIONS_NONE);
	put(1);
	assert_int_equal(read_current(), 0);
	assert_string_equal(text, "one");
	added(2, "two");
	assert_int_equal(read_current(), 0);
	assert_string_equal(text, "one");
	put(2);
	assert_int_equal(read_current(), 0);
	assert_int_equal(version.number, 2);
	put(0);
	assert_int_equal(read_current(), VERSIONS_NONE);
	assert_int_equal(versions_set_current(folder, 3, err, sizeof(err)),
		-1);
	assert_non_null(strstr(err, "policy/000003.json"));
	assert_int_equal(read_current(), VERSIONS_NONE);
	folder_shell("echo 1 >policy/current");
	assert_int_equal(read_current(), 0);
	folder_shell("printf 2 >policy/current");
	assert_int_equal(read_current(), 0);
	assert_string_equal(text, "two");
}

static void never_changes_a_version(void **state)
{
	(void)state;
	added(1, "one");
	assert_int_equal(add(1, "other"), -1);
	assert_non_null(strstr(err, "there already"));
	assert_int_equal(read_one(1), 0);
	assert_string_equal(text, "one");
	assert_int_equal(next(), 2);
	added(7, "seven");
	assert_int_equal(next(), 8);
	numbers_are("1 7");
	assert_int_equal(add(0, "x"), -1);
	assert_int_equal(add(VERSIONS_LAST + 1, "x"), -1);
	added(VERSIONS_LAST, "x");
	assert_int_equal(versions_next(folder, &version.number, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "no more numbers"));
}

static void refuses_what_is_no_document(void **state)
{
	char *large = calloc(1, VERSIONS_TEXT_MAX + 2);

	(void)state;
	assert_non_null(large);
	assert_int_equal(add(1, "\xff"), -1);
	assert_non_null(strstr(err, "UTF-8"));
	memset(large, 1, VERSIONS_TEXT_MAX + 1); /* six bytes each, in JSON */
	assert_int_equal(add(1, large), -1);
	large[VERSIONS_TEXT_MAX] = '\0';
	added(1, large);
	assert_int_equal(read_one(1), 0);
	assert_int_equal(len, VERSIONS_TEXT_MAX);
	assert_string_equal(text, large);
	free(large);
}

static void says_what_is_damaged_and_loses_nothing(void **state)
{
	static const char *const damages[] = {"printf x >policy/000002.json",
		": >policy/000002.json", "cp policy/000001.json "
		"policy/000002.json", "echo '{\"version\":2}' "
		">policy/000002.json", "echo '[]' >policy/000002.json",
		"truncate -s 8M policy/000002.json", "rm policy/000002.json; "
		"mkdir policy/000002.json", "rmdir policy/000002.json; mkfifo "
		"policy/000002.json", "rm policy/000002.json; ln -s "
		"000001.json policy/000002.json"};

	(void)state;
	added(1, "one");
	added(2, "two");
	added(3, "three");
	put(2);
	for (size_t i = 0; i < sizeof(damages) / sizeof(*damages); i++) {
		folder_shell(damages[i]);
		assert_int_equal(read_one(2), -1);
		assert_null(text);
		assert_int_equal(read_current(), -1);
		if (!strstr(err, "policy/000002.json"))
			fail_msg("%s: %s", damages[i], err);
		numbers_are("1 2! 3");
		assert_int_equal(next(), 4);
		assert_int_equal(read_one(3), 0);
	}
	added(4, "four");
	folder_shell("test -L policy/000002.json");
	put(4);
	assert_int_equal(read_current(), 0);
}

static void says(unsigned number, const char *what)
{
	char command[512];

	snprintf(command, sizeof(command), "printf '%%s' '{%s}' "
		">policy/%06u.json", what, number);
	folder_shell(command);
}

/* Who has changed a file does not by that write to logs and terminals. */
static void believes_no_file_unseen(void **state)
{
	static const char *const wrong[] = {
		"\"version\":1,\"who\":\"a\",\"note\":\"b\",\"policy\":\"\"",
		"\"version\":1.0,\"made\":1,\"who\":\"a\",\"note\":\"b\","
		"\"policy\":\"\"",
		"\"version\":1,\"made\":\"1\",\"who\":\"a\",\"note\":\"b\","
		"\"policy\":\"\"",
		"\"version\":1,\"made\":-1,\"who\":\"a\",\"note\":\"b\","
		"\"policy\":\"\"",
		"\"version\":1,\"made\":253402300800,\"who\":\"a\","
		"\"note\":\"b\",\"policy\":\"\"",
		"\"version\":1,\"made\":1,\"who\":7,\"note\":\"b\","
		"\"policy\":\"\"",
		"\"version\":1,\"made\":1,\"who\":\"a\\u001b[2J\","
		"\"note\":\"b\",\"policy\":\"\"",
		"\"version\":1,\"made\":1,\"who\":\"a\",\"note\":\"b\\n\","
		"\"policy\":\"\"",
		"\"version\":1,\"made\":1,\"who\":\"0123456789012345678901234"
		"56789012345678901234567890123456789012345678901234567890123456"
		"78901234567890123456789012345678901234567\",\"note\":\"b\","
		"\"policy\":\"\""};

	(void)state;
	added(1, "one");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		says(1, wrong[i]);
		if (read_one(1) != -1)
			fail_msg("%s", wrong[i]);
		numbers_are("1!");
	}
	says(1, "\"version\":1,\"made\":1,\"who\":\"\",\"note\":\"\","
		"\"policy\":\"x\""); /* laid out in another way */
	assert_int_equal(read_one(1), 0);
	numbers_are("1");
}

/* Lists read no documents, and of what somebody has put there not all. */
static void lists_are_short(void **state)
{
	struct version *list;
	size_t num;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		added(i, "x");
	put(2);
	folder_shell("for i in $(seq 10 1000); do : >policy/$(printf %06d $i).json; "
		"done");
	assert_int_equal(versions_list(folder, &list, &num, err,
		sizeof(err)), 0);
	assert_int_equal(num, VERSIONS_KEPT + 1);
	assert_int_equal(list[0].number, 2);
	assert_string_equal(list[0].who, "ann");
	assert_string_equal(list[0].note, "a \"note\"");
	assert_int_equal(list[0].made, 1002);
	assert_int_equal(list[1].number, 1001 - VERSIONS_KEPT);
	free(list);
}

static void takes_back_what_never_was_in_force(void **state)
{
	(void)state;
	added(1, "one");
	added(2, "two");
	versions_remove(folder, 2);
	numbers_are("1");
	versions_remove(folder, 2);
	versions_remove("/nonexistent", 1);
	numbers_are("1");
}

static void does_not_guess_which_is_in_force(void **state)
{
	static const char *const wrong[] = {"", "x", "1x", "-1", " 1", "1 2",
		"1\\n\\n", "1000000", "../../x"};
	char command[128];

	(void)state;
	added(1, "one");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		snprintf(command, sizeof(command), "printf -- '%s' "
			">policy/current", wrong[i]);
		folder_shell(command);
		assert_int_equal(read_current(), -1);
		assert_non_null(strstr(err, "policy/current is damaged"));
	}
	folder_shell("echo 5 >policy/current");
	assert_int_equal(read_current(), -1);
	assert_non_null(strstr(err, "version 5, which is not there"));
}

/* Else a file that has gone would put another policy in force. */
static void does_not_go_on_without_saying(void **state)
{
	(void)state;
	added(1, "one");
	folder_shell("grep -qx 0 policy/current"); /* before anything is put */
	put(1);
	folder_shell("rm policy/current");
	assert_int_equal(read_current(), -1);
	assert_non_null(strstr(err, "policy/current is gone"));
	assert_null(text);
	/* nor is any let go of, nor is it made */
	for (unsigned i = 2; i <= VERSIONS_KEPT + 3; i++)
		added(i, "x");
	folder_shell("test -e policy/000001.json -a ! -e policy/current");
	put(1);
	assert_int_equal(read_current(), 0);
	assert_string_equal(text, "one");
	folder_shell("rm policy/*");
	assert_int_equal(read_current(), VERSIONS_NONE);
}

static void heeds_no_other_files(void **state)
{
	(void)state;
	added(1, "one");
	folder_shell("cd policy && touch 2.json 000000.json 0000003.json 000004.jsonx "
		"000005.json~ new.tmp x000006.json 00007a.json 1000000.json");
	numbers_are("1");
	assert_int_equal(next(), 2);
	added(2, "two");
	folder_shell("test ! -e policy/new.tmp");
}

static void keeps_the_newest_and_the_one_in_force(void **state)
{
	struct version *list;
	size_t num;

	(void)state;
	for (unsigned i = 1; i <= 5; i++)
		added(i, "x");
	put(2);
	for (unsigned i = 6; i <= VERSIONS_KEPT + 4; i++)
		added(i, "x");
	assert_int_equal(versions_list(folder, &list, &num, err,
		sizeof(err)), 0);
	assert_int_equal(num, VERSIONS_KEPT + 1);
	assert_int_equal(list[0].number, 2);
	assert_int_equal(list[1].number, 5);
	free(list);
	assert_int_equal(read_current(), 0);
	assert_int_equal(version.number, 2);
	/* where it is not known which is in force none is let go of */
	folder_shell("echo x >policy/current");
	added(VERSIONS_KEPT + 5, "x");
	folder_shell("test -e policy/000005.json");
	put(0);
	added(VERSIONS_KEPT + 6, "x");
	folder_shell("test ! -e policy/000002.json -a ! -e policy/000006.json");
	folder_shell("test -e policy/000007.json");
}

static void trusts_no_folder_of_others(void **state)
{
	(void)state;
	folder_shell("mkdir -m 777 policy");
	assert_int_equal(read_current(), -1);
	assert_non_null(strstr(err, "somebody else"));
	assert_int_equal(add(1, "x"), -1);
	folder_shell("rmdir policy; mkdir -m 700 real; ln -s real policy");
	assert_int_equal(read_current(), -1);
	assert_int_equal(add(1, "x"), -1);
	folder_shell("rm policy; test ! -e real/000001.json; echo x >policy");
	assert_int_equal(read_current(), -1);
	assert_int_equal(versions_set_current(folder, 0, err, sizeof(err)),
		-1);
}

static void says_what_cannot_be_written(void **state)
{
	(void)state;
	assert_int_equal(versions_set_current("/nonexistent", 0, err,
		sizeof(err)), -1);
	assert_string_equal(err, "policy: No such file or directory");
	assert_int_equal(versions_list("/nonexistent", &(struct version *){0},
		&len, err, sizeof(err)), 0);
	assert_int_equal(len, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(has_none_at_first),
		TEST(keeps_a_document_as_it_came),
		TEST(is_for_its_owner_alone),
		TEST(goes_by_the_one_that_was_put),
		TEST(never_changes_a_version),
		TEST(refuses_what_is_no_document),
		TEST(says_what_is_damaged_and_loses_nothing),
		TEST(believes_no_file_unseen),
		TEST(lists_are_short),
		TEST(takes_back_what_never_was_in_force),
		TEST(does_not_guess_which_is_in_force),
		TEST(does_not_go_on_without_saying),
		TEST(heeds_no_other_files),
		TEST(keeps_the_newest_and_the_one_in_force),
		TEST(trusts_no_folder_of_others),
		TEST(says_what_cannot_be_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
