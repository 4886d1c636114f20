#include "proxy/cli/cache_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/cli/standing.h"

static const char how[] = "set HOME or XDG_CACHE_HOME to a folder of the "
	"user that this runs as (sudo -H does)";

static bool is_ours(const struct stat *info)
{
	return info->st_uid == geteuid() &&
		!(info->st_mode & (S_IWGRP | S_IWOTH));
}

/* judge: whole is what has been gone through, up to that folder. */
static int judge(int fd, const char *whole, bool ours, char *err,
	size_t err_size)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return pki_fail(err, err_size, "%s: %s", whole,
			strerror(errno));
	if (ours ? is_ours(&info) : standing_is(&info))
		return 0;
	return pki_fail(err, err_size, "%s: other users can change what is in "
		"this folder (it is uid %u's, mode %04o), and a shell would "
		"use it: %s", whole, info.st_uid, info.st_mode & 07777, how);
}

/* enter opens a folder in another, made if it is missing: 0755, as others may look
 * in. */
static int enter(int at, const char *name, const char *whole, char *err,
	size_t err_size)
{
	int fd;

	if (mkdirat(at, name, 0755) != 0 && errno != EEXIST)
		return pki_fail(err, err_size, "%s can't be made: %s; %s",
			whole, strerror(errno), how);
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return pki_fail(err, err_size, "%s: %s", whole,
			errno == ELOOP || errno == ENOTDIR ?
			"is no folder, or a symbolic link" : strerror(errno));
	return fd;
}

/* walk goes down the path and returns where it comes to; from its byte ours on, folders
 * have to be our own. */
static int walk(char *path, size_t ours, char *err, size_t err_size)
{
	int at = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC), next;
	char *name = path + 1, *slash;
	bool more = true;

	if (at < 0)
		return pki_fail(err, err_size, "/: %s", strerror(errno));
	while (more && at >= 0) {
		slash = strchr(name, '/');
		more = slash != NULL;
		if (slash)
			*slash = '\0';
		next = *name ? enter(at, name, path, err, err_size) : dup(at);
		close(at);
		at = next;
		if (at >= 0 && judge(at, path, strlen(path) >= ours, err,
			    err_size) != 0) {
			close(at);
			at = -1;
		}
		if (slash) {
			*slash = '/';
			name = slash + 1;
		}
	}
	return at;
}

/* check_home: its owner is who may change it. */
static int check_home(const char *name, const char *path, char *err,
	size_t err_size)
{
	struct stat info;

	if (stat(path, &info) != 0 || info.st_uid == geteuid())
		return 0; /* what is missing is made */
	return pki_fail(err, err_size, "%s is %s, which is another user's (uid "
		"%u): %s", name, path, info.st_uid, how);
}

/* join: what is there of the base is told without symbolic links. */
static int join(const char *base, const char *between, const char *name,
	char out[CACHE_FOLDER])
{
	char *real = realpath(base, NULL);
	int len = snprintf(out, CACHE_FOLDER, "%s%s/sallyport/%s",
		real ? real : base, between, name);

	free(real);
	return len < CACHE_FOLDER ? 0 : -1;
}

int cache_folder(const char *name, char out[CACHE_FOLDER], char *err,
	size_t err_size)
{
	const char *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool given = cache && cache[0] == '/';
	const char *base = given ? cache : home;
	const char *between = given ? "" : "/.cache";
	size_t tail;

	if (!base || base[0] != '/')
		return pki_fail(err, err_size, "there is no place for files: "
			"neither XDG_CACHE_HOME nor HOME is set");
	if (check_home(given ? "XDG_CACHE_HOME" : "HOME", base, err,
		    err_size) != 0)
		return -1;
	if (join(base, between, name, out) != 0)
		return pki_fail(err, err_size, "%s: path too long", base);
	tail = strlen("/sallyport/") + strlen(name);
	return walk(out, strlen(out) - tail, err, err_size);
}
