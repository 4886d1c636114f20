/*
 * passwords.h - what is known of passwords: right, and wrong, for some minutes.
 *
 * A client sends its password with each connection, or request, of which it has
 * many; hashing it each time is more than any machine can do. Passwords are not
 * kept: a digest of it, of the user and of the user's hash, made with a secret of
 * this process, stands for it. A password that was changed, or whose user is gone,
 * is thereby not known. Known is what was right from that very address, so that
 * nobody can try from another whether a guess is known.
 *
 * Somebody at that very address can, at no cost to speak of: for that, each user
 * known at an address has an allowance of its own there. What goes over it is
 * PASSWORD_SLOW, whether right or not. The same wrong password again, as a program
 * sends that nobody has told of the new one, takes nothing of it.
 *
 * Owns:    two tables, bounded.
 * Threads: one at a time; password_seal any.
 */
#ifndef PROXY_SESSION_PASSWORDS_H
#define PROXY_SESSION_PASSWORDS_H

#include <stdint.h>

#include "proxy/session/quota.h"

struct passwords;

enum { PASSWORD_SEAL = 32 };

/* One asked about: who, from where, and what stands for the password. */
struct password {
	struct quota_client address; /* whole: see quota_address_of */
	const char *user;
	uint8_t seal[PASSWORD_SEAL];
};

enum password_known {
	PASSWORD_UNKNOWN, /* to be found out */
	PASSWORD_RIGHT,
	PASSWORD_WRONG,
	PASSWORD_SLOW,
};

struct passwords *passwords_new(void);
void passwords_free(struct passwords *passwords);

/* password_seal makes the digest; hash is the user's in the file, NULL: there is
 * no such user. */
void password_seal(const struct passwords *passwords, struct password *out,
	const char *hash, const char *text);

/* passwords_look counts as a guess what is PASSWORD_UNKNOWN. */
enum password_known passwords_look(struct passwords *passwords,
	const struct password *password, uint64_t now_ms);

void passwords_learn(struct passwords *passwords,
	const struct password *password, bool right, uint64_t now_ms);

#endif
