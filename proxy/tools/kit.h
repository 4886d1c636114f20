/*
 * kit.h - the files that variables point to, in one folder.
 *
 *	bundle.pem   what the machine trusts, what was set before, our root
 *	extra.pem    our root, and what was to be trusted on top before
 *	trust.jks    as bundle.pem and the Java's own roots
 *	wgetrc       the one before, and where bundle.pem is
 *	apt.conf     likewise
 *	origins.pem  as bundle.pem, without our root: for a proxy that is to trust
 *	             what this user trusts
 *
 * They are 0644: apt reads them as another user. wgetrc and apt.conf are 0600 where
 * the one before could not be read by all, as it may have passwords. What is to be
 * taken from files that cannot be read is told, and the rest is done.
 *
 * Owns:    the paths.
 * Threads: one.
 */
#ifndef PROXY_TOOLS_KIT_H
#define PROXY_TOOLS_KIT_H

#include <stddef.h>

struct kit {
	char *bundle, *extra, *java_store, *wgetrc, *apt; /* owned */
	char *origins;      /* owned; NULL: it would be empty */
};

struct kit_order {
	const char *folder; /* its path, as the variables will have it ... */
	int at;             /* ... and it, open: what is written goes there */
	char *const *before; /* the environment */
	/* told gets a sentence for each thing that had to be left out; NULL:
	 * nobody is told. */
	void (*told)(void *arg, const char *what);
	void *arg;
};

struct bundle;

/* kit_trusted is what was trusted before: by the machine, and by what was set. The
 * caller frees it. */
struct bundle *kit_trusted(const struct kit_order *order);

/* kit_write_origins writes origins.pem alone, before there is a root. Each file takes
 * the place of the one before at once. -1: a sentence. */
int kit_write_origins(const struct kit_order *order, struct kit *kit,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* kit_write writes the others. */
int kit_write(const struct kit_order *order, const char *root_pem,
	struct kit *kit, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void kit_clear(struct kit *kit);

#endif
