#include "proxy/cli/log_ask.h"

#include <errno.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "policy/netset.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"
#include "proxy/logbook/moment.h"
#include "proxy/report/log_line.h"
#include "proxy/report/reason.h"

static const char *const rule_actions[] = {"inspect", "do-not-inspect", "block",
	"allow", "isolate"};
enum { NUM_RULE_ACTIONS = sizeof(rule_actions) / sizeof(*rule_actions) };

void log_ask_rows(struct log_ask *ask, struct option_row *rows)
{
	const struct option_row all[LOG_ASK_ROWS] = {
		{.letter = 'c', .name = "config", .value = &ask->config},
		{.name = "file", .list = &ask->list},
		{.name = "since", .value = &ask->since},
		{.name = "until", .value = &ask->until},
		{.name = "host", .value = &ask->filter.host},
		{.name = "user", .value = &ask->filter.user},
		{.name = "action", .value = &ask->filter.action},
		{.name = "reason", .value = &ask->filter.reason},
		{.name = "kind", .value = &ask->filter.kind},
		{.name = "client", .value = &ask->client},
	};

	ask->list = (struct option_list){.at = ask->files,
		.max = LOG_FILES_MAX};
	memcpy(rows, all, sizeof(all));
}

static int read_moment(const struct command *command, const char *name,
	const char *text, int64_t *out)
{
	int64_t now = (int64_t)time(NULL) * 1000 + 999;

	if (!text || moment_read(text, now, out))
		return OPTIONS_FINE;
	return options_wrong(command, name, text, "no time; write 2h (ago), 10:30, "
		"yesterday, 2026-11-20, \"2026-11-20 10:30\" or "
		"2026-11-20T10:30:00Z (UTC)");
}

/* put_those adds to how, behind a comma each, the words that have word in them (NULL:
 * all); false: there are none. */
static bool put_those(const char *word, const char *const *words, size_t num,
	char *how, size_t size)
{
	size_t len = strlen(how), before = len;

	for (size_t i = 0; i < num && len < size; i++) {
		if (!word || strstr(words[i], word))
			len += (size_t)snprintf(how + len, size - len, "%s %s",
				len > before ? "," : "", words[i]);
	}
	return len > before;
}

/* check_word: what no line can have is a typing mistake. */
static int check_word(const struct command *command, const char *option,
	const char *word, const char *const *words, size_t num)
{
	enum { FEW = 8 };
	const char *close;
	char how[512];

	for (size_t i = 0; word && i < num; i++) {
		if (strcmp(words[i], word) == 0)
			word = NULL;
	}
	if (!word)
		return OPTIONS_FINE;
	close = nearest(word, words, num);
	snprintf(how, sizeof(how), close ? "no line has it; did you mean %s?" :
		"no line has it; there is", close);
	if (!close && !put_those(num > FEW ? word : NULL, words, num, how,
			sizeof(how)))
		snprintf(how, sizeof(how), "no line has it; \"man sallyport\" "
			"lists them, below ACCESS LOG");
	return options_wrong(command, option, word, how);
}

/* is_action: some rule's action, or what some Policy Action begins with; as filter
 * has it. */
static bool is_action(const char *word)
{
	for (int i = 0; i < NUM_RULE_ACTIONS; i++) {
		if (strcasecmp(rule_actions[i], word) == 0)
			return true;
	}
	for (int i = 0; i < REASON_COUNT; i++) {
		if (strncasecmp(reason_action((enum reason)i), word,
			    strlen(word)) == 0)
			return true;
	}
	return strncasecmp(LOG_LINE_LOST, word, strlen(word)) == 0;
}

static int check_action(const struct command *command, const char *word)
{
	const char *close;
	char how[160];

	if (!word || is_action(word))
		return OPTIONS_FINE;
	close = nearest(word, rule_actions, NUM_RULE_ACTIONS);
	snprintf(how, sizeof(how), close ? "no line has it; did you mean %s?" :
		"no line has it; it is inspect, do-not-inspect, block, allow or "
		"isolate, or what Policy Action begins with: allowed, blocked, "
		"dropped ...", close);
	return options_wrong(command, "action", word, how);
}

static int check_words(const struct command *command,
	const struct filter *filter)
{
	const char *reasons[REASON_COUNT], *kinds[RECORD_KINDS];
	int code;

	for (int i = 0; i < REASON_COUNT; i++)
		reasons[i] = reason_word((enum reason)i);
	for (int i = 0; i < RECORD_KINDS; i++)
		kinds[i] = log_line_kind((enum record_kind)i);
	code = check_word(command, "reason", filter->reason, reasons,
		REASON_COUNT);
	if (code == OPTIONS_FINE)
		code = check_action(command, filter->action);
	return code == OPTIONS_FINE ? check_word(command, "kind", filter->kind,
		kinds, RECORD_KINDS) : code;
}

