/*
 * htpasswd.h - users and their passwords, as htpasswd -B and mkpasswd write them.
 *
 * A line is "user:hash", where the hash is bcrypt ($2a$, $2b$, $2y$), SHA-512 or
 * SHA-256 crypt ($6$, $5$) or yescrypt ($y$), verified by libcrypt. Apache's MD5,
 * SHA-1, DES and plain text are refused, each with what to do, and so is what
 * would take minutes to check. "#" begins a comment; a ":" behind the hash ends it,
 * as in shadow(5). Where a user is there twice, the first holds.
 *
 * Owns:    names and hashes, wiped when freed.
 * Threads: immutable once read; htpasswd_verify any.
 */
#ifndef PROXY_CONFIG_HTPASSWD_H
#define PROXY_CONFIG_HTPASSWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct htpasswd;

enum {
	HTPASSWD_USER_MAX = 128,
	HTPASSWD_PASSWORD_MAX = 511, /* of libcrypt; in bytes */
	HTPASSWD_FILE_MAX = 16 << 20,
};

/* What is wrong with a line; the rest loads. */
typedef void htpasswd_bad(void *arg, unsigned line, const char *what);

struct htpasswd *htpasswd_read(const char *text, size_t len,
	htpasswd_bad *bad, void *arg);
void htpasswd_free(struct htpasswd *users);
size_t htpasswd_num(const struct htpasswd *users);

/* htpasswd_hash is the user's, or NULL. */
const char *htpasswd_hash(const struct htpasswd *users, const char *user);

/* htpasswd_digest is of that, for who must know later whether it is the same. False:
 * there is no such user. */
enum { HTPASSWD_DIGEST = 32 };
bool htpasswd_digest(const struct htpasswd *users, const char *user,
	uint8_t out[HTPASSWD_DIGEST]);

/* htpasswd_verify takes as long as the hash is made to take, tens of
 * milliseconds and more: it is not for a loop. A user who is not there takes as
 * long as most who are. */
bool htpasswd_verify(const struct htpasswd *users, const char *user,
	const char *password);

#endif
