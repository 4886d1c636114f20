#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <crypt.h>
#include <dirent.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "proxy/config/htpasswd.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/verifier.h"

enum { USERS = 30, SECOND = 1000, MINUTE = 60 * SECOND, START = 1000000 };

/* Quick for most, and one to hold the thread up for a while. */
#define QUICK "$6$rounds=1000$saltsalt$"
#define LONG "$6$rounds=300000$saltsalt$"

static struct settings before, after; /* after: dev1 has another password */
static struct verifier *verifier;
static struct loop loop;
static uint64_t now = START;
static unsigned answered;

struct asker {
	struct verifier_waiter waiter; /* first: see on_answered */
	unsigned answers, place; /* place: it was answered as the so-manieth */
	enum verifier_result result;
	pthread_t by;
};

static void bad_line(void *arg, unsigned line, const char *what)
{
	(void)arg;
	fail_msg("%u: %s", line, what);
}

static void add_user(char *text, size_t size, const char *user,
	const char *setting, const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	size_t used = strlen(text);

	assert_non_null(data);
	snprintf(text + used, size - used, "%s:%s\n", user,
		crypt_rn(password, setting, data, (int)sizeof(*data)));
	free(data);
}

static void make_settings(struct settings *settings, const char *password)
{
	static char text[8192];
	char user[16];

	text[0] = '\0';
	add_user(text, sizeof(text), "dev1", QUICK, password);
	add_user(text, sizeof(text), "slow", LONG, "slow's");
	for (int i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		add_user(text, sizeof(text), user, QUICK, user);
	}
	atomic_init(&settings->refs, 1);
	settings->htpasswd = htpasswd_read(text, strlen(text), bad_line, NULL);
}

static int set_up_all(void **state)
{
	(void)state;
	make_settings(&before, "right");
	make_settings(&after, "new");
	loop_init(&loop);
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	loop_stop(&loop);
	loop_run(&loop);
	loop_clear(&loop);
	htpasswd_free(before.htpasswd);
	htpasswd_free(after.htpasswd);
	return 0;
}

static int set_up(void **state)
{
	(void)state;
	verifier = verifier_new(1);
	now = START;
	return 0;
}

/* Whatever was asked, nothing is still held. */
static int tear_down(void **state)
{
	(void)state;
	verifier_free(verifier);
	assert_int_equal(atomic_load(&before.refs), 1);
	assert_int_equal(atomic_load(&after.refs), 1);
	return 0;
}

static const struct sockaddr *address(const char *text)
{
	static struct sockaddr_storage at;
	struct sockaddr_in *v4 = (void *)&at;
	struct sockaddr_in6 *v6 = (void *)&at;

	memset(&at, 0, sizeof(at));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1)
		v4->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1)
		v6->sin6_family = AF_INET6;
	else
		fail_msg("%s is no address", text);
	return (const struct sockaddr *)&at;
}

static void on_answered(struct verifier_waiter *waiter,
	enum verifier_result result)
{
	struct asker *asker = (struct asker *)(void *)waiter;

	asker->answers++;
	asker->place = ++answered;
	asker->result = result;
	asker->by = pthread_self();
}

/* ask_again asks for a waiter that may have asked before. */
static enum verifier_result ask_again(struct asker *asker,
	struct settings *settings, const char *from, const char *user,
	const char *password)
{
	char name[200], text[600];
	enum verifier_result result;

	asker->answers = 0;
	snprintf(name, sizeof(name), "%s", user);
	snprintf(text, sizeof(text), "%s", password);
	result = verifier_ask(verifier, settings, address(from), name, text,
		now, &asker->waiter);
	memset(name, 'x', sizeof(name)); /* as a caller wipes its own */
	memset(text, 'x', sizeof(text));
	assert_int_equal(asker->answers, 0);
	return result;
}

static enum verifier_result ask_of(struct asker *asker,
	struct settings *settings, const char *from, const char *user,
	const char *password)
{
	memset(asker, 0, sizeof(*asker));
	asker->waiter.answered = on_answered;
	asker->waiter.loop = &loop;
	return ask_again(asker, settings, from, user, password);
}

static void wait_for(struct asker *asker)
{
	while (asker->answers == 0)
		(void)uv_run(&loop.uv, UV_RUN_ONCE);
	assert_int_equal(asker->answers, 1);
	assert_true(pthread_equal(asker->by, pthread_self()));
}

