#include "proxy/session/leaves.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/shards.h"
#include "pki/authority.h"
#include "pki/trust.h"
#include "proxy/config/config.h"
#include "proxy/session/ledger.h"

/* --- sites -------------------------------------------------------------- */

static struct site *site_new(struct leaf *leaf)
{
	struct site *site = calloc(1, sizeof(*site));

	if (!site)
		abort();
	atomic_init(&site->refs, 1);
	site->leaf = leaf;
	return site;
}

static struct site *site_ref(struct site *site)
{
	atomic_fetch_add_explicit(&site->refs, 1, memory_order_relaxed);
	return site;
}

void site_unref(struct site *site)
{
	if (!site || atomic_fetch_sub_explicit(&site->refs, 1,
			     memory_order_acq_rel) != 1)
		return;
	leaf_free(site->leaf);
	free(site);
}

void *site_ref_value(void *site)
{
	return site_ref(site);
}

void site_unref_value(void *site)
{
	site_unref(site);
}

/* --- keys --------------------------------------------------------------- */

/* Slow signatures at a time, for each worker and each client: those of a CA
 * whose key the keeper has. A flood of names must not lock others out. */
enum { SIGNING_MAX = 512 };

/* signer: our own pages are the default CA's, whatever a rule names. NULL: it
 * can't be used. */
static struct ca *signer(const struct leaf_want *want, const char **why)
{
	const struct authority *authority = want->snapshot->authority;

	if (want->outcome == LEAF_UNTRUSTED &&
	    want->mode == UNTRUSTED_PASS_THROUGH)
		return authority_untrusted(authority);
	return authority_issuer(authority,
		want->outcome == LEAF_OWN ? NULL : want->intermediate_ca, why);
}

bool leaves_usable(const struct leaf_want *want, const char **why)
{
	return signer(want, why) != NULL;
}

/* digest_issuing covers what a reload may change in leaves to come. */
static void digest_issuing(const struct leaf_want *want, uint8_t *out)
{
	const char *base = authority_crl_base(want->snapshot->authority);
	unsigned validity = want->snapshot->config->issuing.validity_s;
	uint64_t revoked = authority_revoked(want->snapshot->authority);
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, &validity, sizeof(validity));
	SHA256_Update(&sha, &revoked, sizeof(revoked));
	SHA256_Update(&sha, base, strlen(base));
	SHA256_Final(out, &sha);
}

/* make_key writes the site's key: names hashed, so that all have one size. 0:
 * there is no CA to sign for it. */
static size_t make_key(const struct leaf_want *want, uint8_t *out)
{
	const char *why;
	const struct ca *ca = signer(want, &why);
	uint8_t *at = out;

	if (!ca)
		return 0;
	memcpy(at, ca_digest(ca), LEAF_DIGEST);
	at += LEAF_DIGEST;
	memcpy(at, trust_digest(want->snapshot->trust), LEAF_DIGEST);
	at += LEAF_DIGEST;
	digest_issuing(want, at);
	at += LEAF_DIGEST;
	SHA256((const uint8_t *)want->name, strlen(want->name), at);
	at += LEAF_DIGEST;
	*at++ = (uint8_t)(want->port >> 8);
	*at++ = (uint8_t)want->port;
	*at++ = (uint8_t)want->key_type;
	*at++ = (uint8_t)want->mode;
	*at++ = (uint8_t)want->outcome;
	return (size_t)(at - out);
}

static void digest_origin(const struct leaf_want *want, uint8_t out[LEAF_DIGEST])
{
	memset(out, 0, LEAF_DIGEST);
	if (want->origin.len > 0)
		SHA256(want->origin.at, want->origin.len, out);
}

void leaves_digest(const CRYPTO_BUFFER *cert, uint8_t out[LEAF_DIGEST])
{
	SHA256(CRYPTO_BUFFER_data(cert), CRYPTO_BUFFER_len(cert), out);
}

/* --- the cache ---------------------------------------------------------- */

static uint64_t now_ms(const struct services *services)
{
	return loop_now(services->loop);
}

