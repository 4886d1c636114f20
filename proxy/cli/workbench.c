#include "proxy/cli/workbench.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"

enum { FOLDER_MODE = 0755, DEPTH = 16 };

/* open_up goes by a descriptor: a path may be something else by then. */
static bool open_up(const char *folder)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat info;
	bool good = fd >= 0 && fstat(fd, &info) == 0 &&
		info.st_uid == geteuid() && fchmod(fd, FOLDER_MODE) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	errno = why;
	return good;
}

char *workbench_new(char *err, size_t err_size)
{
	const char *under = getenv("TMPDIR");
	char *folder;

	if (!under || under[0] != '/')
		under = "/tmp";
	folder = state_path(under, "sallyport-XXXXXX");
	if (mkdtemp(folder) && open_up(folder))
		return folder;
	(void)pki_fail(err, err_size, "no folder can be made in %s: %s", under,
		strerror(errno));
	free(folder);
	return NULL;
}

static int drop(const char *path, const struct stat *info, int kind,
	struct FTW *at)
{
	(void)info;
	(void)kind;
	(void)at;
	(void)remove(path);
	return 0;
}

void workbench_free(char *folder)
{
	if (folder)
		(void)nftw(folder, drop, DEPTH, FTW_DEPTH | FTW_PHYS);
	free(folder);
}
