/*
 * truststore_private.h - what the kinds of places share; a file a kind.
 *
 * Threads: one.
 * Errors:  as truststore.h's.
 */
#ifndef PROXY_TOOLS_TRUSTSTORE_PRIVATE_H
#define PROXY_TOOLS_TRUSTSTORE_PRIVATE_H

#include "proxy/tools/truststore.h"

struct bundle;

enum {
	STORE_SAID = 256 * 1024, /* bytes of what a program says */
	STORE_NAMES_MAX = 1000,  /* of ours, in one store */
	STORE_PATH = 4096,
};

#define STORE_MARK "sallyport-"

enum { MARK_BYTES = 8 };

/* "sallyport-" and the first bytes of the certificate's SHA-256, two digits each. */
struct truststore_mark {
	char text[sizeof(STORE_MARK) + 2 * MARK_BYTES];
};

struct truststore_mark truststore_mark_of(const char *root_pem);

/* truststore_is_mark: a name that is such a mark, and nothing else: len bytes. */
bool truststore_is_mark(const char *name, size_t len);

/* truststore_add takes over what store has. */
void truststore_add(struct truststores *places, struct truststore store);

/* truststore_is_anothers: neither root's nor ours. */
bool truststore_is_anothers(const char *path);

/* truststore_file_has: as truststore_trusts, of a file with certificates; *out_num, which
 * may be NULL: how many. */
int truststore_file_has(const char *path, const char *root_pem, size_t *out_num,
	char *err, size_t err_size);

/* truststore_place is the root's among all, from 0 on; -1: it is not there. */
int truststore_place(const struct bundle *all, const char *root_pem);

/* truststore_pem_is: the first certificate of a text is that of the other. */
bool truststore_pem_is(const char *text, const char *root_pem);

/* truststore_system_anew has the system make its stores anew, so that what is made of them
 * has the root that they have: 0. */
int truststore_system_anew(const char *root_pem, char *err, size_t err_size);

/* What each kind does. */
struct truststore_ways {
	void (*find)(struct truststores *, const struct truststore_search *);
	int (*trusts)(const struct truststore *, const char *, char *, size_t);
	int (*put)(const struct truststore *, const char *, char *, size_t);
	int (*remove)(const struct truststore *, const char *, char *, size_t);
};

extern const struct truststore_ways truststore_system, truststore_nss, truststore_java;

#endif
