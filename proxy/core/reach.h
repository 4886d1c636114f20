/*
 * reach.h - opening a file for the worker, which may not be allowed to.
 *
 * What the worker could open itself is opened as the worker. Anything else is
 * opened by root, and then the worker must not have been able to choose which
 * file it is: a link in a folder of its own to what only root may read. So every
 * folder on the way must be out of its reach, and no link is followed.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_REACH_H
#define PROXY_CORE_REACH_H

#include "proxy/core/identity.h"

/* reach_open opens path with flags, makes it with mode 0600 where they say so,
 * and never waits for somebody at the other end of a FIFO. A worker with the uid
 * 0 is no other than this process. -1 and errno; EACCES: the worker may not open
 * it, and root may not for it; ELOOP: it could, but for a link. */
int reach_open(const char *path, int flags, const struct identity *worker)
	__attribute__((warn_unused_result));

/* reach_folder is the folder that path, absolute, is in, as root may use it for
 * the worker: out of its reach, as all above. -1 and errno; EACCES: it is not. */
int reach_folder(const char *path, const struct identity *worker)
	__attribute__((warn_unused_result));

#endif
