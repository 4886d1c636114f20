#include "proxy/tools/program.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, NAP_MS = 5 };

extern char **environ;

/* --- where it is -------------------------------------------------------- */

static bool can_run(const char *path)
{
	struct stat is;

	return stat(path, &is) == 0 && S_ISREG(is.st_mode) &&
		access(path, X_OK) == 0;
}

/* find_in looks through a list of folders, as PATH is one. */
static char *find_in(const char *list, const char *name)
{
	char path[PATH_SIZE];

	for (size_t len; *list; list += len + (list[len] == ':')) {
		len = strcspn(list, ":");
		if (len > 0 && (size_t)snprintf(path, sizeof(path), "%.*s/%s",
				       (int)len, list, name) < sizeof(path) &&
		    can_run(path))
			return strdup(path);
	}
	return NULL;
}

char *program_find(const char *name)
{
	const char *list = getenv("PATH");
	char *found;

	if (strchr(name, '/'))
		return can_run(name) ? strdup(name) : NULL;
	found = find_in(list ? list : "/usr/local/bin:/usr/bin:/bin", name);
	return found ? found : find_in("/usr/sbin:/sbin", name);
}

/* --- the run ------------------------------------------------------------ */

/* make_input is a file without a name that has the text; -1: none. */
static int make_input(const char *text)
{
	size_t len = text ? strlen(text) : 0;
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd >= 0 && (write(fd, text ? text : "", len) != (ssize_t)len ||
			       lseek(fd, 0, SEEK_SET) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static int spawn(const char *path, const char *const *argv, int in, int out,
	pid_t *pid)
{
	posix_spawn_file_actions_t files;
	int error;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	error = posix_spawn(pid, path, &files, NULL,
		(char **)(uintptr_t)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* let_run gives it so long, and then ends it; 0: as long as it takes. */
static void let_run(pid_t pid, unsigned limit_ms)
{
	const struct timespec nap = {.tv_nsec = NAP_MS * 1000000};
	siginfo_t info = {.si_pid = 0};

	if (limit_ms == 0)
		return;
	for (unsigned ms = 0; ms < limit_ms && info.si_pid == 0; ms += NAP_MS) {
		(void)nanosleep(&nap, NULL);
		(void)waitid(P_PID, (id_t)pid, &info,
			WEXITED | WNOHANG | WNOWAIT);
	}
	if (info.si_pid == 0)
		(void)kill(pid, SIGKILL);
}

static int end_of(pid_t pid, unsigned limit_ms)
{
	int status;

	let_run(pid, limit_ms);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* take reads what was said from its beginning. */
static void take(int fd, char *said, size_t size)
{
	ssize_t got = pread(fd, said, size - 1, 0);

	said[got > 0 ? got : 0] = '\0';
}

static int run_between(const char *path, const char *const *argv, int in,
	int out, char *said, size_t size, unsigned limit_ms)
{
	int error, status;
	pid_t pid;

	if (in < 0 || out < 0) {
		snprintf(said, size, "%s", strerror(errno));
		return -1;
	}
	error = spawn(path, argv, in, out, &pid);
	if (error != 0) {
		snprintf(said, size, "%s", strerror(error));
		return -1;
	}
	status = end_of(pid, limit_ms);
	take(out, said, size);
	return status;
}

int program_run_within(const char *const *argv, const char *input, char *said,
	size_t size, unsigned limit_ms)
{
	char *path = program_find(argv[0]);
	int in, out, status;

	if (!path) {
		snprintf(said, size, "there is no such program");
		return -1;
	}
	in = make_input(input);
	out = memfd_create("output", MFD_CLOEXEC);
	status = run_between(path, argv, in, out, said, size, limit_ms);
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	free(path);
	return status;
}

int program_run(const char *const *argv, const char *input, char *said,
	size_t size)
{
	return program_run_within(argv, input, said, size, 0);
}

int program_fail(const char *name, const char *said, char *err,
	size_t err_size)
{
	size_t len = strlen(name);

	said += strspn(said, " \t\r\n");
	if (strncmp(said, name, len) == 0 && strncmp(said + len, ": ", 2) == 0)
		said += len + 2; /* most say who they are */
	if (*said)
		snprintf(err, err_size, "%s: %.*s", name,
			(int)strcspn(said, "\r\n"), said);
	else
		snprintf(err, err_size, "%s fails and does not say why", name);
	for (char *at = err; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			*at = '?';
	}
	return -1;
}
