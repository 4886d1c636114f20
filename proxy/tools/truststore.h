/*
 * truststore.h - where this machine's programs have the roots they trust, and ours in
 * them.
 *
 *	truststores_find(&places, &search);
 *	if (truststore_trusts(&places.at[0], root, err, sizeof(err)) == 0)
 *		truststore_put(&places.at[0], root, err, sizeof(err));
 *
 *	system  a folder for certificates of one's own, and a program that makes of
 *	        it the file that OpenSSL, GnuTLS and Go read: Debian and Alpine, RHEL
 *	        and Fedora, SUSE, Arch
 *	nss     the databases of Chromium and of each Firefox profile, by certutil
 *	java    the cacerts of each Java, by its keytool. One that the system makes
 *	        from its own store gets the root by that, but may not lose it so:
 *	        Debian's hook only ever adds
 *
 * What is put in bears a mark, made of the root's digest. A root that is named is
 * taken out under whatever name it is there, as programs and people put it in under
 * others; without one, what bears a mark is.
 *
 * Owns:    paths.
 * Threads: one.
 * Errors:  a sentence that says what failed, and what to do where we know;
 *          TRUSTSTORE_NOT_LET where it only takes another user: root, or whose
 *          browser it is.
 */
#ifndef PROXY_TOOLS_TRUSTSTORE_H
#define PROXY_TOOLS_TRUSTSTORE_H

#include <stdbool.h>
#include <stddef.h>

enum truststore_kind { TRUST_SYSTEM, TRUST_NSS, TRUST_JAVA, TRUST_KINDS };

enum { TRUSTSTORE_FAILED = -1, TRUSTSTORE_NOT_LET = -2 };

struct truststore {
	enum truststore_kind kind;
	char *path;  /* owned: what programs read: a file; nss: a folder */
	char *with;  /* owned: system: the folder to put it; java: a keytool; nss:
	              * NULL */
	const struct system_layout *layout; /* of a system */
	bool made;   /* a Java's that is made of the system's */
};

struct truststores {
	struct truststore *at; /* owned */
	size_t num;
};

struct truststore_search { /* borrowed; what is NULL is not looked at */
	bool kinds[TRUST_KINDS];
	bool make;       /* a database for Chromium, should there be none */
	bool made;       /* with the system's, Javas' that are made of it */
	const char *home;
	const char *java_home, *path; /* the variables JAVA_HOME and PATH */
	const char *java; /* this Java alone: its folder, or a cacerts */
};

/* truststores_find looks in no home of another user's: databases of NSS name libraries,
 * and Javas have programs, that would be run as who we are. */
bool truststore_home_is_anothers(const struct truststore_search *search);
void truststores_find(struct truststores *out, const struct truststore_search *search);
void truststores_clear(struct truststores *places);

/* truststore_kind_name is "system", "nss" or "java". */
const char *truststore_kind_name(enum truststore_kind kind);

/* truststore_trusts: 1, the root is among what it trusts; 0, it is not; -1: that can't be told. */
int truststore_trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* truststore_put has it trust the root, which it does not yet: 0. */
int truststore_put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* truststore_remove takes out that root, whoever has put it in, or with NULL all that
 * bear a mark; how many there were. It fails where the root is still there then. */
int truststore_remove(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
