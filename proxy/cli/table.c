#include "proxy/cli/table.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/config/mistakes.h"

enum { CELL = 256, GAP = 2 };

static void write_time(json_int_t at, bool day_alone, char out[CELL])
{
	time_t time = (time_t)at;
	struct tm tm;

	out[0] = '\0';
	if (at <= 0 || !gmtime_r(&time, &tm))
		return;
	if (day_alone)
		(void)strftime(out, CELL, "%Y-%m-%d", &tm);
	else
		(void)strftime(out, CELL, "%Y-%m-%d %H:%M:%SZ", &tm);
}

/* cell: what is not said, and what is false, stays empty. Names may be of
 * anybody's making: what can't be shown is not. */
static void cell(const json_t *object, const struct table_column *column,
	char out[CELL])
{
	const json_t *value = json_object_get(object, column->member);

	out[0] = '\0';
	if (column->kind == TABLE_DAY)
		write_time(json_integer_value(value), true, out);
	else if (column->kind == TABLE_TIME)
		write_time(json_integer_value(value), false, out);
	else if (column->kind == TABLE_YES)
		snprintf(out, CELL, "%s", json_is_true(value) ? "yes" : "");
	else if (json_is_integer(value))
		snprintf(out, CELL, "%lld",
			(long long)json_integer_value(value));
	else if (json_is_string(value))
		snprintf(out, CELL, "%s",
			shown(json_string_value(value)).text);
}

unsigned table_letters(const char *text)
{
	unsigned num = 0;

	for (; *text; text++)
		num += ((unsigned char)*text & 0xc0) != 0x80;
	return num;
}

static int width_of(const json_t *list, const struct table_column *column)
{
	size_t most = strlen(column->title), len;
	const json_t *object;
	char text[CELL];
	size_t i;

	json_array_foreach(list, i, object) {
		cell(object, column, text);
		len = table_letters(text);
		most = len > most ? len : most;
	}
	return (int)most;
}

static void print_row(FILE *out, const json_t *object,
	const struct table_column *columns, const int *widths, size_t num)
{
	char text[CELL];

	for (size_t i = 0; i < num; i++) {
		if (object)
			cell(object, &columns[i], text);
		else
			snprintf(text, sizeof(text), "%s", columns[i].title);
		if (i + 1 < num)
			fprintf(out, "%s%*s", text, widths[i] + GAP -
				(int)table_letters(text), "");
		else
			fprintf(out, "%s\n", text);
	}
}

void table_print(FILE *out, const json_t *list,
	const struct table_column *columns, size_t num)
{
	int *widths = calloc(num + 1, sizeof(*widths));
	const json_t *object;
	size_t i;

	if (!widths)
		abort();
	for (i = 0; i < num; i++)
		widths[i] = width_of(list, &columns[i]);
	print_row(out, NULL, columns, widths, num);
	json_array_foreach(list, i, object)
		print_row(out, object, columns, widths, num);
	free(widths);
}

/* print_lines: names may be of anybody's making. */
static void print_lines(FILE *out, int indent, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line;

	if (!copy)
		abort();
	while ((line = strsep(&rest, "\n"))) {
		shown_mask(line);
		fprintf(out, "%s%s", line, rest ? "\n" : "");
		if (rest)
			fprintf(out, "%*s", indent, "");
	}
	fputc('\n', out);
	free(copy);
}

static const char *words(const json_t *object,
	const struct table_column *column, char text[CELL])
{
	const char *whole = json_string_value(
		json_object_get(object, column->member));

	cell(object, column, text);
	return column->kind == TABLE_LINES && whole ? whole : text;
}

void table_list(FILE *out, const json_t *object,
	const struct table_column *columns, size_t num)
{
	char text[CELL];
	size_t most = 0;

	for (size_t i = 0; i < num; i++) {
		size_t len = strlen(columns[i].title);

		most = len > most ? len : most;
	}
	most += GAP;
	for (size_t i = 0; i < num; i++) {
		const char *said = words(object, &columns[i], text);

		if (said[0] == '\0')
			continue;
		fprintf(out, "%-*s", (int)most, columns[i].title);
		print_lines(out, (int)most, said);
	}
}

void table_json(FILE *out, const json_t *value)
{
	char *text = json_dumps(value, JSON_INDENT(2) | JSON_ENCODE_ANY);

	if (!text)
		abort();
	fprintf(out, "%s\n", text);
	free(text);
}
