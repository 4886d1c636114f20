/*
 * verifier_test.h - a verifier of passwords, whom it answers, and a clock that
 * stands until a test moves it.
 *
 * Each test begins with a verifier of one thread, which knows nothing yet, and
 * ends with nothing held; the password files are made once a program.
 *
 * What is hashed goes through a gate that counts it, and keeps the passwords of
 * the user "slow" back for as long as a test has it closed.
 */
#ifndef TESTS_UNIT_SESSION_VERIFIER_TEST_H
#define TESTS_UNIT_SESSION_VERIFIER_TEST_H

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
#include <netinet/in.h>
#include <pthread.h>

#include "proxy/config/htpasswd.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/verifier.h"

enum { USERS = 30, SECOND = 1000, MINUTE = 60 * SECOND, START = 1000000 };

/* Quick all, and told apart by their salt. */
#define QUICK "$6$rounds=1000$saltsalt$"
#define SLOW "$6$rounds=1000$slowslow$"

static struct settings before, after; /* after: dev1 has another password */
static struct verifier *verifier;
static struct loop loop;
static uint64_t now = START;
static _Atomic unsigned answered;

struct asker {
	struct verifier_waiter waiter; /* first: see on_answered */
	unsigned answers, place; /* place: how many had been answered by then, it too */
	enum verifier_result result;
	pthread_t by;
};

/* --- the gate ------------------------------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool closed;
	unsigned come; /* passwords to be hashed, since the program began */
} gate = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, 0};

/* crypt_rn takes the place of libcrypt's, and hashes by another of its names. */
char *crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	pthread_mutex_lock(&gate.lock);
	gate.come++;
	pthread_cond_broadcast(&gate.moved);
	while (gate.closed && strncmp(setting, SLOW, strlen(SLOW)) == 0)
		pthread_cond_wait(&gate.moved, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
	return crypt_ra(phrase, setting, &data, &size);
}

static inline void gate_set(bool closed)
{
	pthread_mutex_lock(&gate.lock);
	gate.closed = closed;
	pthread_cond_broadcast(&gate.moved);
	pthread_mutex_unlock(&gate.lock);
}

static inline unsigned gate_come(void)
{
	unsigned come;

	pthread_mutex_lock(&gate.lock);
	come = gate.come;
	pthread_mutex_unlock(&gate.lock);
	return come;
}

/* gate_wait waits until more have come than those. */
static inline void gate_wait(unsigned come)
{
	pthread_mutex_lock(&gate.lock);
	while (gate.come == come)
		pthread_cond_wait(&gate.moved, &gate.lock);
	pthread_mutex_unlock(&gate.lock);
}

/* --- a verifier ----------------------------------------------------------- */

static inline void bad_line(void *arg, unsigned line, const char *what)
{
	(void)arg;
	fail_msg("%u: %s", line, what);
}

static inline void add_user(char *text, size_t size, const char *user,
	const char *setting, const char *password)
{
	struct crypt_data *data = calloc(1, sizeof(*data));
	size_t used = strlen(text);

	assert_non_null(data);
	snprintf(text + used, size - used, "%s:%s\n", user,
		crypt_rn(password, setting, data, (int)sizeof(*data)));
	free(data);
}

static inline void make_settings(struct settings *settings, const char *password)
{
	static char text[8192];
	char user[16];

	text[0] = '\0';
	add_user(text, sizeof(text), "dev1", QUICK, password);
	add_user(text, sizeof(text), "slow", SLOW, "slow's");
	for (int i = 0; i < USERS; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		add_user(text, sizeof(text), user, QUICK, user);
	}
	atomic_init(&settings->refs, 1);
	settings->htpasswd = htpasswd_read(text, strlen(text), bad_line, NULL);
}

static inline int set_up_all(void **state)
{
	(void)state;
	make_settings(&before, "right");
	make_settings(&after, "new");
	loop_init(&loop);
	return 0;
}

static inline int tear_down_all(void **state)
{
	(void)state;
	loop_stop(&loop);
	loop_run(&loop);
	loop_clear(&loop);
	htpasswd_free(before.htpasswd);
	htpasswd_free(after.htpasswd);
	return 0;
}

static inline int set_up(void **state)
{
	(void)state;
	verifier = verifier_new(1);
	now = START;
	return 0;
}

/* Whatever was asked, nothing is still held. */
static inline int tear_down(void **state)
{
	(void)state;
	gate_set(false);
	verifier_free(verifier);
	assert_int_equal(atomic_load(&before.refs), 1);
	assert_int_equal(atomic_load(&after.refs), 1);
	return 0;
}

static inline const struct sockaddr *address(const char *text)
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

static inline void on_answered(struct verifier_waiter *waiter,
	enum verifier_result result)
{
	struct asker *asker = (struct asker *)(void *)waiter;

	asker->answers++;
	asker->place = ++answered;
	asker->result = result;
	asker->by = pthread_self();
}

/* ask_again asks for a waiter that may have asked before. */
static inline enum verifier_result ask_again(struct asker *asker,
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

static inline enum verifier_result ask_of(struct asker *asker,
	struct settings *settings, const char *from, const char *user,
	const char *password)
{
	memset(asker, 0, sizeof(*asker));
	asker->waiter.answered = on_answered;
	asker->waiter.loop = &loop;
	return ask_again(asker, settings, from, user, password);
}

static inline void wait_for(struct asker *asker)
{
	while (asker->answers == 0)
		(void)uv_run(&loop.uv, UV_RUN_ONCE);
	assert_int_equal(asker->answers, 1);
	assert_true(pthread_equal(asker->by, pthread_self()));
}

/* ask gives the answer, at once or later; *waited says which. */
static inline enum verifier_result ask(const char *from, const char *user,
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

/* hold_up has the thread at a password, a wrong one, until gate_set(false). */
static inline void hold_up(struct asker *asker)
{
	unsigned come = gate_come();

	gate_set(true);
	assert_int_equal(ask_of(asker, &before, "192.0.2.1", "slow", "x"),
		VERIFIER_WAIT);
	gate_wait(come);
}

/* check_at_once wants this answer at once; check_hashed wants it later. */
static inline void check_at_once(const char *from, const char *user,
	const char *password, enum verifier_result result)
{
	bool waited;

	assert_int_equal(ask(from, user, password, &waited), result);
	assert_false(waited);
}

static inline void check_hashed(const char *from, const char *user,
	const char *password, enum verifier_result result)
{
	bool waited;

	assert_int_equal(ask(from, user, password, &waited), result);
	assert_true(waited);
}

/* check_guesses: so many different wrong ones are heard. */
static inline void check_guesses(const char *from, const char *user, int num)
{
	static int count;
	char guess[32];

	for (int i = 0; i < num; i++) {
		snprintf(guess, sizeof(guess), "guess %d", count++);
		check_hashed(from, user, guess, VERIFIER_WRONG);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
