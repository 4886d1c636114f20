#include "proxy/core/rotation.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/reach.h"
#include "proxy/core/say.h"

/* shift renames name.from, or name itself for 0, to the next number. */
static int shift(int folder, const char *name, unsigned from)
{
	char old[NAME_MAX + 1], new[NAME_MAX + 1];
	int len = from > 0 ? snprintf(old, sizeof(old), "%s.%u", name, from) :
			     snprintf(old, sizeof(old), "%s", name);

	if (len >= (int)sizeof(old) ||
	    snprintf(new, sizeof(new), "%s.%u", name, from + 1) >=
		    (int)sizeof(new)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return renameat(folder, old, folder, new);
}

static int turn(int folder, const char *name, uint64_t size, unsigned keep)
{
	struct stat info;

	/* Not there: as if it had just been renamed, which it may have been. */
	if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	if (!S_ISREG(info.st_mode) || (uint64_t)info.st_size < size) {
		errno = 0; /* it is not full */
		return -1;
	}
	while (--keep > 0) {
		if (shift(folder, name, keep) != 0 && errno != ENOENT)
			return -1;
	}
	return shift(folder, name, 0);
}

static int turn_in(int folder, const char *path, uint64_t size, unsigned keep)
{
	const char *slash = strrchr(path, '/');
	int result, why;

	if (folder < 0)
		return -1;
	result = turn(folder, slash ? slash + 1 : path, size, keep);
	why = errno;
	close(folder);
	errno = why;
	return result;
}

static int open_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[PATH_MAX];

	snprintf(folder, sizeof(folder), "%.*s",
		slash ? (int)(slash - path + 1) : 2, slash ? path : "./");
	return open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static int as_worker(const char *path, uint64_t size, unsigned keep,
	const struct identity *worker)
{
	int result, why;

	if (identity_assume(worker) != 0)
		return -1;
	result = turn_in(open_folder(path), path, size, keep);
	why = errno;
	identity_resume();
	errno = why;
	return result;
}

int rotation_turn(const char *path, uint64_t size, unsigned keep,
	const struct identity *worker)
{
	int result = as_worker(path, size, keep, worker);

	if (result != 0 && worker->uid != 0 && path[0] == '/' &&
	    (errno == EACCES || errno == EPERM))
		result = turn_in(reach_folder(path, worker), path, size, keep);
	if (result != 0 && errno != 0)
		say("log.rotate: %s can't be renamed to %s.1: %s; it grows on",
			path, path, strerror(errno));
	return result;
}
