#include "proxy/cli/workbench.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"

enum { FOLDER_MODE = 0755, DEPTH = 16 };

char *workbench_new(char *err, size_t err_size)
{
	const char *under = getenv("TMPDIR");
	char *folder;

	if (!under || under[0] != '/')
		under = "/tmp";
	folder = state_path(under, "sallyport-XXXXXX");
	if (mkdtemp(folder) && chmod(folder, FOLDER_MODE) == 0)
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
