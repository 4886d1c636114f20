#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/identity.h"
#include "tests/support/folder.h"

enum { SOMEBODY = 60700 }; /* of the range that nobody has */

static char err[512];

static int set_up(void **state)
{
	(void)state;
	folder_make("identity");
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

/* as_nobody runs check in a process that is not root. */
static int as_nobody(int (*check)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) != 0 ||
			setuid(65534) != 0))
			_exit(99);
		_exit(check());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int stays_who_it_is(void)
{
	struct identity worker = {5, 5}, keeper = {6, 6};

	identity_find(folder, &worker, &keeper);
	return worker.uid || worker.gid || keeper.uid || keeper.gid;
}

static void is_nobody_else_without_root(void **state)
{
	(void)state;
	assert_int_equal(as_nobody(stays_who_it_is), 0);
}

static void gives_nothing_to_root(void **state)
{
	static const struct identity nobody;

	(void)state;
	assert_int_equal(identity_hand_over("/nonexistent", &nobody, err,
		sizeof(err)), 0);
}

/* --- as root ------------------------------------------------------------ */

/* Two, of which neither is root, nor the other. */
static void finds_two_others(void **state)
{
	struct identity worker, keeper;

	(void)state;
	need_root();
	identity_find(folder, &worker, &keeper);
	assert_true(worker.uid != 0 && worker.gid != 0);
	assert_true(keeper.uid != 0 && keeper.gid != 0);
	assert_true(worker.uid != keeper.uid);
	identity_find("/nonexistent", &worker, &keeper);
	assert_true(worker.uid != 0 && keeper.uid != 0);
	assert_true(worker.uid != keeper.uid);
}

/* It was somebody's before, and stays theirs. */
static void finds_the_owner_of_the_folder(void **state)
{
	struct identity worker, keeper;

	(void)state;
	need_root();
	assert_int_equal(chown(folder, SOMEBODY, SOMEBODY + 1), 0);
	identity_find(folder, &worker, &keeper);
	assert_int_equal(worker.uid, SOMEBODY);
	assert_int_equal(worker.gid, SOMEBODY + 1);
	assert_true(keeper.uid != 0 && keeper.uid != SOMEBODY);
	/* even where that is the one that the keeper would be */
	identity_find("/nonexistent", &worker, &keeper);
	assert_int_equal(chown(folder, keeper.uid, keeper.gid), 0);
	identity_find(folder, &worker, &keeper);
	assert_true(worker.uid != keeper.uid);
}

static void follows_no_link_to_an_owner(void **state)
{
	struct identity worker, keeper;

	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("theirs"), 0700), 0);
	assert_int_equal(chown(folder_at("theirs"), SOMEBODY, SOMEBODY), 0);
	assert_int_equal(symlink("theirs", folder_at("link")), 0);
	identity_find(folder_at("link"), &worker, &keeper);
	assert_int_not_equal(worker.uid, SOMEBODY);
}

static void make_file(const char *name)
{
	int fd = open(folder_at(name), O_WRONLY | O_CREAT | O_EXCL, 0600);

	assert_true(fd >= 0);
	close(fd);
}

static unsigned owner_of(const char *name)
{
	struct stat info;

	assert_int_equal(lstat(folder_at(name), &info), 0);
	return info.st_uid;
}

static const struct identity somebody = {SOMEBODY, SOMEBODY};

/* The folder stays root's: the worker may bring files, and no more. */
static void is_roots_and_sticky(void)
{
	struct stat info;

	assert_int_equal(stat(folder, &info), 0);
	assert_int_equal(info.st_uid, 0);
	assert_int_equal(info.st_gid, SOMEBODY);
	assert_int_equal(info.st_mode & 07777, 01770);
}

static void hands_over_what_is_the_workers(void **state)
{
	static const struct {
		const char *name;
		unsigned owner;
	} rows[] = {
		{"sallyport.db", SOMEBODY},
		{"sallyport.db-journal", SOMEBODY},
		{"root.pem", SOMEBODY},
		{"admin-token", SOMEBODY},
		{"keys.secret", 0},
		{"lock", 0},
		{"other", 0},
		{"policy/000001.json", SOMEBODY},
		{"policy/current", SOMEBODY},
	};

	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("policy"), 0700), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		make_file(rows[i].name);
	/* the worker was another one before */
	assert_int_equal(chown(folder_at("sallyport.db"), SOMEBODY + 2, 5), 0);
	for (int i = 0; i < 2; i++) { /* once more is no mistake */
		if (identity_hand_over(folder, &somebody, err,
			    sizeof(err)) != 0)
			fail_msg("%s", err);
		is_roots_and_sticky();
		for (size_t j = 0; j < sizeof(rows) / sizeof(*rows); j++)
			assert_int_equal(owner_of(rows[j].name),
				rows[j].owner);
	}
}

