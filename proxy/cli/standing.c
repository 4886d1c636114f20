#include "proxy/cli/standing.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool standing_is(const struct stat *info)
{
	if (info->st_uid != geteuid() && info->st_uid != 0)
		return false;
	if (info->st_mode & S_ISVTX)
		return true;
	return !(info->st_mode & S_IWOTH) && (!(info->st_mode & S_IWGRP) ||
		info->st_gid == 0 || info->st_gid == getegid());
}

bool standing_path(const char *path)
{
	char *real = realpath(path, NULL);
	bool stands = real != NULL;
	struct stat info;

	while (stands && *real) { /* "/" is root's */
		stands = stat(real, &info) == 0 && standing_is(&info);
		*strrchr(real, '/') = '\0';
	}
	free(real);
	return stands;
}