/* ask gives the answer, at once or later; *waited says which. */
static enum verifier_result ask(const char *from, const char *user,
	const char *password, bool *waited)
{
	struct asker asker;
	enum verifier_result result = ask_of(&asker, &before, from, user,
		password);

	*waited = result == VERIFIER_WAIT;
	if (!*waited)
		return result;
	wait_for(&asker);
	return asker.result;
}

static void check_at_once(const char *from, const char *user,
	const char *password, enum verifier_result result)
{
	bool waited;

	assert_int_equal(ask(from, user, password, &waited), result);
	assert_false(waited);
}

static void check_hashed(const char *from, const char *user,
	const char *password, enum verifier_result result)
{
	bool waited;

	assert_int_equal(ask(from, user, password, &waited), result);
	assert_true(waited);
}

/* check_guesses: so many different wrong ones are heard. */
static void check_guesses(const char *from, const char *user, int num)
{
	static int count;
	char guess[32];

	for (int i = 0; i < num; i++) {
		snprintf(guess, sizeof(guess), "guess %d", count++);
		check_hashed(from, user, guess, VERIFIER_WRONG);
	}
}

static void pause_ms(long ms)
{
	struct timespec time = {.tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000};

	nanosleep(&time, NULL);
}

/* --- answers ------------------------------------------------------------ */

