#include <openssl/mem.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "pki/keylock.h"
#include "proxy/cli/hidden.h"
#include "proxy/cli/options.h"
#include "proxy/core/supervisor.h"

/* Keys locked with a mistake in typing could never be opened again. */
static int ask_passphrase(char *out, size_t size, bool twice)
{
	char again[KEYLOCK_PASSPHRASE_MAX];
	int len = hidden_line("passphrase of the private keys: ", out, size);
	int more;

	if (len <= 0 || !twice || !isatty(STDIN_FILENO))
		return len;
	more = hidden_line("the same again: ", again, sizeof(again));
	if (more != len || memcmp(out, again, (size_t)len) != 0)
		len = -1;
	OPENSSL_cleanse(again, sizeof(again));
	return len;
}

static int run(const struct command *self, int argc, char **argv)
{
	struct supervisor_options options = {.path = NULL};
	bool ask = false;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &options.path},
		{.name = "ask-passphrase", .flag = &ask},
	};
	int code = options_read(self, argc, argv, rows, 2);

	if (code != OPTIONS_FINE)
		return code;
	if (ask)
		options.ask = ask_passphrase;
	return supervisor_run(&options);
}

const struct command command_run = {
	.name = "run",
	.summary = "run the proxy",
	.help =
		"usage: sallyport run [-c FILE] [--ask-passphrase]\n"
		"\n"
		"Runs the proxy until it is told to stop. Without a file it\n"
		"listens on 127.0.0.1:8080 and inspects all TLS, with a CA of\n"
		"its own that is made at the first start.\n"
		"\n"
		"  -c, --config FILE   the configuration (YAML)\n"
		"  --ask-passphrase    read the passphrase of the private keys\n"
		"                      from the terminal (twice at the first\n"
		"                      start), or from standard input\n"
		"\n"
		"Signals: HUP reads the file again and opens the log anew; what\n"
		"is under way goes on, and a file with mistakes changes nothing.\n"
		"TERM and INT stop it: no new connections, those under way may\n"
		"end (limits.drain-timeout); a second one stops it at once.\n"
		"USR1 prints a line of figures.\n"
		"\n"
		"The settings are in the manual, sallyport(8); \"sallyport check\"\n"
		"holds a file against them.\n",
	.run = run,
};
