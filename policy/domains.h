/*
 * domains.h - a set of hosts and domains.
 *
 * "example.com" is that host alone; ".example.com" and "*.example.com" are
 * the host and all below it. Addresses are hosts too. A million entries is
 * normal: entries are kept sorted in one block of text, a look-up is a binary
 * search per label.
 *
 * Owns:    copies of the names.
 * Threads: build on one thread, domains_seal; immutable after that.
 */
#ifndef POLICY_DOMAINS_H
#define POLICY_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>

struct domains;

struct domains *domains_new(void);
void domains_free(struct domains *domains);

/* domains_add normalizes and adds one entry. What is not a host, a domain or
 * an address is refused with a sentence in err. */
int domains_add(struct domains *domains, const char *entry, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* domains_seal sorts the set and drops what is there twice. Call it before
 * the first look-up; nothing can be added after. Again, it does nothing. */
void domains_seal(struct domains *domains);

/* domains_match says whether host (normalized) is in the set, by itself or
 * below a domain. */
bool domains_match(const struct domains *domains, const char *host);

/* The entries of a sealed set as they are kept, a domain with its leading dot;
 * borrowed. */
size_t domains_count(const struct domains *domains);
const char *domains_entry(const struct domains *domains, size_t i);

#endif
