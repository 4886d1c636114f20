#include "pki/store_audit.h"
#include "tests/unit/pki/store_test.h"

static void add(struct store *store, const struct store_audit *line)
{
	if (store_audit_add(store, line, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static struct store_audit *list_of(struct store *store, size_t most,
	size_t num)
{
	struct store_audit *list;
	size_t got;

	if (store_audit_list(store, most, &list, &got, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(got, num);
	return list;
}

static void keeps_lines_in_their_order(void **state)
{
	static const struct store_audit lines[] = {
		{.time = 10, .who = "token ci", .what = "create", .ca = 4,
			.name = "Corp", .detail = "EC_P256"},
		{.time = 9, .who = "root (uid 0)", .what = "make-default"},
		{.time = 11, .what = "delete", .ca = 4},
	};
	struct store *store = open_store();
	struct store_audit *list;

	(void)state;
	free(list_of(store, 10, 0));
	for (size_t i = 0; i < 3; i++)
		add(store, &lines[i]);
	store_close(store);
	store = open_store();
	list = list_of(store, 10, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(list[i].id, i + 1);
		assert_int_equal(list[i].time, lines[i].time);
		assert_string_equal(list[i].who,
			lines[i].who[0] ? lines[i].who : "?");
		assert_string_equal(list[i].what, lines[i].what);
		assert_int_equal(list[i].ca, lines[i].ca);
		assert_string_equal(list[i].name, lines[i].name);
		assert_string_equal(list[i].detail, lines[i].detail);
	}
	free(list);
	list = list_of(store, 2, 2); /* the last of them, oldest first */
	assert_int_equal(list[0].id, 2);
	assert_int_equal(list[1].id, 3);
	free(list);
	free(list_of(store, 0, 0));
	store_close(store);
}

/* A line is of the step that it tells of, or not at all. */
static void tells_of_nothing_that_was_undone(void **state)
{
	static const struct store_audit line = {.who = "x", .what = "create"};
	struct store *store = open_store();

	(void)state;
	assert_int_equal(store_begin(store, err, sizeof(err)), 0);
	add(store, &line);
	store_close(store);
	store = open_store();
	free(list_of(store, 10, 0));
	store_close(store);
}

/* Nothing that was put in is a statement, and the longest goes in. */
static void takes_any_text(void **state)
{
	struct store_audit line = {.who = "'; DROP TABLE audit; --",
		.what = "rename"};
	struct store *store = open_store();
	struct store_audit *list;

	(void)state;
	memset(line.detail, 'x', sizeof(line.detail) - 1);
	add(store, &line);
	list = list_of(store, 10, 1);
	assert_string_equal(list[0].who, line.who);
	assert_string_equal(list[0].detail, line.detail);
	free(list);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(keeps_lines_in_their_order, set_up),
		cmocka_unit_test_setup(tells_of_nothing_that_was_undone,
			set_up),
		cmocka_unit_test_setup(takes_any_text, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
