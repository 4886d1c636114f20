/*
 * shortlist.h - which rules are worth asking about a host. For this room.
 *
 * Rules by the thousand mostly name hosts, and most hosts are named by none of
 * them. So every entry of every set leads to the rules that look at the set,
 * and a host is looked up once, by itself and by each domain it is below,
 * instead of in every set. What comes out is a superset: who is on the list
 * still has to match; who is not, can't.
 *
 *	host ─► entries ─► sets ─► rules        and the rules that name no host
 *
 * Owns:    its tables; borrows the sets, which must be sealed and outlive it.
 * Threads: build on one thread; immutable after that.
 */
#ifndef POLICY_SHORTLIST_H
#define POLICY_SHORTLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct domains;
struct shortlist;

enum { SHORTLIST_MAX = 256 };

struct shortlist *shortlist_new(void);
void shortlist_free(struct shortlist *list);

/* shortlist_add says that rule, a higher one than all before it, looks at
 * these sets; with none it is on the list for every host. Memory for the
 * entries of large sets may run out: false. */
bool shortlist_add(struct shortlist *list, unsigned rule,
	const struct domains *const *sets, size_t num_sets)
	__attribute__((warn_unused_result));

/* What a search goes through, in the order of the rules. */
struct shortlist_search {
	const struct shortlist *list;
	unsigned found[SHORTLIST_MAX]; /* ascending, no rule twice */
	unsigned num_found, next_found, next_open;
	bool all; /* too many were found: every rule is on the list */
	unsigned next;
};

/* shortlist_begin looks host up, and address, which may be NULL; shortlist_next
 * gives the rules one by one, false at the end. */
void shortlist_begin(const struct shortlist *list, const char *host,
	const char *address, struct shortlist_search *out);
bool shortlist_next(struct shortlist_search *search, unsigned *out_rule);

#endif
