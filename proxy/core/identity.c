#include "proxy/core/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/core/desk.h"

enum { FIRST = 60578, LAST = 60705 };

/* own_group is the user's, where it is called the same: one that others are in,
 * too, must not be let into the state folder. */
static gid_t own_group(const struct passwd *user)
{
	const struct group *group = getgrgid(user->pw_gid);

	return group && strcmp(group->gr_name, user->pw_name) == 0 ?
		user->pw_gid : FIRST;
}

static bool by_name(const char *name, struct identity *out)
{
	const struct passwd *user = getpwnam(name);

	if (!user || user->pw_uid == 0)
		return false;
	*out = (struct identity){user->pw_uid, own_group(user)};
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

static bool become(const struct identity *who)
{
	return setgroups(0, NULL) == 0 &&
		setresgid(who->gid, who->gid, who->gid) == 0 &&
		setresuid(who->uid, who->uid, who->uid) == 0;
}

/* can_become tries: what is allowed depends on capabilities, user namespaces
 * and filters of system calls. */
static bool can_become(const struct identity *who)
{
	pid_t pid = fork();
	int status = 1;

	if (pid == 0)
		_exit(become(who) ? 0 : 1);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return pid > 0 && status == 0;
}

void identity_find(const char *state, struct identity *worker,
	struct identity *keeper)
{
	memset(worker, 0, sizeof(*worker));
	memset(keeper, 0, sizeof(*keeper));
	if (getuid() != 0)
		return;
	if (!by_owner(state, worker) && !by_name("sallyport", worker))
		by_number(FIRST, 0, worker);
	if (!by_name("sallyport-keeper", keeper) ||
	    keeper->uid == worker->uid)
		by_number(FIRST + 1, worker->uid, keeper);
	if (can_become(worker) && can_become(keeper))
		return;
	memset(worker, 0, sizeof(*worker));
	memset(keeper, 0, sizeof(*keeper));
}

/* --- acting as ---------------------------------------------------------- */

/* The groups that root had are of no use to it. */
int identity_assume(const struct identity *who)
{
	if (who->uid == 0 || (setgroups(0, NULL) == 0 &&
		setegid(who->gid) == 0 && seteuid(who->uid) == 0))
		return 0;
	identity_resume();
	return -1;
}

void identity_resume(void)
{
	if (geteuid() == getuid() && getegid() == getgid())
		return;
	if (seteuid(getuid()) != 0 || setegid(getgid()) != 0)
		abort();
}

void identity_reach(const char *path, int folder, char *out, size_t size)
{
	if (faccessat(AT_FDCWD, path, W_OK | X_OK, AT_EACCESS) == 0)
		snprintf(out, size, "%s", path);
	else
		snprintf(out, size, "/proc/self/fd/%d", folder);
}

/* --- handing over ------------------------------------------------------- */

/* Whose it was does not matter: what is called so in the worker's folder is the
 * worker's. But it must be there alone, and be a file. */
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
	else if (S_ISREG(info.st_mode) && info.st_nlink == 1)
		result = fchown(fd, worker->uid, worker->gid);
	close(fd);
	return result;
}

static int give_files(int folder, const struct identity *worker)
{
	int copy = dup(folder), result = 0;
	DIR *files = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *file;

	while (result == 0 && files && (file = readdir(files)) != NULL) {
		if (file->d_name[0] != '.')
			result = give(folder, file->d_name, worker);
	}
	if (files)
		closedir(files);
	return files ? result : -1;
}

/* give_folder gives one of the folders in it, and the files in that; but none
 * that is the worker's already: what is in there, it has put there. */
static int give_folder(int above, const char *name,
	const struct identity *worker)
{
	int fd = openat(above, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
		O_CLOEXEC);
	struct stat info;
	int result = 0;

	if (fd < 0)
		return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ?
			0 : -1;
	if (fstat(fd, &info) != 0)
		result = -1;
	else if (info.st_uid != worker->uid)
		result = give_files(fd, worker);
	if (result == 0)
		result = fchown(fd, worker->uid, worker->gid);
	close(fd);
	return result;
}

/* The worker, which makes it anew, could not remove one that became root's:
 * systemd makes all in its StateDirectory so. */
static int clear_socket(int folder)
{
	struct stat info;

	if (fstatat(folder, DESK_CONTROL, &info, AT_SYMLINK_NOFOLLOW) != 0)
		return errno == ENOENT ? 0 : -1;
	return S_ISSOCK(info.st_mode) ?
		unlinkat(folder, DESK_CONTROL, 0) : 0;
}

static int give_all(int folder, const struct identity *worker)
{
	static const char *const names[] = {
		"sallyport.db", "sallyport.db-journal", "root.pem",
		"admin-token",
	};
	struct stat info;

	if (fstat(folder, &info) != 0)
		return -1;
	if (info.st_uid != 0)
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (give(folder, names[i], worker) != 0)
			return -1;
	}
	if (give_folder(folder, "policy", worker) != 0 ||
	    clear_socket(folder) != 0 || fchown(folder, 0, worker->gid) != 0)
		return -1;
	return fchmod(folder, S_ISVTX | 0770);
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
