/*
 * snapshot.h - the configuration in force, whole and unchanging.
 *
 * Everything a reload can change hangs together here: settings and rules
 * (config), roots (trust), CAs (authority). A reload makes a new one and the
 * workers take it up; who needs the old one still holds a reference. Where only
 * the CAs have changed, the new one goes by the old one's settings and roots.
 *
 * Owns:    config and trust, or the snapshot that has them; the authority.
 * Threads: immutable; counted by any.
 */
#ifndef PROXY_CONFIG_SNAPSHOT_H
#define PROXY_CONFIG_SNAPSHOT_H

#include <stdatomic.h>
#include <stdint.h>

struct authority;
struct config;
struct trust;

struct snapshot {
	atomic_uint refs;
	uint64_t generation;         /* counts up with every reload */
	struct config *config;       /* owned, or base's */
	struct trust *trust;         /* likewise */
	struct authority *authority; /* shared */
	struct snapshot *base;       /* shared; NULL: they are its own */
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
