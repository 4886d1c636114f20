#include "pki/dertime.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* digits reads n digits as a number; -1 when there is something else. */
static int digits(CBS *in, int n)
{
	int value = 0;

	for (int i = 0; i < n; i++) {
		uint8_t c;

		if (!CBS_get_u8(in, &c) || c < '0' || c > '9')
			return -1;
		value = value * 10 + (c - '0');
	}
	return value;
}

/* RFC 5280, 4.1.2.5.1: two digits from 50 on are the last century. */
static int read_year(CBS *in, unsigned tag)
{
	int year;

	if (tag == CBS_ASN1_GENERALIZEDTIME)
		return digits(in, 4);
	year = digits(in, 2);
	if (year < 0)
		return -1;
	return year >= 50 ? 1900 + year : 2000 + year;
}

static bool right_day(const struct tm *tm)
{
	static const int lengths[] = {
		31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31,
	};
	int year = tm->tm_year + 1900, length;

	if (tm->tm_mon < 0 || tm->tm_mon > 11 || tm->tm_mday < 1)
		return false;
	length = lengths[tm->tm_mon];
	if (tm->tm_mon == 1 && year % 4 == 0 &&
	    (year % 100 != 0 || year % 400 == 0))
		length = 29;
	return tm->tm_mday <= length;
}

static bool right_hour(const struct tm *tm)
{
	return tm->tm_hour >= 0 && tm->tm_hour < 24 && tm->tm_min >= 0 &&
		tm->tm_min < 60 && tm->tm_sec >= 0 && tm->tm_sec < 60;
}

int dertime_read(CBS *in, time_t *out)
{
	struct tm tm = {0};
	unsigned tag;
	CBS text;
	uint8_t zone;
	int year;

	if (!CBS_get_any_asn1(in, &text, &tag) ||
	    (tag != CBS_ASN1_UTCTIME && tag != CBS_ASN1_GENERALIZEDTIME))
		return -1;
	year = read_year(&text, tag);
	tm.tm_year = year - 1900;
	tm.tm_mon = digits(&text, 2) - 1;
	tm.tm_mday = digits(&text, 2);
	tm.tm_hour = digits(&text, 2);
	tm.tm_min = digits(&text, 2);
	tm.tm_sec = digits(&text, 2);
	if (year < 0 || !right_day(&tm) || !right_hour(&tm) ||
	    !CBS_get_u8(&text, &zone) || zone != 'Z' || CBS_len(&text) != 0)
		return -1;
	*out = timegm(&tm);
	return 0;
}

bool dertime_write(CBB *out, time_t at)
{
	char text[64];
	struct tm tm;
	CBB time;
	bool utc;

	if (!gmtime_r(&at, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return false;
	utc = tm.tm_year >= 50 && tm.tm_year < 150;
	if (utc)
		snprintf(text, sizeof(text), "%02d", tm.tm_year % 100);
	else
		snprintf(text, sizeof(text), "%04d", tm.tm_year + 1900);
	snprintf(text + strlen(text), sizeof(text) - strlen(text),
		"%02d%02d%02d%02d%02dZ", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
		tm.tm_min, tm.tm_sec);
	return CBB_add_asn1(out, &time, utc ? CBS_ASN1_UTCTIME :
			CBS_ASN1_GENERALIZEDTIME) &&
		CBB_add_bytes(&time, (const uint8_t *)text, strlen(text)) &&
		CBB_flush(out);
}

const char *dertime_text(time_t at, char out[DERTIME_TEXT])
{
	struct tm tm;

	if (!gmtime_r(&at, &tm) ||
	    strftime(out, DERTIME_TEXT, "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		snprintf(out, DERTIME_TEXT, "an unknown time");
	return out;
}
