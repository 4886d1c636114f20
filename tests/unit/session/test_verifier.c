/* Whether a password is right: who is told, for how long, by what thread. */
#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/unit/session/verifier_test.h"

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

/* --- the thread ----------------------------------------------------------- */

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
	hold_up(&asker);
	assert_true(verifier_leave(verifier, &asker.waiter));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(answers_on_the_loop_who_asked),
		TEST(refuses_what_can_be_nobody),
		TEST(keeps_what_is_right_while_it_is_used),
		TEST(keeps_what_is_wrong_for_a_while),
		TEST(goes_by_the_file_in_force),
		TEST(its_thread_is_named_and_low),
		TEST(serves_many_loops),
		TEST(ends_while_it_hashes_for_nobody),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
