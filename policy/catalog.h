/*
 * catalog.h - which of many sets is a host or URL in: all of them at once.
 *
 * Sets are numbered; every entry (entry.h) belongs to one. A look-up takes as long
 * as the host has labels (and, where a host has entries with paths, the path has
 * segments), however many sets and entries there are.
 *
 *	"www.example.com" ─► hash of each suffix ─► filter ─► bucket ─► records
 *	                                            may be    number    suffix, what
 *	                                            there               it is in
 *
 * All records of a bucket lie behind each other in one block, so a record takes
 * little more than its text: a million domains of 19 bytes take 25 bytes each, all
 * included. Networks are records too, one look-up for each length of prefix that
 * occurs. The hash is keyed: who writes a list cannot make it slow. How it lies
 * in memory is in catalog_private.h.
 *
 * Owns:    its records. Counted: snapshots that have the same lists share one.
 * Threads: a builder has one; a catalog never changes: any.
 */
#ifndef POLICY_CATALOG_H
#define POLICY_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct catalog;
struct catalog_builder;
struct entry;

struct catalog_builder *catalog_builder_new(void);
void catalog_builder_free(struct catalog_builder *builder);

/* catalog_add adds entry, which is copied, to a set. -1: no memory, or more than
 * there are numbers for (4 GB); the builder is as it was. */
int catalog_add(struct catalog_builder *builder, unsigned set,
	const struct entry *entry) __attribute__((warn_unused_result));

/* catalog_build makes a catalog of num_sets sets, more than any number that was
 * added, and frees the builder. Same entries of one set are one. NULL: no
 * memory; the builder is freed all the same. */
struct catalog *catalog_build(struct catalog_builder *builder,
	unsigned num_sets) __attribute__((warn_unused_result));

struct catalog *catalog_ref(struct catalog *catalog);
void catalog_unref(struct catalog *catalog); /* NULL is none */

unsigned catalog_num_sets(const struct catalog *catalog);
size_t catalog_num_entries(const struct catalog *catalog); /* of all sets */
size_t catalog_count(const struct catalog *catalog, unsigned set);
size_t catalog_bytes(const struct catalog *catalog); /* of memory */

/* Bits, one a set: CATALOG_WORDS words for num sets. */
#define CATALOG_WORDS(num) (((num) + 63u) / 64u)

enum catalog_by {
	CATALOG_HOSTS, /* an entry with a path counts by its host */
	CATALOG_URLS,  /* path must be below it; of an unknown path it is not */
};

/* catalog_find sets in bits, which the caller has zeroed, the bit of each set
 * that host (normalized) at port is in. path is a reading or NULL, unknown; a
 * host is in what is for another port never. */
void catalog_find(const struct catalog *catalog, enum catalog_by by,
	const char *host, uint16_t port, const char *path, uint64_t *bits);

/* catalog_within says whether all that is in set a of one catalog is in set b of
 * another, which may be the same, entry by entry: a false may be wrong where
 * several entries of b together hold one of a. True holds for CATALOG_HOSTS and
 * CATALOG_URLS. It goes through all of one: for a check, not for a decision. */
bool catalog_within(const struct catalog *one, unsigned a,
	const struct catalog *other, unsigned b);

/* catalog_has_address says whether set has an address, a network or a path of an
 * address; it goes through all, too. */
bool catalog_has_address(const struct catalog *catalog, unsigned set);

#endif