static void answers_on_the_loop_who_asked(void **state)
{
	(void)state;
	check_hashed("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	check_hashed("192.0.2.1", "dev1", "wrong", VERIFIER_WRONG);
	check_hashed("192.0.2.1", "dev1", "", VERIFIER_WRONG);
	check_hashed("192.0.2.1", "nobody", "right", VERIFIER_WRONG);
	check_hashed("2001:db8::1", "dev1", "right", VERIFIER_RIGHT);
}

static void refuses_what_can_be_nobody(void **state)
{
	struct settings none = {.refs = 1};
	struct asker asker;
	char text[600];

	(void)state;
	assert_int_equal(ask_of(&asker, &none, "192.0.2.1", "dev1", "right"),
		VERIFIER_WRONG);
	memset(text, 'x', sizeof(text));
	text[HTPASSWD_PASSWORD_MAX + 1] = '\0';
	check_at_once("192.0.2.1", "dev1", text, VERIFIER_WRONG);
	text[HTPASSWD_PASSWORD_MAX] = '\0';
	check_hashed("192.0.2.1", "dev1", text, VERIFIER_WRONG);
	text[HTPASSWD_USER_MAX + 1] = '\0';
	check_at_once("192.0.2.1", text, "right", VERIFIER_WRONG);
	text[HTPASSWD_USER_MAX] = '\0';
	check_hashed("192.0.2.1", text, "right", VERIFIER_WRONG);
}

static void keeps_what_is_right_while_it_is_used(void **state)
{
	(void)state;
	check_hashed("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	for (int i = 0; i < 5; i++) {
		now += 4 * MINUTE;
		check_at_once("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	}
	now += 5 * MINUTE;
	check_hashed("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
}

static void keeps_what_is_wrong_for_a_while(void **state)
{
	(void)state;
	check_hashed("192.0.2.1", "dev1", "wrong", VERIFIER_WRONG);
	now += 29 * SECOND;
	check_at_once("192.0.2.1", "dev1", "wrong", VERIFIER_WRONG);
	now += 29 * SECOND;
	check_at_once("192.0.2.1", "dev1", "wrong", VERIFIER_WRONG);
	now += 30 * SECOND;
	check_hashed("192.0.2.1", "dev1", "wrong", VERIFIER_WRONG);
}

static void check_after(const char *password, enum verifier_result result)
{
	struct asker asker;

	assert_int_equal(ask_of(&asker, &after, "192.0.2.1", "dev1", password),
		VERIFIER_WAIT);
	wait_for(&asker);
	assert_int_equal(asker.result, result);
}

static void goes_by_the_file_in_force(void **state)
{
	struct htpasswd *kept = after.htpasswd;
	struct asker asker;

	(void)state;
	check_hashed("192.0.2.1", "dev1", "right", VERIFIER_RIGHT);
	check_hashed("192.0.2.1", "dev1", "new", VERIFIER_WRONG);
	check_after("right", VERIFIER_WRONG);
	check_after("new", VERIFIER_RIGHT);
	/* gone */
	after.htpasswd = htpasswd_read("", 0, bad_line, NULL);
	assert_int_equal(ask_of(&asker, &after, "192.0.2.1", "dev1", "new"),
		VERIFIER_WAIT);
	wait_for(&asker);
	assert_int_equal(asker.result, VERIFIER_WRONG);
	htpasswd_free(after.htpasswd);
	after.htpasswd = kept;
	/* and back */
	assert_int_equal(ask_of(&asker, &after, "192.0.2.1", "dev1", "new"),
		VERIFIER_RIGHT);
}

/* --- the line ----------------------------------------------------------- */

static double seconds(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void hashes_once_for_all_who_ask_at_once(void **state)
{
	enum { MANY = 100 };
	static struct asker askers[MANY], wrong[MANY];
	double from = seconds(), once;

	(void)state;
	check_hashed("192.0.2.9", "slow", "slow's", VERIFIER_RIGHT);
	once = seconds() - from;
	from = seconds();
	for (int i = 0; i < MANY; i++)
		assert_int_equal(ask_of(&askers[i], &before, "192.0.2.1",
			"slow", "slow's"), VERIFIER_WAIT);
	for (int i = 0; i < MANY; i++) {
		wait_for(&askers[i]);
		assert_int_equal(askers[i].result, VERIFIER_RIGHT);
	}
	assert_true(seconds() - from < 10 * once);
	/* right ones took no guess; wrong ones each did, all at once or not */
	for (int i = 0; i < 11; i++)
		assert_int_equal(ask_of(&wrong[i], &before, "192.0.2.1",
			"slow", "wrong"), VERIFIER_WAIT);
	for (int i = 0; i < 11; i++) {
		wait_for(&wrong[i]);
		assert_int_equal(wrong[i].result, VERIFIER_WRONG);
	}
	check_at_once("192.0.2.1", "u1", "wrong", VERIFIER_SLOW);
}

/* hold_up keeps the thread at one password for a while. */
static void hold_up(struct asker *asker)
{
	assert_int_equal(ask_of(asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	pause_ms(30);
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
	wait_for(&guess);
	assert_int_equal(honest.place + 1, guess.place);
	now += 5 * MINUTE;
	hold_up(&first);
	assert_int_equal(ask_of(&guess, &before, "198.51.100.1", "u1", "y"),
		VERIFIER_WAIT);
	assert_int_equal(ask_of(&honest, &before, "192.0.2.6", "u3", "u3"),
		VERIFIER_WAIT);
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
	assert_int_equal(ask_of(&first, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	assert_int_equal(ask_of(&second, &before, "192.0.2.2", "u2", "u2"),
		VERIFIER_WAIT);
	wait_for(&second);
	assert_int_equal(first.answers, 0);
	wait_for(&first);
	assert_int_equal(second.result, VERIFIER_RIGHT);
	assert_int_equal(first.result, VERIFIER_WRONG);
}

static void wait_for_refs(unsigned refs)
{
	while (atomic_load(&before.refs) != refs)
		pause_ms(1);
}

static void who_leaves_is_not_answered(void **state)
{
	struct asker first, second, third;

	(void)state;
	assert_int_equal(ask_of(&first, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	pause_ms(30); /* it is being hashed */
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
	assert_int_equal(ask_of(&first, &before, "192.0.2.1", "slow",
		"slow's"), VERIFIER_WAIT);
	assert_int_equal(ask_of(&second, &before, "192.0.2.1", "slow",
		"slow's"), VERIFIER_WAIT);
	assert_true(verifier_leave(verifier, &first.waiter));
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

/* --- guessing ----------------------------------------------------------- */

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
	assert_int_equal(ask_again(&asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	assert_true(verifier_leave(verifier, &asker.waiter));
	assert_int_equal(ask_again(&asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
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

/* --- the thread --------------------------------------------------------- */

static void its_thread_is_named_and_low(void **state)
{
	DIR *tasks = opendir("/proc/self/task");
	char path[300], name[32];
	struct dirent *entry;
	int found = 0, own = getpriority(PRIO_PROCESS, 0);

	(void)state;
	if (own >= 10) { /* nice already: nothing is seen of it */
		closedir(tasks);
		skip();
	}
	check_hashed("192.0.2.1", "u1", "u1", VERIFIER_RIGHT);
	assert_non_null(tasks);
	while ((entry = readdir(tasks)) != NULL) {
		FILE *file;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fgets(name, sizeof(name), file) &&
		    strcmp(name, "passwords\n") == 0) {
			found++;
			assert_int_equal(getpriority(PRIO_PROCESS,
				(id_t)strtoul(entry->d_name, NULL, 10)), 10);
		}
		fclose(file);
	}
	closedir(tasks);
	assert_in_range(found, 1, 4); /* by the machine's cores */
	assert_int_equal(getpriority(PRIO_PROCESS, 0), own);
}

enum { WORKERS = 3, ROUNDS = 300 };

/* bustle is a worker that asks, leaves and waits, all as chance has it. */
static void *bustle(void *arg)
{
	unsigned seed = (unsigned)(uintptr_t)arg;
	struct sockaddr_in from = {.sin_family = AF_INET};
	struct asker asker;
	struct loop own;
	char user[16];

	loop_init(&own);
	for (int i = 0; i < ROUNDS; i++) {
		bool left;

		from.sin_addr.s_addr = htonl(0x0a000000u |
			((unsigned)rand_r(&seed) % 50));
		snprintf(user, sizeof(user), "u%d", rand_r(&seed) % USERS);
		memset(&asker, 0, sizeof(asker));
		asker.waiter.answered = on_answered;
		asker.waiter.loop = &own;
		if (verifier_ask(verifier, i % 2 ? &before : &after,
			    (const struct sockaddr *)&from, user,
			    rand_r(&seed) % 3 ? user : "wrong", START +
			    (uint64_t)i * 1000, &asker.waiter) != VERIFIER_WAIT)
			continue;
		left = rand_r(&seed) % 3 == 0 &&
			verifier_leave(verifier, &asker.waiter);
		while (!left && asker.answers == 0)
			(void)uv_run(&own.uv, UV_RUN_ONCE);
		if (asker.answers != !left)
			return arg;
	}
	loop_stop(&own);
	loop_run(&own);
	loop_clear(&own);
	return NULL;
}

static void serves_many_loops(void **state)
{
	pthread_t threads[WORKERS];
	void *result;

	(void)state;
	for (size_t i = 0; i < WORKERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, bustle,
			(void *)(uintptr_t)(i + 1)), 0);
	for (size_t i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], &result), 0);
		assert_null(result);
	}
}

static void ends_while_it_hashes_for_nobody(void **state)
{
	struct asker asker;

	(void)state;
	verifier_free(NULL);
	assert_int_equal(ask_of(&asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	pause_ms(20);
	assert_true(verifier_leave(verifier, &asker.waiter));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_on_the_loop_who_asked),
		TEST(refuses_what_can_be_nobody),
		TEST(keeps_what_is_right_while_it_is_used),
		TEST(keeps_what_is_wrong_for_a_while),
		TEST(goes_by_the_file_in_force),
		TEST(hashes_once_for_all_who_ask_at_once),
		TEST(who_has_guessed_goes_last),
		TEST(what_was_guessed_is_remembered),
		TEST(bounds_the_line),
		TEST(several_threads_share_the_line),
		TEST(who_leaves_is_not_answered),
		TEST(the_others_stay_when_one_leaves),
		TEST(who_leaves_too_late_is_answered),
		TEST(slows_an_address),
		TEST(slows_an_ipv6_network),
		TEST(slows_the_guessing_of_a_user),
		TEST(the_same_wrong_one_counts_each_time),
		TEST(right_answers_take_nothing),
		TEST(who_is_known_passes_where_others_are_slowed),
		TEST(does_not_let_guess_at_what_is_known),
		TEST(a_connection_that_was_right_stays_so),
		TEST(what_was_never_answered_is_not_right),
		TEST(a_connection_goes_by_the_file_in_force),
		TEST(neighbours_can_guess_at_nothing_known),
		TEST(an_old_password_sent_again_locks_nobody_out),
		TEST(bears_more_guessers_than_it_remembers),
		TEST(its_thread_is_named_and_low),
		TEST(serves_many_loops),
		TEST(ends_while_it_hashes_for_nobody),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
