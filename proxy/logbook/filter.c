#include "proxy/logbook/filter.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/glob.h"
#include "policy/netset.h"

bool filter_address(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)out;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		return true;
	}
	return false;
}

static bool client_fits(const struct netset *set, const char *client)
{
	struct sockaddr_storage address;

	return filter_address(client, &address) &&
		netset_match(set, (const struct sockaddr *)&address);
}

static bool name_fits(const char *want, const char *name)
{
	size_t below = strlen(want), len = strlen(name);

	if (want[0] != '.')
		return glob_match(want, name);
	if (strcasecmp(want + 1, name) == 0)
		return true;
	return len > below && strcasecmp(name + len - below, want) == 0;
}

static bool host_fits(const char *want, const struct entry *entry)
{
	return name_fits(want, entry_text(entry, ENTRY_host)) ||
		name_fits(want, entry_text(entry, ENTRY_sni));
}

static bool action_fits(const char *want, const struct entry *entry)
{
	return strcasecmp(entry_text(entry, ENTRY_action), want) == 0 ||
		strcasecmp(entry_text(entry, ENTRY_url_action), want) == 0 ||
		strncasecmp(entry_text(entry, ENTRY_policy_action), want,
			strlen(want)) == 0;
}

bool filter_fits(const struct filter *filter, const struct entry *entry)
{
	if (filter->since_ms && entry->at_ms < filter->since_ms)
		return false;
	if (filter->until_ms && entry->at_ms >= filter->until_ms)
		return false;
	if (filter->host && !host_fits(filter->host, entry))
		return false;
	if (filter->user &&
	    (!entry->value[ENTRY_user] ||
		    !glob_match(filter->user, entry->value[ENTRY_user])))
		return false;
	if (filter->action && !action_fits(filter->action, entry))
		return false;
	if (filter->reason && !entry_is(entry, ENTRY_reason, filter->reason))
		return false;
	if (filter->kind && !entry_is(entry, ENTRY_kind, filter->kind))
		return false;
	return !filter->client ||
		client_fits(filter->client, entry_text(entry, ENTRY_client));
}
