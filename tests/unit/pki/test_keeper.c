/* The keys that a keeper has: made, held, let go, and asked for requests. */
#include "tests/unit/pki/keeper_test.h"

static void makes_every_kind_of_key(void **state)
{
	static const enum key_kind kinds[] = {
		KEY_EC_P256, KEY_EC_P384, KEY_RSA_2K};

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		CRYPTO_BUFFER *locked, *spki, *same;
		enum key_role role;
		EVP_PKEY *key;

		assert_int_equal(keeper_make_key(link_, kinds[i],
			KEY_ROLE_UNTRUSTED, &locked, &spki, err, sizeof(err)),
			0);
		key = keylock_unlock(kept_lock(), der_of(locked), &role);
		assert_non_null(key);
		assert_int_equal(role, KEY_ROLE_UNTRUSTED);
		assert_string_equal(key_type_name(key),
			key_kind_name(kinds[i]));
		same = key_spki(key);
		assert_true(der_same(der_of(spki), der_of(same)));
		CRYPTO_BUFFER_free(same);
		CRYPTO_BUFFER_free(locked);
		CRYPTO_BUFFER_free(spki);
		EVP_PKEY_free(key);
	}
}

static void refuses_to_make_what_is_none(void **state)
{
	static const struct {
		int kind, role;
	} rows[] = {{NUM_KEY_KINDS, 1}, {-1, 1}, {0, KEY_ROLE_NONE}, {0, 4}};
	CRYPTO_BUFFER *locked, *spki;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(keeper_make_key(link_,
			(enum key_kind)rows[i].kind,
			(enum key_role)rows[i].role, &locked, &spki, err,
			sizeof(err)), -1);
		assert_null(spki);
		refused(locked, "can't make sense");
	}
}

/* --- holding -------------------------------------------------------------- */

static int try_hold(struct der locked, enum key_role role, struct der cert,
	const char *id)
{
	struct keeper_held held;
	int result = keeper_hold(link_, locked, role, cert, id, &held, err,
		sizeof(err));

	assert_null(held.relocked);
	return result;
}

static void says_what_it_does_not_hold(void **state)
{
	struct der locked = der_of(inter.locked);
	CRYPTO_BUFFER *mute;

	(void)state;
	assert_int_equal(try_hold(locked, KEY_ROLE_NONE, none, "1"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, (enum key_role)9, none, "1"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT, none, "01234567890123"
		"4567890123456789012345678901234567890123456789"), -1);
	refused(NULL, "can't make sense");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		der_of(root.cert), "2"), -1);
	refused(NULL, "not that of the CA certificate");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		der_of(inter.cert), "../1"), -1);
	refused(NULL, "is no CA's id");
	assert_int_equal(try_hold(locked, KEY_ROLE_ROOT,
		(struct der){(const uint8_t *)"x", 1}, "1"), -1);
	refused(NULL, "can't be parsed");
	mute = with_path_len(&bare, "\nkeyUsage=cRLSign");
	assert_int_equal(try_hold(der_of(bare.locked), KEY_ROLE_INTERMEDIATE,
		der_of(mute), "1"), -1);
	refused(NULL, "lacks keyCertSign");
	CRYPTO_BUFFER_free(mute);
}

static void says_that_the_passphrase_is_another(void **state)
{
	struct keeper *other = keeper_new(keylock_new("wrong", 5));
	struct keeper_link link = {keeper_local, other, "/etc/pass"};
	struct keeper_held held;

	(void)state;
	assert_int_equal(keeper_hold(&link, der_of(inter.locked),
		KEY_ROLE_INTERMEDIATE, none, "1", &held, err, sizeof(err)),
		KEEPER_WRONG_PASSPHRASE);
	refused(held.relocked, "passphrase of /etc/pass does not open");
	link.source = NULL;
	assert_int_equal(keeper_hold(&link, (struct der){(const uint8_t *)"0",
		1}, KEY_ROLE_INTERMEDIATE, none, "1", &held, err,
		sizeof(err)), KEEPER_WRONG_PASSPHRASE);
	refused(held.relocked, "passphrase of the keeper");
	keeper_free(other);
	keeper_free(NULL);
}

/* A key that an older version has locked gets the role that is asked for, and
 * keeps it from then on. */
static void locks_older_keys_anew(void **state)
{
	struct keeper_held held, again;
	enum key_role role;
	EVP_PKEY *key;
	char *der;
	size_t len;

	(void)state;
	lab_make_key("old", "ec");
	lab_run("openssl pkcs8 -topk8 -v2 aes-256-cbc -iter 100000 -in old.key "
		"-outform DER -out old.der -passout 'pass:" KEPT_PASSPHRASE "'");
	der = lab_read("old.der", &len);
	assert_int_equal(keeper_hold(link_, (struct der){(uint8_t *)der, len},
		KEY_ROLE_UNTRUSTED, none, "9", &held, err, sizeof(err)), 0);
	free(der);
	assert_non_null(held.relocked);
	key = keylock_unlock(kept_lock(), der_of(held.relocked), &role);
	assert_non_null(key);
	assert_int_equal(role, KEY_ROLE_UNTRUSTED);
	EVP_PKEY_free(key);
	assert_int_equal(keeper_hold(link_, der_of(held.relocked),
		KEY_ROLE_INTERMEDIATE, none, "9", &again, err, sizeof(err)),
		0);
	assert_null(again.relocked);
	assert_memory_equal(held.key_id, again.key_id, CA_KEY_ID);
	CRYPTO_BUFFER_free(held.relocked);
	/* and goes by it: an untrusted one's signs no request */
	const struct csr_order order = {.common_name = "x", .path_len = -1};

	refused(keeper_request(link_, again.key_id, &order, err, sizeof(err)),
		"not for that");
}

