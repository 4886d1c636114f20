#include "proxy/config/fixed.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/config/values.h"

static bool same_endpoints(const void *a, const void *b)
{
	const struct endpoints *x = a, *y = b;

	if (x->num != y->num)
		return false;
	for (size_t i = 0; i < x->num; i++) {
		if (strcmp(x->at[i].text, y->at[i].text) != 0)
			return false;
	}
	return true;
}

static bool same_count(const void *a, const void *b)
{
	return *(const unsigned *)a == *(const unsigned *)b;
}

static bool same_size(const void *a, const void *b)
{
	return *(const size_t *)a == *(const size_t *)b;
}

static bool same_text(const void *a, const void *b)
{
	const char *x = *(char *const *)a, *y = *(char *const *)b;

	return x && y ? strcmp(x, y) == 0 : x == y;
}

static const struct {
	field_read *read;
	bool (*same)(const void *a, const void *b);
} kinds[] = {
	{read_endpoints, same_endpoints},
	{read_count, same_count},
	{read_size, same_size},
	{read_state, same_text},
	{read_dns, same_text},
	{read_file, same_text},
};

static bool same(const struct field *field, const struct config *a,
	const struct config *b)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (kinds[i].read == field->read)
			return kinds[i].same((const char *)a + field->offset,
				(const char *)b + field->offset);
	}
	abort(); /* a row of a kind that the table lacks */
}

const char *fixed_next(const struct config *a, const struct config *b,
	size_t *at)
{
	while (*at < num_fields) {
		const struct field *field = &fields[(*at)++];

		if (field->needs == NEEDS_start && !same(field, a, b))
			return field->path;
	}
	return NULL;
}