static int check_order(const struct command *command,
	const struct log_ask *ask)
{
	if (!ask->since || !ask->until ||
	    ask->filter.since_ms <= ask->filter.until_ms)
		return OPTIONS_FINE;
	return options_wrong(command, "until", ask->until,
		"that is before --since, where no line can be");
}

static int read_client(const struct command *command, struct log_ask *ask)
{
	char err[256];

	if (!ask->client)
		return OPTIONS_FINE;
	ask->filter.client = netset_new();
	if (netset_add(ask->filter.client, ask->client, err, sizeof(err)) == 0)
		return OPTIONS_FINE;
	return options_wrong(command, "client", ask->client, err);
}

/* no_file: the log goes where it can't be read from. A proxy's own file may say
 * otherwise, where none was given here. */
static int no_file(const struct command *command, const char *where,
	const char *config)
{
	if (!config)
		fprintf(stderr, "sallyport %s: no -c FILE was given, so the "
			"defaults count, and log.access is %s there: give the "
			"proxy's -c FILE, or what it was written to with "
			"--file FILE (\"-\" is standard input)\n",
			command->name, shown(where).text);
	else if (strcmp(where, "journald") == 0)
		fprintf(stderr, "sallyport %s: the log goes to the journal "
			"(log.access): \"journalctl -t sallyport\" shows it\n",
			command->name);
	else
		fprintf(stderr, "sallyport %s: log.access is %s, not a file; "
			"name what it was written to with --file FILE "
			"(\"-\" is standard input); of a service: journalctl "
			"-u sallyport -o cat | sallyport %s --file -\n",
			command->name, shown(where).text, command->name);
	return EXIT_FAILED;
}

static int find_file(const struct command *command, struct log_ask *ask)
{
	int code;

	if (ask->list.num > 0)
		return OPTIONS_FINE;
	code = setup_config(ask->config, &ask->settings);
	if (code != OPTIONS_FINE)
		return code;
	return config_logs_to_file(ask->settings) ? OPTIONS_FINE :
		no_file(command, ask->settings->access_log, ask->config);
}

int log_ask_read(const struct command *command, struct log_ask *ask)
{
	int code = read_moment(command, "since", ask->since,
		&ask->filter.since_ms);

	if (code == OPTIONS_FINE)
		code = read_moment(command, "until", ask->until,
			&ask->filter.until_ms);
	if (code == OPTIONS_FINE)
		code = check_order(command, ask);
	if (code == OPTIONS_FINE)
		code = check_words(command, &ask->filter);
	if (code == OPTIONS_FINE)
		code = read_client(command, ask);
	return code == OPTIONS_FINE ? find_file(command, ask) : code;
}

static int not_opened(const char *path)
{
	fprintf(stderr, "sallyport: %s can't be read: %s%s\n",
		shown(path).text, strerror(errno), errno == EACCES ?
		"; the log is its proxy's, and root's, to read" : "");
	return EXIT_FAILED;
}

int log_ask_open(const struct log_ask *ask, struct book *book)
{
	const char *path;

	for (size_t i = ask->list.num; i > 0; i--) {
		path = ask->list.at[i - 1];
		if (book_add(book, path) != 0)
			return not_opened(path);
	}
	if (ask->list.num > 0)
		return OPTIONS_FINE;
	path = ask->settings->access_log;
	/* It is not there for a moment while it is turned. */
	if ((book_add(book, path) != 0 && errno != ENOENT) ||
	    book_add_rotated(book, path) != 0)
		return not_opened(path);
	if (book->num > 0)
		return OPTIONS_FINE;
	errno = ENOENT;
	return not_opened(path);
}

int log_ask_end(const struct book *book)
{
	if (book->foreign > 0)
		fprintf(stderr, "sallyport: passed over %llu line%s that %s "
			"not the access log's, or not whole\n",
			(unsigned long long)book->foreign,
			book->foreign == 1 ? "" : "s",
			book->foreign == 1 ? "is" : "are");
	if (book->error == 0)
		return EXIT_DONE;
	fprintf(stderr, "sallyport: the log can't be read to its end: %s\n",
		strerror(book->error));
	return EXIT_FAILED;
}

void log_ask_clear(struct log_ask *ask)
{
	netset_free(ask->filter.client);
	config_free(ask->settings);
	*ask = (struct log_ask){.config = NULL};
}
