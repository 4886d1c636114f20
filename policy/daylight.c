#include "policy/daylight.h"

enum {
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	OFFSET_HOURS_MAX = 24,  /* POSIX */
	CHANGE_HOURS_MAX = 167, /* RFC 9636 3.3.1 */
	CHANGE_AT = 2 * HOUR,   /* where no time is given */
	NAME_MIN_LEN = 3,
};

/* After 400 years days, dates and weekdays are the same again. */
static const int64_t cycle_seconds = (int64_t)146097 * DAY;

/* --- reading --------------------------------------------------------------*/

struct text {
	const char *at;
	size_t left;
};

static bool next_is(const struct text *text, char c)
{
	return text->left > 0 && *text->at == c;
}

static bool take(struct text *text, char c)
{
	if (!next_is(text, c))
		return false;
	text->at++;
	text->left--;
	return true;
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool take_if(struct text *text, bool fits)
{
	if (fits) {
		text->at++;
		text->left--;
	}
	return fits;
}

/* At least three letters, or in <> three letters, digits and signs. */
static bool take_name(struct text *text)
{
	bool quoted = take(text, '<');
	size_t len = 0;

	while (text->left > 0) {
		char c = *text->at;
		bool more = quoted && (is_digit(c) || c == '+' || c == '-');

		if (!take_if(text, is_letter(c) || more))
			break;
		len++;
	}
	return len >= NAME_MIN_LEN && (!quoted || take(text, '>'));
}

static bool take_number(struct text *text, int least, int most, int *out)
{
	int number = 0;
	bool any = false;

	while (text->left > 0 && is_digit(*text->at)) {
		number = number * 10 + (*text->at - '0');
		if (number > most)
			return false;
		take_if(text, true);
		any = true;
	}
	*out = number;
	return any && number >= least;
}

/* [+-]hh[:mm[:ss]] */
static bool take_time(struct text *text, int hours_max, int32_t *out)
{
	int hours, minutes = 0, seconds = 0;
	bool minus = take(text, '-');

	if (!minus)
		(void)take(text, '+');
	if (!take_number(text, 0, hours_max, &hours))
		return false;
	if (take(text, ':')) {
		if (!take_number(text, 0, 59, &minutes))
			return false;
		if (take(text, ':') && !take_number(text, 0, 59, &seconds))
			return false;
	}
	*out = hours * HOUR + minutes * MINUTE + seconds;
	if (minus)
		*out = -*out;
	return true;
}

/* West is positive in POSIX. */
static bool take_offset(struct text *text, int32_t *out)
{
	if (!take_time(text, OFFSET_HOURS_MAX, out))
		return false;
	*out = -*out;
	return true;
}

static bool take_day(struct text *text, struct daylight_change *out)
{
	if (take(text, 'M')) {
		out->form = DAYLIGHT_WEEKDAY;
		return take_number(text, 1, 12, &out->month) &&
			take(text, '.') &&
			take_number(text, 1, 5, &out->week) &&
			take(text, '.') && take_number(text, 0, 6, &out->day);
	}
	if (take(text, 'J')) {
		out->form = DAYLIGHT_JULIAN;
		return take_number(text, 1, 365, &out->day);
	}
	out->form = DAYLIGHT_DAY;
	return take_number(text, 0, 365, &out->day);
}

static bool take_change(struct text *text, struct daylight_change *out)
{
	if (!take(text, ',') || !take_day(text, out))
		return false;
	out->seconds = CHANGE_AT;
	return !take(text, '/') ||
		take_time(text, CHANGE_HOURS_MAX, &out->seconds);
}

/* POSIX lets the two days be left out and says nothing of what is meant then:
 * refused. */
static bool take_summer(struct text *text, struct daylight *out)
{
	out->changes = true;
	out->summer = out->standard + HOUR;
	if (!take_name(text))
		return false;
	if (text->left > 0 && !next_is(text, ',') &&
		!take_offset(text, &out->summer))
		return false;
	return take_change(text, &out->begin) && take_change(text, &out->end);
}

int daylight_read(const char *at, size_t len, struct daylight *out)
{
	struct text text = {at, len};
	struct daylight daylight = {0};

	if (!take_name(&text) || !take_offset(&text, &daylight.standard))
		return -1;
	if (text.left > 0 && !take_summer(&text, &daylight))
		return -1;
	if (text.left > 0)
		return -1;
	*out = daylight;
	return 0;
}

/* --- reckoning, in the years 1969 to 2371 ---------------------------------*/

static bool is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970 to 1 January of year. */
static int days_before_year(int year)
{
	int past = year - 1;

	return past * 365 + past / 4 - past / 100 + past / 400 - 719162;
}

static int days_before_month(int year, int month)
{
	static const int days[] = {
		0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};

	return days[month - 1] + (month > 2 && is_leap(year));
}

/* 0 is Sunday; 1 January 1970 was a Thursday. */
static int weekday_of(int day)
{
	return ((day + 4) % 7 + 7) % 7;
}

/* Days from 1 January to the week-th such weekday of the month. */
static int weekday_in(const struct daylight_change *change, int year)
{
	int first = days_before_month(year, change->month);
	int next = change->month == 12 ?
		365 + is_leap(year) :
		days_before_month(year, change->month + 1);
	int day = first +
		(change->day - weekday_of(days_before_year(year) + first) + 7) %
			7 +
		(change->week - 1) * 7;

	return day >= next ? day - 7 : day;
}

static int day_of(const struct daylight_change *change, int year)
{
	switch (change->form) {
	case DAYLIGHT_WEEKDAY:
		return weekday_in(change, year);
	case DAYLIGHT_JULIAN:
		return change->day - 1 + (change->day > 59 && is_leap(year));
	case DAYLIGHT_DAY:
	default:
		return change->day;
	}
}

/* When the clocks are set in that year; offset is what they showed before. */
static int64_t when(
	const struct daylight_change *change, int year, int32_t offset)
{
	int day = days_before_year(year) + day_of(change, year);

	return (int64_t)day * DAY + change->seconds - offset;
}

/* From the beginning in that year to the end that follows it, which south of
 * the equator is in the next one. Where one year's end is the next one's
 * beginning, or later, it is always summer (RFC 9636 3.3.1). */
static bool is_summer_of(const struct daylight *daylight, int year, int64_t at)
{
	int64_t begin = when(&daylight->begin, year, daylight->standard);
	int64_t end = when(&daylight->end, year, daylight->summer);

	if (end <= begin)
		end = when(&daylight->end, year + 1, daylight->summer);
	return at >= begin && at < end;
}

int32_t daylight_offset(const struct daylight *daylight, int64_t at)
{
	int year;

	if (!daylight->changes)
		return daylight->standard;
	at %= cycle_seconds;
	if (at < 0)
		at += cycle_seconds;
	/* Not too late; the loop mends what it is too early. */
	year = 1970 + (int)(at / ((int64_t)366 * DAY));
	while (at >= (int64_t)days_before_year(year + 1) * DAY)
		year++;
	for (int y = year - 1; y <= year + 1; y++)
		if (is_summer_of(daylight, y, at))
			return daylight->summer;
	return daylight->standard;
}