struct site *leaves_cached(struct services *services,
	const struct leaf_want *want)
{
	uint8_t key[LEAF_KEY_SIZE];
	size_t len = make_key(want, key);
	struct site *site = len == 0 ? NULL :
		shards_get(services->shared->leaves, key, len,
			now_ms(services));

	if (site && atomic_load(&site->doubt)) {
		site_unref(site);
		return NULL;
	}
	return site;
}

void leaves_doubt(struct services *services, const struct leaf_want *want)
{
	uint8_t key[LEAF_KEY_SIZE];
	size_t len = make_key(want, key);
	struct site *site = len == 0 ? NULL :
		shards_get(services->shared->leaves, key, len,
			now_ms(services));

	if (site)
		atomic_store(&site->doubt, true);
	site_unref(site);
}

/* find returns the cached site if it copies the certificate that the origin
 * has shown now; that ends any doubt. */
static struct site *find(struct services *services, const uint8_t *key,
	size_t len, const uint8_t digest[LEAF_DIGEST])
{
	struct site *site = shards_get(services->shared->leaves, key, len,
		now_ms(services));

	if (!site)
		return NULL;
	if (memcmp(leaf_origin_digest(site->leaf), digest, LEAF_DIGEST) != 0) {
		site_unref(site);
		return NULL;
	}
	atomic_store(&site->doubt, false);
	return site;
}

static void keep(struct services *services, const uint8_t *key, size_t len,
	struct site *site)
{
	time_t left = leaf_not_after(site->leaf) - time(NULL);
	uint64_t now = now_ms(services);

	if (left > 0)
		shards_put(services->shared->leaves, key, len, site,
			leaf_size(site->leaf) + sizeof(*site),
			now + (uint64_t)left * 1000, now);
}

/* --- forging ------------------------------------------------------------ */

static void fill_order(struct leaf_order *order, const struct leaf_want *want,
	const struct leafkeys *keys)
{
	const char *why;

	*order = (struct leaf_order){
		.ca = signer(want, &why),
		.keys = keys,
		.key_type = want->key_type,
		.origin = want->origin,
		.name = want->name,
		.name_only = want->outcome != LEAF_TRUSTED,
		.crl_base = authority_crl_base(want->snapshot->authority),
		.now = time(NULL),
		.validity_s = want->snapshot->config->issuing.validity_s,
	};
}

/* note tells who signed for the site. */
static void note(struct services *services, const struct leaf_order *order,
	const struct leaf *leaf)
{
	struct der serial = leaf_serial(leaf);
	struct ledger_line line = {.ends = leaf_not_after(leaf)};

	snprintf(line.ca, sizeof(line.ca), "%s", ca_id(order->ca));
	snprintf(line.site, sizeof(line.site), "%s", order->name);
	if (serial.len <= sizeof(line.entry.serial)) {
		memcpy(line.entry.serial, serial.at, serial.len);
		line.entry.serial_len = (uint8_t)serial.len;
	}
	ledger_note(services->shared->ledger, &line);
}

static struct site *forge(struct services *services,
	const struct leaf_order *order, char *why, size_t why_size)
{
	struct leaf *leaf;

	if (forge_leaf(order, &leaf, why, why_size) != 0)
		return NULL;
	note(services, order, leaf);
	return site_new(leaf);
}

/* count_forged: on the worker's own thread, wherever it was signed. */
static void count_forged(const struct leaf_request *request)
{
	if (request->site)
		count_add(&request->services->tally.forged, 1);
}

/* land gives what was made to all who wait for it; the cache has it first, so
 * that nobody who comes now makes it again. */
static void land(struct leaf_request *request, size_t cache_len)
{
	if (request->site)
		keep(request->services, request->key, cache_len, request->site);
	(void)flight_land(request->services->shared->flight, request->key,
		request->key_len, request->site, request->why);
}

/* --- a share of what is slow -------------------------------------------- */

static bool take_share(struct leaf_request *request,
	const struct leaf_want *want)
{
	struct services *services = request->services;

	request->client = want->client;
	if (services->num_signing >= SIGNING_MAX ||
	    !quota_take(services->signing, &request->client))
		return false;
	services->num_signing++;
	return true;
}

static void give_share(struct leaf_request *request)
{
	request->services->num_signing--;
	quota_give(request->services->signing, &request->client);
}

/* --- signing elsewhere -------------------------------------------------- */

