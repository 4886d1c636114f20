/*
 * remarks_users.h - what is legal of users, but surely not meant.
 *
 * Users that rules and groups name and nobody can be: they are in no htpasswd and
 * come from no network, and there are no certificates, which bring any name. And
 * networks of users.sources that come behind one which holds them: the first counts.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_REMARKS_USERS_H
#define PROXY_CORE_REMARKS_USERS_H

#include <stdbool.h>

struct mistakes;
struct settings;

/* remarks_can_be: a password, or an address, makes somebody that user; a
 * certificate apart. */
bool remarks_can_be(const struct settings *settings, const char *name);

/* remarks_users tells warnings; mistakes' file is another afterwards. */
void remarks_users(const struct settings *settings, struct mistakes *mistakes);

#endif
