#include "proxy/core/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST = 60578, LAST = 60705 };

static bool by_name(const char *name, struct identity *out)
{
	const struct passwd *user = getpwnam(name);

	if (!user || user->pw_uid == 0)
		return false;
	*out = (struct identity){user->pw_uid, user->pw_gid};
	return true;
}

/* by_number takes the first that nobody has, nor is the other one of the two,
 * from start on. */
static void by_number(uid_t start, uid_t other, struct identity *out)
{
	uid_t uid = start;

	while (uid < LAST && (uid == other || getpwuid(uid)))
		uid += 2;
	*out = (struct identity){uid, uid};
}

static bool by_owner(const char *state, struct identity *out)
{
	struct stat info;

	if (lstat(state, &info) != 0 || !S_ISDIR(info.st_mode) ||
	    info.st_uid == 0)
		return false;
	*out = (struct identity){info.st_uid, info.st_gid};
	return true;
}

void identity_find(const char *state, struct identity *worker,
	struct identity *keeper)
{
	memset(worker, 0, sizeof(*worker));
	memset(keeper, 0, sizeof(*keeper));
	if (geteuid() != 0)
		return;
	if (!by_owner(state, worker) && !by_name("sallyport", worker))
		by_number(FIRST, 0, worker);
	if (!by_name("sallyport-keeper", keeper) ||
	    keeper->uid == worker->uid)
		by_number(FIRST + 1, worker->uid, keeper);
}

void identity_reach(const char *path, int folder, char *out, size_t size)
{
	if (access(path, W_OK | X_OK) == 0)
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "/proc/self/fd/%d", folder);
}

/* --- handing over ------------------------------------------------------- */

/* What is there is looked at without following links, since the folder may have
 * been somebody's for a while. */
static int give(int folder, const char *name, const struct identity *worker)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC |
		O_NONBLOCK);
	struct stat info;
	int result = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ELOOP || errno == ENXIO ?
			0 : -1;
	if (fstat(fd, &info) != 0)
		result = -1;
	else if (S_ISREG(info.st_mode) && info.st_nlink == 1 &&
		info.st_uid == 0)
		result = fchown(fd, worker->uid, worker->gid);
	close(fd);
	return result;
}

static int give_all(int folder, const struct identity *worker)
{
	static const char *const names[] = {
		"sallyport.db", "sallyport.db-journal", "root.pem",
		"admin-token",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (give(folder, names[i], worker) != 0)
			return -1;
	}
	return fchown(folder, worker->uid, worker->gid);
}

int identity_hand_over(const char *state, const struct identity *worker,
	char *err, size_t err_size)
{
	int folder, result;

	if (worker->uid == 0)
		return 0;
	folder = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	result = folder >= 0 ? give_all(folder, worker) : -1;
	if (result != 0)
		snprintf(err, err_size, "%s: can't be given to the user %lu, "
			"who carries connections: %s", state,
			(unsigned long)worker->uid, strerror(errno));
	if (folder >= 0)
		close(folder);
	return result;
}
