/* What guessing at passwords comes to, and whom it must not slow. */
#include "tests/unit/session/verifier_test.h"

static void slows_an_address(void **state)
{
	(void)state;
	check_guesses("192.0.2.1", "u1", 5);
	check_guesses("192.0.2.1", "nobody", 5);
	check_at_once("192.0.2.1", "u2", "u2", VERIFIER_SLOW);
	check_at_once("192.0.2.1", "u2", "wrong", VERIFIER_SLOW);
	check_at_once("::ffff:192.0.2.1", "u2", "u2", VERIFIER_SLOW);
	check_hashed("192.0.2.2", "u2", "u2", VERIFIER_RIGHT);
	now += 1999;
	check_at_once("192.0.2.1", "u2", "u2", VERIFIER_SLOW);
	now += 1;
	check_guesses("192.0.2.1", "u1", 1);
	check_at_once("192.0.2.1", "u2", "u2", VERIFIER_SLOW);
	now += 20 * SECOND;
	check_guesses("192.0.2.1", "u1", 10);
	check_at_once("192.0.2.1", "u2", "u2", VERIFIER_SLOW);
}

static void slows_an_ipv6_network(void **state)
{
	(void)state;
	check_guesses("2001:db8:0:1::1", "u1", 5);
	check_guesses("2001:db8:0:1:ffff::2", "u1", 5);
	check_at_once("2001:db8:0:1::3", "u2", "u2", VERIFIER_SLOW);
	check_hashed("2001:db8:0:2::3", "u2", "u2", VERIFIER_RIGHT);
}

static void slows_the_guessing_of_a_user(void **state)
{
	char from[32];

	(void)state;
	for (int i = 0; i < 20; i++) {
		snprintf(from, sizeof(from), "198.51.100.%d", i);
		check_guesses(from, i % 2 ? "u1" : "nobody", 1);
		check_guesses(from, i % 2 ? "nobody" : "u1", 1);
	}
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_SLOW);
	check_at_once("192.0.2.1", "nobody", "x", VERIFIER_SLOW);
	check_hashed("192.0.2.1", "u2", "u2", VERIFIER_RIGHT);
	now += SECOND;
	check_hashed("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
}

static void the_same_wrong_one_counts_each_time(void **state)
{
	(void)state;
	check_hashed("192.0.2.1", "u1", "wrong", VERIFIER_WRONG);
	for (int i = 0; i < 9; i++)
		check_at_once("192.0.2.1", "u1", "wrong", VERIFIER_WRONG);
	check_at_once("192.0.2.1", "u1", "wrong", VERIFIER_SLOW);
	now += 2 * SECOND;
	check_at_once("192.0.2.1", "u1", "wrong", VERIFIER_WRONG);
}

