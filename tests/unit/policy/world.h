/*
 * world.h - categories, groups and rules made up by chance, kept in a plain
 * form that is easy to read slowly, and given to the room as a policy; and
 * questions to ask of them.
 *
 * There is little to pick from, so that much meets. The entries of lists are
 * kept in the plain spelling and given to the room in many others.
 *
 * Memory: all texts of a world are constants, but those within its lines.
 */
#ifndef TESTS_UNIT_POLICY_WORLD_H
#define TESTS_UNIT_POLICY_WORLD_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "policy/policy.h"

enum {
	WORLD_CATEGORIES = 90,
	WORLD_GROUPS = 3,
	WORLD_RULES = 150,
	WORLD_LIST = 4,
	WORLD_TEXT = 80,
};

struct line {
	const char *host; /* NULL: a network */
	bool below;
	const char *network;
	unsigned port;             /* 0: any */
	const char *path;          /* NULL: any */
	char text[WORLD_TEXT * 2]; /* as the program reads it */
};

struct lines {
	struct line at[WORLD_LIST];
	unsigned num;
};

struct texts {
	const char *at[WORLD_LIST];
	unsigned num;
};

/* Parts of a window: as the program reads them and as they are. */
struct plain_days {
	const char *text; /* NULL: all */
	unsigned bits;    /* Sunday's the first */
};

struct plain_hours {
	const char *text;    /* NULL: all */
	unsigned begin, end; /* minutes */
};

struct plain_zone {
	const char *text;
	int offset; /* seconds */
};

struct plain_window {
	const struct plain_days *days;
	const struct plain_hours *hours;
	const struct plain_zone *zone;
};

struct asked {
	unsigned categories[WORLD_LIST];
	struct lines hosts;
	struct texts users, groups, agents, methods, sources, destinations;
	struct port_range ports[WORLD_LIST];
	struct plain_window times[WORLD_LIST];
	unsigned num_categories, num_ports, num_times;
	uint32_t certificates;
};

struct plain_rule {
	bool enabled, block_no_sni;
	unsigned action; /* enum action or url_action */
	struct asked match, not ;
};

struct plain_facts {
	const char *host, *address, *source, *destination, *user;
	const char *agent, *method, *path;
	uint16_t port;
	time_t now;
	bool tls, has_sni;
	enum certificate certificate;
};

struct plain_group {
	const char *name;
	struct texts members;
};

enum { WORLD_SSL, WORLD_URL, WORLD_LISTS }; /* of rules */

struct world {
	struct lines categories[WORLD_CATEGORIES];
	unsigned num_categories;
	struct plain_group groups[WORLD_GROUPS];
	struct plain_rule rules[WORLD_LISTS][WORLD_RULES];
	unsigned num_rules[WORLD_LISTS];
};

void world_make(struct world *world);

/* world_facts makes up what is asked of any world. */
struct plain_facts world_facts(void);

/* world_policy gives the world to the room, each rule named by its number in its
 * list and, counted from 1, in that line of rules.yaml. Fails the test where the
 * room does not take it. Owned. */
struct policy *world_policy(const struct world *world);

#endif