/* The worker may have put there what is not its own. */
static void hands_over_nothing_else(void **state)
{
	(void)state;
	need_root();
	make_file("shadow");
	assert_int_equal(symlink("shadow", folder_at("sallyport.db")), 0);
	assert_int_equal(link(folder_at("shadow"), folder_at("root.pem")), 0);
	assert_int_equal(mkfifo(folder_at("admin-token"), 0600), 0);
	assert_int_equal(mkdir(folder_at("sallyport.db-journal"), 0700), 0);
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(owner_of("shadow"), 0);
	assert_int_equal(owner_of("root.pem"), 0);
	assert_int_equal(owner_of("sallyport.db"), 0);
	assert_int_equal(owner_of("admin-token"), 0);
	assert_int_equal(owner_of("sallyport.db-journal"), 0);
	is_roots_and_sticky();
}

static void hands_over_no_folder_but_that_one(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(mkdir(folder_at("real"), 0700), 0);
	assert_int_equal(mkdir(folder_at("elsewhere"), 0700), 0);
	make_file("elsewhere/shadow");
	assert_int_equal(symlink("elsewhere", folder_at("policy")), 0);
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(owner_of("elsewhere"), 0);
	assert_int_equal(owner_of("elsewhere/shadow"), 0);
	/* one that is the worker's may have anything in it */
	assert_int_equal(unlink(folder_at("policy")), 0);
	assert_int_equal(rename(folder_at("real"), folder_at("policy")), 0);
	assert_int_equal(chown(folder_at("policy"), SOMEBODY, SOMEBODY), 0);
	make_file("policy/shadow");
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(owner_of("policy/shadow"), 0);
}

/* In a folder that the worker owns, it could have renamed anything of root's to
 * anything that is given away. */
static void hands_over_nothing_in_anothers_folder(void **state)
{
	(void)state;
	need_root();
	make_file("admin-token");
	assert_int_equal(chown(folder, SOMEBODY, SOMEBODY), 0);
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(owner_of("admin-token"), 0);
	assert_int_equal(owner_of(""), SOMEBODY);
}

static int moves_secret(void)
{
	char from[128], to[128];

	snprintf(from, sizeof(from), "%s/keys.secret", folder);
	snprintf(to, sizeof(to), "%s/admin-token", folder);
	if (setgroups(0, NULL) != 0 || setgid(SOMEBODY) != 0 ||
	    setuid(SOMEBODY) != 0)
		return 99;
	return rename(from, to) == 0 || unlink(from) == 0;
}

static void keeps_the_secret_where_it_is(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	need_root();
	make_file("keys.secret");
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	pid = fork();
	if (pid == 0)
		_exit(moves_secret());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void clears_a_socket_away(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)state;
	need_root();
	snprintf(at.sun_path, sizeof(at.sun_path), "%s/control.sock", folder);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	close(fd);
	if (identity_hand_over(folder, &somebody, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	assert_int_equal(access(at.sun_path, F_OK), -1);
}

/* --- acting as ---------------------------------------------------------- */

static void acts_as_somebody_and_comes_back(void **state)
{
	(void)state;
	need_root();
	assert_int_equal(identity_assume(&somebody), 0);
	assert_int_equal(geteuid(), SOMEBODY);
	assert_int_equal(getegid(), SOMEBODY);
	identity_resume();
	assert_int_equal(geteuid(), 0);
	assert_int_equal(getegid(), 0);
	assert_int_equal(identity_assume(&(struct identity){0, 0}), 0);
	assert_int_equal(geteuid(), 0);
}

static void says_what_cannot_be_given(void **state)
{
	(void)state;
	assert_int_equal(identity_hand_over("/nonexistent/x", &somebody, err,
		sizeof(err)), -1);
	assert_non_null(strstr(err, "/nonexistent/x: can't be given"));
	assert_non_null(strstr(err, "No such file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(is_nobody_else_without_root,
			set_up, tear_down),
		cmocka_unit_test(gives_nothing_to_root),
		cmocka_unit_test_setup_teardown(finds_two_others, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(finds_the_owner_of_the_folder,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(follows_no_link_to_an_owner,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			hands_over_what_is_the_workers, set_up, tear_down),
		cmocka_unit_test_setup_teardown(hands_over_nothing_else,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			hands_over_no_folder_but_that_one, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			hands_over_nothing_in_anothers_folder, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(keeps_the_secret_where_it_is,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(clears_a_socket_away, set_up,
			tear_down),
		cmocka_unit_test(acts_as_somebody_and_comes_back),
		cmocka_unit_test(says_what_cannot_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