static void bears_more_guessers_than_it_remembers(void **state)
{
	struct asker asker;
	char from[64];

	(void)state;
	for (int i = 0; i < 30000; i++) {
		snprintf(from, sizeof(from), "10.%d.%d.1", i / 256, i % 256);
		if (ask_of(&asker, &before, from, "u1", "x") == VERIFIER_WAIT)
			(void)(verifier_leave(verifier, &asker.waiter) ||
				(wait_for(&asker), true));
	}
	now += MINUTE;
	check_hashed("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
}

/* --- the others ----------------------------------------------------------- */

static void right_answers_take_nothing(void **state)
{
	char user[16];

	(void)state;
	for (int i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		check_hashed("192.0.2.1", user, user, VERIFIER_RIGHT);
	}
	check_guesses("192.0.2.1", "nobody", 10);
	check_at_once("192.0.2.1", "nobody", "x", VERIFIER_SLOW);
}

static void who_is_known_passes_where_others_are_slowed(void **state)
{
	(void)state;
	check_hashed("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	check_guesses("192.0.2.1", "u2", 10);
	check_at_once("192.0.2.1", "u2", "u2", VERIFIER_SLOW);
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	/* attacked from everywhere */
	for (int i = 0; i < 20; i++) {
		char from[32];

		snprintf(from, sizeof(from), "198.51.100.%d", i);
		check_guesses(from, "u1", 1);
	}
	check_at_once("192.0.2.9", "u1", "u1", VERIFIER_SLOW);
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
}

/* What is known must not tell a guesser, for whom others are refused unheard,
 * that a guess is right. */
static void does_not_let_guess_at_what_is_known(void **state)
{
	char guess[32];

	(void)state;
	check_hashed("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	check_guesses("192.0.2.1", "nobody", 10);
	for (int i = 0; i < 10; i++) {
		snprintf(guess, sizeof(guess), "try %d", i);
		check_at_once("192.0.2.1", "u1", guess, VERIFIER_SLOW);
	}
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_SLOW);
	now += 2 * SECOND;
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	check_guesses("192.0.2.1", "u1", 1);
	check_at_once("192.0.2.1", "u1", "u1", VERIFIER_SLOW);
	/* elsewhere it is not known at all */
	check_guesses("192.0.2.2", "nobody", 10);
	check_at_once("192.0.2.2", "u1", "u1", VERIFIER_SLOW);
}

/* Known is what was right at that very address; its neighbours can't use that up. */
static void neighbours_can_guess_at_nothing_known(void **state)
{
	(void)state;
	check_hashed("2001:db8::1", "u1", "u1", VERIFIER_RIGHT);
	check_guesses("2001:db8::2", "u1", 10);
	check_at_once("2001:db8::2", "u1", "guess", VERIFIER_SLOW);
	check_at_once("2001:db8::2", "u1", "u1", VERIFIER_SLOW);
	check_at_once("2001:db8::1", "u1", "u1", VERIFIER_RIGHT);
}

static void an_old_password_sent_again_locks_nobody_out(void **state)
{
	bool waited;

	(void)state;
	check_hashed("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	for (int i = 0; i < 2000; i++) {
		now += 100;
		assert_int_not_equal(ask("192.0.2.1", "dev1", "old", &waited),
			VERIFIER_RIGHT);
		check_at_once("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	}
	/* nor where it is refused unheard */
	check_guesses("192.0.2.2", "nobody", 10);
	check_at_once("192.0.2.2", "dev1", "old", VERIFIER_SLOW);
	now += 2 * SECOND;
	check_hashed("192.0.2.2", "dev1", "right", VERIFIER_RIGHT);
	check_guesses("192.0.2.2", "nobody", 1);
	for (int i = 0; i < 100; i++)
		check_at_once("192.0.2.2", "dev1", "old", VERIFIER_SLOW);
	check_at_once("192.0.2.2", "dev1", "right", VERIFIER_RIGHT);
}

/* --- a connection --------------------------------------------------------- */

/* What was right on a connection is, whoever else guesses there. */
static void a_connection_that_was_right_stays_so(void **state)
{
	struct asker asker;
	const char *from = "192.0.2.1";

	(void)state;
	assert_int_equal(ask_of(&asker, &before, from, "u1", "u1"),
		VERIFIER_WAIT);
	wait_for(&asker);
	check_guesses(from, "u1", 10);
	check_at_once(from, "u1", "u1", VERIFIER_SLOW);
	for (int i = 0; i < 20; i++)
		assert_int_equal(ask_again(&asker, &before, from, "u1", "u1"),
			VERIFIER_RIGHT);
	/* not another one, nor for another user */
	assert_int_equal(ask_again(&asker, &before, from, "u1", "x"),
		VERIFIER_SLOW);
	assert_int_equal(ask_again(&asker, &before, from, "u1", "x"),
		VERIFIER_SLOW);
	assert_int_equal(ask_again(&asker, &before, from, "u1", "u1"),
		VERIFIER_SLOW);
}

static void what_was_never_answered_is_not_right(void **state)
{
	struct asker asker;

	(void)state;
	assert_int_equal(ask_of(&asker, &before, "192.0.2.1", "u1", "u1"),
		VERIFIER_WAIT);
	wait_for(&asker);
	gate_set(true);
	assert_int_equal(ask_again(&asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	assert_true(verifier_leave(verifier, &asker.waiter));
	assert_int_equal(ask_again(&asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	gate_set(false);
	wait_for(&asker);
	assert_int_equal(asker.result, VERIFIER_WRONG);
}

static void a_connection_goes_by_the_file_in_force(void **state)
{
	struct asker asker;

	(void)state;
	assert_int_equal(ask_of(&asker, &before, "192.0.2.1", "dev1", "right"),
		VERIFIER_WAIT);
	wait_for(&asker);
	assert_int_equal(ask_again(&asker, &after, "192.0.2.1", "dev1",
		"right"), VERIFIER_WAIT);
	wait_for(&asker);
	assert_int_equal(asker.result, VERIFIER_WRONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(slows_an_address),
		TEST(slows_an_ipv6_network),
		TEST(slows_the_guessing_of_a_user),
		TEST(the_same_wrong_one_counts_each_time),
		TEST(bears_more_guessers_than_it_remembers),
		TEST(right_answers_take_nothing),
		TEST(who_is_known_passes_where_others_are_slowed),
		TEST(does_not_let_guess_at_what_is_known),
		TEST(neighbours_can_guess_at_nothing_known),
		TEST(an_old_password_sent_again_locks_nobody_out),
		TEST(a_connection_that_was_right_stays_so),
		TEST(what_was_never_answered_is_not_right),
		TEST(a_connection_goes_by_the_file_in_force),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
