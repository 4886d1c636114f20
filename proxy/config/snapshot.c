#include "proxy/config/snapshot.h"

#include <stdlib.h>

#include "pki/authority.h"
#include "pki/trust.h"
#include "policy/catalog.h"
#include "proxy/config/config.h"
#include "proxy/config/htpasswd.h"
#include "proxy/config/memory.h"

/* --- settings ----------------------------------------------------------- */

struct settings *settings_new(struct config *config)
{
	struct settings *settings = must(calloc(1, sizeof(*settings)));

	atomic_init(&settings->refs, 1);
	settings->config = config;
	return settings;
}

struct settings *settings_ref(struct settings *settings)
{
	atomic_fetch_add_explicit(&settings->refs, 1, memory_order_relaxed);
	return settings;
}

void settings_unref(struct settings *settings)
{
	if (!settings ||
	    atomic_fetch_sub_explicit(&settings->refs, 1,
		    memory_order_acq_rel) != 1)
		return;
	config_free(settings->config);
	trust_free(settings->trust);
	trust_free(settings->client_trust);
	htpasswd_free(settings->htpasswd);
	catalog_unref(settings->catalog);
	free(settings->lists_told);
	free(settings);
}

/* --- snapshots ---------------------------------------------------------- */

/* make takes settings. */
static struct snapshot *make(uint64_t generation, struct settings *settings,
	struct authority *authority)
{
	struct snapshot *snapshot = must(calloc(1, sizeof(*snapshot)));

	atomic_init(&snapshot->refs, 1);
	snapshot->generation = generation;
	snapshot->settings = settings;
	snapshot->config = settings->config;
	snapshot->trust = settings->trust;
	snapshot->authority = authority;
	return snapshot;
}

struct snapshot *snapshot_new(uint64_t generation, struct settings *settings,
	struct authority *authority)
{
	return make(generation, settings_ref(settings), authority);
}

struct snapshot *snapshot_with(struct snapshot *old,
	struct authority *authority)
{
	return make(old->generation, settings_ref(old->settings), authority);
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
	authority_free(snapshot->authority);
	settings_unref(snapshot->settings);
	free(snapshot);
}
