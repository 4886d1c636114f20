/* log_pinned.c - `sallyport log pinned`. */

#include <jansson.h>
#include <stdlib.h>

#include "proxy/cli/log_ask.h"
#include "proxy/cli/log_commands.h"
#include "proxy/cli/log_spare.h"
#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"
#include "proxy/logbook/moment.h"
#include "proxy/logbook/verdicts.h"

enum { LEAST = 3, LEAST_MAX = 1000000 };

struct pinned {
	struct log_ask ask;
	const char *least_word;
	unsigned least;
	bool json;
	struct refusals refusals; /* owned */
	struct verdicts verdicts; /* owned */
};

static uint64_t all_of(const struct verdict *verdict)
{
	return refusals_sure(verdict->by) + refusals_unsure(verdict->by) +
		(verdict->kind == VERDICT_WANTS ? verdict->wants : 0);
}

/* rules_of is what log_spare writes; the caller's. */
static char *rules_of(const struct verdicts *verdicts)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	(void)log_spare(out, verdicts);
	if (fclose(out) != 0)
		abort();
	return text;
}

/* --- for people --------------------------------------------------------- */

static void put_application(const struct verdict *of)
{
	printf("  application  %s", of->agent[0] ? shown(of->agent).text :
		"says nothing of itself");
	printf(of->ja4[0] ? ", JA4 %s\n" : "%s\n", shown(of->ja4).text);
}

static void put_count(const struct verdict *of)
{
	const char *comma = " (";

	printf("  refused      %llu times, ", (unsigned long long)all_of(of));
	if (of->client && of->client[0])
		printf("by %s", shown(of->client).text);
	else
		printf("by %zu client%s", of->clients,
			of->clients == 1 ? "" : "s");
	for (int i = 0; i < REFUSAL_HOWS; i++) {
		if (of->by[i] == 0)
			continue;
		printf("%s%s %llu", comma, refusal_word((enum refusal_how)i),
			(unsigned long long)of->by[i]);
		comma = ", ";
	}
	puts(")");
}

static void put_when(const struct verdict *of)
{
	char first[MOMENT_SIZE], last[MOMENT_SIZE];

	moment_text(of->first_ms, first);
	moment_text(of->last_ms, last);
	printf("  when         %s to %s\n", first, last);
}

/* put_so: why there is no rule, or how far it goes. */
static void put_so(const struct verdict *of)
{
	char agent[SPARE_AGENT_SIZE];

	if (!of->trusts)
		puts("  so           no rule, until it has accepted the proxy's "
			"certificate elsewhere");
	else if (log_spare_passes_others(of))
		puts("  so           no rule: it would pass other programs, too, "
			"which accept the proxy's\n               certificates "
			"there; one for those clients alone (sources) would not");
	else if (!log_spare_fits(of))
		puts("  so           no rule: it is the proxy's own "
			"name, or no client that one could name");
	else if (!log_spare_agent(of->agent, agent))
		puts("  so           its rule is for every program: this one "
			"can't be told by its name");
}

static void put_pinned(const struct verdict *of)
{
	printf(of->trusts ? "%s: its certificate seems to be pinned\n" :
		"%s: an application pins its certificate, or does not trust "
		"the CA\n", of->host);
	put_application(of);
	put_count(of);
	put_when(of);
	if (of->trusts && of->agent[0] == '\0')
		puts("  elsewhere    it, or a program with the same TLS, "
			"accepts the proxy's certificates");
	else
		puts(of->trusts ?
		"  elsewhere    it accepts the proxy's certificates" :
		"  elsewhere    it has accepted none of the proxy's certificates; "
		"see first\n               that it trusts the CA (\"sallyport "
		"exec\" or \"sallyport trust\" has it\n               do so)");
	if (of->clients == 1)
		puts("  only         this one client has shown it");
	put_so(of);
	putchar('\n');
}

static void put_no_trust(const struct verdict *of)
{
	printf("%s and %zu other host%s: this application seems not "
		"to trust the CA\n", of->host, of->hosts - 1, of->hosts == 2 ? "" : "s");
	put_application(of);
	put_count(of);
	put_when(of);
	puts("  so           it accepted the proxy's certificate for no host: "
		"have it trust\n               the CA (\"sallyport exec\" does, and "
		"\"sallyport trust\"), not a rule\n");
}

static void put_wants(const struct verdict *of)
{
	printf("%s: wants a certificate of its client, and can't be inspected\n"
		"  asked        %llu times\n", of->host,
		(unsigned long long)of->wants);
	put_when(of);
	puts("  so           its rule is for every program and client\n");
}

static void put_text(const struct verdicts *verdicts)
{
	char *rules = rules_of(verdicts);

	for (size_t i = 0; i < verdicts->num; i++) {
		const struct verdict *at = &verdicts->at[i];

		if (at->kind == VERDICT_PINNED)
			put_pinned(at);
		else if (at->kind == VERDICT_NO_TRUST)
			put_no_trust(at);
		else
			put_wants(at);
	}
	if (verdicts->num == 0)
		puts("no program keeps refusing the proxy's certificate for "
			"one host");
	if (rules[0])
		printf("Whoever knows the programs decides. These rules would "
			"pass their\nconnections as they are; they go before "
			"the rule that inspects them:\n\n%s", rules);
	free(rules);
}

/* --- for programs ------------------------------------------------------- */

static void set_text(json_t *object, const char *key, const char *text)
{
	json_t *value = text && text[0] ? json_string(text) : NULL;

	if (value)
		(void)json_object_set_new(object, key, value);
}

