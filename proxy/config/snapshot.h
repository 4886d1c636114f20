/*
 * snapshot.h - the configuration in force, whole and unchanging.
 *
 * Everything a reload can change hangs together here: settings and rules
 * (config), roots (trust), CAs (authority). A reload makes a new one and the
 * workers take it up; who needs the old one still holds a reference. Where only
 * the CAs have changed, the new one goes by the old one's settings and roots.
 *
 * Owns:    a share of the settings, and of the authority: nothing keeps a CA that
 *          was replaced but who still uses it.
 * Threads: immutable; counted by any.
 */
#ifndef PROXY_CONFIG_SNAPSHOT_H
#define PROXY_CONFIG_SNAPSHOT_H

#include <stdatomic.h>
#include <stdint.h>

struct authority;
struct catalog;
struct config;
struct htpasswd;
struct trust;

struct settings {
	atomic_uint refs;
	struct config *config; /* owned */
	struct trust *trust;   /* owned */
	struct trust *client_trust; /* owned: of users.client-ca; NULL: none */
	uint8_t client_ca_digest[32]; /* of that file */
	struct htpasswd *htpasswd;  /* owned; NULL: none */
	/* What is in the categories; the policy goes by it. An unchanged one is
	 * shared by the snapshots before and behind. */
	struct catalog *catalog;    /* a reference */
	uint8_t catalog_digest[32]; /* of the lists it was made of */
	char *lists_told;           /* owned: the warnings of their lines */
};

struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);

struct snapshot {
	atomic_uint refs;
	uint64_t generation;         /* counts up with every reload */
	struct config *config;       /* of settings */
	struct trust *trust;         /* likewise */
	struct authority *authority; /* owned */
	struct settings *settings;   /* shared */
};

/* settings_new takes config; the rest is for the maker to fill in. snapshot_new
 * takes authority, and a reference to settings. */
struct settings *settings_new(struct config *config);
struct snapshot *snapshot_new(uint64_t generation, struct settings *settings,
	struct authority *authority);

/* snapshot_with is old with another authority, which it takes: of the same
 * generation, since nothing is decided otherwise. */
struct snapshot *snapshot_with(struct snapshot *old,
	struct authority *authority);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);

#endif