static void run_work(uv_work_t *work)
{
	struct leaf_request *request = work->data;

	request->site = forge(request->services, &request->order,
		request->why, sizeof(request->why));
}

static void after_work(uv_work_t *work, int status)
{
	struct leaf_request *request = work->data;
	struct site *site;

	(void)status;
	give_share(request);
	count_forged(request);
	land(request, request->key_len - LEAF_DIGEST);
	free(request->origin);
	request->origin = NULL;
	snapshot_unref(request->snapshot);
	site = request->site;
	request->site = NULL;
	request->done(request, site, site != NULL, request->why);
}

/* queue has a slow key sign on another thread; what the order borrows is
 * copied, since the session may drop it meanwhile. */
static void queue(struct leaf_request *request, const struct leaf_want *want)
{
	snprintf(request->name, sizeof(request->name), "%s", want->name);
	request->order.name = request->name;
	if (want->origin.len > 0) {
		request->origin = malloc(want->origin.len);
		if (!request->origin)
			abort();
		memcpy(request->origin, want->origin.at, want->origin.len);
		request->order.origin.at = request->origin;
	}
	request->snapshot = snapshot_ref(want->snapshot);
	request->work.data = request;
	if (uv_queue_work(&request->services->loop->uv, &request->work,
		    run_work, after_work) != 0)
		abort();
}

/* --- waiting ------------------------------------------------------------ */

static void on_home(struct post *post)
{
	struct leaf_request *request = (struct leaf_request *)(void *)
		((char *)post - offsetof(struct leaf_request, post));
	struct site *site = request->site;

	request->site = NULL;
	request->done(request, site, false, request->why);
}

/* On the leader's thread: take a reference, go home. */
static void on_landed(struct waiter *waiter, void *result, const char *err)
{
	struct leaf_request *request = (struct leaf_request *)(void *)
		((char *)waiter - offsetof(struct leaf_request, waiter));

	request->site = result ? site_ref(result) : NULL;
	snprintf(request->why, sizeof(request->why), "%s", err ? err : "");
	request->post.run = on_home;
	loop_post(request->services->loop, &request->post);
}

static enum leaves_result lead(struct leaf_request *request,
	const struct leaf_want *want, const uint8_t digest[LEAF_DIGEST],
	bool slow, struct site **out, bool *out_forged)
{
	struct services *services = request->services;
	size_t cache_len = request->key_len - LEAF_DIGEST;

	/* somebody may have landed between our look and our joining */
	request->site = find(services, request->key, cache_len, digest);
	if (!request->site) {
		fill_order(&request->order, want, services->shared->keys);
		if (slow) {
			queue(request, want);
			return LEAVES_WAIT;
		}
		request->site = forge(services, &request->order, request->why,
			sizeof(request->why));
		*out_forged = request->site != NULL;
		count_forged(request);
	}
	if (slow)
		give_share(request);
	land(request, cache_len);
	*out = request->site;
	request->site = NULL;
	return *out ? LEAVES_READY : LEAVES_FAILED;
}

enum leaves_result leaves_get(struct services *services,
	const struct leaf_want *want, struct leaf_request *request,
	struct site **out, bool *out_forged)
{
	uint8_t digest[LEAF_DIGEST];
	const struct ca *ca;
	const char *why;
	bool slow;
	size_t len;

	*out_forged = false;
	request->services = services;
	request->why[0] = '\0';
	request->site = NULL;
	ca = signer(want, &why);
	if (!ca) {
		snprintf(request->why, sizeof(request->why), "%s", why);
		return LEAVES_FAILED;
	}
	digest_origin(want, digest);
	len = make_key(want, request->key);
	*out = find(services, request->key, len, digest);
	if (*out)
		return LEAVES_READY;
	memcpy(request->key + len, digest, LEAF_DIGEST);
	request->key_len = len + LEAF_DIGEST;
	slow = !ca_signs_fast(ca);
	if (slow && !take_share(request, want))
		return LEAVES_BUSY;
	request->waiter.landed = on_landed;
	if (flight_join(services->shared->flight, request->key,
		    request->key_len, &request->waiter) == FLIGHT_WAIT) {
		if (slow) /* it costs nothing now */
			give_share(request);
		return LEAVES_WAIT;
	}
	return lead(request, want, digest, slow, out, out_forged);
}
