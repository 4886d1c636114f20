#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proxy/cli/client.h"
#include "proxy/cli/command.h"
#include "proxy/cli/options.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/table.h"
#include "proxy/config/config.h"

enum { TEXT = 320, LIMIT_MAX = 10000 };

static uint64_t number(const json_t *object, const char *key)
{
	return (uint64_t)json_integer_value(json_object_get(object, key));
}

static void put(json_t *object, const char *key, const char *text)
{
	(void)json_object_set_new(object, key, json_string(text));
}

/* put_age: nobody wants to know it better than that. */
static void put_age(json_t *object, const char *key, uint64_t ms)
{
	uint64_t s = ms / 1000;
	char text[TEXT];

	if (ms < 10000)
		snprintf(text, sizeof(text), "%" PRIu64 ".%" PRIu64 "s", s,
			ms % 1000 / 100);
	else if (s < 120)
		snprintf(text, sizeof(text), "%" PRIu64 "s", s);
	else if (s < 2 * 3600)
		snprintf(text, sizeof(text), "%" PRIu64 "m", s / 60);
	else
		snprintf(text, sizeof(text), "%" PRIu64 "h", s / 3600);
	put(object, key, text);
}

static void put_bytes(json_t *object, const char *key)
{
	static const char units[] = " KMGTPE";
	uint64_t bytes = number(object, key);
	char text[TEXT];
	size_t unit = 0;

	for (; bytes >= 10000; bytes /= 1024)
		unit++;
	snprintf(text, sizeof(text), "%" PRIu64 "%.*s", bytes, unit > 0,
		units + unit);
	put(object, key, text);
}

static void put_where(json_t *object)
{
	const char *host = json_string_value(json_object_get(object, "host"));
	uint64_t port = number(object, "port");
	char text[TEXT];

	if (!host)
		return;
	if (port == 0)
		snprintf(text, sizeof(text), "%s", host);
	else
		snprintf(text, sizeof(text), "%s:%" PRIu64, host, port);
	put(object, "host", text);
}

static void show(json_t *answer)
{
	static const struct table_column columns[] = {
		{"AGE", "ageMs", TABLE_TEXT}, {"CLIENT", "client", TABLE_TEXT},
		{"USER", "user", TABLE_TEXT}, {"HOST", "host", TABLE_TEXT},
		{"STEP", "step", TABLE_TEXT}, {"FOR", "stepMs", TABLE_TEXT},
		{"WAITS FOR", "waitsFor", TABLE_TEXT},
		{"IN", "bytesIn", TABLE_TEXT}, {"OUT", "bytesOut", TABLE_TEXT},
	};
	json_t *sessions = json_object_get(answer, "sessions"), *one;
	uint64_t left = number(answer, "all") - json_array_size(sessions);
	size_t i;

	json_array_foreach(sessions, i, one) {
		put_age(one, "ageMs", number(one, "ageMs"));
		put_age(one, "stepMs", number(one, "stepMs"));
		put_bytes(one, "bytesIn");
		put_bytes(one, "bytesOut");
		put_where(one);
	}
	table_print(stdout, sessions, columns,
		sizeof(columns) / sizeof(*columns));
	if (left > 0)
		printf("and %" PRIu64 " more: --limit shows more of them\n",
			left);
}

static int ask(const struct config *config, const char *limit,
	struct client_reply *reply)
{
	struct client *client;
	char *path;
	int code = client_dial(config, &client);

	if (code != OPTIONS_FINE)
		return code;
	if (!client) {
		fprintf(stderr, "sallyport: no proxy runs with the state folder "
			"%s: there are no connections. Where Sallyport runs as "
			"a service, ask as root or with its -c FILE\n",
			config->state);
		return EXIT_FAILED;
	}
	path = client_path("/sallyport/sessions?limit=", limit);
	code = client_call(client, "GET", path, NULL, reply);
	free(path);
	client_close(client);
	return code;
}

static int sessions(const struct command *self, int argc, char **argv)
{
	const char *file = NULL, *limit = NULL;
	unsigned count;
	bool json = false;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
		{.name = "limit", .value = &limit},
		{.name = "json", .flag = &json},
	};
	struct client_reply reply = {.status = 0};
	struct config *config = NULL;
	int code = options_read(self, argc, argv, rows, 3);

	if (code == OPTIONS_FINE)
		code = options_count(self, "limit", limit, LIMIT_MAX, &count);
	if (code == OPTIONS_FINE)
		code = setup_config(file, &config);
	if (code == OPTIONS_FINE)
		code = ask(config, limit ? limit : "100", &reply);
	if (code == OPTIONS_FINE && json)
		table_json(stdout, reply.json);
	else if (code == OPTIONS_FINE)
		show(reply.json);
	client_reply_clear(&reply);
	config_free(config);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

const struct command command_sessions = {
	.name = "sessions",
	.summary = "the connections that are open, and what they wait for",
	.help =
		"usage: sallyport sessions [--limit N] [--json] [-c FILE]\n"
		"\n"
		"The connections of clients to the running proxy, oldest first: since\n"
		"when, whose, where to, the step each is at and for how long, what it\n"
		"waits for, and its bytes from and to the client.\n"
		"\n"
		"  --limit N           at the most so many (default 100, up to 10000)\n"
		"  --json              for programs\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"\n"
		"Steps: serve (HTTP), peek (what does it speak?), resolve, decide,\n"
		"tunnel and leaf (the origin), forge (the certificate), handshake (the\n"
		"client's), inside, relay (bytes as they are), linger, close; outer:\n"
		"TLS to the proxy itself.\n",
	.run = sessions,
};
