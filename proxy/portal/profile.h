/*
 * profile.h - the root as a configuration profile of Apple's (.mobileconfig).
 *
 * One payload, com.apple.security.root. Its identifiers are made of the root, so
 * that installing it again replaces what is there, and another root is another
 * profile.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_PROFILE_H
#define PROXY_PORTAL_PROFILE_H

#include "proxy/portal/anchor.h"

void profile_write(UT_string *out, const struct anchor *root);

#endif
