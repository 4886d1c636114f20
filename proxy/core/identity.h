/*
 * identity.h - as whom the processes run, where root has started them.
 *
 * The worker is the owner of the state folder, where that is not root; else the
 * user "sallyport". The keeper is the user "sallyport-keeper". Where a user does
 * not exist it is a number that nobody has, from a range that distributions
 * leave alone (systemd's UIDS-GIDS).
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_IDENTITY_H
#define PROXY_CORE_IDENTITY_H

#include <stddef.h>
#include <sys/types.h>

struct identity {
	uid_t uid;      /* 0: stay who you are */
	gid_t gid;
};

/* identity_find fills both; without root they are 0. */
void identity_find(const char *state, struct identity *worker,
	struct identity *keeper);

/* identity_reach writes how path, which folder is a descriptor of, is reached by
 * whom this process has become: by its name, or by the descriptor. */
void identity_reach(const char *path, int folder, char *out, size_t size);

/* identity_hand_over makes the state folder and what is in it the worker's, but
 * for keys.secret and the lock, which stay root's. Nothing to do without root. */
int identity_hand_over(const char *state, const struct identity *worker,
	char *err, size_t err_size) __attribute__((warn_unused_result));

#endif
