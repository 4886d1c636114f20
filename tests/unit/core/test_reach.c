#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/reach.h"
#include "tests/support/folder.h"

enum { WORKER = 60700 };

static const struct identity worker = {WORKER, WORKER}, nobody_else;

/* Below /run, which only root can write to, as /var/log is. */
static int set_up(void **state)
{
	(void)state;
	folder_make_in(geteuid() == 0 ? "/run" : "/tmp", "reach");
	assert_int_equal(chmod(folder, 0755), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	return folder_remove();
}

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static void make(const char *name, mode_t mode)
{
	int fd = open(folder_at(name), O_WRONLY | O_CREAT | O_EXCL, mode);

	assert_true(fd >= 0);
	close(fd);
}

/* opens gives 0, or errno. */
static int opens(const char *name, int flags, const struct identity *who)
{
	int fd = reach_open(folder_at(name), flags, who);
	int result = fd < 0 ? errno : 0;

	if (fd >= 0) {
		assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
		assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
		close(fd);
	}
	assert_int_equal(geteuid(), getuid());
	return result;
}

static void opens_as_itself(void **state)
{
	(void)state;
	make("file", 0600);
	assert_int_equal(opens("file", O_RDONLY, &nobody_else), 0);
	assert_int_equal(opens("none", O_RDONLY, &nobody_else), ENOENT);
	assert_int_equal(opens("new", O_WRONLY | O_CREAT | O_APPEND,
		&nobody_else), 0);
	assert_int_equal(mkfifo(folder_at("fifo"), 0600), 0);
	assert_int_equal(opens("fifo", O_WRONLY, &nobody_else), ENXIO);
}

/* What the worker makes in a folder of its own is its own. */
static void opens_as_the_worker(void **state)
{
	struct stat info;

	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("theirs"), 0700), 0);
	assert_int_equal(chown(folder_at("theirs"), WORKER, WORKER), 0);
	assert_int_equal(opens("theirs/log", O_WRONLY | O_CREAT | O_APPEND,
		&worker), 0);
	assert_int_equal(stat(folder_at("theirs/log"), &info), 0);
	assert_int_equal(info.st_uid, WORKER);
	assert_int_equal(info.st_mode & 07777, 0600);
}

static void opens_for_the_worker_what_only_root_may(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("root"), 0700), 0);
	make("root/secret", 0600);
	assert_int_equal(opens("root/secret", O_RDONLY, &worker), 0);
	assert_int_equal(opens("root/log", O_WRONLY | O_CREAT | O_APPEND,
		&worker), 0);
	assert_int_equal(opens("root/none", O_RDONLY, &worker), ENOENT);
	/* a sticky folder on the way is no harm */
	assert_int_equal(chmod(folder_at("root"), 01777), 0);
	assert_int_equal(mkdir(folder_at("root/deep"), 0700), 0);
	make("root/deep/secret", 0600);
	assert_int_equal(opens("root/deep/secret", O_RDONLY, &worker), 0);
}

/* --- what the worker has had a hand in ---------------------------------- */

static void make_secret(void)
{
	assert_int_equal(mkdir(folder_at("root"), 0700), 0);
	make("root/secret", 0600);
}

static void follows_no_link_of_the_workers(void **state)
{
	(void)state;
	need_root();
	make_secret();
	assert_int_equal(mkdir(folder_at("theirs"), 0700), 0);
	assert_int_equal(symlink(folder_at("root/secret"), folder_at("theirs/log")), 0);
	assert_int_equal(symlink(folder_at("root"), folder_at("theirs/folder")), 0);
	assert_int_equal(chown(folder_at("theirs"), WORKER, WORKER), 0);
	assert_int_equal(opens("theirs/log", O_WRONLY | O_APPEND, &worker),
		EACCES);
	assert_int_equal(opens("theirs/folder/secret", O_RDONLY, &worker),
		EACCES);
}

static void follows_no_link_at_all_as_root(void **state)
{
	(void)state;
	need_root();
	make_secret();
	assert_int_equal(symlink("root/secret", folder_at("link")), 0);
	assert_int_equal(symlink("root", folder_at("folder")), 0);
	assert_int_equal(opens("link", O_RDONLY, &worker), ELOOP);
	assert_int_equal(opens("folder/secret", O_RDONLY, &worker), ELOOP);
}

static void opens_nothing_where_the_worker_can_write(void **state)
{
	static const struct {
		mode_t mode;
		gid_t group;
	} rows[] = {
		{0777, 0}, {01777, 0}, {0770, WORKER}, {01770, WORKER},
	};

	(void)state;
	need_root();
	make_secret();
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_int_equal(chown(folder_at("root"), 0, rows[i].group), 0);
		assert_int_equal(chmod(folder_at("root"), rows[i].mode), 0);
		assert_int_equal(opens("root/secret", O_RDONLY, &worker),
			EACCES);
	}
	assert_int_equal(chown(folder_at("root"), 0, WORKER), 0);
	assert_int_equal(chmod(folder_at("root"), 0750), 0);
	assert_int_equal(opens("root/secret", O_RDONLY, &worker), 0);
}

/* A folder that the worker has made in a sticky one is its own. */
static void trusts_no_folder_of_the_workers_in_a_sticky_one(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("tmp"), 01777), 0);
	assert_int_equal(chmod(folder_at("tmp"), 01777), 0);
	assert_int_equal(mkdir(folder_at("tmp/theirs"), 0700), 0);
	make("tmp/theirs/secret", 0600);
	assert_int_equal(chown(folder_at("tmp/theirs"), WORKER, WORKER), 0);
	assert_int_equal(opens("tmp/theirs/secret", O_RDONLY, &worker),
		EACCES);
	/* nor one that can be renamed */
	assert_int_equal(mkdir(folder_at("tmp/root"), 0700), 0);
	make("tmp/root/secret", 0600);
	assert_int_equal(opens("tmp/root/secret", O_RDONLY, &worker), 0);
	assert_int_equal(chmod(folder_at("tmp"), 0777), 0);
	assert_int_equal(opens("tmp/root/secret", O_RDONLY, &worker), EACCES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(opens_as_itself),
		TEST(opens_as_the_worker),
		TEST(opens_for_the_worker_what_only_root_may),
		TEST(follows_no_link_of_the_workers),
		TEST(follows_no_link_at_all_as_root),
		TEST(opens_nothing_where_the_worker_can_write),
		TEST(trusts_no_folder_of_the_workers_in_a_sticky_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
