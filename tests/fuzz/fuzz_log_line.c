/*
 * fuzz_log_line.c - lines of the access log, read back from any bytes.
 *
 * What is in a log is of anybody's making, and a file may be none of ours at all.
 * What is taken for a line of the log is written, in either form, as one line of
 * printable text, which is read as the same again. Its text never ends up behind
 * its end, and moves no terminal.
 *
 * The input is a whole file: headings in it hold for the lines behind them.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/log_show.h"
#include "proxy/logbook/entry.h"
#include "proxy/logbook/filter.h"
#include "proxy/logbook/verdicts.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* is_line: one, and nothing in it that a terminal or a parser would obey. */
static void is_line(const struct json_line *line, bool csv)
{
	size_t len = line->len - 1 - csv;

	must(line->len > 2 && line->text[line->len - 1] == '\n');
	must(!csv || line->text[len] == '\r');
	for (size_t i = 0; i < len; i++)
		must((unsigned char)line->text[i] >= ' ' &&
			line->text[i] != 0x7f);
}

static void write_as(struct json_line *line, enum log_form form,
	const struct entry *entry)
{
	line->len = 0;
	entry_write(line, form, entry);
	is_line(line, form == LOG_CSV);
}

static void read_again(struct entry *entry, const struct json_line *line,
	int64_t at_ms)
{
	struct entry_columns columns = {.num = 0};

	must(entry_read(entry, line->text, line->len - 1, &columns) ==
		ENTRY_FINE);
	must(entry->at_ms == at_ms);
}

/* check_again: what was written is read, and written again, as it was. What was no
 * UTF-8 has become some by then. */
static void check_again(const struct entry *entry, enum log_form form)
{
	struct json_line line = {0}, other = {0};
	struct entry again = {.line = NULL};

	write_as(&line, form, entry);
	read_again(&again, &line, entry->at_ms);
	if (form == LOG_JSON) {
		for (int i = 0; i < ENTRY_FIELDS; i++)
			must(!again.value[i] || entry->value[i]);
		write_as(&line, form, &again);
		read_again(&again, &line, entry->at_ms);
		write_as(&other, form, &again);
		must(line.len == other.len &&
			memcmp(line.text, other.text, line.len) == 0);
	}
	entry_clear(&again);
	free(line.text);
	free(other.text);
}

/* show has it put where people look at it. */
static void show(const struct entry *entry)
{
	struct log_table table = {.width = 80};
	char *text = NULL;
	size_t len;

	table.out = open_memstream(&text, &len);
	must(table.out != NULL);
	log_table_add(&table, entry);
	log_table_end(&table);
	log_show_line(table.out, entry, false, 60);
	must(fclose(table.out) == 0);
	for (size_t i = 0; i < len; i++)
		must(((unsigned char)text[i] >= ' ' && text[i] != 0x7f) ||
			text[i] == '\n');
	free(text);
}

/* same_with_blank: plain.h leaves a line with a blank before its end to jansson. */
static void same_with_blank(const struct entry *entry)
{
	struct entry_columns columns = {.num = 0};
	struct entry again = {.line = NULL};
	char *line = malloc(entry->len + 1);

	must(line != NULL);
	memcpy(line, entry->line, entry->len);
	memcpy(line + entry->len - 1, " }", 2);
	must(entry_read(&again, line, entry->len + 1, &columns) == ENTRY_FINE);
	must(again.tree != NULL && again.at_ms == entry->at_ms);
	for (int i = 0; i < ENTRY_FIELDS; i++)
		must(entry->value[i] ? again.value[i] && strcmp(entry->value[i],
			again.value[i]) == 0 : !again.value[i]);
	entry_clear(&again);
	free(line);
}

static void check(struct entry *entry, struct refusals *refusals)
{
	const struct filter filter = {.host = ".a*", .user = "*a*",
		.action = "inspect"};

	if (entry->is_json && !entry->tree)
		same_with_blank(entry);
	check_again(entry, LOG_JSON);
	check_again(entry, LOG_CSV);
	show(entry);
	(void)filter_fits(&filter, entry);
	refusals_add(refusals, entry, true);
}

/* judge: whatever the lines were, there are rules to paste, or none. */
static void judge(struct refusals *refusals)
{
	struct verdicts verdicts;

	verdicts_find(refusals, 1, &verdicts);
	verdicts_clear(&verdicts);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry_columns columns = {.num = 0};
	struct entry entry = {.line = NULL};
	struct refusals refusals;
	const uint8_t *end = data + size, *next;
	char *line;

	refusals_open(&refusals);
	for (; data < end; data = next + 1) {
		size_t len;

		next = memchr(data, '\n', (size_t)(end - data));
		next = next ? next : end - 1;
		len = (size_t)(next - data) + (*next != '\n');
		/* of memory of just that size, so that a read past it is seen */
		line = malloc(len + !len);
		must(line != NULL);
		memcpy(line, data, len);
		if (entry_read(&entry, line, len, &columns) == ENTRY_FINE)
			check(&entry, &refusals);
		free(line);
	}
	judge(&refusals);
	refusals_close(&refusals);
	entry_clear(&entry);
	return 0;
}
