/* The line of passwords to be hashed: who is next, who is turned away. */
#include "tests/unit/session/verifier_test.h"

#include <sched.h>

/* wait_for_all lets the gate's go, and wants them all answered like that. */
static void wait_for_all(struct asker *askers, int num,
	enum verifier_result result)
{
	gate_set(false);
	for (int i = 0; i < num; i++) {
		wait_for(&askers[i]);
		assert_int_equal(askers[i].result, result);
	}
}

static void hashes_once_for_all_who_ask_at_once(void **state)
{
	enum { MANY = 100 };
	static struct asker right[MANY], wrong[11];
	unsigned come = gate_come();

	(void)state;
	gate_set(true);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ask_of(&right[i], &before, "192.0.2.1",
			"slow", "slow's"), VERIFIER_WAIT);
	wait_for_all(right, MANY, VERIFIER_RIGHT);
	assert_int_equal(gate_come(), come + 1);
	/* right ones took no guess; wrong ones each did, all at once or not */
	gate_set(true);
	for (int i = 0; i < 11; i++)
		assert_int_equal(ask_of(&wrong[i], &before, "192.0.2.1",
			"slow", "wrong"), VERIFIER_WAIT);
	wait_for_all(wrong, 11, VERIFIER_WRONG);
	assert_int_equal(gate_come(), come + 2);
	check_at_once("192.0.2.1", "u1", "wrong", VERIFIER_SLOW);
}

/* line_up has num addresses log in. */
static void line_up(struct asker *askers, int num)
{
	char from[32], user[16];

	for (int i = 0; i < num; i++) {
		snprintf(from, sizeof(from), "203.0.113.%d", i);
		snprintf(user, sizeof(user), "u%d", i % USERS);
		assert_int_equal(ask_of(&askers[i], &before, from, user,
			user), VERIFIER_WAIT);
	}
}

static void guess_at_once(struct asker *askers, int num, const char *from)
{
	char password[32];

	for (int i = 0; i < num; i++) {
		snprintf(password, sizeof(password), "wrong %d", i);
		assert_int_equal(ask_of(&askers[i], &before, from,
			i % 2 ? "u1" : "nobody", password), VERIFIER_WAIT);
	}
}

static void who_has_guessed_goes_last(void **state)
{
	static struct asker first, many[8], few[2], honest;

	(void)state;
	hold_up(&first);
	guess_at_once(many, 8, "198.51.100.1");
	guess_at_once(few, 2, "198.51.100.2");
	assert_int_equal(ask_of(&honest, &before, "192.0.2.5", "u3", "u3"),
		VERIFIER_WAIT);
	gate_set(false);
	for (int i = 0; i < 8; i++)
		wait_for(&many[i]);
	wait_for(&honest);
	assert_int_equal(honest.result, VERIFIER_RIGHT);
	/* behind one of each */
	assert_int_equal(honest.place, first.place + 3);
	assert_int_equal(few[1].place, many[1].place + 1);
	for (int i = 2; i < 8; i++)
		assert_int_equal(many[i].place, few[1].place + (unsigned)i - 1);
}

/* Also those that it has no wrong answer for any more count for a while. */
static void what_was_guessed_is_remembered(void **state)
{
	static struct asker first, guess, honest;

	(void)state;
	check_guesses("198.51.100.1", "u1", 2);
	now += MINUTE;
	hold_up(&first);
	assert_int_equal(ask_of(&guess, &before, "198.51.100.1", "u1", "x"),
		VERIFIER_WAIT);
	assert_int_equal(ask_of(&honest, &before, "192.0.2.5", "u3", "u3"),
		VERIFIER_WAIT);
	gate_set(false);
	wait_for(&guess);
	assert_int_equal(honest.place + 1, guess.place);
	now += 5 * MINUTE;
	hold_up(&first);
	assert_int_equal(ask_of(&guess, &before, "198.51.100.1", "u1", "y"),
		VERIFIER_WAIT);
	assert_int_equal(ask_of(&honest, &before, "192.0.2.6", "u3", "u3"),
		VERIFIER_WAIT);
	gate_set(false);
	wait_for(&honest);
	assert_int_equal(guess.place + 1, honest.place);
}

