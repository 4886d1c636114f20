#include "policy/window.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/memory.h"
#include "policy/zone.h"

enum {
	DAYS = 7,
	ALL_DAYS = 0x7f,
	DAY_LEN = 3, /* "mon" */
	MINUTES = 24 * 60,
	SECONDS = 86400,
	THURSDAY = 3,  /* on which 1970 began */
	SAID_MAX = 60, /* of a text, in an error */
};

struct window {
	uint8_t days;      /* bit 0: Monday */
	int begin, end;    /* minutes; end is not in it, and may be the less */
	struct zone *zone; /* owned */
};

static const char day_names[DAYS][DAY_LEN + 1] = {
	"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/* --- reading --------------------------------------------------------------*/

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_day(const char *text, const char *name)
{
	for (size_t i = 0; i < DAY_LEN; i++)
		if (lower(text[i]) != name[i])
			return false;
	return true;
}

static const char *skip_blanks(const char *text)
{
	return text + strspn(text, " \t");
}

/* Moves *text behind the name. */
static bool read_day(const char **text, int *out)
{
	*text = skip_blanks(*text);
	for (int i = 0; i < DAYS; i++) {
		if (!is_day(*text, day_names[i]))
			continue;
		*text = skip_blanks(*text + DAY_LEN);
		*out = i;
		return true;
	}
	return false;
}

/* One day, or from one on to another: "fri-mon" is four. */
static bool read_range(const char **text, uint8_t *days)
{
	int first, last;

	if (!read_day(text, &first))
		return false;
	last = first;
	if (**text == '-') {
		++*text;
		if (!read_day(text, &last))
			return false;
	}
	for (int i = first;; i = (i + 1) % DAYS) {
		*days |= (uint8_t)(1U << i);
		if (i == last)
			return true;
	}
}

static int read_days(const char *text, uint8_t *out, char *err, size_t err_size)
{
	const char *at = text;

	*out = 0;
	while (read_range(&at, out)) {
		if (*at == '\0')
			return 0;
		if (*at++ != ',')
			break;
	}
	snprintf(err, err_size,
		"days \"%.*s\" are not days of the week; write them as "
		"\"mon-fri\" or \"sat,sun\"",
		SAID_MAX, text);
	return -1;
}

/* Two digits, or as few as least, moving *text behind them. */
static bool read_number(const char **text, int least, int *out)
{
	int digits = 0;

	*out = 0;
	for (; digits < 2 && **text >= '0' && **text <= '9'; digits++)
		*out = *out * 10 + (*(*text)++ - '0');
	return digits >= least;
}

/* "8:00", "08:00", "24:00" */
static bool read_clock(const char **text, int *out)
{
	int hours, minutes;

	*text = skip_blanks(*text);
	if (!read_number(text, 1, &hours) || *(*text)++ != ':' ||
		!read_number(text, 2, &minutes) || minutes > 59)
		return false;
	*text = skip_blanks(*text);
	*out = hours * 60 + minutes;
	return *out <= MINUTES;
}

static bool read_clocks(const char *text, int *begin, int *end)
{
	if (!read_clock(&text, begin) || *text++ != '-')
		return false;
	return read_clock(&text, end) && *text == '\0' && *begin < MINUTES;
}

/* An end at 00:00 is that of the day. */
static int read_hours(
	const char *text, struct window *window, char *err, size_t err_size)
{
	if (!read_clocks(text, &window->begin, &window->end)) {
		snprintf(err, err_size,
			"hours \"%.*s\" are not a span of time; write it as "
			"\"08:00-18:00\"",
			SAID_MAX, text);
		return -1;
	}
	if (window->begin == window->end) {
		snprintf(err, err_size,
			"hours \"%.*s\" end when they begin; the whole day is "
			"\"00:00-24:00\"",
			SAID_MAX, text);
		return -1;
	}
	if (window->end == 0)
		window->end = MINUTES;
	return 0;
}

struct window *window_new(const char *days, const char *hours,
	struct zone *zone, char *err, size_t err_size)
{
	struct window read = {ALL_DAYS, 0, MINUTES, zone}, *window;

	if (days && read_days(days, &read.days, err, err_size) != 0)
		return NULL;
	if (hours && read_hours(hours, &read, err, err_size) != 0)
		return NULL;
	window = memory_new(sizeof(*window));
	*window = read;
	return window;
}

void window_free(struct window *window)
{
	if (!window)
		return;
	zone_free(window->zone);
	free(window);
}

/* --- asking ---------------------------------------------------------------*/

static bool has_day(const struct window *window, int64_t day)
{
	int64_t number = ((day + THURSDAY) % DAYS + DAYS) % DAYS;

	return window->days >> number & 1;
}

bool window_holds(const struct window *window, time_t now)
{
	int64_t local = (int64_t)now + zone_offset(window->zone, now);
	int64_t day = local / SECONDS - (local % SECONDS < 0);
	int64_t minute = (local - day * SECONDS) / 60;

	if (window->begin < window->end)
		return has_day(window, day) && minute >= window->begin &&
			minute < window->end;
	return (has_day(window, day) && minute >= window->begin) ||
		(has_day(window, day - 1) && minute < window->end);
}

/* What a window is of one day: hours of its own, and of the night that began the
 * day before. None of both: no end. */
struct hours {
	int begin, end;
};

static struct hours own_hours(const struct window *window, int day)
{
	bool goes_on = window->begin > window->end;

	if (!has_day(window, day - THURSDAY))
		return (struct hours){0, 0};
	return (struct hours){window->begin, goes_on ? MINUTES : window->end};
}

static struct hours night_hours(const struct window *window, int day)
{
	bool goes_on = window->begin > window->end;

	if (!goes_on || !has_day(window, day - 1 - THURSDAY))
		return (struct hours){0, 0};
	return (struct hours){0, window->end};
}

static bool hours_within(struct hours hours, const struct window *b, int day)
{
	struct hours own = own_hours(b, day), night = night_hours(b, day);

	/* between own and night is a gap: one of them has all or none does */
	return hours.end == 0 ||
		(own.begin <= hours.begin && hours.end <= own.end) ||
		hours.end <= night.end;
}

bool window_within(const struct window *a, const struct window *b)
{
	if (b->days == ALL_DAYS && b->begin == 0 && b->end == MINUTES)
		return true;
	if (strcmp(zone_name(a->zone), zone_name(b->zone)) != 0)
		return false;
	for (int day = 0; day < DAYS; day++)
		if (!hours_within(own_hours(a, day), b, day) ||
			!hours_within(night_hours(a, day), b, day))
			return false;
	return true;
}

/* --- writing --------------------------------------------------------------*/

/* How many days in a row there are from day on. */
static int run_of(uint8_t days, int day)
{
	int len = 0;

	while (len < DAYS && days >> (day + len) % DAYS & 1)
		len++;
	return len;
}

/* Room for "mon,tue,..." and all its commas. */
enum { DAYS_SIZE = DAYS * (DAY_LEN + 1) + 1 };

static void write_run(int day, int len, char out[DAYS_SIZE])
{
	int step = len > 2 ? len - 1 : 1;

	for (int i = 0; i < len; i += step) {
		size_t at = strlen(out);
		const char *before = i > 0 && len > 2 ? "-" : ",";

		snprintf(out + at, DAYS_SIZE - at, "%s%s",
			at == 0 ? "" : before, day_names[(day + i) % DAYS]);
	}
}

/* A run of three or more is written by its ends. It begins where the day
 * before is not in it: "fri-mon", not "mon,fri-sun". */
static void write_days(uint8_t days, char out[DAYS_SIZE])
{
	out[0] = '\0';
	if (days == ALL_DAYS)
		write_run(0, DAYS, out);
	for (int i = 0; i < DAYS; i++)
		if (!(days >> (i + DAYS - 1) % DAYS & 1))
			write_run(i, run_of(days, i), out);
}

void window_text(const struct window *window, char *out, size_t size)
{
	char days[DAYS_SIZE];

	write_days(window->days, days);
	snprintf(out, size, "%s %02d:%02d-%02d:%02d %s", days,
		window->begin / 60, window->begin % 60, window->end / 60,
		window->end % 60, zone_name(window->zone));
}
