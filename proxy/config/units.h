/*
 * units.h - numbers, sizes and durations as people write them.
 *
 * Threads: any. Errors: -1, *out untouched; the caller knows which setting.
 */
#ifndef PROXY_CONFIG_UNITS_H
#define PROXY_CONFIG_UNITS_H

#include <stdint.h>

/* units_count reads digits: "20000". */
int units_count(const char *text, uint64_t *out)
	__attribute__((warn_unused_result));

/* units_size reads bytes: "65536", "64KB", "64MB", "1GB" (by 1024). */
int units_size(const char *text, uint64_t *out)
	__attribute__((warn_unused_result));

/* units_duration reads "500ms", "10s", "5m", "12h", "14d" as milliseconds; a
 * number without a unit is refused. */
int units_duration(const char *text, uint64_t *out_ms)
	__attribute__((warn_unused_result));

#endif
