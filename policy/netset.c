#include "policy/netset.h"

#include <stdlib.h>
#include <string.h>

#include "policy/memory.h"
#include "policy/network.h"

struct netset {
	struct network *networks; /* owned */
	size_t count;
};

struct netset *netset_new(void)
{
	return memory_new(sizeof(struct netset));
}

void netset_free(struct netset *netset)
{
	if (!netset)
		return;
	free(netset->networks);
	free(netset);
}

int netset_add(
	struct netset *netset, const char *text, char *err, size_t err_size)
{
	struct network network;

	if (network_parse(text, strlen(text), &network, err, err_size) < 0)
		return -1;
	netset->networks =
		memory_grow(netset->networks, netset->count, sizeof(network));
	netset->networks[netset->count++] = network;
	return 0;
}

/* One by one: the sources of a rule are a handful. */
static bool holds(const struct netset *netset, const struct network *one)
{
	for (size_t i = 0; i < netset->count; i++)
		if (network_contains(&netset->networks[i], one))
			return true;
	return false;
}

bool netset_match(const struct netset *netset, const struct sockaddr *address)
{
	struct network one;

	return network_of(address, &one) && holds(netset, &one);
}

bool netset_within(const struct netset *one, const struct netset *other)
{
	for (size_t i = 0; i < one->count; i++)
		if (!holds(other, &one->networks[i]))
			return false;
	return true;
}
