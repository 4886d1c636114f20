#include "proxy/logbook/marks.h"

#include <openssl/rand.h>
#include <openssl/siphash.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST = 1024, TEXT_MAX = 2048 };

static uint64_t *table_of(size_t cap)
{
	uint64_t *table = calloc(cap, sizeof(*table));

	if (!table)
		abort();
	return table;
}

void marks_open(struct marks *marks)
{
	*marks = (struct marks){.cap = FIRST, .at = table_of(FIRST)};
	RAND_bytes((uint8_t *)marks->key, sizeof(marks->key));
}

void marks_close(struct marks *marks)
{
	free(marks->at);
	*marks = (struct marks){.at = NULL};
}

uint64_t marks_hash(const struct marks *marks, int kind, ...)
{
	uint8_t text[TEXT_MAX] = {(uint8_t)kind};
	const char *part;
	size_t at = 1, len;
	uint64_t hash;
	va_list parts;

	va_start(parts, kind);
	while ((part = va_arg(parts, const char *))) {
		len = strnlen(part, sizeof(text) - at - 1);
		memcpy(text + at, part, len);
		at += len;
		if (at < sizeof(text) - 1)
			text[at++] = '\0';
	}
	va_end(parts);
	hash = SIPHASH_24(marks->key, text, at);
	return hash ? hash : 1;
}

static size_t place_of(const uint64_t *table, size_t cap, uint64_t hash)
{
	size_t place = hash & (cap - 1);

	while (table[place] != 0 && table[place] != hash)
		place = (place + 1) & (cap - 1);
	return place;
}

static void grow(struct marks *marks)
{
	size_t cap = marks->cap * 2;
	uint64_t *table = table_of(cap);

	for (size_t i = 0; i < marks->cap; i++) {
		if (marks->at[i])
			table[place_of(table, cap, marks->at[i])] =
				marks->at[i];
	}
	free(marks->at);
	marks->at = table;
	marks->cap = cap;
}

bool marks_put(struct marks *marks, uint64_t hash)
{
	size_t place = place_of(marks->at, marks->cap, hash);

	if (marks->at[place] == hash)
		return true;
	if (marks->num == MARKS_MAX)
		return false;
	marks->at[place] = hash;
	if (++marks->num * 2 > marks->cap)
		grow(marks);
	return true;
}

bool marks_has(const struct marks *marks, uint64_t hash)
{
	return marks->at[place_of(marks->at, marks->cap, hash)] == hash;
}
