/*
 * zone.h - what the clock on the wall says, anywhere.
 *
 * The C library knows one zone a process; rules may name several. So a zone is
 * made of the bytes of its file, TZif of RFC 9636, footer included; who has the
 * file reads it (this room reads none). "UTC" and "+02:00" need none.
 *
 * Owns:    its transitions.
 * Threads: immutable once made.
 * Errors:  NULL with a sentence in err.
 */
#ifndef POLICY_ZONE_H
#define POLICY_ZONE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

enum { ZONE_NAME_MAX = 63, ZONE_FILE_MAX = 64 * 1024 };

struct zone;

/* zone_fixed makes "UTC", "Z", "+02:00", "-0330"; NULL: name is none of them. */
struct zone *zone_fixed(const char *name);

/* zone_read makes one of a file's bytes. */
struct zone *zone_read(const char *name, const void *data, size_t len,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* zone_rule makes one of a text as in TZ, "CET-1CEST,M3.5.0,M10.5.0/3", which holds
 * for all times; NULL: it is none. */
struct zone *zone_rule(const char *name, const char *text)
	__attribute__((warn_unused_result));
void zone_free(struct zone *zone);

/* zone_offset is what is added to UTC there at that time, in seconds. */
int32_t zone_offset(const struct zone *zone, time_t at);
const char *zone_name(const struct zone *zone);

/* zone_is_name: the name of a file below /usr/share/zoneinfo, and of none
 * elsewhere: "Europe/Berlin". */
bool zone_is_name(const char *name);

#endif
