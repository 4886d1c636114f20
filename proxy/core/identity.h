/*
 * identity.h - as whom the processes run, where root has started them.
 *
 * The worker is the owner of the state folder, where that is not root; else the
 * user "sallyport". The keeper is the user "sallyport-keeper". Where a user does
 * not exist it is a number that nobody has, from a range that distributions
 * leave alone (systemd's UIDS-GIDS).
 *
 * A state folder of root's stays root's: the worker, in its group, can make
 * files there, but the sticky bit keeps it from moving or replacing those that
 * are not its own (keys.secret, the lock). In a folder of somebody else's they
 * are that user's to move.
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

/* identity_find fills both. They are 0 without root, and where root can't become
 * them: in a container of one user, or without CAP_SETUID and CAP_SETGID. */
void identity_find(const char *state, struct identity *worker,
	struct identity *keeper);

/* identity_assume makes this process act as who for what it opens and makes,
 * until identity_resume. Nothing to do for a uid of 0. */
int identity_assume(const struct identity *who)
	__attribute__((warn_unused_result));
void identity_resume(void);

/* identity_reach writes how path, which folder is a descriptor of, is reached by
 * whom this process has become: by its name, or by the descriptor. */
void identity_reach(const char *path, int folder, char *out, size_t size);

/* identity_hand_over lets the worker into a state folder of root's, and makes
 * its own what is for it; a socket that was left there is removed. Nothing to do
 * without root, or in a folder that is somebody else's. */
int identity_hand_over(const char *state, const struct identity *worker,
	char *err, size_t err_size) __attribute__((warn_unused_result));

#endif
