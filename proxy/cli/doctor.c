#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/cli/ask_tool.h"
#include "proxy/cli/dress.h"
#include "proxy/cli/finding.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/some_proxy.h"
#include "proxy/cli/table.h"
#include "proxy/cli/user_ask.h"
#include "proxy/config/mistakes.h"
#include "proxy/portal/portal.h"
#include "proxy/tools/node.h"
#include "proxy/tools/program.h"
#include "proxy/tools/tools.h"
#include "proxy/tools/variables.h"

/* The proxy's own site: it needs no other, and nothing leaves this machine for it. */
#define CANARY MAGIC_HOST ":443"
#define CANARY_URL "https://" MAGIC_HOST "/"

enum { TOOLS_MAX = 100, VERSION = 64 };

extern char **environ;

static volatile sig_atomic_t stop; /* for the handler */

struct doctor {
	struct some_proxy proxy;
	struct tap *tap;         /* owned */
	struct dress dress;      /* what exec would set */
	char **bare, **dressed;  /* owned */
	char *folder;            /* owned: where they run */
	const struct target_order *order; /* borrowed */
	struct option_list names;
	bool json, ill;
	enum user_answer nobody, user; /* what it says to nobody, and to ours */
	json_t *rows, *absent, *unasked, *unfit; /* owned */
	/* Of the rows, for what stands below them. */
	bool seen[TOOL_ANSWERS];   /* that answer */
	bool old;                  /* a node that uses no proxy */
	bool refused;              /* one that the proxy wants another user of */
	UT_string failed;          /* a line for each that does not work under exec */
};

/* --- words -------------------------------------------------------------- */

/* leads: the variable says where the proxy is, which it is told anyhow. */
static bool leads(const char *name, size_t len)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	for (size_t i = 0; i < num; i++) {
		if (strlen(all[i].name) == len &&
		    strncmp(all[i].name, name, len) == 0)
			return all[i].kind == VARIABLE_PROXY;
	}
	return false;
}

/* to_set is which of a tool's variables make it trust. */
static json_t *to_set(const struct tool *tool)
{
	json_t *list = json_array();
	const char *at = tool->variables;

	for (size_t len; *at; at += len + (at[len] == ' ')) {
		len = strcspn(at, " ");
		if (!leads(at, len))
			(void)json_array_append_new(list,
				json_stringn(at, len));
	}
	return list;
}

/* --- one tool ----------------------------------------------------------- */

/* ask_line is its command, with the canary in it. */
static char *ask_line(const struct tool *tool)
{
	const char *at = tool->ask, *next;
	UT_string line;

	utstring_init(&line);
	for (; (next = strstr(at, "%s")); at = next + 2) {
		utstring_bincpy(&line, at, (size_t)(next - at));
		utstring_printf(&line, "%s", CANARY_URL);
	}
	utstring_printf(&line, "%s", at);
	return utstring_body(&line);
}

static void show_row(const json_t *row)
{
	const char *tool, *alone, *exec, *name;
	json_t *set, *one;
	size_t i;

	(void)json_unpack((json_t *)(uintptr_t)row, "{s:s, s:s, s:s, s:o}",
		"tool", &tool, "asItIs", &alone, "underExec", &exec, "set",
		&set);
	printf("%-16s %-16s %s", tool, alone, exec);
	json_array_foreach(set, i, one) {
		name = json_string_value(one);
		printf("%*s%s", i == 0 ? 17 - (int)strlen(exec) : 1, "", name);
	}
	putchar('\n');
	fflush(stdout);
}

/* refusal: beyond its own site, which is for all, the proxy wants a user. */
static struct finding refusal(const struct doctor *doctor)
{
	return (struct finding){TOOL_NOT_LET, doctor->user != USER_TAKEN ?
		doctor->user : doctor->nobody};
}

/* is_too_old: this node uses no proxy, whatever is set. *out_version: which it is. */
static bool is_too_old(const struct tool *tool, struct finding under,
	char out_version[VERSION])
{
	bool fetches = strcmp(tool->name, "node fetch") == 0;

	if (strcmp(tool->program, "node") != 0 ||
	    under.answer != TOOL_PASSES_BY)
		return false;
	node_version(tool->program, out_version, VERSION);
	return node_reach(out_version) < (fetches ? NODE_FETCH : NODE_ALL);
}

/* note_failed keeps what a tool says that does not work under exec; once what holds
 * for all. */
static void note_failed(struct doctor *doctor, const struct tool *tool,
	struct finding under, const char *says)
{
	bool refused = doctor->user != USER_TAKEN &&
		finding_is_same(under, refusal(doctor));
	char word[FINDING_WORDS];

