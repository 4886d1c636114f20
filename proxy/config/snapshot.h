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
struct config;
struct trust;

struct settings {
	atomic_uint refs;
	struct config *config; /* owned */
	struct trust *trust;   /* owned */
};

struct settings *settings_ref(struct settings *settings);
void settings_unref(struct settings *settings);

struct snapshot {
	atomic_uint refs;
	uint64_t generation;         /* counts up with every reload */
	struct config *config;       /* of settings */
	struct trust *trust;         /* likewise */
	struct authority *authority; /* shared */
	struct settings *settings;   /* shared */
};

/* snapshot_new takes all three. */
struct snapshot *snapshot_new(uint64_t generation, struct config *config,
	struct trust *trust, struct authority *authority);

/* snapshot_with is old with another authority, which it takes: of the same
 * generation, since nothing is decided otherwise. */
struct snapshot *snapshot_with(struct snapshot *old,
	struct authority *authority);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);

#endif
