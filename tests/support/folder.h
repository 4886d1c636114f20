/*
 * folder.h - a temporary folder of each test's own.
 *
 * Owns:    one at a time a program: what folder_make made, folder_remove removes.
 */
#ifndef TESTS_SUPPORT_FOLDER_H
#define TESTS_SUPPORT_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char folder[64];

/* folder_make makes it below /tmp, folder_make_in below parent; name says whose it
 * is. */
static inline void folder_make_in(const char *parent, const char *name)
{
	snprintf(folder, sizeof(folder), "%s/sallyport-%s.XXXXXX", parent, name);
	if (!mkdtemp(folder)) {
		perror(folder);
		abort();
	}
}

static inline void folder_make(const char *name)
{
	folder_make_in("/tmp", name);
}

/* folder_at is a path in it, good until eight more were asked for. */
static inline const char *folder_at(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

/* folder_shell runs a command of the shell in it, which must succeed. */
static inline void folder_shell(const char *command)
{
	char line[1024];

	snprintf(line, sizeof(line), "cd '%s' && %s", folder, command);
	if (system(line) != 0) {
		fprintf(stderr, "%s: failed\n", line);
		abort();
	}
}

/* folder_remove: 0, or what a tear-down gives where it fails. */
static inline int folder_remove(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	return system(command);
}

#endif
