#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/clerks.h"

enum { MANY = 200 };

struct task {
	struct clerk_job job; /* first */
	int worked, done;     /* in which turn */
	pthread_t worker;
};

static struct loop loop;
static struct clerks *clerks;
static struct task tasks[MANY];
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static int num_worked, num_done, expected;
static atomic_int num_begun;

static void work(struct clerk_job *job)
{
	struct task *task = (struct task *)job;

	atomic_fetch_add(&num_begun, 1);
	pthread_mutex_lock(&gate);
	task->worked = ++num_worked;
	pthread_mutex_unlock(&gate);
	task->worker = pthread_self();
}

static void done(struct clerk_job *job)
{
	struct task *task = (struct task *)job;

	task->done = ++num_done;
	if (num_done == expected)
		loop_stop(&loop);
}

static bool take(size_t i, bool urgent)
{
	tasks[i].job.work = work;
	tasks[i].job.done = done;
	return clerks_take(clerks, &tasks[i].job, urgent);
}

static void wait_begun(void)
{
	while (atomic_load(&num_begun) == 0)
		usleep(1000);
}

static void start(unsigned num, unsigned most)
{
	num_worked = num_done = 0;
	atomic_store(&num_begun, 0);
	for (size_t i = 0; i < MANY; i++)
		tasks[i] = (struct task){.worked = 0};
	loop_init(&loop);
	clerks = clerks_new(&loop, num, most);
}

static void stop(void)
{
	loop_run(&loop);
	clerks_free(clerks);
	loop_clear(&loop);
}

static void does_all_elsewhere_and_tells_here(void **state)
{
	(void)state;
	start(4, MANY);
	expected = MANY;
	for (size_t i = 0; i < MANY; i++)
		assert_true(take(i, false));
	stop();
	assert_int_equal(num_worked, MANY);
	assert_int_equal(num_done, MANY);
	for (size_t i = 0; i < MANY; i++)
		assert_false(pthread_equal(tasks[i].worker, pthread_self()));
}

/* The clerk has the first in hand, and waits at the gate. */
static void has_a_line_with_an_end(void **state)
{
	(void)state;
	start(1, 3);
	expected = 5;
	pthread_mutex_lock(&gate);
	assert_true(take(0, false));
	wait_begun();
	for (size_t i = 1; i < 4; i++)
		assert_true(take(i, false));
	assert_false(take(4, false));
	assert_true(take(5, true));
	pthread_mutex_unlock(&gate);
	stop();
	assert_int_equal(tasks[0].worked, 1);
	assert_int_equal(tasks[5].worked, 2);
	assert_int_equal(tasks[1].worked, 3);
	assert_int_equal(tasks[3].worked, 5);
	assert_int_equal(tasks[4].worked, 0);
}

static void drops_who_waits(void **state)
{
	(void)state;
	start(1, MANY);
	expected = 4;
	pthread_mutex_lock(&gate);
	assert_true(take(0, false));
	wait_begun();
	for (size_t i = 1; i < 4; i++)
		assert_true(take(i, false));
	clerks_drop(clerks);
	pthread_mutex_unlock(&gate);
	stop();
	assert_int_equal(num_worked, 1);
	assert_int_equal(tasks[0].worked, 1);
	for (size_t i = 0; i < 4; i++)
		assert_int_not_equal(tasks[i].done, 0);
}

static void ends_with_nothing_to_do(void **state)
{
	(void)state;
	start(4, 1);
	loop_stop(&loop);
	stop();
	clerks_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(does_all_elsewhere_and_tells_here),
		cmocka_unit_test(has_a_line_with_an_end),
		cmocka_unit_test(drops_who_waits),
		cmocka_unit_test(ends_with_nothing_to_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
