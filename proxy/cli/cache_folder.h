/*
 * cache_folder.h - a folder for files that outlive the command, which nobody else can swap.
 *
 * It is sallyport/NAME below XDG_CACHE_HOME, or ~/.cache, and is made where it is
 * missing. A shell goes on to use what is in it, apt as root even (APT_CONFIG runs
 * commands), so that each folder on the way has to be ours or root's, without others
 * who may write. After sudo -E, HOME is another user's: that is refused. The path
 * handed out has no symbolic links, for whoever reads by it later; who writes does so
 * by the descriptor, which is of the folder that was looked at.
 *
 * Threads: one.
 * Errors:  a sentence.
 */
#ifndef PROXY_CLI_CACHE_FOLDER_H
#define PROXY_CLI_CACHE_FOLDER_H

#include <stddef.h>

enum { CACHE_FOLDER = 4096 };

/* cache_folder returns the folder, open: the caller's to close. -1: a sentence. */
int cache_folder(const char *name, char out[CACHE_FOLDER], char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
