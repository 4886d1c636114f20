/* log_query.c - `sallyport log query`. */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/log_ask.h"
#include "proxy/cli/log_commands.h"
#include "proxy/cli/log_show.h"
#include "proxy/config/mistakes.h"
#include "proxy/logbook/latest.h"

enum { LIMIT_MAX = 100000 };
enum format { FORMAT_TABLE, FORMAT_JSON, FORMAT_CSV };

struct query {
	struct log_ask ask;
	const char *format_word, *limit_word;
	enum format format;
	unsigned limit; /* 0: all */
	struct log_table table;
	struct json_line line; /* owned: what is being written */
	struct latest latest;  /* owned */
};

static int read_format(const struct command *self, struct query *query)
{
	static const char *const words[] = {"table", "json", "csv"};

	query->format = isatty(STDOUT_FILENO) ? FORMAT_TABLE : FORMAT_JSON;
	for (int i = 0; query->format_word && i < 3; i++) {
		if (strcmp(words[i], query->format_word) == 0) {
			query->format = (enum format)i;
			return OPTIONS_FINE;
		}
	}
	return query->format_word ? options_wrong(self, "format",
		query->format_word, "it is table, json or csv") : OPTIONS_FINE;
}

/* obeys: a terminal would obey what is in the line as it is, which the log would
 * have escaped: somebody else wrote that. A plain line has no tree. */
static bool obeys(const struct entry *entry)
{
	char *copy;
	bool same;

	if (!entry->tree)
		return false;
	copy = strndup(entry->line, entry->len);
	if (!copy)
		abort();
	shown_mask(copy);
	same = memcmp(copy, entry->line, entry->len) == 0;
	free(copy);
	return !same;
}

static void print_json(const struct entry *entry)
{
	char *text = obeys(entry) ? json_dumps(entry->tree,
		JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	if (text)
		(void)fputs(text, stdout);
	else
		(void)fwrite(entry->line, 1, entry->len, stdout);
	putchar('\n');
	free(text);
}

static void print(struct query *query, const struct entry *entry)
{
	struct json_line *line = &query->line;

	if (query->format == FORMAT_TABLE) {
		log_table_add(&query->table, entry);
		return;
	}
	if (query->format == FORMAT_JSON && entry->is_json) {
		print_json(entry);
		return;
	}
	line->len = 0;
	entry_write(line, query->format == FORMAT_CSV ? LOG_CSV : LOG_JSON,
		entry);
	(void)fwrite(line->text, 1, line->len, stdout);
}

static void print_latest(struct query *query, struct entry *entry)
{
	struct entry_columns columns = {.num = 0};

	for (size_t i = 0; i < query->latest.num; i++) {
		const char *line = latest_at(&query->latest, i);

		if (entry_read(entry, line, strlen(line), &columns) ==
			ENTRY_FINE)
			print(query, entry);
	}
	if (latest_missing(&query->latest) > 0)
		fprintf(stderr, "sallyport: %llu of the last lines are left out: "
			"together they are too long\n",
			(unsigned long long)latest_missing(&query->latest));
}

static void begin(struct query *query)
{
	struct json_line *line = &query->line;

	query->table.out = stdout;
	query->table.width = log_width(stdout);
	if (query->format != FORMAT_CSV)
		return;
	log_line_header(line, LOG_CSV);
	(void)fwrite(line->text, 1, line->len, stdout);
}

static int run(struct query *query)
{
	struct book book = {.num = 0};
	struct entry entry = {.line = NULL};
	int code = log_ask_open(&query->ask, &book);

	if (code == OPTIONS_FINE) {
		begin(query);
		while (!ferror(stdout) && book_next(&book, &entry)) {
			if (!filter_fits(&query->ask.filter, &entry))
				continue;
			if (query->limit > 0)
				latest_add(&query->latest, &entry);
			else
				print(query, &entry);
		}
		print_latest(query, &entry);
		log_table_end(&query->table);
		if (query->format == FORMAT_TABLE && !query->table.begun)
			fputs("sallyport: no line fits\n", stderr);
		code = log_ask_end(&book);
	}
	entry_clear(&entry);
	book_close(&book);
	return code;
}

int log_query(const struct command *self, int argc, char **argv)
{
	struct query query = {.format_word = NULL};
	struct option_row rows[LOG_ASK_ROWS + 2] = {{.name = NULL}};
	int code;

	log_ask_rows(&query.ask, rows);
	rows[LOG_ASK_ROWS] = (struct option_row){.name = "format",
		.value = &query.format_word};
	rows[LOG_ASK_ROWS + 1] = (struct option_row){.name = "limit",
		.value = &query.limit_word};
	code = options_read(self, argc, argv, rows, LOG_ASK_ROWS + 2);
	if (code == OPTIONS_FINE)
		code = read_format(self, &query);
	if (code == OPTIONS_FINE)
		code = options_count(self, "limit", query.limit_word,
			LIMIT_MAX, &query.limit);
	if (code == OPTIONS_FINE)
		code = log_ask_read(self, &query.ask);
	if (code == OPTIONS_FINE) {
		latest_open(&query.latest, query.limit);
		code = run(&query);
	}
	latest_close(&query.latest);
	free(query.line.text);
	log_ask_clear(&query.ask);
	return code;
}