/* Asking for another role than was sealed in is of no use. */
static void goes_by_the_role_that_is_sealed_in(void **state)
{
	struct keeper_issued issued;

	(void)state;
	assert_int_equal(try_hold(der_of(root.locked), KEY_ROLE_INTERMEDIATE,
		der_of(root.cert), "2"), 0);
	assert_int_equal(keeper_issue(link_, root.id, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "not for that");
}

static void knows_only_what_it_holds(void **state)
{
	static const uint8_t nobody[CA_KEY_ID] = {1};
	static const struct csr_order order = {.common_name = "x"};
	struct keeper_issued issued;

	(void)state;
	refused(keeper_request(link_, nobody, &order, err, sizeof(err)),
		"does not hold that key");
	refused(keeper_mint(link_, nobody, root.id, "00", none, err,
		sizeof(err)), "does not hold that key");
	refused(keeper_mint(link_, inter.id, nobody, "00", none, err,
		sizeof(err)), "does not hold that key");
	assert_int_equal(keeper_issue(link_, nobody, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "does not hold that key");
	assert_int_equal(keeper_issue(link_, bare.id, 1, &issued, err,
		sizeof(err)), -1);
	refused(issued.cert, "no certificate for that key");
}

/* --- letting go ----------------------------------------------------------- */

static void forgets(void **state)
{
	struct kept key;

	(void)state;
	make_ca(&key, KEY_ROLE_INTERMEDIATE, &root, "9");
	assert_int_equal(issue_once(&key), 0);
	assert_int_equal(keeper_forget(link_, key.id, err, sizeof(err)), 0);
	assert_int_equal(issue_once(&key), -1);
	refused(NULL, "does not hold that key");
	assert_int_equal(keeper_forget(link_, key.id, err, sizeof(err)), 0);
	drop(&key);
}

/* Keys without a certificate make room, those with one don't. */
static void makes_room_for_keys_with_a_certificate(void **state)
{
	struct keeper *keeper = keeper_new(keylock_new(KEPT_PASSPHRASE,
		strlen(KEPT_PASSPHRASE)));
	struct keeper_link link = {keeper_local, keeper, NULL};
	const struct keeper_link *before = link_;
	struct kept some;

	(void)state;
	link_ = &link;
	hold(&root, "1");
	for (int i = 0; i < KEEPER_KEYS_MAX + 5; i++) {
		make(&some, KEY_ROLE_INTERMEDIATE);
		drop(&some);
	}
	hold(&inter, "2");
	make_ca(&some, KEY_ROLE_INTERMEDIATE, &root, "3");
	drop(&some);
	link_ = before;
	keeper_free(keeper);
}

/* --- requests ------------------------------------------------------------- */

static void signs_requests(void **state)
{
	struct csr_order order = {
		.common_name = "Corp", .organization = "O", .unit = "U",
		.locality = "L", .province = "P", .country = "DE",
		.path_len = 0, .digest = CSR_SHA384,
	};
	CRYPTO_BUFFER *made;

	(void)state;
	made = must(keeper_request(link_, bare.id, &order, err, sizeof(err)));
	lab_write("a.csr", CRYPTO_BUFFER_data(made), CRYPTO_BUFFER_len(made));
	CRYPTO_BUFFER_free(made);
	lab_run("openssl req -inform DER -in a.csr -noout -verify -text "
		"-nameopt RFC2253");
	assert_non_null(strstr(lab_said(), "CN=Corp,OU=U,O=O,L=L,ST=P,C=DE"));
	assert_non_null(strstr(lab_said(), "pathlen:0"));
	assert_non_null(strstr(lab_said(), "ecdsa-with-SHA384"));
	refused(keeper_request(link_, root.id, &order, err, sizeof(err)),
		"not for that");
	refused(keeper_request(link_, untrusted.id, &order, err, sizeof(err)),
		"not for that");
	order.path_len = 17;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.path_len = -2;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.path_len = -1;
	order.digest = (enum csr_digest)2;
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"can't make sense");
	order.digest = CSR_SHA256;
	order.country[0] = 'd';
	refused(keeper_request(link_, bare.id, &order, err, sizeof(err)),
		"two capital letters");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(makes_every_kind_of_key),
		cmocka_unit_test(refuses_to_make_what_is_none),
		cmocka_unit_test(says_what_it_does_not_hold),
		cmocka_unit_test(says_that_the_passphrase_is_another),
		cmocka_unit_test(locks_older_keys_anew),
		cmocka_unit_test(goes_by_the_role_that_is_sealed_in),
		cmocka_unit_test(knows_only_what_it_holds),
		cmocka_unit_test(forgets),
		cmocka_unit_test(makes_room_for_keys_with_a_certificate),
		cmocka_unit_test(signs_requests),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
