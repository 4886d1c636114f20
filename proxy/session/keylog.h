/*
 * keylog.h - the secrets of TLS connections, written down (log.keys).
 *
 * For who must see with Wireshark and the like what went through: a line a secret,
 * as NSS's SSLKEYLOGFILE has them (draft-ietf-tls-keylogfile), of clients, origins
 * and the proxy's own TLS. Whoever reads that file reads all connections, so it is
 * a plain file that nobody else may read, there only where the configuration asks
 * for it. It is written by whoever shakes hands, at once: a slow disk slows those
 * down, and a full one loses lines.
 *
 * Threads: any; a context belongs to its worker.
 */
#ifndef PROXY_SESSION_KEYLOG_H
#define PROXY_SESSION_KEYLOG_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

struct keylog;

struct keylog *keylog_new(void); /* off */
void keylog_free(struct keylog *keylog); /* after all contexts */

/* keylog_open has lines written to path from now on, appended; NULL ends it. -1:
 * they are written nowhere, err says why. */
int keylog_open(struct keylog *keylog, const char *path, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* keylog_check: what keylog_open would say of path; nothing is made or written. */
int keylog_check(const char *path, char *err, size_t err_size)
	__attribute__((warn_unused_result));

bool keylog_is_on(struct keylog *keylog);

/* keylog_use has ctx tell its secrets where it is on, and else not even make the
 * lines; after keylog_open again. */
void keylog_use(struct keylog *keylog, SSL_CTX *ctx);

#endif
