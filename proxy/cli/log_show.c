#include "proxy/cli/log_show.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"
#include "proxy/logbook/moment.h"

enum { GAP = 2, URL_LEAST = 24, ACTION = 2, ACTION_MOST = 76, OTHERS = 76 };

static const char *const titles[LOG_COLUMNS] = {"Event Time", "User",
	"Policy Action", "Location", "URL"};
static const unsigned most[LOG_COLUMNS] = {20, 20, 44, 20, 0};

/* most_of: of a wide line, 0 being any, the action and its reason have more. */
static unsigned most_of(int column, unsigned width)
{
	unsigned room = width > OTHERS ? width - OTHERS : 0;

	if (column != ACTION || (width > 0 && room < most[ACTION]))
		return most[column];
	return width == 0 || room > ACTION_MOST ? ACTION_MOST : room;
}

unsigned log_width(FILE *out)
{
	struct winsize size;

	if (ioctl(fileno(out), TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col;
}

/* why_of: more than Policy Action says; "" where there is nothing. Of a rule it says
 * which list it is in, and so its name is more. */
static const char *why_of(const struct entry *entry)
{
	if (entry_is(entry, ENTRY_reason, "blocked-by-rule") &&
	    entry->value[ENTRY_rule])
		return entry->value[ENTRY_rule];
	if ((entry_is(entry, ENTRY_reason, "blocked-by-url-rule") ||
		    entry_is(entry, ENTRY_reason, "isolated")) &&
	    entry->value[ENTRY_url_rule])
		return entry->value[ENTRY_url_rule];
	if (entry->value[ENTRY_client_alert])
		return entry->value[ENTRY_client_alert];
	if (entry->value[ENTRY_client_failure])
		return entry->value[ENTRY_client_failure];
	if (entry->value[ENTRY_reason] && !entry_is(entry, ENTRY_reason, "ok"))
		return entry->value[ENTRY_reason];
	return "";
}

/* put writes text in at most width letters (0: any number), the last a dot where
 * some are missing; returns how many these are. */
static unsigned put(FILE *out, const char *text, unsigned width)
{
	unsigned num = 0, all = table_letters(text);
	const char *end = text;

	if (width == 0 || all <= width) {
		fputs(text, out);
		return all;
	}
	for (; *end; end++) {
		if (((unsigned char)*end & 0xc0) != 0x80 && ++num == width)
			break;
	}
	fprintf(out, "%.*s\xe2\x80\xa6", (int)(end - text), text);
	return width;
}

static char *masked(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	shown_mask(copy);
	return copy;
}

/* --- a table ------------------------------------------------------------ */

/* refusal: the action with its reason behind it, where it is a refusal. Where both do
 * not fit into the column, the action is cut: the reason says more. */
static char *refusal(const struct entry *entry, unsigned width)
{
	char *action = masked(entry_text(entry, ENTRY_policy_action));
	char *why = masked(why_of(entry)), *both = NULL;
	unsigned room = most_of(ACTION, width);
	unsigned tail = table_letters(why) + GAP + 1;
	size_t len = 0;
	FILE *out = why[0] ? open_memstream(&both, &len) : NULL;

	if (!out) {
		free(why);
		return action;
	}
	put(out, action, tail < room ? room - tail : 1);
	fprintf(out, " (%s)", why);
	if (fclose(out) != 0)
		abort();
	free(action);
	free(why);
	return both;
}

/* place: where to, or at least where from. */
static char *place(const struct entry *entry)
{
	const char *what = entry_what(entry);
	char from[80];

	if (what[0] != '\0' || !entry->value[ENTRY_client])
		return masked(what);
	snprintf(from, sizeof(from), "(from %s)", entry->value[ENTRY_client]);
	return masked(from);
}

static void make_row(const struct entry *entry, unsigned width,
	char *row[LOG_COLUMNS])
{
	char at[MOMENT_SIZE];

	moment_text(entry->at_ms, at);
	row[0] = masked(at);
	row[1] = masked(entry_text(entry, ENTRY_user));
	row[2] = refusal(entry, width);
	row[3] = masked(entry_text(entry, ENTRY_location));
	row[4] = place(entry);
}

/* The last column has what is left of the line, or what it needs. */
static void put_row(struct log_table *table, const char *const *row)
{
	unsigned used = 0, last;

	for (int i = 0; i < LOG_COLUMNS - 1; i++) {
		unsigned num = put(table->out, row[i], table->widths[i]);

		fprintf(table->out, "%*s",
			(int)(table->widths[i] + GAP - num), "");
		used += table->widths[i] + GAP;
	}
	last = table->width > used + URL_LEAST ? table->width - used :
						 URL_LEAST;
	put(table->out, row[LOG_COLUMNS - 1], table->width ? last : 0);
	fputc('\n', table->out);
}

static void let_go(struct log_table *table)
{
	if (!table->begun)
		put_row(table, titles);
	table->begun = true;
	for (size_t i = 0; i < table->num; i++) {
		put_row(table, (const char *const *)table->held[i]);
		for (int k = 0; k < LOG_COLUMNS; k++)
			free(table->held[i][k]);
	}
	table->num = 0;
}

static void widen(struct log_table *table, const char *const *row)
{
	unsigned need, room;

	for (int i = 0; i < LOG_COLUMNS - 1; i++) {
		need = table_letters(row[i]);
		room = most_of(i, table->width);
		if (need > room)
			need = room;
		if (need > table->widths[i])
			table->widths[i] = need;
	}
}

void log_table_add(struct log_table *table, const struct entry *entry)
{
	char **row = table->held[table->num++];

	make_row(entry, table->width, row);
	if (!table->begun) {
		widen(table, titles);
		widen(table, (const char *const *)row);
	}
	if (table->begun || table->num == LOG_ROWS_HELD)
		let_go(table);
}

void log_table_end(struct log_table *table)
{
	if (table->num > 0)
		let_go(table);
}

/* --- a line ------------------------------------------------------------- */

enum shade { PLAIN, GREEN, YELLOW, RED };

static enum shade shade_of(const struct entry *entry)
{
	const char *reason = entry_text(entry, ENTRY_reason);
	const char *action = entry_text(entry, ENTRY_policy_action);

	if (strncmp(action, "Blocked", 7) == 0 ||
	    strncmp(action, "Dropped", 7) == 0)
		return RED;
	if (reason[0] != '\0' && strcmp(reason, "ok") != 0)
		return PLAIN;
	return entry_is(entry, ENTRY_kind, "tunnel") ? YELLOW :
		entry_is(entry, ENTRY_kind, "log") ? PLAIN : GREEN;
}

static const char *action_of(const struct entry *entry)
{
	if (entry_is(entry, ENTRY_kind, "tunnel") &&
	    entry_is(entry, ENTRY_reason, "ok"))
		return "Tunnelled";
	return entry_text(entry, ENTRY_policy_action);
}

/* put_words writes text, and the blanks before it, within what is left of *left;
 * UINT_MAX is any. */
static void put_words(FILE *out, const char *text, unsigned *left)
{
	char *copy;

	if (text[0] == '\0' || *left <= GAP + 1)
		return;
	copy = masked(text);
	fprintf(out, "%*s", GAP, "");
	*left -= GAP;
	*left -= put(out, copy, *left);
	free(copy);
}

void log_show_line(FILE *out, const struct entry *entry, bool colour,
	unsigned width)
{
	static const char *const codes[] = {"", "\x1b[32m", "\x1b[33m",
		"\x1b[31m"};
	enum shade shade = colour ? shade_of(entry) : PLAIN;
	unsigned left = width ? width : (unsigned)-1;
	char at[MOMENT_SIZE];

	moment_text(entry->at_ms, at);
	left -= put(out, at + 11, left); /* the time of the day */
	fputs(codes[shade], out);
	put_words(out, action_of(entry), &left);
	fputs(shade == PLAIN ? "" : "\x1b[0m", out);
	put_words(out, entry_text(entry, ENTRY_user), &left);
	put_words(out, entry_what(entry), &left);
	put_words(out, why_of(entry), &left);
	fputc('\n', out);
}
