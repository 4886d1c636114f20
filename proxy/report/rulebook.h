/*
 * rulebook.h - how often each rule has decided.
 *
 * A rule is known by its list, its name and what it did, so that a reload goes on
 * counting where a rule is still there, and one that has gone keeps its number
 * until the process ends. A worker counts in memory of its own; only the first
 * time that it meets a rule does it ask for a line in the book. The book is
 * bounded: what comes once RULEBOOK_MAX lines are taken is counted under
 * "(others)", an action each.
 *
 * Owns:    copies of the names.
 * Threads: the book any; a struct rule_counts its worker's.
 */
#ifndef PROXY_REPORT_RULEBOOK_H
#define PROXY_REPORT_RULEBOOK_H

#include <stddef.h>
#include <stdint.h>

struct rulebook;
struct rule_counts;

enum { RULEBOOK_MAX = 4096, RULEBOOK_NAME = 64 };

enum rule_list { RULES_SSL, RULES_URL };

struct rulebook *rulebook_new(void);
void rulebook_free(struct rulebook *book); /* after all of its counts */

/* rule_counts_new: for one worker. rule_counts_free takes what it has counted
 * away with it. */
struct rule_counts *rule_counts_new(struct rulebook *book);
void rule_counts_free(struct rule_counts *counts);

/* rule_counts_add counts a decision. action is static; no two of a list begin with
 * the same letter. NULL counts nothing. */
void rule_counts_add(struct rule_counts *counts, enum rule_list list,
	const char *name, const char *action);

struct rulebook_line {
	enum rule_list list;
	char name[RULEBOOK_NAME];
	const char *action;
	uint64_t decided; /* by all workers */
};

/* rulebook_read gives the lines, oldest first; the caller's to free. */
struct rulebook_line *rulebook_read(struct rulebook *book, size_t *out_num);

#endif
