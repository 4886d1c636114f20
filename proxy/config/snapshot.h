/*
 * snapshot.h - the configuration in force, whole and unchanging.
 *
 * Everything a reload can change hangs together here: settings and rules
 * (config), roots (trust), CAs (authority). A reload makes a new one and the
 * workers take it up; who needs the old one still holds a reference.
 *
 * Owns:    config, trust and authority.
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
	struct config *config;       /* owned */
	struct trust *trust;         /* owned */
	struct authority *authority; /* owned */
};

/* snapshot_new takes all three. */
struct snapshot *snapshot_new(uint64_t generation, struct config *config,
	struct trust *trust, struct authority *authority);
struct snapshot *snapshot_ref(struct snapshot *snapshot);
void snapshot_unref(struct snapshot *snapshot);

#endif
