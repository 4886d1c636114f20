#include "proxy/core/reach.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MODE = 0600 };

/* at_once opens without waiting; reading and writing may wait again. */
static int at_once(int folder, const char *path, int flags)
{
	int fd = openat(folder, path,
		flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, MODE);
	int is = fd >= 0 ? fcntl(fd, F_GETFL) : -1;

	if (is >= 0)
		(void)fcntl(fd, F_SETFL, is & ~O_NONBLOCK);
	return fd;
}

static int as_worker(const char *path, int flags,
	const struct identity *worker)
{
	int fd, why;

	if (identity_assume(worker) != 0)
		return -1;
	fd = at_once(AT_FDCWD, path, flags);
	why = errno;
	identity_resume();
	errno = why;
	return fd;
}

enum writable { NOT, STICKY, FREELY };

/* writable by the worker. In a sticky folder of somebody else's it can bring
 * what is not there, but not replace what is another's. */
static enum writable writable(int folder, const struct identity *worker)
{
	struct stat info;

	if (fstat(folder, &info) != 0 || info.st_uid == worker->uid)
		return FREELY;
	if (!(info.st_mode & S_IWOTH) &&
	    (!(info.st_mode & S_IWGRP) || info.st_gid != worker->gid))
		return NOT;
	return info.st_mode & S_ISVTX ? STICKY : FREELY;
}

/* down goes from folder, which it closes, into the one called name. One in a
 * sticky folder is not the worker's doing unless it is its own, which the next
 * look will tell. */
static int down(int folder, const char *name, const struct identity *worker)
{
	int fd = -1;

	if (writable(folder, worker) == FREELY)
		errno = EACCES;
	else
		fd = openat(folder, name, O_PATH | O_DIRECTORY | O_NOFOLLOW |
			O_CLOEXEC);
	close(folder);
	return fd;
}

/* walk opens the folder of the file at the end of path, a copy to be cut up. */
static int walk(char *path, const struct identity *worker)
{
	int folder = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	char *rest = path, *name = strsep(&rest, "/");

	while (folder >= 0 && rest) {
		if (name[0] != '\0')
			folder = down(folder, name, worker);
		name = strsep(&rest, "/");
	}
	if (folder < 0 || writable(folder, worker) == NOT)
		return folder;
	close(folder);
	errno = EACCES;
	return -1;
}

int reach_folder(const char *path, const struct identity *worker)
{
	char *copy = strdup(path);
	int folder;

	if (!copy)
		abort();
	folder = walk(copy, worker);
	free(copy);
	return folder;
}

static int as_root(const char *path, int flags, const struct identity *worker)
{
	int folder = reach_folder(path, worker), fd = -1;

	if (folder >= 0) {
		fd = at_once(folder, strrchr(path, '/') + 1,
			flags | O_NOFOLLOW);
		close(folder);
	}
	if (fd < 0 && errno == ENOTDIR)
		errno = ELOOP; /* it is a link, most likely */
	return fd;
}

int reach_open(const char *path, int flags, const struct identity *worker)
{
	int fd;

	if (worker->uid == 0)
		return at_once(AT_FDCWD, path, flags);
	fd = as_worker(path, flags, worker);
	if (fd >= 0 || (errno != EACCES && errno != EPERM) || path[0] != '/')
		return fd;
	return as_root(path, flags, worker);
}
