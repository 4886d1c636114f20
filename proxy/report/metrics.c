#include "proxy/report/metrics.h"

#include <inttypes.h>
#include <string.h>

static const struct row {
	const char *type, *name, *labels, *help;
} rows[METRIC_COUNT] = {
#define METRIC(id, type, name, labels, help) \
	[METRIC_##id] = {#type, name, labels, help},
#include "proxy/report/metrics.def"
#undef METRIC
};

void metrics_begin(struct metrics_page *page, enum metric metric)
{
	const struct row *row = &rows[metric];

	page->metric = metric;
	utstring_printf(page->out, "# HELP %s %s\n# TYPE %s %s\n", row->name,
		row->help, row->name, row->type);
}

/* put_value escapes what has a meaning within quotes. Other controls, which
 * nobody needs, would only break a table somewhere else. */
static void put_value(UT_string *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\' || *text == '"')
			utstring_printf(out, "\\%c", *text);
		else if (*text == '\n')
			utstring_bincpy(out, "\\n", 2);
		else if ((unsigned char)*text < 0x20 || *text == 0x7f)
			utstring_bincpy(out, "?", 1);
		else
			utstring_bincpy(out, text, 1);
	}
}

static void put_labels(struct metrics_page *page, const char *const *values)
{
	const char *at = rows[page->metric].labels;

	for (size_t i = 0; *at; i++) {
		size_t len = strcspn(at, ",");

		utstring_printf(page->out, "%c%.*s=\"", i == 0 ? '{' : ',',
			(int)len, at);
		put_value(page->out, values[i]);
		utstring_bincpy(page->out, "\"", 1);
		at += len + (at[len] == ',');
	}
	if (rows[page->metric].labels[0])
		utstring_bincpy(page->out, "}", 1);
}

void metrics_put(struct metrics_page *page, uint64_t value,
	const char *const *values)
{
	utstring_printf(page->out, "%s", rows[page->metric].name);
	put_labels(page, values);
	utstring_printf(page->out, " %" PRIu64 "\n", value);
}

void metrics_put_real(struct metrics_page *page, double value,
	const char *const *values)
{
	utstring_printf(page->out, "%s", rows[page->metric].name);
	put_labels(page, values);
	utstring_printf(page->out, " %.6f\n", value);
}

void metrics_put_times(struct metrics_page *page, const struct times_sum *sum)
{
	const char *name = rows[page->metric].name;
	uint64_t so_far = 0;

	for (size_t i = 0; i < TIMES_BOUNDS; i++) {
		so_far += sum->counts[i];
		utstring_printf(page->out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n",
			name, (double)times_bounds[i] / 1000, so_far);
	}
	so_far += sum->counts[TIMES_BOUNDS];
	utstring_printf(page->out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n"
		"%s_sum %.3f\n%s_count %" PRIu64 "\n", name, so_far, name,
		(double)sum->ms / 1000, name, so_far);
}
