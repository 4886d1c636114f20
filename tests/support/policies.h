/*
 * policies.h - pieces of policies for tests, made of text.
 *
 * What can't be made ends the program: a test that wants to see a refusal calls
 * the room itself.
 */
#ifndef TESTS_SUPPORT_POLICIES_H
#define TESTS_SUPPORT_POLICIES_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/catalog.h"
#include "policy/entry.h"
#include "policy/netset.h"
#include "policy/window.h"
#include "policy/zone.h"

static inline void policies_must(bool good, const char *text, const char *err)
{
	if (good)
		return;
	fprintf(stderr, "\"%s\": %s\n", text, err);
	abort();
}

/* policies_word cuts the next of several words off *text; false: there is none. */
static inline bool policies_word(const char **text, char word[300])
{
	size_t len;

	*text += strspn(*text, " ");
	len = strcspn(*text, " ");
	if (len == 0 || len >= 300)
		return false;
	memcpy(word, *text, len);
	word[len] = '\0';
	*text += len;
	return true;
}

/* catalog_of makes a catalog of num sets; each text has entries, a blank between
 * two. */
static inline struct catalog *catalog_of(const char *const *sets, unsigned num)
{
	struct catalog_builder *builder = catalog_builder_new();
	struct catalog *catalog;
	char word[300], err[300] = "";
	struct entry entry;

	for (unsigned i = 0; i < num; i++)
		for (const char *at = sets[i]; policies_word(&at, word);) {
			policies_must(entry_parse(word, strlen(word), &entry,
					      err, sizeof(err)) == 0,
				word, err);
			policies_must(catalog_add(builder, i, &entry) == 0,
				word, "no memory");
		}
	catalog = catalog_build(builder, num);
	policies_must(catalog != NULL, "catalog", "no memory");
	return catalog;
}

/* networks_of reads "10.0.0.0/8 192.0.2.1". */
static inline struct netset *networks_of(const char *text)
{
	struct netset *netset = netset_new();
	char word[300], err[300] = "";

	while (policies_word(&text, word))
		policies_must(netset_add(netset, word, err, sizeof(err)) == 0,
			word, err);
	return netset;
}

/* address_of reads an address into storage and returns it; NULL gives NULL. */
static inline const struct sockaddr *address_of(
	const char *text, struct sockaddr_storage *storage)
{
	struct sockaddr_in *in = (struct sockaddr_in *)storage;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)storage;

	if (!text)
		return NULL;
	memset(storage, 0, sizeof(*storage));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1)
		in->sin_family = AF_INET;
	else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1)
		in6->sin6_family = AF_INET6;
	else
		policies_must(false, text, "no address");
	return (const struct sockaddr *)storage;
}

/* window_of makes a window of "mon-fri", "08:00-18:00" and "UTC" or "+02:00". */
static inline struct window *window_of(
	const char *days, const char *hours, const char *zone)
{
	char err[300] = "";
	struct zone *made = zone_fixed(zone);
	struct window *window;

	policies_must(made != NULL, zone, "no zone");
	window = window_new(days, hours, made, err, sizeof(err));
	policies_must(window != NULL, hours ? hours : "", err);
	return window;
}

#endif
