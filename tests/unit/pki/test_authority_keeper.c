/* What becomes of an authority whose keeper does not do what it is asked. */
#include "pki/keeper_frame.h"
#include "tests/unit/pki/authority_test.h"

struct moody {
	uint32_t kind;     /* that it does not answer */
	unsigned refused;
};

static int moody_ask(void *arg, struct keeper_frame *frame, char *why,
	size_t why_size)
{
	struct moody *moody = arg;

	if (frame->kind != moody->kind)
		return keeper_local(kept_keeper(), frame, why, why_size);
	moody->refused++;
	frame_refuse(frame, KEEPER_REFUSED, "the keeper is in a mood");
	return 0;
}

static void goes_on_where_the_keeper_refuses(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b, *c;

	(void)state;
	options.link = &link;
	options.validity_s--; /* so that another is wanted */
	b = open_with(a);
	assert_int_equal(moody.refused, 1);
	assert_string_equal(id_of(a), id_of(b)); /* which goes on */
	warned(b, "no new issuing CA under 'Sallyport Intermediate CA ");
	assert_non_null(strstr(authority_warning(b, 0), "in a mood"));
	assert_in_range(authority_due(b) - time(NULL), 0, 60);
	moody.kind = 0;
	c = open_with(b); /* and is replaced as soon as may be */
	assert_string_not_equal(id_of(a), id_of(c));
	warned(c, NULL);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

static void unusable(const struct authority *authority, const char *why)
{
	const char *said = NULL;

	assert_null(authority_issuer(authority, NULL, &said));
	assert_non_null(strstr(said, why));
	warned(authority, "the default CA 'Sallyport Intermediate CA ");
	assert_in_range(authority_due(authority) - time(NULL), 0, 60);
}

/* What was revoked signs no more, and its CRL is out, whatever the keeper does:
 * nothing else signs in its place. */
static void signs_with_nothing_where_the_keeper_refuses(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b, *c;

	(void)state;
	options.link = &link;
	set("UPDATE issuing SET revoked = 5");
	b = open_with(a);
	unusable(b, "in a mood");
	moody.kind = 0;
	c = open_with(b);
	assert_string_not_equal(id_of(a), id_of(c));
	warned(c, NULL);
	authority_free(a);
	authority_free(b);
	authority_free(c);
}

/* Nor where it is needed: the clients of this folder don't know it. */
static void needs_no_issuing_ca_of_anothers(void **state)
{
	struct moody moody = {.kind = KEEPER_ISSUE};
	struct keeper_link link = {moody_ask, &moody, "moody"};
	struct authority *a = open_authority(), *b;

	(void)state;
	lab_run("rm sallyport.db");
	options.link = &link;
	options.before = a;
	b = open_authority();
	unusable(b, "in a mood");
	authority_free(a);
	authority_free(b);
}

static void fails_where_the_keeper_refuses_at_first(void **state)
{
	static const uint32_t kinds[] = {KEEPER_MAKE_KEY, KEEPER_HOLD,
		KEEPER_MINT, KEEPER_CRL};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct moody moody = {.kind = kinds[i]};
		struct keeper_link link = {moody_ask, &moody, "moody"};
		struct authority *authority;

		options.link = &link;
		assert_int_equal(authority_open(&options, &authority, err,
			sizeof(err)), -1);
		assert_null(authority);
		assert_says("in a mood");
		options.link = kept_link(); /* nothing is half done */
		authority_free(open_authority());
		lab_run("rm sallyport.db root.pem");
	}
}

static void needs_the_right_passphrase(void **state)
{
	struct keeper *other = keeper_new(keylock_new("another", 7));
	struct keeper_link link = {keeper_local, other, "/etc/other"};
	struct authority *authority;

	(void)state;
	authority_free(open_authority());
	options.link = &link;
	assert_int_equal(authority_open(&options, &authority, err,
		sizeof(err)), -1);
	assert_null(authority);
	assert_says("the passphrase of /etc/other does not open the private "
		"key");
	options.link = kept_link(); /* and nothing is lost */
	authority_free(open_authority());
	keeper_free(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(goes_on_where_the_keeper_refuses,
			set_up),
		cmocka_unit_test_setup(
			signs_with_nothing_where_the_keeper_refuses, set_up),
		cmocka_unit_test_setup(needs_no_issuing_ca_of_anothers, set_up),
		cmocka_unit_test_setup(fails_where_the_keeper_refuses_at_first,
			set_up),
		cmocka_unit_test_setup(needs_the_right_passphrase, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
