#include "proxy/logbook/moment.h"

#include <string.h>
#include <time.h>

enum { SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE };
enum { DAY = 24 * HOUR, WEEK = 7 * DAY };

/* digits reads exactly num of them. */
static bool digits(const char **at, int num, int *out)
{
	*out = 0;
	for (; num > 0; num--, ++*at) {
		if (**at < '0' || **at > '9')
			return false;
		*out = *out * 10 + (**at - '0');
	}
	return true;
}

static bool take(const char **at, char c)
{
	if (**at != c)
		return false;
	++*at;
	return true;
}

/* day_of: of a date that there is. */
static bool day_of(const char **at, int64_t *out)
{
	static const int most[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31};
	int year, month, day, leap;
	struct tm tm = {.tm_sec = 0};

	if (!digits(at, 4, &year) || !take(at, '-') || !digits(at, 2, &month) ||
	    !take(at, '-') || !digits(at, 2, &day) || month < 1 || month > 12)
		return false;
	leap = month == 2 && (year % 400 == 0 ||
		(year % 4 == 0 && year % 100 != 0));
	if (year < 1970 || day < 1 || day > most[month - 1] + leap)
		return false;
	tm.tm_year = year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	*out = (int64_t)timegm(&tm) * SECOND;
	return true;
}

/* clock_of: 10:30, 10:30:05, 10:30:05.123. */
static bool clock_of(const char **at, int64_t *out)
{
	int hour, minute, second = 0, unit = 100, digit;

	if (!digits(at, 2, &hour) || !take(at, ':') || !digits(at, 2, &minute))
		return false;
	if (take(at, ':') && !digits(at, 2, &second))
		return false;
	if (hour > 23 || minute > 59 || second > 60)
		return false;
	*out = (int64_t)hour * HOUR + minute * MINUTE + second * SECOND;
	if (!take(at, '.'))
		return true;
	if (!digits(at, 1, &digit))
		return false;
	do {
		*out += digit * unit;
		unit /= 10;
	} while (digits(at, 1, &digit));
	return true;
}

/* offset_of: Z, +01:00. */
static bool offset_of(const char **at, int64_t *out)
{
	int hour, minute, sign = **at == '-' ? -1 : 1;

	*out = 0;
	if (take(at, 'Z') || take(at, 'z'))
		return true;
	if (!take(at, '+') && !take(at, '-'))
		return false;
	if (!digits(at, 2, &hour) || !take(at, ':') || !digits(at, 2, &minute) ||
	    hour > 23 || minute > 59)
		return false;
	*out = sign * ((int64_t)hour * HOUR + minute * MINUTE);
	return true;
}

/* read_date: a date, and what may follow it. */
static bool read_date(const char *at, bool whole, int64_t *out)
{
	int64_t day, clock = 0, offset = 0;

	if (!day_of(&at, &day))
		return false;
	*out = day;
	if (*at == '\0' && !whole)
		return true;
	if (!take(&at, 'T') && !take(&at, 't') && !take(&at, ' '))
		return false;
	if (!clock_of(&at, &clock))
		return false;
	if ((*at != '\0' || whole) && !offset_of(&at, &offset))
		return false;
	*out = day + clock - offset;
	return *at == '\0';
}

bool moment_of(const char *text, int64_t *out_ms)
{
	return read_date(text, true, out_ms);
}

/* read_ago: "2h", "2h ago". */
static bool read_ago(const char *at, int64_t now, int64_t *out)
{
	static const char units[] = "smhdw";
	static const int64_t lengths[] = {SECOND, MINUTE, HOUR, DAY, WEEK};
	const char *unit;
	int64_t count = 0;
	int digit, num = 0;

	for (; num < 7 && digits(&at, 1, &digit); num++)
		count = count * 10 + digit;
	unit = *at && num > 0 ? strchr(units, *at) : NULL;
	if (!unit || (at[1] != '\0' && strcmp(at + 1, " ago") != 0))
		return false;
	*out = now - count * lengths[unit - units];
	return true;
}

bool moment_read(const char *text, int64_t now_ms, int64_t *out_ms)
{
	int64_t today = now_ms - now_ms % DAY, clock;
	const struct {
		const char *word;
		int64_t ms;
	} words[] = {{"now", now_ms}, {"today", today},
		{"yesterday", today - DAY}};
	const char *at = text;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(text, words[i].word) == 0) {
			*out_ms = words[i].ms;
			return true;
		}
	}
	if (read_ago(text, now_ms, out_ms) || read_date(text, false, out_ms))
		return true;
	if (!clock_of(&at, &clock) || (*at != '\0' && strcmp(at, "Z") != 0))
		return false;
	*out_ms = today + clock > now_ms ? today + clock - DAY : today + clock;
	return true;
}

void moment_text(int64_t ms, char out[MOMENT_SIZE])
{
	time_t second = (time_t)(ms / SECOND);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&second, &tm))
		(void)strftime(out, MOMENT_SIZE, "%Y-%m-%d %H:%M:%SZ", &tm);
}
