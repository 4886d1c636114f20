#include "proxy/config/units.h"

#include <stddef.h>
#include <string.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit plain[] = {{"", 1}};

static const struct unit sizes[] = {
	{"", 1}, {"KB", 1024}, {"MB", 1024 * 1024}, {"GB", 1024 * 1024 * 1024},
};

static const struct unit durations[] = {
	{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000},
	{"d", 24 * 3600 * 1000},
};

static int read_number(const char *text, const struct unit *units, size_t num,
	uint64_t *out)
{
	/* Nine digits times the largest unit are far from overflowing. */
	size_t digits = strspn(text, "0123456789");
	uint64_t value = 0;

	if (digits == 0 || digits > 9)
		return -1;
	for (size_t i = 0; i < digits; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	for (size_t i = 0; i < num; i++) {
		if (strcmp(text + digits, units[i].name) != 0)
			continue;
		*out = value * units[i].factor;
		return 0;
	}
	return -1;
}

int units_count(const char *text, uint64_t *out)
{
	return read_number(text, plain, 1, out);
}

int units_size(const char *text, uint64_t *out)
{
	return read_number(text, sizes, sizeof(sizes) / sizeof(sizes[0]), out);
}

int units_duration(const char *text, uint64_t *out_ms)
{
	return read_number(text, durations,
		sizeof(durations) / sizeof(durations[0]), out_ms);
}
