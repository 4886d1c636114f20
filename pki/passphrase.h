/*
 * passphrase.h - what the private keys at rest are encrypted with, and where it
 * is from.
 *
 * The first that there is: the first line of keys.passphrase-file; the variable
 * SALLYPORT_PASSPHRASE; the credential "sallyport.passphrase" of systemd
 * (LoadCredential=); STATE/keys.secret (0600), 32 bytes of chance in
 * hexadecimal, made for the first keys. The last one guards copies of the
 * database alone; the others the whole state folder.
 *
 * Owns:    the letters, in memory that is not swapped or dumped, wiped when
 *          freed.
 * Threads: one.
 */
#ifndef PKI_PASSPHRASE_H
#define PKI_PASSPHRASE_H

#include <sys/types.h>

#include "pki/base.h"
#include "pki/keylock.h"

#define PASSPHRASE_VARIABLE "SALLYPORT_PASSPHRASE"
#define PASSPHRASE_CREDENTIAL "sallyport.passphrase"

struct passphrase;

struct passphrase_options {
	const char *state;      /* folder */
	const char *file;       /* keys.passphrase-file; NULL: none */
	bool may_make;          /* keys.secret, where nothing is locked yet */
	uid_t owner;            /* whose keys.secret may be, besides this user's */
};

/* passphrase_find: -1 where there is none, or what there is must not be used
 * (empty, too long, our own file open to others or somebody else's). The variable
 * is hidden, whether it was the one or not. */
int passphrase_find(const struct passphrase_options *options,
	struct passphrase **out, char *err, size_t err_size) MUST_CHECK;

/* passphrase_read takes the first line of a file, whatever passphrase it is. */
int passphrase_read(const char *path, struct passphrase **out, char *err,
	size_t err_size) MUST_CHECK;

/* passphrase_hide_variable wipes the variable where it stands, which others may
 * see (/proc/PID/environ), and takes it out of the environment. */
void passphrase_hide_variable(void);

/* passphrase_new copies text (a person typed it); source is for sentences. */
struct passphrase *passphrase_new(const char *text, size_t len,
	const char *source);
void passphrase_free(struct passphrase *passphrase);

struct der passphrase_text(const struct passphrase *passphrase);

/* passphrase_source is where it is from: a path, or words. */
const char *passphrase_source(const struct passphrase *passphrase);

/* passphrase_is_secret: it is keys.secret; passphrase_made: and new. */
bool passphrase_is_secret(const struct passphrase *passphrase);
bool passphrase_made(const struct passphrase *passphrase);

/* passphrase_exposed: every user of this machine may read the file it is in. */
bool passphrase_exposed(const struct passphrase *passphrase);

/* passphrase_keylock makes the lock that it opens; the caller's. */
struct keylock *passphrase_keylock(const struct passphrase *passphrase);

#endif
