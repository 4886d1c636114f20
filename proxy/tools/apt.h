/*
 * apt.h - what apt makes of a configuration file.
 *
 * Its settings may stand in blocks, in any order and over several files, so that apt
 * itself is asked.
 *
 * Threads: any.
 */
#ifndef PROXY_TOOLS_APT_H
#define PROXY_TOOLS_APT_H

#include <stdbool.h>

/* apt_bundle asks apt which file has the certificates (Acquire::https::CaInfo) where
 * APT_CONFIG is that path; the caller frees it, NULL: none. False: there is no apt here
 * to ask, or it does not understand the file. */
bool apt_bundle(const char *path, char **out);

/* apt_can_name: a path can stand between the quotes of such a file. */
bool apt_can_name(const char *path);

#endif
