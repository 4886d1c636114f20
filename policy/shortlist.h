/*
 * shortlist.h - which rules are worth asking about a host. For this room.
 *
 * Rules by the thousand mostly name hosts, and most hosts are named by none of
 * them. A host has been looked up once, in all sets at the same time; each set
 * that it is in leads to the rules that name it. What comes out is a superset: who
 * is on the list still has to match; who is not, can't.
 *
 *	bits of sets ─► rules that name them     and the rules that name no host
 *
 * Owns:    its tables.
 * Threads: build on one thread; immutable after that.
 */
#ifndef POLICY_SHORTLIST_H
#define POLICY_SHORTLIST_H

#include <stddef.h>
#include <stdint.h>

struct criteria;
struct shortlist;

struct shortlist *shortlist_new(void);
void shortlist_free(struct shortlist *list);

/* shortlist_add says what a rule's match asks for. */
void shortlist_add(
	struct shortlist *list, unsigned rule, const struct criteria *match);

/* shortlist_begin sets in rules, words of it, the bits of the rules that name no
 * host, and no others. There are not more rules than that many words hold. */
void shortlist_begin(
	const struct shortlist *list, uint64_t *rules, size_t words);

/* shortlist_find adds to rules those that name one of the categories or one of
 * the rules' own sets of hosts. */
void shortlist_find(const struct shortlist *list, const uint64_t *categories,
	size_t category_words, const uint64_t *hosts, size_t host_words,
	uint64_t *rules);

#endif
