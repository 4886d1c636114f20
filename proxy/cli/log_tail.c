/* log_tail.c - `sallyport log tail`. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/log_ask.h"
#include "proxy/cli/log_commands.h"
#include "proxy/cli/log_show.h"
#include "proxy/logbook/latest.h"
#include "proxy/logbook/trail.h"

enum { LINES_MAX = 10000, LINES = 10, PAUSE_US = 200 * 1000 };

struct tail {
	struct log_ask ask;
	const char *lines_word;
	unsigned lines;
	bool json, colour;
	struct trail trail;    /* owned */
	struct entry entry;    /* owned */
	struct latest latest;  /* owned */
	struct json_line line; /* owned: what is being written */
};

static void print(struct tail *tail, const struct entry *entry)
{
	struct json_line *line = &tail->line;

	if (!tail->json) {
		log_show_line(stdout, entry, tail->colour, log_width(stdout));
		return;
	}
	line->len = 0;
	entry_write(line, LOG_JSON, entry);
	(void)fwrite(line->text, 1, line->len, stdout);
}

static void show_last(struct tail *tail)
{
	struct entry_columns columns = {.num = 0};

	while (trail_next(&tail->trail, &tail->entry)) {
		if (filter_fits(&tail->ask.filter, &tail->entry))
			latest_add(&tail->latest, &tail->entry);
	}
	for (size_t i = 0; i < tail->latest.num; i++) {
		const char *line = latest_at(&tail->latest, i);

		if (entry_read(&tail->entry, line, strlen(line), &columns) ==
			ENTRY_FINE)
			print(tail, &tail->entry);
	}
	latest_close(&tail->latest);
}

static int not_read(const char *path, int error)
{
	fprintf(stderr, "sallyport: %s can't be read: %s\n", path,
		strerror(error));
	return EXIT_FAILED;
}

/* follow: standard input is read to its end, a file goes on. */
static int follow(struct tail *tail, const char *path)
{
	bool is_input = strcmp(path, "-") == 0;

	if (trail_open(&tail->trail, path) != 0)
		return not_read(path, errno);
	if (!is_input)
		show_last(tail);
	while (!ferror(stdout)) {
		while (trail_next(&tail->trail, &tail->entry)) {
			if (!filter_fits(&tail->ask.filter, &tail->entry))
				continue;
			print(tail, &tail->entry);
			if (is_input)
				fflush(stdout);
		}
		fflush(stdout);
		if (tail->trail.lines.error)
			return not_read(path, tail->trail.lines.error);
		if (is_input)
			break;
		usleep(PAUSE_US);
	}
	return EXIT_DONE;
}

static const char *path_of(const struct command *self, struct tail *tail)
{
	if (tail->ask.list.num == 0)
		return tail->ask.settings->access_log;
	if (tail->ask.list.num == 1)
		return tail->ask.list.at[0];
	fprintf(stderr, "sallyport %s: follows one file\n", self->name);
	return NULL;
}

static int run(const struct command *self, struct tail *tail)
{
	const char *path = path_of(self, tail), *no = getenv("NO_COLOR");

	if (!path)
		return EXIT_WRONG;
	tail->colour = isatty(STDOUT_FILENO) && (!no || no[0] == '\0');
	latest_open(&tail->latest, tail->lines);
	return follow(tail, path);
}

int log_tail(const struct command *self, int argc, char **argv)
{
	struct tail tail = {.lines = LINES, .trail = {.lines = {.fd = -1}}};
	struct option_row rows[LOG_ASK_ROWS + 2] = {{.name = NULL}};
	int code;

	log_ask_rows(&tail.ask, rows);
	rows[LOG_ASK_ROWS] = (struct option_row){.name = "lines",
		.value = &tail.lines_word};
	rows[LOG_ASK_ROWS + 1] = (struct option_row){.name = "json",
		.flag = &tail.json};
	code = options_read(self, argc, argv, rows, LOG_ASK_ROWS + 2);
	if (code == OPTIONS_FINE)
		code = options_count(self, "lines", tail.lines_word, LINES_MAX,
			&tail.lines);
	if (code == OPTIONS_FINE)
		code = log_ask_read(self, &tail.ask);
	if (code == OPTIONS_FINE)
		code = run(self, &tail);
	trail_close(&tail.trail);
	latest_close(&tail.latest);
	entry_clear(&tail.entry);
	free(tail.line.text);
	log_ask_clear(&tail.ask);
	return code;
}
