#include "proxy/net/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum {
	TTL_MIN_S = 1,
	TTL_MAX_S = 300,
	KEEP_NO_NAME_MS = 5000,
	KEEP_FAILED_MS = 1000,
};

struct kept { /* half is many times as large as most answers */
	char name[NAME_SIZE];
	enum resolve_status status6, status4;
	size_t num6, num4;
	struct ip *ips; /* owned: num6, then num4 */
	uint64_t until_ms;
	UT_hash_handle hh;
};

static void *new_zeroed(size_t num, size_t size)
{
	void *p = calloc(num, size);

	if (!p)
		abort();
	return p;
}

static void drop(struct names *names, struct kept *k)
{
	HASH_DEL(names->all, k);
	free(k->ips);
	free(k);
}

void names_clear(struct names *names)
{
	struct kept *k, *next;

	HASH_ITER(hh, names->all, k, next)
		drop(names, k);
}

static uint64_t half_ms(const struct half *half)
{
	unsigned ttl_s = half->ttl_s;

	if (half->status == RESOLVE_NO_NAME)
		return KEEP_NO_NAME_MS;
	if (half->status != RESOLVE_OK)
		return KEEP_FAILED_MS;
	if (ttl_s < TTL_MIN_S)
		ttl_s = TTL_MIN_S;
	if (ttl_s > TTL_MAX_S)
		ttl_s = TTL_MAX_S;
	return (uint64_t)ttl_s * 1000;
}

static uint64_t keep_ms(const struct half *v6, const struct half *v4)
{
	uint64_t ms6 = half_ms(v6), ms4 = half_ms(v4);

	if (v4->status == RESOLVE_OK && v6->status == RESOLVE_NO_NAME)
		return ms4;
	if (v6->status == RESOLVE_OK && v4->status == RESOLVE_NO_NAME)
		return ms6;
	return ms6 < ms4 ? ms6 : ms4;
}

void names_keep(struct names *names, const char *name, const struct half *v6,
	const struct half *v4, uint64_t now_ms)
{
	struct kept *k;

	HASH_FIND_STR(names->all, name, k);
	if (k)
		drop(names, k);
	while (names->all && HASH_COUNT(names->all) >= names->max)
		drop(names, names->all);
	k = new_zeroed(1, sizeof(*k));
	(void)snprintf(k->name, sizeof(k->name), "%s", name);
	k->status6 = v6->status;
	k->status4 = v4->status;
	k->num6 = v6->num;
	k->num4 = v4->num;
	k->ips = new_zeroed(k->num6 + k->num4 + 1, sizeof(*k->ips));
	memcpy(k->ips, v6->ips, k->num6 * sizeof(*k->ips));
	memcpy(k->ips + k->num6, v4->ips, k->num4 * sizeof(*k->ips));
	k->until_ms = now_ms + keep_ms(v6, v4);
	HASH_ADD_STR(names->all, name, k);
}

bool names_find(struct names *names, const char *name, uint64_t now_ms,
	struct half *v6, struct half *v4)
{
	struct kept *k;

	HASH_FIND_STR(names->all, name, k);
	if (!k)
		return false;
	if (k->until_ms <= now_ms) {
		drop(names, k);
		return false;
	}
	/* uthash goes through its items in the order they were added */
	HASH_DEL(names->all, k);
	HASH_ADD_STR(names->all, name, k);
	v6->status = k->status6;
	v4->status = k->status4;
	v6->num = k->num6;
	v4->num = k->num4;
	memcpy(v6->ips, k->ips, k->num6 * sizeof(*k->ips));
	memcpy(v4->ips, k->ips + k->num6, k->num4 * sizeof(*k->ips));
	return true;
}
