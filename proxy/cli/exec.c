#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/dress.h"
#include "proxy/cli/errand.h"
#include "proxy/cli/some_proxy.h"
#include "proxy/config/mistakes.h"
#include "proxy/tools/node.h"

extern char **environ;

/* --- where the command begins ------------------------------------------- */

/* takes_next: the option's value is the word behind it. */
static int takes_next(const char *word)
{
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return 0;
	return word[1] == '-' ? !strchr(word, '=') : word[2] == '\0';
}

/* command_at is the place of the command's name; argc: there is none. */
static int command_at(int argc, char **argv, int *out_options)
{
	int i = 0;

	while (i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0)
		i += 1 + takes_next(argv[i]);
	if (i > argc)
		i = argc;
	*out_options = i;
	return i < argc && strcmp(argv[i], "--") == 0 ? i + 1 : i;
}

/* --- node --------------------------------------------------------------- */

/* has_agent: global-agent is there already, which sees to it. */
static bool has_agent(char **argv)
{
	const char *options = getenv("NODE_OPTIONS");

	if (options && strstr(options, "global-agent"))
		return true;
	for (; *argv; argv++) {
		if (strstr(*argv, "global-agent"))
			return true;
	}
	return false;
}

/* warn_of_node: npm and its like have their own way to the proxy, and what else runs
 * may need none: so it is told of node alone. */
static void warn_of_node(char **argv)
{
	char version[64];

	if (!node_is(argv[0]) || has_agent(argv))
		return;
	node_version(argv[0], version, sizeof(version));
	if (node_reach(version) != NODE_ALL)
		fprintf(stderr, "sallyport exec: this node is %s: " NODE_RULE
			"; " NODE_WAYS "\n", shown(version).text);
}

/* --- what takes not all of it, or nothing ------------------------------- */

/* is_one_of: whether command is, whatever folder it is in, of names, NULL-ended. */
static bool is_one_of(const char *command, const char *const *names)
{
	const char *slash = strrchr(command, '/');

	while (*names && strcmp(slash ? slash + 1 : command, *names) != 0)
		names++;
	return *names;
}

/* warn_of_java: else it is a 407 with nothing that says why, though --user was given. */
static void warn_of_java(char **argv, const struct target *target)
{
	static const char *const names[] = {"java", "jshell", "mvn", "mvnw",
		"gradle", "gradlew", "ant", "sbt", NULL};

	if (!strchr(target->url, '@') || !is_one_of(argv[0], names))
		return;
	fputs("sallyport exec: warning: no property of Java's says who asks, and "
		"where the proxy wants a user, it answers 407: mvn takes one "
		"from settings.xml, gradle from systemProp.https.proxyUser and "
		"systemProp.https.proxyPassword in gradle.properties; or the "
		"proxy knows this machine by its address (users.sources)\n",
		stderr);
}

/* warn_of_sudo: the variables do not get past it, unless it is told. */
static void warn_of_sudo(char **argv)
{
	static const char *const names[] = {"sudo", "doas", "pkexec", NULL};
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	bool drops = is_one_of(argv[0], names);

	for (size_t i = 1; argv[i] && drops; i++) {
		if (strcmp(argv[i], "-E") == 0 ||
		    strncmp(argv[i], "--preserve-env", 14) == 0)
			drops = false;
	}
	if (drops)
		fprintf(stderr, "sallyport exec: warning: %s takes the "
			"variables away: \"%s sallyport exec -- ...\", the "
			"other way round, keeps them\n", name, name);
}

/* --- all of it ---------------------------------------------------------- */

static int run_dressed(const struct some_proxy *proxy, char **argv,
	int *out_signal)
{
	struct dress dress;
	char **envp;
	int code = dress_make(&proxy->target, proxy->bench.folder,
		proxy->bench.at, environ, &dress);

	if (code == OPTIONS_FINE) {
		envp = environment_over(&dress.env, environ);
		code = errand_run(argv, envp, out_signal);
		environment_free(envp);
	}
	dress_clear(&dress);
	return code;
}

/* end_by: a shell goes on with a loop whose command was not ended by Ctrl-C. */
static void end_by(int number)
{
	(void)signal(number, SIG_DFL);
	(void)raise(number);
}

static int run_command(const struct target_order *order, char **argv)
{
	struct some_proxy proxy;
	int code, number = 0;

	code = some_proxy_find(order, "exec", &proxy);
	if (code == OPTIONS_FINE) {
		(void)unsetenv("SALLYPORT_PASSWORD"); /* was for us */
		warn_of_node(argv);
		warn_of_java(argv, &proxy.target);
		warn_of_sudo(argv);
		code = run_dressed(&proxy, argv, &number);
	}
	some_proxy_end(&proxy);
	if (number == SIGINT)
		end_by(number);
	return code;
}

static int exec_(const struct command *self, int argc, char **argv)
{
	struct target_order order = {.config = NULL};
	const struct option_row rows[] = {TARGET_ROWS(order)};
	int options, at = command_at(argc, argv, &options);
	int code = options_read(self, options, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code != OPTIONS_FINE)
		return code;
	if (at < argc)
		return run_command(&order, argv + at);
	fputs("sallyport exec: needs a command, as in \"sallyport exec -- npm "
		"ci\"\n", stderr);
	return EXIT_WRONG;
}

const struct command command_exec = {
	.name = "exec",
	.summary = "run a command whose tools use the proxy and trust it",
	.help =
		"usage: sallyport exec [OPTIONS] [--] COMMAND [WORD ...]\n"
		"\n"
		"Runs a command with the variables set by which curl, wget, git,\n"
		"npm, pip, java, cargo, apt and many more find the proxy and trust\n"
		"its root certificate. What was set before is added to, not lost.\n"
		"\n"
		TARGET_HELP
		"\n"
		"Where no proxy runs, and none is named by --proxy, one of its own\n"
		"is started, which ends with the command: by -c FILE, or with a CA\n"
		"that is made for it.\n"
		"\n"
		"Exits as the command does: with its status, 128 and the signal\n"
		"that ended it, 127 if it isn't found, 126 if it can't be run.\n",
	.run = exec_,
};
