/*
 * standing.h - whether a folder stays what it is: nobody but us and root can put
 * another in the place of what is in it.
 *
 * A sticky folder, as /tmp, keeps what is ours; our own group is mostly us alone.
 *
 * Threads: any.
 */
#ifndef PROXY_CLI_STANDING_H
#define PROXY_CLI_STANDING_H

#include <stdbool.h>
#include <sys/stat.h>

bool standing_is(const struct stat *info);

/* standing_path: so are the folder and all that it is in. One that can't be looked at
 * is not. */
bool standing_path(const char *path);

#endif
