/*
 * metrics.h - the text that Prometheus reads; see metrics.def.
 *
 *	struct metrics_page page = {.out = &text};
 *	metrics_begin(&page, METRIC_tunnels);
 *	metrics_put(&page, 7, NULL);
 *	metrics_begin(&page, METRIC_exchanges);
 *	metrics_put(&page, 3, (const char *[]){"2xx"});
 *
 * Text exposition format 0.0.4. All of one metric stands together.
 *
 * Threads: one a page.
 */
#ifndef PROXY_REPORT_METRICS_H
#define PROXY_REPORT_METRICS_H

#include <stdint.h>
#include <utstring.h>

#include "proxy/report/times.h"

enum metric {
#define METRIC(id, type, name, labels, help) METRIC_##id,
#include "proxy/report/metrics.def"
#undef METRIC
	METRIC_COUNT
};

#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_page {
	UT_string *out; /* borrowed; initialized */
	enum metric metric;
};

/* metrics_begin writes what stands above a metric's values. */
void metrics_begin(struct metrics_page *page, enum metric metric);

/* metrics_put writes a value of it; values has one text a label, in their order:
 * UTF-8 (NULL where there are no labels). */
void metrics_put(struct metrics_page *page, uint64_t value,
	const char *const *values);
void metrics_put_real(struct metrics_page *page, double value,
	const char *const *values);

/* metrics_put_times writes those of a histogram without labels. */
void metrics_put_times(struct metrics_page *page, const struct times_sum *sum);

#endif
