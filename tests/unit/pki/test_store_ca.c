#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/store_ca.h"
#include "pki/store_private.h"
#include "tests/unit/pki/store_test.h"

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

static struct store_ca *list_of(struct store *store, size_t num)
{
	struct store_ca *list;
	size_t got;

	if (store_list(store, &list, &got, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(got, num);
	return list;
}

static void keeps_cas(void **state)
{
	struct store *store = open_store();
	CRYPTO_BUFFER *crl = blob("a crl");
	struct store_ca *list;

	(void)state;
	begin(store);
	assert_int_equal(add(store, 3, "three", true), 3);
	assert_int_equal(add(store, 0, "four", true), 4);
	assert_int_equal(add(store, 0, "four", false), 5);
	assert_int_equal(store_set_crl(store, 5, crl, 7, 1234567, err,
		sizeof(err)), 0);
	commit(store);
	store_close(store);
	CRYPTO_BUFFER_free(crl);

	store = open_store();
	list = list_of(store, 3);
	assert_int_equal(list[0].id, 3);
	assert_false(list[0].is_default);
	assert_true(list[1].is_default);
	assert_int_equal(list[1].purpose, STORE_INTERMEDIATE);
	assert_string_equal(list[1].name, "four");
	assert_string_equal(list[2].name, "four 2");
	assert_string_equal(list[0].type, "CUSTOM_SW");
	assert_string_equal(list[0].region, "GLOBAL");
	assert_blob(list[0].key, "key");
	assert_blob(list[0].cert, "cert");
	assert_null(list[0].chain);
	assert_null(list[0].crl);
	assert_blob(list[2].crl, "a crl");
	assert_int_equal(list[2].crl_number, 7);
	assert_int_equal(list[2].crl_time, 1234567);
	store_list_free(list, 3);
	store_close(store);
}

static void assert_same(const struct store_ca *a, const struct store_ca *b)
{
	const CRYPTO_BUFFER *const one[] = {a->key, a->spki, a->csr, a->cert,
		a->chain};
	const CRYPTO_BUFFER *const two[] = {b->key, b->spki, b->csr, b->cert,
		b->chain};

	for (size_t i = 0; i < sizeof(one) / sizeof(*one); i++)
		assert_true(der_same(der_of(one[i]), der_of(two[i])));
	assert_int_equal(a->enabled, b->enabled);
	assert_int_equal(a->state, b->state);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->description, b->description);
	assert_string_equal(a->type, b->type);
	assert_string_equal(a->region, b->region);
	assert_string_equal(a->key_type, b->key_type);
	assert_string_equal(a->csr_file, b->csr_file);
	assert_string_equal(a->cert_file, b->cert_file);
	assert_int_equal(a->key_time, b->key_time);
	assert_int_equal(a->csr_time, b->csr_time);
}

/* Every column that the lifecycle fills, and those that it must not touch. */
static void saves_a_row_whole(void **state)
{
	struct store *store = open_store();
	struct store_ca full = {
		.purpose = STORE_ROOT, .parent = 77, .is_default = true,
		.state = STATE_CSRGEN_DONE, .name = "renamed",
		.description = "d\xc3\xa4s", .type = "ZSCALER",
		.region = "EU", .key_type = "RSA_4K", .key = blob("k"),
		.spki = blob("s"), .key_time = 11, .csr = blob("r"),
		.csr_file = "a.csr", .csr_time = 12, .cert = blob("c"),
		.cert_file = "a.pem", .chain = blob("h"), .crl_number = 99,
	};
	struct store_ca *list;

	(void)state;
	add(store, 0, "other", true);
	full.id = add(store, 0, "before", false);
	assert_int_equal(store_save(store, &full, err, sizeof(err)), 0);
	list = list_of(store, 2);
	assert_same(&full, &list[1]);
	assert_int_equal(list[1].purpose, STORE_INTERMEDIATE);
	assert_int_equal(list[1].parent, 0);
	assert_false(list[1].is_default);
	assert_int_equal(list[1].crl_number, 0);
	assert_string_equal(list[0].name, "other");
	store_list_free(list, 2);
	store_list_free(memcpy(pki_new(sizeof(full)), &full, sizeof(full)), 1);
	store_close(store);
}

static void every_state_has_a_word(void **state)
{
	static const char *const words[] = {"GENERAL_DONE", "KEYGEN_DONE",
		"PUBKEY_DONE", "CSRGEN_DONE", "INTCERT_UPLOAD_DONE",
		"CERTCHAIN_UPLOAD_DONE", "CERT_READY"};
	struct store *store = open_store();
	struct store_ca *list;

	(void)state;
	assert_int_equal(sizeof(words) / sizeof(*words), NUM_STATES);
	for (int i = 0; i < (int)NUM_STATES; i++) {
		struct store_ca row = {.purpose = STORE_INTERMEDIATE,
			.name = "a", .state = (enum store_state)i};

		assert_string_equal(state_word(row.state), words[i]);
		assert_int_equal(store_add(store, &row, err, sizeof(err)), 0);
	}
	list = list_of(store, NUM_STATES);
	for (int i = 0; i < (int)NUM_STATES; i++)
		assert_int_equal(list[i].state, i);
	store_list_free(list, NUM_STATES);
	store_close(store);
}

static void has_one_default(void **state)
{
	struct store *store = open_store();
	struct store_ca *list;

	(void)state;
	add(store, 0, "a", true);
	add(store, 0, "b", false);
	assert_int_equal(store_set_default(store, 2, err, sizeof(err)), 0);
	list = list_of(store, 2);
	assert_false(list[0].is_default);
	assert_true(list[1].is_default);
	store_list_free(list, 2);
	assert_int_equal(store_set_default(store, 2, err, sizeof(err)), 0);
	list = list_of(store, 2);
	assert_true(list[1].is_default);
	store_list_free(list, 2);
	store_close(store);
}

/* Its CRL is owed to whoever still holds what it signed. */
static void retires(void **state)
{
	struct store *store = open_store();
	CRYPTO_BUFFER *crl = blob("a crl");
	struct store_ca *list;

	(void)state;
	add(store, 0, "gone", false);
	assert_int_equal(store_set_crl(store, 1, crl, 3, 5, err, sizeof(err)),
		0);
	CRYPTO_BUFFER_free(crl);
	assert_int_equal(store_retire(store, 1, 1234, err, sizeof(err)), 0);
	assert_false(store_name_taken(store, "gone", 0));
	assert_int_equal(add(store, 0, "gone", false), 2);
	list = list_of(store, 2);
	assert_int_equal(list[0].retired, 1234);
	assert_false(list[0].enabled);
	assert_null(list[0].key);
	assert_blob(list[0].crl, "a crl");
	assert_string_not_equal(list[0].name, "gone");
	assert_string_equal(list[1].name, "gone");
	assert_int_equal(list[1].retired, 0);
	store_list_free(list, 2);
	store_close(store);
}

static void knows_which_names_are_taken(void **state)
{
	struct store *store = open_store();
	struct store_ca row = {.id = 2, .name = "a"};

	(void)state;
	add(store, 0, "a", false);
	add(store, 0, "b", false);
	assert_true(store_name_taken(store, "a", 0));
	assert_true(store_name_taken(store, "a", 2));
	assert_false(store_name_taken(store, "a", 1)); /* its own */
	assert_false(store_name_taken(store, "c", 0));
	assert_false(store_name_taken(store, "", 0));
	/* who does not ask is told */
	assert_int_equal(store_save(store, &row, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "UNIQUE"));
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

/* What this version does not know is somebody else's: a purpose, a state. */
static void passes_over_what_it_does_not_know(void **state)
{
	struct store *store = open_store();
	struct store_ca *list;

	(void)state;
	assert_int_equal(store_run(store, "INSERT INTO ca (purpose, name) "
		"VALUES ('intermediate', 'draft'); INSERT INTO ca (purpose, "
		"name, key, cert) VALUES ('issuing', 'later', 'k', 'c');"
		"INSERT INTO ca (purpose, name, state) VALUES "
		"('intermediate', 'odd', 'HSM_DONE')", err, sizeof(err)), 0);
	list = list_of(store, 1);
	assert_string_equal(list[0].name, "draft"); /* begun, not finished */
	assert_int_equal(list[0].state, STATE_GENERAL_DONE);
	assert_null(list[0].key);
	assert_null(list[0].cert);
	store_list_free(list, 1);
	store_close(store);
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
		assert_int_equal(store_set_crl(store, add(store, 0, "a",
			false), cert, 1, 1, err, sizeof(err)), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_cas, set_up),
		cmocka_unit_test_setup(saves_a_row_whole, set_up),
		cmocka_unit_test_setup(every_state_has_a_word, set_up),
		cmocka_unit_test_setup(has_one_default, set_up),
		cmocka_unit_test_setup(retires, set_up),
		cmocka_unit_test_setup(knows_which_names_are_taken, set_up),
		cmocka_unit_test_setup(does_not_give_an_id_twice, set_up),
		cmocka_unit_test_setup(passes_over_what_it_does_not_know,
			set_up),
		cmocka_unit_test_setup(tells_what_is_damaged, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