	finding_say(under, word);
	if (!refused)
		utstring_printf(&doctor->failed, "%s under exec: %s%s%s\n",
			tool->name, word, says[0] ? ": " : "", says);
	else if (!doctor->refused)
		utstring_printf(&doctor->failed, "%d: %s\n", doctor->user,
			says);
	doctor->refused |= refused;
}

/* put_says: what nothing can be set for does not count. */
static void put_says(struct doctor *doctor, const struct tool *tool,
	struct finding under, const char *says, json_t *row)
{
	char version[VERSION], old[VERSION + 64];

	if (is_too_old(tool, under, version)) {
		snprintf(old, sizeof(old), "this node is too old, %s", version);
		says = old;
		(void)json_object_set_new(row, "tooOld", json_true());
		doctor->old = true;
	} else {
		doctor->ill |= under.answer != TOOL_WORKS;
	}
	if (says[0])
		(void)json_object_set_new(row, "says",
			json_stringn_nocheck(says, strlen(says)));
	if (under.answer != TOOL_WORKS)
		note_failed(doctor, tool, under, says);
}

/* put_row: what is to be set is said where it is needed, and helps. */
static void put_row(struct doctor *doctor, const struct tool *tool,
	struct finding alone, struct finding under, const char *says)
{
	bool helps = under.answer == TOOL_WORKS ||
		finding_is_same(under, refusal(doctor));
	char before[FINDING_WORDS], after[FINDING_WORDS];
	json_t *row;

	finding_say(alone, before);
	finding_say(under, after);
	row = json_pack("{s:s, s:s, s:s}", "tool", tool->name, "asItIs", before,
		"underExec", after);
	(void)json_object_set_new(row, "set", helps && !finding_is_same(alone, under) ?
		to_set(tool) : json_array());
	put_says(doctor, tool, under, says, row);
	doctor->seen[alone.answer] = doctor->seen[under.answer] = true;
	(void)json_array_append_new(doctor->rows, row);
	if (!doctor->json)
		show_row(row);
}

static enum tool_answer ask(struct doctor *doctor, const char *command,
	char **envp, struct tool_said *said)
{
	return ask_tool(&(struct tool_order){command, doctor->folder, envp,
		doctor->tap, &stop}, said);
}

/* why_not is why a tool that comes to the proxy's own site comes to no other; NULL: it
 * does. Java takes no user from where exec can say it. */
static const char *why_not(const struct doctor *doctor, const struct tool *tool)
{
	if (doctor->user == USER_UNKNOWN)
		return "the proxy does not let in who comes from here: "
			USER_HOW;
	if (doctor->user == USER_WANTED)
		return "the proxy wants a user, and does not take the one it "
			"is given, or is given none: --user NAME, and the "
			"password in SALLYPORT_PASSWORD";
	if (doctor->nobody == USER_WANTED && strcmp(tool->name, "java") == 0)
		return "the proxy wants a user, and no property of Java's says "
			"one";
	return NULL;
}

/* compare asks it once more, as under exec. */
static void compare(struct doctor *doctor, const struct tool *tool,
	const char *command, enum tool_answer one, const struct tool_said *before)
{
	const char *refused = why_not(doctor, tool), *says;
	struct tool_said after;
	struct finding alone = {one, before->status}, under;

	under.answer = ask(doctor, command, doctor->dressed, &after);
	under.status = after.status;
	if (stop)
		return;
	says = under.answer != TOOL_WORKS ? after.line :
		alone.answer != TOOL_WORKS ? before->line : "";
	if (refused && alone.answer == TOOL_WORKS)
		alone = refusal(doctor);
	if (refused && under.answer == TOOL_WORKS) {
		under = refusal(doctor);
		says = refused;
	}
	put_row(doctor, tool, alone, under, says);
}

static void examine(struct doctor *doctor, const struct tool *tool)
{
	char *command = ask_line(tool);
	struct tool_said before;
	enum tool_answer one = ask(doctor, command, doctor->bare, &before);

	if (one == TOOL_ABSENT)
		(void)json_array_append_new(doctor->absent,
			json_string(tool->name));
	else if (one == TOOL_UNFIT)
		(void)json_array_append_new(doctor->unfit,
			json_pack("{s:s, s:s}", "tool", tool->name, "says",
				before.line));
	else if (!stop)
		compare(doctor, tool, command, one, &before);
	free(command);
}

/* --- all of them -------------------------------------------------------- */

static bool is_wanted(const struct doctor *doctor, const struct tool *tool)
{
	for (size_t i = 0; i < doctor->names.num; i++) {
		if (strcmp(doctor->names.at[i], tool->name) == 0 ||
		    strcmp(doctor->names.at[i], tool->program) == 0)
			return true;
	}
	return doctor->names.num == 0;
}

