#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "pki/store_private.h"
#include "pki/store_token.h"
#include "tests/support/lab.h"

static char err[512];
static struct store *store;
static struct store_token *list;
static size_t num;

static int set_up(void **state)
{
	(void)state;
	lab_run("rm -f s.db");
	return store_open(lab_path("s.db"), &store, err, sizeof(err));
}

static int tear_down(void **state)
{
	(void)state;
	store_token_free(list, num);
	list = NULL;
	store_close(store);
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static struct store_token token(const char *name, enum token_kind kind)
{
	struct store_token made = {.kind = kind, .made = 77,
		.digest = {0, 1, 2, 0, [31] = 0xff}};

	snprintf(made.name, sizeof(made.name), "%s", name);
	return made;
}

static int add(const struct store_token *made)
{
	return store_token_add(store, made, err, sizeof(err));
}

static void read_all(void)
{
	store_token_free(list, num);
	assert_int_equal(store_token_list(store, &list, &num, err,
		sizeof(err)), 0);
}

static void keeps_all_of_it(void **state)
{
	struct store_token bearer = token("b", TOKEN_BEARER);
	struct store_token session = token("a", TOKEN_SESSION);

	(void)state;
	snprintf(session.client, sizeof(session.client), "ann");
	snprintf(session.api_key, sizeof(session.api_key), "0123456789ab");
	session.read_only = true;
	assert_int_equal(add(&bearer), 0);
	assert_int_equal(add(&session), 0);
	read_all();
	assert_int_equal(num, 2); /* by name */
	session.id = 2;
	bearer.id = 1;
	assert_memory_equal(&list[0], &session, sizeof(session));
	assert_memory_equal(&list[1], &bearer, sizeof(bearer));
}

static void has_each_name_once(void **state)
{
	struct store_token one = token("a", TOKEN_BEARER);

	(void)state;
	assert_int_equal(add(&one), 0);
	one.kind = TOKEN_OAUTH;
	assert_int_equal(add(&one), STORE_TOKEN_TAKEN);
	read_all();
	assert_int_equal(num, 1);
	assert_int_equal(list[0].kind, TOKEN_BEARER);
}

/* An id is never another's: logins in memory go by it. */
static void deletes_by_name(void **state)
{
	struct store_token one = token("a", TOKEN_BEARER);

	(void)state;
	assert_int_equal(store_token_delete(store, "a", err, sizeof(err)),
		STORE_TOKEN_NONE);
	assert_int_equal(add(&one), 0);
	assert_int_equal(store_token_delete(store, "A", err, sizeof(err)),
		STORE_TOKEN_NONE);
	assert_int_equal(store_token_delete(store, "a", err, sizeof(err)), 0);
	assert_int_equal(add(&one), 0);
	read_all();
	assert_int_equal(num, 1);
	assert_int_equal(list[0].id, 2);
}

static void undoes_with_the_rest(void **state)
{
	struct store_token one = token("a", TOKEN_BEARER);

	(void)state;
	assert_int_equal(store_begin(store, err, sizeof(err)), 0);
	assert_int_equal(add(&one), 0);
	store_close(store);
	assert_int_equal(store_open(lab_path("s.db"), &store, err,
		sizeof(err)), 0);
	read_all();
	assert_int_equal(num, 0);
}

static void passes_over_what_is_damaged(void **state)
{
	struct store_token one = token("c", TOKEN_BEARER);

	(void)state;
	assert_int_equal(store_run(store, "INSERT INTO token (name, kind,"
		" digest, read_only, made) VALUES ('a', 'magic',"
		" zeroblob(32), 0, 1), ('b', 'bearer', zeroblob(31), 0, 1),"
		" ('d', 'bearer', 'x', 0, 1)", err, sizeof(err)), 0);
	assert_int_equal(add(&one), 0);
	read_all();
	assert_int_equal(num, 1);
	assert_string_equal(list[0].name, "c");
}

static int look(const char *name)
{
	store_token_free(list, num);
	return store_token_read(lab_path(name), &list, &num, err,
		sizeof(err));
}

static void reads_beside_a_writer(void **state)
{
	struct store_token one = token("one", TOKEN_BEARER);
	struct store_token two = token("two", TOKEN_BEARER);

	(void)state;
	assert_int_equal(add(&one), 0);
	assert_int_equal(store_begin(store, err, sizeof(err)), 0);
	assert_int_equal(add(&two), 0);
	assert_int_equal(look("s.db"), 0);
	assert_int_equal(num, 1);
	assert_string_equal(list[0].name, "one");
	assert_int_equal(store_commit(store, err, sizeof(err)), 0);
	assert_int_equal(look("s.db"), 0);
	assert_int_equal(num, 2);
}

static void reads_what_is_there(void **state)
{
	(void)state;
	assert_int_equal(store_run(store, "DROP TABLE token", err,
		sizeof(err)), 0);
	assert_int_equal(look("s.db"), 0);
	assert_int_equal(num, 0);
	assert_int_equal(look("none.db"), -1);
	lab_run("test ! -e none.db");
	lab_text("s.txt", "This is not a database, whatever it is.");
	assert_int_equal(look("s.txt"), -1);
	assert_non_null(strstr(err, "not a database"));
	lab_run("rm -f link.db; ln -s s.db link.db");
	assert_int_equal(look("link.db"), -1);
}

static void has_words_for_kinds(void **state)
{
	enum token_kind kind;

	(void)state;
	for (int i = 0; i < (int)NUM_TOKEN_KINDS; i++) {
		assert_true(token_kind_named(token_kind_word(
			(enum token_kind)i), &kind));
		assert_int_equal((int)kind, i);
	}
	assert_string_equal(token_kind_word(TOKEN_SESSION), "session");
	assert_false(token_kind_named("Bearer", &kind));
	store_token_free(NULL, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(keeps_all_of_it),
		TEST(has_each_name_once),
		TEST(deletes_by_name),
		TEST(undoes_with_the_rest),
		TEST(passes_over_what_is_damaged),
		TEST(reads_beside_a_writer),
		TEST(reads_what_is_there),
		TEST(has_words_for_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, end_all);
}
