#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/core/harden.h"

/* What a sanitizer needs of the kernel is left to it. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

enum { HANGS_MS = 20 * 1000 };

/* In a process that must not come back: the first thing that is not so ends it,
 * and is told. */
#define WANT(what) \
	do { \
		if (!(what)) { \
			static const char said[] = "not so: " #what "\n"; \
			(void)!write(2, said, sizeof(said) - 1); \
			_exit(1); \
		} \
	} while (0)

/* in_child runs it in a process of its own; how that ended. */
static int in_child(void (*run)(void))
{
	pid_t pid = fork();
	int status;

	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* --- system calls ------------------------------------------------------- */

static bool refused(long result)
{
	return result == -1 && errno == EPERM;
}

static void *turn_around(void *arg)
{
	return arg;
}

static void try_what_is_needed(const int ends[2])
{
	pthread_t thread;
	struct timespec now;
	void *memory, *got;
	char letter = 'x';

	WANT(write(ends[1], "a", 1) == 1);
	WANT(read(ends[0], &letter, 1) == 1 && letter == 'a');
	WANT(syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &now) == 0);
	WANT(syscall(SYS_getrandom, &letter, 1, 0) == 1);
	memory = malloc(64 * 1024 * 1024);
	WANT(memory);
	free(memory);
	WANT(pthread_create(&thread, NULL, turn_around, &letter) == 0);
	WANT(pthread_join(thread, &got) == 0 && got == &letter);
	WANT(close(ends[0]) == 0 && close(ends[1]) == 0);
}

static void try_what_is_not(void)
{
	static char *const args[] = {"true", NULL};
	int ends[2];

	WANT(refused(socket(AF_INET, SOCK_STREAM, 0)));
	WANT(refused(socket(AF_UNIX, SOCK_STREAM, 0)));
	WANT(refused(socketpair(AF_UNIX, SOCK_STREAM, 0, ends)));
	WANT(refused(connect(0, NULL, 0)));
	WANT(refused(open("/dev/null", O_RDONLY)));
	WANT(refused(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY)));
	WANT(refused(execve("/bin/true", args, args)));
	WANT(refused(fork()));
	WANT(refused(unlink("/no/such/file")));
	WANT(refused(kill(getppid(), 0)));
	WANT(refused(syscall(SYS_ptrace, 0, 0, 0, 0)));
}

static void shut_in(void)
{
	int ends[2];

	WANT(pipe(ends) == 0);
	WANT(harden_calls());
	try_what_is_needed(ends);
	try_what_is_not();
}

/* A kernel that has them reads the filter that is not there. */
static bool has_filters(void)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) == -1 &&
		errno == EFAULT;
}

static void the_keeper_may_compute_and_no_more(void **state)
{
	(void)state;
	if (SANITIZED || !has_filters())
		skip();
	assert_int_equal(in_child(shut_in), 0);
}

/* --- privacy ------------------------------------------------------------ */

static void be_private(void)
{
	struct rlimit core;

	harden_private();
	WANT(prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0);
	WANT(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1);
	WANT(getrlimit(RLIMIT_CORE, &core) == 0);
	WANT(core.rlim_cur == 0 && core.rlim_max == 0);
}

static void leaves_nothing_to_look_at(void **state)
{
	(void)state;
	assert_int_equal(in_child(be_private), 0);
}

/* --- ends --------------------------------------------------------------- */

/* tend starts another, which tells its pid, and goes when it is told to, without
 * a word to that one. */
static void tend(int alive, int go)
{
	pid_t pid = fork();
	char letter;

	if (pid == 0) {
		harden_die();
		pid = getpid();
		WANT(write(alive, &pid, sizeof(pid)) == sizeof(pid));
		for (;;)
			pause();
	}
	(void)!read(go, &letter, 1);
	_exit(0);
}

/* The end of a pipe that the one who was started holds open tells of its end. */
static void ends_with_who_started_it(void **state)
{
	int alive[2], go[2], ended;
	struct pollfd at;
	pid_t pid, other;

	(void)state;
	assert_int_equal(pipe(alive), 0);
	assert_int_equal(pipe(go), 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		close(go[1]);
		tend(alive[1], go[0]);
	}
	close(alive[1]);
	close(go[0]);
	assert_int_equal(read(alive[0], &other, sizeof(other)),
		sizeof(other));
	close(go[1]);
	at = (struct pollfd){.fd = alive[0], .events = POLLIN};
	ended = poll(&at, 1, HANGS_MS);
	if (ended != 1)
		(void)kill(other, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(alive[0]);
	assert_int_equal(ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_keeper_may_compute_and_no_more),
		cmocka_unit_test(leaves_nothing_to_look_at),
		cmocka_unit_test(ends_with_who_started_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