static void visit(struct doctor *doctor, const struct tool *tool)
{
	char *path = program_find(tool->program);

	if (!path)
		(void)json_array_append_new(doctor->absent,
			json_string(tool->name));
	else if (!tool->ask[0])
		(void)json_array_append_new(doctor->unasked,
			json_string(tool->name));
	else
		examine(doctor, tool);
	free(path);
}

/* show_names writes a list where there is any. */
static void show_names(const char *what, const json_t *names)
{
	json_t *one;
	size_t i;

	json_array_foreach(names, i, one)
		printf("%s%s", i == 0 ? what : ", ", json_string_value(one));
	if (json_array_size(names) > 0)
		putchar('\n');
}

/* show_words says what the words of the table mean, of those that are in it. */
static void show_words(const struct doctor *doctor)
{
	char word[FINDING_WORDS];

	for (enum tool_answer i = 0; i < TOOL_ANSWERS; i++) {
		const char *means = finding_means(i);

		finding_say((struct finding){i, 0}, word);
		if (doctor->seen[i] && means)
			printf("%s: %s\n", word, means);
	}
}

/* show_unfit: rustup's programs all say the same, and what to do. */
static void show_unfit(const json_t *unfit)
{
	const char *tool, *says;
	json_t *one;
	size_t i;

	json_array_foreach(unfit, i, one) {
		(void)json_unpack(one, "{s:s, s:s}", "tool", &tool, "says",
			&says);
		printf("Here, and does not run: %s: %s (\"rustup default "
			"stable\" sees to that)\n", tool, says);
	}
}

static void show_order(const struct target_order *order)
{
	static const char *const names[] = {"-c", "--proxy", "--ca"};
	const char *const values[] = {order->config, order->proxy, order->ca};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (values[i])
			printf(" %s %s", names[i], shown(values[i]).text);
	}
}

/* show_ways: of the proxy that was asked about. */
static void show_ways(const struct doctor *doctor)
{
	const struct target_order *order = doctor->order;

	fputs(doctor->proxy.own.pid ? "Where a proxy runs, \"sallyport env" :
		"\"sallyport env", stdout);
	show_order(order);
	if (order->user)
		printf(" --user %s", shown(order->user).text);
	fputs("\" sets it all in a shell; \"sallyport trust install", stdout);
	show_order(order);
	puts("\" for good.");
}

static void show_end(const struct doctor *doctor)
{
	putchar('\n');
	show_words(doctor);
	fputs(utstring_body(&doctor->failed), stdout);
	if (doctor->old)
		puts(NODE_RULE ";\n" NODE_WAYS);
	show_unfit(doctor->unfit);
	show_names("Not here: ", doctor->absent);
	show_names("Here, and not tried, as it asks for nothing by itself: ",
		doctor->unasked);
	show_ways(doctor);
}

static int visit_all(struct doctor *doctor)
{
	size_t num;
	const struct tool *all = tools_all(&num);

	if (!doctor->json)
		printf("%-16s %-16s %-16s %s\n", "TOOL", "AS IT IS",
			"UNDER EXEC", "OR SET");
	for (size_t i = 0; i < num && !stop; i++) {
		if (is_wanted(doctor, &all[i]))
			visit(doctor, &all[i]);
	}
	if (stop)
		return EXIT_FAILED;
	if (doctor->json) {
		json_t *out = json_pack("{s:O, s:O, s:O, s:O}", "tools",
			doctor->rows, "absent", doctor->absent, "notTried",
			doctor->unasked, "doesNotRun", doctor->unfit);

		table_json(stdout, out);
		json_decref(out);
	} else {
		show_end(doctor);
	}
	return doctor->ill ? EXIT_FAILED : EXIT_DONE;
}

/* --- what they are asked with ------------------------------------------- */

/* through is the target, reached by the tap. */
static struct target through(const struct doctor *doctor)
{
	struct target target = doctor->proxy.target;
	const char *user = strstr(target.url, "://") + 3;
	const char *end = strrchr(user, '@');
	UT_string url;

	utstring_init(&url);
	utstring_printf(&url, "http://%.*s127.0.0.1:%u",
		end ? (int)(end + 1 - user) : 0, user, tap_port(doctor->tap));
	target.url = utstring_body(&url);
	target.port = tap_port(doctor->tap);
	snprintf(target.host, sizeof(target.host), "127.0.0.1");
	return target;
}

static int dress(struct doctor *doctor)
{
	struct target target = through(doctor);
	struct environment bare;
	int code = dress_make(&target, doctor->proxy.bench.folder,
		doctor->proxy.bench.at, environ, &doctor->dress);

	environment_make_bare(&bare, &(struct environment_aim){
		.proxy = target.url, .host = target.host, .port = target.port,
	}, environ);
	doctor->bare = environment_over(&bare, environ);
	doctor->dressed = environment_over(&doctor->dress.env, environ);
	environment_clear(&bare);
	free(target.url);
	return code;
}

