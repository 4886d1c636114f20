#include "proxy/config/snapshot.h"

#include <stdlib.h>

#include "pki/authority.h"
#include "pki/trust.h"
#include "proxy/config/config.h"

struct snapshot *snapshot_new(uint64_t generation, struct config *config,
	struct trust *trust, struct authority *authority)
{
	struct snapshot *snapshot = calloc(1, sizeof(*snapshot));

	if (!snapshot)
		abort();
	atomic_init(&snapshot->refs, 1);
	snapshot->generation = generation;
	snapshot->config = config;
	snapshot->trust = trust;
	snapshot->authority = authority;
	return snapshot;
}

struct snapshot *snapshot_with(struct snapshot *old,
	struct authority *authority)
{
	struct snapshot *snapshot = snapshot_new(old->generation, old->config,
		old->trust, authority);

	snapshot->base = snapshot_ref(old->base ? old->base : old);
	return snapshot;
}

struct snapshot *snapshot_ref(struct snapshot *snapshot)
{
	atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
	return snapshot;
}

void snapshot_unref(struct snapshot *snapshot)
{
	if (!snapshot ||
	    atomic_fetch_sub_explicit(&snapshot->refs, 1,
		    memory_order_acq_rel) != 1)
		return;
	authority_unref(snapshot->authority);
	if (snapshot->base) {
		snapshot_unref(snapshot->base);
	} else {
		config_free(snapshot->config);
		trust_free(snapshot->trust);
	}
	free(snapshot);
}
