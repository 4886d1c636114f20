#include "pki/store_ca.h"
#include "pki/store_issuing.h"
#include "tests/unit/pki/store_test.h"

/* one is a store with a CA, id 1, in it. */
static struct store *one(void)
{
	struct store *store = open_store();
	struct store_ca ca = {.purpose = STORE_INTERMEDIATE, .name = "over"};

	if (store_add(store, &ca, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(ca.id, 1);
	return store;
}

static int64_t next(struct store *store)
{
	int64_t id = -1;

	if (store_issuing_next(store, &id, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return id;
}

static int try_add(struct store *store, int64_t parent, const char *key_id,
	int64_t ends)
{
	struct store_issuing issuing = {.id = next(store), .parent = parent,
		.made = 5, .ends = ends, .cert = blob("cert"),
		.crl = blob("crl")};
	int result;

	snprintf(issuing.key_id, sizeof(issuing.key_id), "%s", key_id);
	result = store_issuing_add(store, &issuing, err, sizeof(err));
	CRYPTO_BUFFER_free(issuing.cert);
	CRYPTO_BUFFER_free(issuing.crl);
	return result;
}

static void add(struct store *store, const char *key_id, int64_t ends)
{
	if (try_add(store, 1, key_id, ends) != 0)
		fail_msg("%s", err);
}

static struct store_issuing *list_of(struct store *store, int64_t now,
	size_t num)
{
	struct store_issuing *list;
	size_t got;

	if (store_issuing_list(store, now, &list, &got, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(got, num);
	return list;
}

static void prune(struct store *store, int64_t now)
{
	if (store_issuing_prune(store, now, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

/* --- issuing CAs -------------------------------------------------------- */

static void keeps_them_until_they_end(void **state)
{
	struct store *store = one();
	struct store_issuing *list;

	(void)state;
	store_issuing_free(list_of(store, 0, 0), 0);
	add(store, "aa", 100);
	add(store, "bb", 90);
	store_close(store);
	store = open_store();
	list = list_of(store, 89, 2);
	assert_int_equal(list[0].id, 1); /* oldest first */
	assert_int_equal(list[1].id, 2);
	assert_int_equal(list[0].parent, 1);
	assert_string_equal(list[0].key_id, "aa");
	assert_string_equal(list[1].key_id, "bb");
	assert_blob(list[0].cert, "cert");
	assert_blob(list[0].crl, "crl");
	assert_int_equal(list[0].made, 5);
	assert_int_equal(list[0].ends, 100);
	assert_int_equal(list[0].revoked, 0);
	store_issuing_free(list, 2);
	store_issuing_free(list_of(store, 90, 1), 1);
	store_issuing_free(list_of(store, 100, 0), 0);
	store_close(store);
}

/* The counter stands in names: none is given twice, whatever was pruned. */
static void counts_up(void **state)
{
	struct store *store = one();

	(void)state;
	assert_int_equal(next(store), 1);
	assert_int_equal(next(store), 1); /* asking alone is nothing */
	add(store, "aa", 10);
	assert_int_equal(next(store), 2);
	add(store, "bb", 10);
	prune(store, 10 + STORE_ENDED_S - 1); /* the clock may be wrong */
	store_issuing_free(list_of(store, 0, 2), 2);
	prune(store, 10 + STORE_ENDED_S);
	store_issuing_free(list_of(store, 0, 0), 0);
	assert_int_equal(next(store), 3);
	store_close(store);
}

static void refuses_what_makes_no_sense(void **state)
{
	struct store *store = one();

	(void)state;
	assert_int_equal(try_add(store, 9, "aa", 10), -1); /* no such CA */
	assert_non_null(strstr(err, "FOREIGN KEY"));
	add(store, "aa", 10);
	assert_int_equal(try_add(store, 1, "aa", 10), -1);
	assert_non_null(strstr(err, "UNIQUE"));
	store_close(store);
}

static void marks_one_as_revoked(void **state)
{
	struct store *store = one();
	struct store_issuing *list;

	(void)state;
	add(store, "aa", 100);
	add(store, "bb", 100);
	assert_int_equal(store_mark_revoked(store, 2, 50, err, sizeof(err)),
		0);
	list = list_of(store, 0, 2);
	assert_int_equal(list[0].revoked, 0);
	assert_int_equal(list[1].revoked, 50);
	store_issuing_free(list, 2);
	store_close(store);
}

/* --- what was revoked --------------------------------------------------- */

static void revoke(struct store *store, const char *serial, int64_t at,
	int64_t until)
{
	struct crl_entry entry = {.serial_len = (uint8_t)strlen(serial),
		.at = (time_t)at};

	memcpy(entry.serial, serial, strlen(serial));
	if (store_revoke(store, 1, &entry, until, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static struct crl_entry revoked[CRL_REVOKED_MAX];

static size_t num_revoked(struct store *store, int64_t issuer, int64_t now)
{
	size_t num = 9999;

	if (store_revoked(store, issuer, now, revoked, &num, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	return num;
}

static void lists_what_was_revoked(void **state)
{
	struct store *store = one();

	(void)state;
	assert_int_equal(num_revoked(store, 1, 0), 0);
	revoke(store, "B2", 20, 100);
	revoke(store, "A1", 30, 90);
	revoke(store, "A1", 35, 95); /* once more: as it was */
	assert_int_equal(num_revoked(store, 1, 89), 2);
	assert_int_equal(num_revoked(store, 2, 89), 0);
	assert_int_equal(revoked[0].serial_len, 2); /* by its time */
	assert_memory_equal(revoked[0].serial, "B2", 2);
	assert_int_equal(revoked[0].at, 20);
	assert_memory_equal(revoked[1].serial, "A1", 2);
	assert_int_equal(revoked[1].at, 30);
	assert_int_equal(num_revoked(store, 1, 90), 1);
	prune(store, 90 + STORE_ENDED_S - 1); /* the clock may be wrong */
	assert_int_equal(num_revoked(store, 1, 0), 2);
	prune(store, 90 + STORE_ENDED_S);
	assert_int_equal(num_revoked(store, 1, 0), 1);
	store_close(store);
}

static void lists_no_more_than_go_into_a_crl(void **state)
{
	struct store *store = one();
	char serial[8];

	(void)state;
	assert_int_equal(store_begin(store, err, sizeof(err)), 0);
	for (int i = 0; i < CRL_REVOKED_MAX + 5; i++) {
		snprintf(serial, sizeof(serial), "%04d", i);
		revoke(store, serial, 10, 100);
	}
	assert_int_equal(store_commit(store, err, sizeof(err)), 0);
	assert_int_equal(num_revoked(store, 1, 0), CRL_REVOKED_MAX);
	assert_memory_equal(revoked[CRL_REVOKED_MAX - 1].serial, "0599", 4);
	store_close(store);
}

/* --- what was signed ---------------------------------------------------- */

static void add_leaf(struct store *store, const char *site, int64_t issuing,
	const char *serial, int64_t ends)
{
	struct store_leaf leaf = {.issuing = issuing, .ca = 1, .ends = ends,
		.entry.serial_len = (uint8_t)strlen(serial)};

	snprintf(leaf.site, sizeof(leaf.site), "%s", site);
	memcpy(leaf.entry.serial, serial, strlen(serial));
	if (store_leaf_add(store, &leaf, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static struct store_leaf *leaves_of(struct store *store, const char *site,
	int64_t now, size_t num)
{
	struct store_leaf *list;
	size_t got;

	if (store_leaf_find(store, site, now, &list, &got, err,
		    sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(got, num);
	return list;
}

static void finds_the_leaves_of_a_site(void **state)
{
	struct store *store = one();
	struct store_leaf *list;

	(void)state;
	add_leaf(store, "a.test", 3, "", 50);
	add_leaf(store, "a.test", 3, "", 80); /* the longest counts */
	add_leaf(store, "a.test", 3, "", 60);
	add_leaf(store, "a.test", 0, "S1", 70);
	add_leaf(store, "a.test", 0, "S2", 70);
	add_leaf(store, "b.test", 3, "", 99);
	free(leaves_of(store, "c.test", 0, 0));
	list = leaves_of(store, "a.test", 69, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(list[i].site, "a.test");
		assert_int_equal(list[i].ca, 1);
		assert_int_equal(list[i].ends, list[i].issuing ? 80 : 70);
		assert_int_equal(list[i].entry.serial_len,
			list[i].issuing ? 0 : 2);
	}
	free(list);
	list = leaves_of(store, "a.test", 70, 1);
	assert_int_equal(list[0].issuing, 3);
	free(list);
	prune(store, 80);
	free(leaves_of(store, "a.test", 0, 0));
	free(leaves_of(store, "b.test", 0, 1));
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_them_until_they_end, set_up),
		cmocka_unit_test_setup(counts_up, set_up),
		cmocka_unit_test_setup(refuses_what_makes_no_sense, set_up),
		cmocka_unit_test_setup(marks_one_as_revoked, set_up),
		cmocka_unit_test_setup(lists_what_was_revoked, set_up),
		cmocka_unit_test_setup(lists_no_more_than_go_into_a_crl,
			set_up),
		cmocka_unit_test_setup(finds_the_leaves_of_a_site, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
