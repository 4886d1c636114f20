#include "proxy/core/shared.h"

#include <stdlib.h>

#include "cache/flight.h"
#include "cache/shards.h"
#include "pki/leafkeys.h"
#include "proxy/config/config.h"
#include "proxy/config/memory.h"
#include "proxy/report/rulebook.h"
#include "proxy/session/keylog.h"
#include "proxy/session/leaves.h"
#include "proxy/session/ledger.h"
#include "proxy/session/origin_tls.h"
#include "proxy/session/services.h"
#include "proxy/session/tickets.h"
#include "proxy/session/verifier.h"

enum {
	SHARDS = 16,
	VERDICTS = 8192,
	UNDECRYPTABLE = 4096,
	CACHE_BYTES = 8 * 1024 * 1024, /* of each of these two */
};

/* The cache of undecryptable sites holds no values, only that they are. */
static void *mark_ref(void *mark)
{
	return mark;
}

static void mark_unref(void *mark)
{
	(void)mark;
}

/* list_own: where we listen ourselves, and so connect nobody to. */
static void list_own(struct shared *shared, const struct config *config)
{
	const struct endpoints *lists[] = {&config->proxy, &config->proxy_tls,
		&config->transparent, &config->admin};
	struct sockaddr_storage *at = NULL;
	size_t num = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		at = must(reallocarray(at, num + lists[i]->num + 1,
			sizeof(*at)));
		for (size_t j = 0; j < lists[i]->num; j++)
			at[num++] = lists[i]->at[j].address;
	}
	own_listeners_init(&shared->own, at, num);
	free(at);
}

void shared_init(struct shared *shared, const struct config *config)
{
	static const struct shards_type sites = {
		site_ref_value, site_unref_value};
	static const struct shards_type opinions = {
		opinion_ref, opinion_unref};
	static const struct shards_type marks = {mark_ref, mark_unref};

	shared->keys = leafkeys_new();
	shared->leaves = shards_new(SHARDS, config->limits.leaf_cache_entries,
		config->limits.leaf_cache_bytes, &sites);
	shared->flight = flight_new();
	shared->verdicts = shards_new(SHARDS, VERDICTS, CACHE_BYTES,
		&opinions);
	shared->undecryptable = shards_new(1, UNDECRYPTABLE, CACHE_BYTES,
		&marks);
	shared->tickets = tickets_new();
	shared->ledger = ledger_new();
	shared->verifier = verifier_new(verifier_threads());
	shared->rulebook = rulebook_new();
	shared->keylog = keylog_new();
	list_own(shared, config);
}

void shared_clear(struct shared *shared)
{
	if (shared->leaves)
		shards_free(shared->leaves);
	if (shared->verdicts)
		shards_free(shared->verdicts);
	if (shared->undecryptable)
		shards_free(shared->undecryptable);
	if (shared->flight)
		flight_free(shared->flight);
	tickets_free(shared->tickets);
	ledger_free(shared->ledger);
	verifier_free(shared->verifier);
	rulebook_free(shared->rulebook);
	keylog_free(shared->keylog);
	leafkeys_free(shared->keys);
	own_listeners_clear(&shared->own);
}
