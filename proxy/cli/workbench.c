#include "proxy/cli/workbench.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/cli/standing.h"

enum { FOLDER_MODE = 0755, DEPTH = 200 };

/* --- the folder --------------------------------------------------------- */

/* open_up goes by a descriptor, which it returns: a path may be something else by
 * then. */
static int open_up(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat info;
	int why;

	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_uid == geteuid() &&
		fchmod(fd, FOLDER_MODE) == 0)
		return fd;
	why = errno;
	if (fd >= 0)
		close(fd);
	errno = why;
	return -1;
}

/* drop removes what goes by a name in the folder at: by descriptors, as who else may
 * write somewhere below could put a link in a path's place. */
static void drop(int at, const char *name, int depth);

static void drop_all(int at, int depth)
{
	DIR *dir = fdopendir(at);
	const struct dirent *entry;

	if (!dir) {
		close(at);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			drop(at, entry->d_name, depth);
	}
	closedir(dir);
}

static void drop(int at, const char *name, int depth)
{
	int fd;

	if (unlinkat(at, name, 0) == 0 || depth == DEPTH)
		return;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	drop_all(fd, depth + 1);
	(void)unlinkat(at, name, AT_REMOVEDIR);
}

/* --- the caretaker ------------------------------------------------------ */

/* leave_all: it is no part of what goes on, and keeps nobody's pipe open. */
static void leave_all(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setpgid(0, 0);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
}

static void await_end(int line)
{
	char byte;

	while (read(line, &byte, 1) < 0 && errno == EINTR)
		;
}

/* keep has all signals blocked: only SIGKILL ends it before its time. It tells why
 * there is no folder, 0 when there is. */
static void keep(char *folder, int told, int line) __attribute__((noreturn));
static void keep(char *folder, int told, int line)
{
	bool made = mkdtemp(folder) != NULL;
	int at = made ? open_up(folder) : -1;
	int why = at >= 0 ? 0 : errno;

	leave_all();
	if (write(told, &why, sizeof(why)) == sizeof(why) && why == 0 &&
		write(told, folder, strlen(folder)) > 0) {
		close(told);
		await_end(line);
	}
	if (at >= 0)
		drop_all(at, 0);
	if (made)
		(void)rmdir(folder);
	_exit(0);
}

/* hear takes the folder's name, which is as long as its pattern. False: errno. */
static bool hear(int told, char *folder)
{
	size_t len = strlen(folder);
	int why = EIO;

	if (read(told, &why, sizeof(why)) == sizeof(why) && why == 0 &&
		read(told, folder, len) == (ssize_t)len)
		return true;
	errno = why ? why : EIO;
	return false;
}

/* start: the end of told that is read is *out_told. The caretaker's signals are blocked
 * from the first. */
static pid_t start(char *folder, int *out_told, int *out_line)
{
	int told[2] = {-1, -1}, line[2] = {-1, -1}, why;
	sigset_t all, mask;
	pid_t pid = -1;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask);
	if (pipe2(told, O_CLOEXEC) == 0 && pipe2(line, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0) {
		close(told[0]);
		close(line[1]);
		keep(folder, told[1], line[0]);
	}
	why = errno;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (told[1] >= 0)
		close(told[1]);
	if (line[0] >= 0)
		close(line[0]);
	*out_told = told[0];
	*out_line = line[1];
	errno = why;
	return pid;
}

static void end(struct workbench *bench)
{
	if (bench->line >= 0)
		close(bench->line);
	while (bench->caretaker > 0 && waitpid(bench->caretaker, NULL, 0) < 0 &&
		errno == EINTR)
		;
	free(bench->folder);
	*bench = (struct workbench){.folder = NULL};
}

/* --- both --------------------------------------------------------------- */

/* place is where it is to be: what is in a folder that others change is no ground for
 * what will be trusted. */
static const char *place(void)
{
	const char *named = getenv("TMPDIR");

	if (!named || named[0] != '/' ||
	    (access(named, F_OK) == 0 && !standing_path(named)))
		return "/tmp";
	return named;
}

int workbench_open(struct workbench *out, char *err, size_t err_size)
{
	const char *under = place();
	bool good;
	int told, why;

	*out = (struct workbench){.at = -1};
	out->folder = state_path(under, "sallyport-XXXXXX");
	out->caretaker = start(out->folder, &told, &out->line);
	good = out->caretaker > 0 && hear(told, out->folder) &&
		(out->at = open_up(out->folder)) >= 0;
	why = errno;
	if (told >= 0)
		close(told);
	if (good)
		return 0;
	end(out);
	return pki_fail(err, err_size, "no folder can be made in %s: %s", under,
		strerror(why));
}

void workbench_close(struct workbench *bench)
{
	if (!bench->folder)
		return;
	close(bench->at);
	end(bench);
}