/* ask_of_users asks the proxy itself: the tap, by which tools come, lets nobody in yet. */
static void ask_of_users(struct doctor *doctor)
{
	struct target nobody = doctor->proxy.target;
	char none[] = "http://";

	nobody.url = none;
	doctor->nobody = user_taken(&nobody);
	doctor->user = user_ask(&doctor->proxy.target);
}

static int prepare(struct doctor *doctor)
{
	char err[256];
	int code = some_proxy_find(doctor->order, "doctor", &doctor->proxy);

	if (code != OPTIONS_FINE)
		return code;
	if (tap_open(doctor->proxy.target.host, doctor->proxy.target.port,
		    CANARY, &doctor->tap, err, sizeof(err)) != 0)
		return setup_failed(err);
	doctor->folder = state_path(doctor->proxy.bench.folder, "ask");
	if (mkdir(doctor->folder, 0755) != 0)
		return setup_failed(strerror(errno));
	ask_of_users(doctor);
	return dress(doctor);
}

static void end(struct doctor *doctor)
{
	environment_free(doctor->bare);
	environment_free(doctor->dressed);
	dress_clear(&doctor->dress);
	tap_close(doctor->tap);
	free(doctor->folder);
	some_proxy_end(&doctor->proxy);
	json_decref(doctor->rows);
	json_decref(doctor->absent);
	json_decref(doctor->unasked);
	json_decref(doctor->unfit);
	utstring_done(&doctor->failed);
}

static void on_signal(int number)
{
	(void)number;
	stop = 1;
}

/* take_signals: tools have no terminal, whose end would be theirs; nohup stays. */
static void take_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal}, was;

	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGTERM, &action, NULL);
	if (sigaction(SIGHUP, NULL, &was) == 0 && was.sa_handler != SIG_IGN)
		(void)sigaction(SIGHUP, &action, NULL);
}

static int run(struct doctor *doctor)
{
	int code;

	take_signals();
	doctor->rows = json_array();
	doctor->absent = json_array();
	doctor->unasked = json_array();
	doctor->unfit = json_array();
	utstring_init(&doctor->failed);
	code = prepare(doctor);
	if (code == OPTIONS_FINE)
		code = visit_all(doctor);
	end(doctor);
	return code;
}

static int check_names(const struct option_list *names)
{
	size_t num;
	const struct tool *all = tools_all(&num);

	for (size_t i = 0; i < names->num; i++) {
		bool found = false;

		for (size_t j = 0; j < num; j++)
			found |= strcmp(all[j].name, names->at[i]) == 0 ||
				strcmp(all[j].program, names->at[i]) == 0;
		if (found)
			continue;
		fprintf(stderr, "sallyport doctor: it does not know the tool "
			"\"%s\"; it knows", shown(names->at[i]).text);
		for (size_t j = 0; j < num; j++)
			fprintf(stderr, "%s %s", j == 0 ? "" : ",",
				all[j].name);
		fputs(strchr(names->at[i], ',') ? "; give --tool for each\n" :
			"\n", stderr);
		return EXIT_WRONG;
	}
	return OPTIONS_FINE;
}

static int doctor_(const struct command *self, int argc, char **argv)
{
	const char *names[TOOLS_MAX];
	struct target_order order = {.config = NULL};
	struct doctor doctor = {.order = &order,
		.names = {names, 0, TOOLS_MAX}};
	const struct option_row rows[] = {
		TARGET_ROWS(order),
		{.name = "tool", .list = &doctor.names},
		{.name = "json", .flag = &doctor.json},
	};
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = check_names(&doctor.names);
	return code == OPTIONS_FINE ? run(&doctor) : code;
}

const struct command command_doctor = {
	.name = "doctor",
	.summary = "which tools of this machine work behind the proxy",
	.help =
		"usage: sallyport doctor [--tool TOOL ...] [--json] [OPTIONS]\n"
		"\n"
		"Has each developer tool that is found here ask the proxy's own site\n"
		"for something over TLS: as things are, told of the proxy alone, and\n"
		"as under \"sallyport exec\". Tells which work, and what to set for those\n"
		"that need it. Nothing is asked for outside. Exits 1 where one does not\n"
		"work under exec, as none does where the proxy wants a user, and does\n"
		"not take the one that --user names (407), or knows its users but by\n"
		"address and certificate (403). That node is too old to use a proxy is\n"
		"told, and does not count: nothing could be set.\n"
		"\n"
		"  --tool TOOL         this tool, rather than all; may be given again\n"
		"  --json              for programs\n"
		TARGET_HELP
		"\n"
		"Where no proxy runs, and none is named by --proxy, one of its own is\n"
		"started, as by \"sallyport exec\".\n",
	.run = doctor_,
};
