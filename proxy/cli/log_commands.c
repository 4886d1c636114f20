/* log_commands.c - what `sallyport log` says of itself. */

#include "proxy/cli/log_commands.h"

#define WHICH \
	"Which lines; all that is given must fit:\n" \
	"  --since, --until TIME   2h (ago), 10:30, yesterday, 2026-11-20,\n" \
	"                          2026-11-20T10:30:00Z; UTC, as the log is\n" \
	"  --host HOST             *.example.com; .example.com: it and all below\n" \
	"  --user NAME             stars may be in it\n" \
	"  --action TEXT           inspect, do-not-inspect, block ...; or what\n" \
	"                          Policy Action begins with, as dropped\n" \
	"  --reason, --kind WORD   as in the log: client-gone; tunnel\n" \
	"  --client NETWORK        10.0.0.0/8\n" \
	"Of what:\n"

static const char query_help[] =
	"usage: sallyport log query [options] [-c FILE]\n"
	"\n"
	"Shows lines of the access log, JSON or CSV, the oldest first.\n"
	"\n"
	WHICH
	"  -c, --config FILE       its log.access, with FILE.1, FILE.2 ...\n"
	"  --file FILE             this instead, or these; \"-\" is standard input\n"
	"How:\n"
	"  --format FORMAT         table (default on a terminal), json or csv\n"
	"  --limit N               only the last N (at most 100000)\n";

static const char tail_help[] =
	"usage: sallyport log tail [options] [-c FILE]\n"
	"\n"
	"Shows the last lines of the access log, and those that come: green what\n"
	"was let through, yellow what was tunnelled, red what was not let through.\n"
	"NO_COLOR=1 leaves the colours out.\n"
	"\n"
	WHICH
	"  -c, --config FILE       its log.access\n"
	"  --file FILE             this instead; \"-\" is standard input\n"
	"How:\n"
	"  --lines N               so many of the last (default 10)\n"
	"  --json                  as JSON\n";

static const char pinned_help[] =
	"usage: sallyport log pinned [options] [-c FILE]\n"
	"\n"
	"Tells which hosts' programs keep refusing the proxy's certificate, as do\n"
	"those that pin their own, and prints the rule that would spare them. It\n"
	"changes nothing: who knows the program decides.\n"
	"\n"
	WHICH
	"  -c, --config FILE       its log.access, with FILE.1, FILE.2 ...\n"
	"  --file FILE             this instead, or these; \"-\" is standard input\n"
	"How:\n"
	"  --least N               refusals that it takes (default 3)\n"
	"  --json                  for programs\n";

static const char log_help[] =
	"usage: sallyport log query [--since TIME] [--host HOST] [...]\n"
	"       sallyport log tail [...]\n"
	"       sallyport log pinned [...]\n"
	"                 each with [--file FILE] [-c FILE]\n"
	"\n"
	"Reads the access log where that is a file (log.access), in JSON or CSV.\n"
	"\n"
	"  query    lines by time, host, user, action, as table, JSON or CSV\n"
	"  tail     those that come, in colours\n"
	"  pinned   hosts whose programs refuse the proxy's certificate, and the\n"
	"           rule that would spare them\n"
	"\n"
	"\"sallyport log query --help\" and so on say more.\n";

const struct command log_words[] = {
	{"log query", "lines by time, host, user, action", query_help,
		log_query},
	{"log tail", "those that come, in colours", tail_help, log_tail},
	{"log pinned", "hosts whose programs refuse our certificate",
		pinned_help, log_pinned},
	{NULL, NULL, NULL, NULL},
};

const struct command command_log = {
	.name = "log",
	.summary = "look at the access log",
	.help = log_help,
	.run = command_group,
};