static void set_time(json_t *object, const char *key, int64_t ms)
{
	char text[MOMENT_SIZE];

	moment_text(ms, text);
	text[10] = 'T'; /* as RFC 3339 has it */
	set_text(object, key, text);
}

static json_t *json_of(const struct verdict *of)
{
	json_t *object = json_pack("{s:s, s:I}", "host", of->host,
		of->kind == VERDICT_WANTS ? "times" : "refusals",
		(json_int_t)all_of(of));
	json_t *by = json_object();

	for (int i = 0; i < REFUSAL_HOWS; i++) {
		if (of->by[i] > 0)
			(void)json_object_set_new(by,
				refusal_word((enum refusal_how)i),
				json_integer((json_int_t)of->by[i]));
	}
	if (of->kind != VERDICT_WANTS) {
		set_text(object, "application", of->agent);
		set_text(object, "ja4", of->ja4);
		set_text(object, "client", of->client);
		(void)json_object_set(object, "by", by);
		(void)json_object_set_new(object, "clients",
			json_integer((json_int_t)of->clients));
	}
	if (of->kind == VERDICT_PINNED) {
		(void)json_object_set_new(object, "accepts_elsewhere",
			json_boolean(of->trusts));
		(void)json_object_set_new(object, "others_accept",
			json_boolean(log_spare_passes_others(of)));
	}
	if (of->kind == VERDICT_NO_TRUST)
		(void)json_object_set_new(object, "hosts",
			json_integer((json_int_t)of->hosts));
	json_decref(by);
	set_time(object, "first", of->first_ms);
	set_time(object, "last", of->last_ms);
	return object;
}

static void put_json(const struct verdicts *verdicts)
{
	static const char *const names[] = {
		[VERDICT_PINNED] = "pinned",
		[VERDICT_NO_TRUST] = "do_not_trust_the_ca",
		[VERDICT_WANTS] = "want_client_certificates",
	};
	json_t *all = json_pack("{s:[], s:[], s:[]}", names[0], names[1],
		names[2]);
	char *rules = rules_of(verdicts);

	for (size_t i = 0; i < verdicts->num; i++)
		(void)json_array_append_new(json_object_get(all,
			names[verdicts->at[i].kind]),
			json_of(&verdicts->at[i]));
	(void)json_object_set_new(all, "rules", json_string(rules));
	table_json(stdout, all);
	json_decref(all);
	free(rules);
}

/* --- the command -------------------------------------------------------- */

static void tell_left_out(const struct refusals *refusals)
{
	if (refusals->left_out > 0)
		fprintf(stderr, "sallyport: %llu refusals are left out: more "
			"than %d of programs and hosts on one client, or %d in "
			"all; --since narrows it down\n",
			(unsigned long long)refusals->left_out,
			REFUSALS_OF_CLIENT, REFUSALS_MAX);
}

static int judge(struct pinned *pinned)
{
	if (pinned->refusals.blind) {
		fputs("sallyport: there are too many clients, programs and "
			"hosts in the log to tell who accepted what; --since "
			"narrows it down\n", stderr);
		return EXIT_FAILED;
	}
	tell_left_out(&pinned->refusals);
	verdicts_find(&pinned->refusals, pinned->least, &pinned->verdicts);
	if (pinned->json)
		put_json(&pinned->verdicts);
	else
		put_text(&pinned->verdicts);
	return EXIT_DONE;
}

/* gather feeds all lines of that time: were those of other hosts left out, a program
 * that trusts nothing of ours would look like one that pins a host. */
static void gather(struct pinned *pinned, struct book *book,
	struct entry *entry)
{
	const struct filter *asked = &pinned->ask.filter;
	const struct filter times = {.since_ms = asked->since_ms,
		.until_ms = asked->until_ms};

	while (book_next(book, entry)) {
		if (filter_fits(&times, entry))
			refusals_add(&pinned->refusals, entry,
				filter_fits(asked, entry));
	}
}

static int run(struct pinned *pinned)
{
	struct book book = {.num = 0};
	struct entry entry = {.line = NULL};
	int code = log_ask_open(&pinned->ask, &book), end;

	refusals_open(&pinned->refusals);
	if (code == OPTIONS_FINE) {
		gather(pinned, &book, &entry);
		code = judge(pinned);
		end = log_ask_end(&book);
		code = code == EXIT_DONE ? end : code;
	}
	verdicts_clear(&pinned->verdicts);
	refusals_close(&pinned->refusals);
	entry_clear(&entry);
	book_close(&book);
	return code;
}

int log_pinned(const struct command *self, int argc, char **argv)
{
	struct pinned pinned = {.least = LEAST};
	struct option_row rows[LOG_ASK_ROWS + 2] = {{.name = NULL}};
	int code;

	log_ask_rows(&pinned.ask, rows);
	rows[LOG_ASK_ROWS] = (struct option_row){.name = "least",
		.value = &pinned.least_word};
	rows[LOG_ASK_ROWS + 1] = (struct option_row){.name = "json",
		.flag = &pinned.json};
	code = options_read(self, argc, argv, rows, LOG_ASK_ROWS + 2);
	if (code == OPTIONS_FINE)
		code = options_count(self, "least", pinned.least_word,
			LEAST_MAX, &pinned.least);
	if (code == OPTIONS_FINE)
		code = log_ask_read(self, &pinned.ask);
	if (code == OPTIONS_FINE)
		code = run(&pinned);
	log_ask_clear(&pinned.ask);
	return code;
}
