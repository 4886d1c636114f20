#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/store.h"
#include "tests/support/lab.h"

static char err[512];

static int set_up(void **state)
{
	(void)state;
	lab_end();
	lab_folder();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static struct store *open_store(void)
{
	struct store *store;

	if (store_open(lab_path("s.db"), &store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return store;
}

static CRYPTO_BUFFER *blob(const char *text)
{
	return der_buffer((struct der){(const uint8_t *)text, strlen(text)});
}

static int64_t add(struct store *store, int64_t id, const char *name,
	bool is_default)
{
	struct store_ca ca = {
		.id = id, .purpose = STORE_INTERMEDIATE, .key_type = "EC_P256",
		.is_default = is_default, .key = blob("key"),
		.cert = blob("cert"),
	};

	snprintf(ca.name, sizeof(ca.name), "%s", name);
	if (store_add(store, &ca, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	CRYPTO_BUFFER_free(ca.key);
	CRYPTO_BUFFER_free(ca.cert);
	return ca.id;
}

static void assert_blob(const CRYPTO_BUFFER *got, const char *text)
{
	assert_non_null(got);
	assert_int_equal(CRYPTO_BUFFER_len(got), strlen(text));
	assert_memory_equal(CRYPTO_BUFFER_data(got), text, strlen(text));
}

static void commit(struct store *store)
{
	if (store_commit(store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void begin(struct store *store)
{
	if (store_begin(store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void keeps_cas(void **state)
{
	struct store *store = open_store();
	CRYPTO_BUFFER *cert = blob("cert 2"), *chain = blob("chain");
	struct store_ca *list;
	struct stat st;
	size_t num;

	(void)state;
	assert_int_equal(stat(lab_path("s.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	begin(store);
	assert_int_equal(add(store, 3, "three", true), 3);
	assert_int_equal(add(store, 0, "four", true), 4);
	assert_int_equal(add(store, 0, "four", false), 5);
	assert_int_equal(store_set_cert(store, 5, cert, chain, err,
		sizeof(err)), 0);
	assert_int_equal(store_set_crl(store, 5, chain, 7, 1234567, err,
		sizeof(err)), 0);
	commit(store);
	store_close(store);

	store = open_store();
	assert_int_equal(store_list(store, &list, &num, err, sizeof(err)), 0);
	assert_int_equal(num, 3);
	assert_int_equal(list[0].id, 3);
	assert_false(list[0].is_default);
	assert_true(list[1].is_default);
	assert_int_equal(list[1].purpose, STORE_INTERMEDIATE);
	assert_string_equal(list[1].name, "four");
	assert_string_equal(list[2].name, "four 2");
	assert_blob(list[0].key, "key");
	assert_blob(list[0].cert, "cert");
	assert_null(list[0].chain);
	assert_blob(list[2].cert, "cert 2");
	assert_blob(list[2].chain, "chain");
	assert_blob(list[2].crl, "chain");
	assert_int_equal(list[2].crl_number, 7);
	assert_int_equal(list[2].crl_time, 1234567);
	store_list_free(list, num);
	store_close(store);
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(chain);
}

static void undoes_what_is_not_committed(void **state)
{
	struct store *store = open_store();
	struct store_ca *list;
	size_t num;

	(void)state;
	begin(store);
	add(store, 0, "lost", true);
	store_close(store);
	store = open_store();
	assert_int_equal(store_list(store, &list, &num, err, sizeof(err)), 0);
	assert_int_equal(num, 0);
	store_list_free(list, num);
	store_close(store);
}

/* Ids are in URLs that outlive the CA. */
static void does_not_give_an_id_twice(void **state)
{
	struct store *store = open_store();
	sqlite3 *db;

	(void)state;
	begin(store);
	assert_int_equal(add(store, 0, "a", false), 1);
	assert_int_equal(add(store, 0, "b", false), 2);
	commit(store);
	assert_int_equal(sqlite3_open(lab_path("s.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM ca WHERE id = 2", NULL,
		NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	begin(store);
	assert_int_equal(add(store, 0, "c", false), 3);
	store_close(store);
}

/* What the lifecycle has begun and not finished is no CA yet. */
static void passes_over_drafts(void **state)
{
	struct store *store = open_store();
	struct store_ca *list;
	sqlite3 *db;
	size_t num;

	(void)state;
	assert_int_equal(sqlite3_open(lab_path("s.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "INSERT INTO ca (purpose, name) "
		"VALUES ('intermediate', 'draft'); INSERT INTO ca (purpose, "
		"name, key, cert) VALUES ('issuing', 'later', 'k', 'c')", NULL,
		NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	assert_int_equal(store_list(store, &list, &num, err, sizeof(err)), 0);
	assert_int_equal(num, 0);
	store_list_free(list, num);
	store_close(store);
}

static void refuse(const char *file, const char *why)
{
	struct store *store;

	assert_int_equal(store_open(lab_path(file), &store, err, sizeof(err)),
		-1);
	assert_null(store);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static void set(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(lab_path("s.db"), &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void refuses_what_is_not_its_own(void **state)
{
	(void)state;
	store_close(open_store());
	set("PRAGMA user_version = 2");
	refuse("s.db", "newer Sallyport (schema 2");
	set("PRAGMA user_version = 0");
	refuse("s.db", "schema 0");
	set("PRAGMA user_version = 1; PRAGMA application_id = 5");
	refuse("s.db", "not Sallyport's");
	lab_text("text.db", "this is a text, and long enough to be looked at "
		"as a database header of one hundred bytes or so, is it not");
	refuse("text.db", "not a database");
	refuse("no/such/folder.db", "No such file");
}

/* What is too large for a page is a chain of them, the last row's at the end of
 * the file: the rows before it can still be read. */
static void tells_what_is_damaged(void **state)
{
	struct store *store = open_store();
	struct store_ca *list = NULL;
	static char big[20000];
	CRYPTO_BUFFER *cert;
	size_t num = 99;
	struct stat st;

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	cert = blob(big);
	begin(store);
	for (int i = 0; i < 3; i++)
		assert_int_equal(store_set_cert(store, add(store, 0, "a",
			false), cert, NULL, err, sizeof(err)), 0);
	commit(store);
	store_close(store);
	CRYPTO_BUFFER_free(cert);
	assert_int_equal(stat(lab_path("s.db"), &st), 0);
	assert_int_equal(truncate(lab_path("s.db"), st.st_size - 8192), 0);
	assert_int_equal(truncate(lab_path("s.db"), st.st_size), 0);

	store = open_store();
	assert_int_equal(store_list(store, &list, &num, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "malformed"));
	assert_null(list);
	assert_int_equal(num, 0);
	store_list_free(list, num);
	store_close(store);
}

static void closes_what_stood_open(void **state)
{
	struct stat st;

	(void)state;
	store_close(open_store());
	chmod(lab_path("s.db"), 0644);
	store_close(open_store());
	assert_int_equal(stat(lab_path("s.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_cas, set_up),
		cmocka_unit_test_setup(undoes_what_is_not_committed, set_up),
		cmocka_unit_test_setup(does_not_give_an_id_twice, set_up),
		cmocka_unit_test_setup(passes_over_drafts, set_up),
		cmocka_unit_test_setup(refuses_what_is_not_its_own, set_up),
		cmocka_unit_test_setup(tells_what_is_damaged, set_up),
		cmocka_unit_test_setup(closes_what_stood_open, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
