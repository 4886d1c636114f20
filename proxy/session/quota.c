#include "proxy/session/quota.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct holder {
	struct quota_client client;
	unsigned held;
	UT_hash_handle hh;
};

struct quota {
	unsigned max;
	struct holder *holders; /* owned */
};

void quota_address_of(const struct sockaddr *address,
	struct quota_client *out)
{
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	memset(out, 0, sizeof(*out));
	if (address->sa_family == AF_INET) {
		memcpy(&v4, address, sizeof(v4));
		out->bytes[10] = out->bytes[11] = 0xff;
		memcpy(out->bytes + 12, &v4.sin_addr, 4);
		return;
	}
	memcpy(&v6, address, sizeof(v6));
	memcpy(out->bytes, &v6.sin6_addr, sizeof(out->bytes));
}

void quota_client_of(const struct sockaddr *address,
	struct quota_client *out)
{
	struct in6_addr whole;

	quota_address_of(address, out);
	memcpy(&whole, out->bytes, sizeof(whole));
	if (!IN6_IS_ADDR_V4MAPPED(&whole))
		memset(out->bytes + 8, 0, 8);
}

struct quota *quota_new(unsigned max)
{
	struct quota *quota = calloc(1, sizeof(*quota));

	if (!quota)
		abort();
	quota->max = max;
	return quota;
}

void quota_free(struct quota *quota)
{
	struct holder *holder, *tmp;

	if (!quota)
		return;
	HASH_ITER(hh, quota->holders, holder, tmp) {
		HASH_DEL(quota->holders, holder);
		free(holder);
	}
	free(quota);
}

static struct holder *find(struct quota *quota,
	const struct quota_client *client)
{
	struct holder *holder;

	HASH_FIND(hh, quota->holders, client, sizeof(*client), holder);
	return holder;
}

static struct holder *add(struct quota *quota,
	const struct quota_client *client)
{
	struct holder *holder = calloc(1, sizeof(*holder));

	if (!holder)
		abort();
	holder->client = *client;
	HASH_ADD(hh, quota->holders, client, sizeof(*client), holder);
	return holder;
}

bool quota_take(struct quota *quota, const struct quota_client *client)
{
	struct holder *holder = find(quota, client);

	if (!holder)
		holder = add(quota, client);
	if (holder->held >= quota->max)
		return false;
	holder->held++;
	return true;
}

void quota_give(struct quota *quota, const struct quota_client *client)
{
	struct holder *holder = find(quota, client);

	if (!holder || --holder->held > 0)
		return;
	HASH_DEL(quota->holders, holder);
	free(holder);
}
