/*
 * moment.h - points in time, as people say them and as the log does.
 *
 * Without an offset of its own each is in UTC, as all that the log says.
 *
 * Threads: any.
 */
#ifndef PROXY_LOGBOOK_MOMENT_H
#define PROXY_LOGBOOK_MOMENT_H

#include <stdbool.h>
#include <stdint.h>

/* moment_of reads RFC 3339, as 2026-11-20T23:16:00.000Z, as milliseconds since
 * 1970. */
bool moment_of(const char *text, int64_t *out_ms);

/* moment_read also takes 2026-11-20, "2026-11-20 10:30", 10:30 (the last that
 * was), now, today, yesterday, and how long ago: 90s, 30m, 2h, 3d, 1w. */
bool moment_read(const char *text, int64_t now_ms, int64_t *out_ms)
	__attribute__((warn_unused_result));

/* moment_text writes it as 2026-11-20 23:16:00Z. */
enum { MOMENT_SIZE = 24 };
void moment_text(int64_t ms, char out[MOMENT_SIZE]);

#endif
