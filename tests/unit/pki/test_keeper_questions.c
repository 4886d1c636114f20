/* Questions and answers that are none: cut short, made up, of another time. */
#include "tests/unit/pki/keeper_test.h"

enum { MOST = 16 };

/* The questions that were asked, as they went by. */
static struct {
	struct keeper_frame *frame; /* owned */
} seen[MOST];
static size_t num_seen;

static int note(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	assert_true(num_seen < MOST);
	seen[num_seen].frame = malloc(sizeof(*frame));
	assert_non_null(seen[num_seen].frame);
	memcpy(seen[num_seen++].frame, frame, sizeof(*frame));
	return keeper_local(arg, frame, why, why_size);
}

/* ask_all asks one good question of each kind. */
static void ask_all(const struct keeper_link *link)
{
	static const struct csr_order csr = {.common_name = "x"};
	struct crl_entry entry = {.serial = {1}, .serial_len = 1, .at = 1000};
	struct crl_order crl = {.number = 1, .until = time(NULL) + DAY,
		.revoked = &entry, .num_revoked = 1};
	CRYPTO_BUFFER *locked, *spki;
	struct keeper_issued issued;
	struct keeper_held held;
	struct leaf *leaf;
	struct ca *ca;

	assert_int_equal(keeper_issue(link, inter.id, 1, &issued, err,
		sizeof(err)), 0);
	CRYPTO_BUFFER_free(issued.cert);
	CRYPTO_BUFFER_free(issued.crl);
	EVP_PKEY_free(issued.key);
	assert_int_equal(keeper_make_key(link, KEY_EC_P256, KEY_ROLE_ROOT,
		&locked, &spki, err, sizeof(err)), 0);
	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(spki);
	assert_int_equal(keeper_hold(link, der_of(flat.locked), flat.role,
		der_of(flat.cert), "4", &held, err, sizeof(err)), 0);
	CRYPTO_BUFFER_free(must(keeper_request(link, bare.id, &csr, err,
		sizeof(err))));
	CRYPTO_BUFFER_free(must(keeper_mint(link, inter.id, root.id, "00",
		none, err, sizeof(err))));
	assert_int_equal(ca_new_kept(der_of(flat.cert), link, NULL, 0, "4",
		&ca, err, sizeof(err)), 0);
	assert_int_equal(forge(ca, &leaf), 0);
	leaf_free(leaf);
	CRYPTO_BUFFER_free(must(crl_make(ca, &crl, err, sizeof(err))));
	ca_unref(ca);
}

static void ask(struct keeper_frame *frame, enum keeper_status status)
{
	uint32_t kind = frame->kind;

	keeper_answer(kept_keeper(), frame);
	assert_true(frame_ok(frame));
	assert_int_equal(frame->kind, kind);
	assert_int_equal(frame->status, status);
	assert_int_equal(ERR_peek_error(), 0);
}

/* A CRL's list ends where the frame does: cut between two entries it is good,
 * but shorter. */
static bool may_be_cut(const struct keeper_frame *frame, uint32_t len)
{
	return frame->kind == KEEPER_CRL &&
		len == frame->len - (2 + 1 + 8);
}

static void refuses_every_truncation(void **state)
{
	struct keeper_link noting = {note, kept_keeper(), "noting"};
	struct keeper_frame *frame = malloc(sizeof(*frame));

	(void)state;
	assert_non_null(frame);
	ask_all(&noting);
	assert_int_equal(num_seen, KEEPER_CRL); /* one of each kind */
	for (size_t i = 0; i < num_seen; i++) {
		const struct keeper_frame *good = seen[i].frame;

		for (uint32_t len = 0; len < good->len; len++) {
			memcpy(frame, good, sizeof(*frame));
			frame->len = len;
			ask(frame, may_be_cut(good, len) ? KEEPER_DONE :
				KEEPER_REFUSED);
		}
		memcpy(frame, good, sizeof(*frame));
		frame->len++; /* nor with anything behind it */
		ask(frame, KEEPER_REFUSED);
		free(seen[i].frame);
	}
	num_seen = 0;
	free(frame);
}

static void refuses_garbage(void **state)
{
	struct keeper_frame *frame = calloc(1, sizeof(*frame));
	static const uint32_t kinds[] = {0, KEEPER_FORGET + 1, 9999, UINT32_MAX};

	(void)state;
	assert_non_null(frame);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		memset(frame, 0, sizeof(*frame));
		frame->version = KEEPER_VERSION;
		frame->kind = kinds[i];
		ask(frame, KEEPER_REFUSED);
		assert_non_null(strstr((char *)frame->body, "does not know"));
	}
	for (uint32_t kind = KEEPER_MAKE_KEY; kind <= KEEPER_FORGET; kind++) {
		memset(frame, 0xff, sizeof(*frame));
		frame->version = KEEPER_VERSION;
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		frame->len = KEEPER_BODY;
		ask(frame, KEEPER_REFUSED);
		frame->version = KEEPER_VERSION + 1; /* of another time */
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		ask(frame, KEEPER_REFUSED);
		frame->kind = kind; /* an answer is no question */
		frame->status = KEEPER_DONE;
		ask(frame, KEEPER_REFUSED);
		frame->kind = kind;
		frame->status = KEEPER_ASKED;
		frame->len = KEEPER_BODY + 1;
		ask(frame, KEEPER_REFUSED);
	}
	free(frame);
}

/* --- answers -------------------------------------------------------------- */

/* The other way round: an answer that is not one. */
static int babble(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	(void)why;
	(void)why_size;
	frame->status = KEEPER_DONE;
	frame->len = 1;
	if (arg)
		frame->kind++;
	return 0;
}

static int nobody(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	(void)arg;
	(void)frame;
	snprintf(why, why_size, "nobody is there");
	return -1;
}

static void believes_no_answer_that_makes_no_sense(void **state)
{
	static const struct csr_order csr = {.common_name = "x"};
	static int yes;
	const struct keeper_link links[] = {
		{babble, NULL, "x"}, {babble, &yes, "x"}, {nobody, NULL, "x"}};
	static const char *const why[] = {"makes no sense", "makes no sense",
		"nobody is there"};
	CRYPTO_BUFFER *locked, *spki;
	struct keeper_issued issued;
	struct keeper_held held;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(keeper_make_key(&links[i], KEY_EC_P256,
			KEY_ROLE_ROOT, &locked, &spki, err, sizeof(err)), -1);
		refused(NULL, why[i]);
		assert_int_equal(keeper_hold(&links[i], none, KEY_ROLE_ROOT,
			none, "1", &held, err, sizeof(err)), -1);
		refused(NULL, why[i]);
		assert_int_equal(keeper_issue(&links[i], root.id, 1, &issued,
			err, sizeof(err)), -1);
		refused(issued.cert, why[i]);
		refused(keeper_request(&links[i], root.id, &csr, err,
			sizeof(err)), why[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_every_truncation),
		cmocka_unit_test(refuses_garbage),
		cmocka_unit_test(believes_no_answer_that_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