static void bounds_the_line(void **state)
{
	enum { ALL = 256, GUESSES = 5, ADDRESSES = ALL - 1 - GUESSES };
	static struct asker first, guesses[GUESSES], askers[ADDRESSES];
	static struct asker late[GUESSES];
	struct asker more;
	char from[32];

	(void)state;
	hold_up(&first);
	guess_at_once(guesses, GUESSES, "198.51.100.1");
	line_up(askers, ADDRESSES);
	/* it has guessed as much as the last */
	assert_int_equal(ask_of(&more, &before, "198.51.100.1", "u3", "u3"),
		VERIFIER_BUSY);
	for (int i = 1; i < GUESSES; i++) {
		snprintf(from, sizeof(from), "203.0.114.%d", i);
		assert_int_equal(ask_of(&late[i], &before, from, "u3", "u3"),
			VERIFIER_WAIT);
		wait_for(&guesses[GUESSES - i]);
		assert_int_equal(guesses[GUESSES - i].result, VERIFIER_BUSY);
	}
	/* now there are only such as have guessed nothing */
	assert_int_equal(ask_of(&more, &before, "203.0.114.9", "u3", "u3"),
		VERIFIER_BUSY);
	/* who asks for the same takes no room */
	assert_int_equal(ask_of(&more, &before, "203.0.113.10", "u10", "u10"),
		VERIFIER_WAIT);
	gate_set(false);
	for (int i = 0; i < ADDRESSES; i++)
		wait_for(&askers[i]);
	for (int i = 1; i < GUESSES; i++) {
		wait_for(&late[i]);
		assert_int_equal(late[i].result, VERIFIER_RIGHT);
	}
	wait_for(&first);
	assert_int_equal(guesses[0].result, VERIFIER_WRONG);
	wait_for(&more);
	assert_int_equal(more.result, VERIFIER_RIGHT);
	check_hashed("203.0.114.9", "u3", "u3", VERIFIER_RIGHT);
	/* what was sent away has taken nothing: one was heard */
	check_guesses("198.51.100.1", "u2", 9);
}

static void several_threads_share_the_line(void **state)
{
	static struct asker first, second;

	(void)state;
	verifier_free(verifier);
	verifier = verifier_new(2);
	assert_in_range(verifier_threads(), 1, 4);
	hold_up(&first);
	assert_int_equal(ask_of(&second, &before, "192.0.2.2", "u2", "u2"),
		VERIFIER_WAIT);
	wait_for(&second);
	assert_int_equal(first.answers, 0);
	gate_set(false);
	wait_for(&first);
	assert_int_equal(second.result, VERIFIER_RIGHT);
	assert_int_equal(first.result, VERIFIER_WRONG);
}

/* --- who leaves ----------------------------------------------------------- */

static void wait_for_refs(unsigned refs)
{
	while (atomic_load(&before.refs) != refs)
		sched_yield();
}

static void who_leaves_is_not_answered(void **state)
{
	struct asker first, second, third;

	(void)state;
	hold_up(&first);
	assert_int_equal(ask_of(&second, &before, "192.0.2.2", "u2", "u2"),
		VERIFIER_WAIT);
	assert_int_equal(ask_of(&third, &before, "192.0.2.2", "u2", "u2"),
		VERIFIER_WAIT);
	assert_int_equal(atomic_load(&before.refs), 3);
	assert_true(verifier_leave(verifier, &second.waiter));
	assert_int_equal(atomic_load(&before.refs), 3);
	assert_true(verifier_leave(verifier, &third.waiter));
	assert_int_equal(atomic_load(&before.refs), 2); /* gone unheard */
	assert_true(verifier_leave(verifier, &first.waiter));
	gate_set(false);
	wait_for_refs(1);
	check_hashed("192.0.2.2", "u2", "u2", VERIFIER_RIGHT);
	assert_int_equal(first.answers + second.answers + third.answers, 0);
	/* what was hashed for nobody is known all the same */
	check_at_once("192.0.2.1", "slow", "x", VERIFIER_WRONG);
}

static void the_others_stay_when_one_leaves(void **state)
{
	struct asker first, second;

	(void)state;
	gate_set(true);
	assert_int_equal(ask_of(&first, &before, "192.0.2.1", "slow",
		"slow's"), VERIFIER_WAIT);
	assert_int_equal(ask_of(&second, &before, "192.0.2.1", "slow",
		"slow's"), VERIFIER_WAIT);
	assert_true(verifier_leave(verifier, &first.waiter));
	gate_set(false);
	wait_for(&second);
	assert_int_equal(second.result, VERIFIER_RIGHT);
	assert_int_equal(first.answers, 0);
}

static void who_leaves_too_late_is_answered(void **state)
{
	struct asker asker;

	(void)state;
	assert_int_equal(ask_of(&asker, &before, "192.0.2.1", "u1", "u1"),
		VERIFIER_WAIT);
	wait_for_refs(1);
	assert_false(verifier_leave(verifier, &asker.waiter));
	wait_for(&asker);
	assert_int_equal(asker.result, VERIFIER_RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(hashes_once_for_all_who_ask_at_once),
		TEST(who_has_guessed_goes_last),
		TEST(what_was_guessed_is_remembered),
		TEST(bounds_the_line),
		TEST(several_threads_share_the_line),
		TEST(who_leaves_is_not_answered),
		TEST(the_others_stay_when_one_leaves),
		TEST(who_leaves_too_late_is_answered),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
