#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/shared.h"
#include "proxy/core/worker.h"
#include "proxy/report/access.h"
#include "proxy/session/services.h"

enum { WORKERS = 2 };

/* Workers without a door. */
static struct world {
	struct shared shared;
	struct access_log *log;
	struct snapshot *old;
	struct worker *workers[WORKERS];
	atomic_int ended;
} w;

static struct snapshot *make_snapshot(uint64_t generation)
{
	struct settings *settings;
	struct snapshot *snapshot;
	struct config *config;

	assert_int_equal(config_load_text("test", "", 0, &config, stderr), 0);
	settings = settings_new(config);
	snapshot = snapshot_new(generation, settings, NULL);
	settings_unref(settings);
	return snapshot;
}

static void on_ended(void)
{
	atomic_fetch_add(&w.ended, 1);
}

static int set_up(void **state)
{
	static const struct log_want nowhere = {.where = "none"};
	static const int none[1];
	struct worker_order order = {.shared = &w.shared, .fds = none,
		.max_connections = 10, .ended = on_ended};
	char err[256];

	(void)state;
	memset(&w, 0, sizeof(w));
	w.old = make_snapshot(1);
	shared_init(&w.shared, w.old->config);
	if (access_open(&nowhere, NULL, &w.log, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	order.log = w.log;
	order.snapshot = w.old;
	for (size_t i = 0; i < WORKERS; i++) {
		if (worker_new(&order, &w.workers[i], err, sizeof(err)) != 0)
			fail_msg("%s", err);
	}
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	for (size_t i = 0; i < WORKERS; i++)
		worker_free(w.workers[i]);
	assert_int_equal(atomic_load(&w.ended), WORKERS);
	snapshot_unref(w.old);
	access_close(w.log);
	shared_clear(&w.shared);
	return 0;
}

static void stop_all(void)
{
	for (size_t i = 0; i < WORKERS; i++) {
		worker_stop(w.workers[i]);
		worker_join(w.workers[i]);
	}
}

/* --- a worker that is slow to turn -------------------------------------- */

struct gate {
	pid_t waits;       /* the thread that is to wait */
	struct snapshot *snapshot;
	atomic_bool open;  /* the slow one turns from now on */
	atomic_bool over;
};

/* waits: the thread sleeps in the kernel. */
static bool waits(pid_t thread)
{
	char path[64], text[512] = "", *name_end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)thread);
	file = fopen(path, "re");
	if (!file)
		return false;
	(void)!fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	name_end = strrchr(text, ')');
	return name_end && name_end[1] && name_end[2] == 'S';
}

/* Both orders are given when the snapshot is both workers', too. Until the gate
 * opens the second one's loop does not turn: it has not been started. */
static void *open_when_waited_for(void *arg)
{
	struct gate *gate = arg;

	while (!atomic_load(&gate->over) &&
		!(atomic_load(&gate->snapshot->refs) > WORKERS &&
			waits(gate->waits)))
		sched_yield();
	atomic_store(&gate->open, true);
	worker_start(w.workers[1]);
	return NULL;
}

static void adopting_waits_for_the_last(void **state)
{
	struct gate gate = {.waits = (pid_t)syscall(SYS_gettid),
		.snapshot = make_snapshot(2)};
	bool was_open;
	pthread_t thread;

	(void)state;
	worker_start(w.workers[0]);
	assert_int_equal(pthread_create(&thread, NULL, open_when_waited_for,
		&gate), 0);
	worker_adopt_all(w.workers, WORKERS, gate.snapshot);
	was_open = atomic_load(&gate.open);
	atomic_store(&gate.over, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (was_open) /* each has let the old one go */
		assert_int_equal(atomic_load(&w.old->refs), 1);
	stop_all();
	assert_true(was_open);
	snapshot_unref(gate.snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(adopting_waits_for_the_last,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
