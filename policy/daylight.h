/*
 * daylight.h - the rule by which a zone's clocks are set, year after year.
 *
 * A time zone's file lists what was decided so far; its last line says how it
 * goes on, as POSIX writes it in TZ (RFC 9636 3.3):
 *
 *   "CET-1CEST,M3.5.0,M10.5.0/3"   the last Sundays of March and October
 *   "<+03>-3"                      nothing is ever set
 *
 * POSIX counts west of Greenwich as positive; offset here is as everywhere
 * else, what is added to UTC.
 *
 * Owns:    nothing.
 * Threads: any.
 * Errors:  -1; the caller knows which file it came from.
 */
#ifndef POLICY_DAYLIGHT_H
#define POLICY_DAYLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum daylight_form {
	DAYLIGHT_WEEKDAY, /* Mm.w.d: weekday d of week w (5: the last) of month m */
	DAYLIGHT_JULIAN, /* Jn: 1 to 365, 29 February is never counted */
	DAYLIGHT_DAY,    /* n: 0 to 365, 29 February is counted */
};

/* On which day of a year, and how many seconds from its midnight on. */
struct daylight_change {
	enum daylight_form form;
	int day; /* weekday, 0 is Sunday; or the day of the year */
	int week, month;
	int32_t seconds; /* a week at most, before or after */
};

struct daylight {
	int32_t standard, summer;     /* seconds added to UTC */
	bool changes;                 /* else it is always standard */
	struct daylight_change begin; /* by standard time */
	struct daylight_change end;   /* by summer time */
};

/* daylight_read reads all len bytes at text. */
int daylight_read(const char *text, size_t len, struct daylight *out)
	__attribute__((warn_unused_result));

/* daylight_offset is what is added to UTC at that time. */
int32_t daylight_offset(const struct daylight *daylight, int64_t at);

#endif
