/*
 * credentials.h - who a client says it is: Proxy-Authorization (RFC 7617).
 *
 * Basic is the one scheme that is taken. A value that is of another, that is not
 * base64, or whose user or password could be in no htpasswd file (htpasswd.h: too
 * long, control characters, a user that is not UTF-8) gives nobody, and is to be
 * answered as if there were none.
 *
 * Threads: any.
 */
#ifndef PROXY_SESSION_CREDENTIALS_H
#define PROXY_SESSION_CREDENTIALS_H

#include <stdbool.h>

#include "proxy/config/htpasswd.h"
#include "proxy/http/message.h"

/* A password in plain text: to be wiped as soon as it has been asked about. */
struct credentials {
	char user[HTPASSWD_USER_MAX + 1];
	char password[HTPASSWD_PASSWORD_MAX + 1];
};

/* credentials_read reads a header's value. False: nobody, *out is empty. */
bool credentials_read(struct slice value, struct credentials *out)
	__attribute__((warn_unused_result));

void credentials_wipe(struct credentials *credentials);

#endif
