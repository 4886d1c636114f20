#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/table.h"
#include "proxy/cli/target.h"
#include "proxy/config/mistakes.h"
#include "proxy/tools/truststore.h"

enum { WHY = 1024 };

struct trust {
	const char *word;  /* "install", "remove", "status" */
	struct target_order order;
	const char *kinds, *java;
	bool json;
	bool asked[TRUST_KINDS];
	struct truststores stores;
	char *root_pem;  /* owned; NULL: all that were put in */
	json_t *rows;    /* owned: what is shown of each store */
	bool good;       /* and whether all is as it should be */
	bool not_let[TRUST_KINDS]; /* it takes another user */
};

/* --- which stores ------------------------------------------------------- */

/* take_kind: a word of --for. */
static int take_kind(struct truststore_search *search, const char *word, size_t len)
{
	for (enum truststore_kind i = 0; i < TRUST_KINDS; i++) {
		const char *name = truststore_kind_name(i);

		if (strlen(name) != len || strncmp(name, word, len) != 0)
			continue;
		search->kinds[i] = true;
		return OPTIONS_FINE;
	}
	fprintf(stderr, "sallyport trust: --for knows system, nss and java, and "
		"no \"%.*s\"\n", (int)len, shown(word).text);
	return EXIT_WRONG;
}

static int take_kinds(struct truststore_search *search, const char *list)
{
	int code = OPTIONS_FINE;

	while (code == OPTIONS_FINE) {
		size_t len = strcspn(list, ",");

		code = take_kind(search, list, len);
		list += len;
		if (*list++ == '\0')
			break;
	}
	return code;
}

/* check_places: what would be left aside without a word. */
static int check_places(const struct trust *trust, const char *home,
	const struct truststore_search *search)
{
	bool asks_nss = trust->kinds && search->kinds[TRUST_NSS];

	if (trust->java && !search->kinds[TRUST_JAVA]) {
		fprintf(stderr, "sallyport trust %s: --java is for java, which "
			"--for %s leaves out\n", trust->word,
			shown(trust->kinds).text);
		return EXIT_WRONG;
	}
	if ((search->kinds[TRUST_NSS] || search->kinds[TRUST_JAVA]) &&
	    truststore_home_is_anothers(search)) {
		fprintf(stderr, "sallyport trust %s: HOME is %s, which is "
			"another user's: who that is has to run this for the "
			"browsers and Javas there: left out\n", trust->word,
			shown(home).text);
		return asks_nss ? EXIT_FAILED : OPTIONS_FINE;
	}
	if (search->kinds[TRUST_NSS] && (!home || home[0] != '/')) {
		fprintf(stderr, "sallyport trust %s: HOME is not set, below "
			"which Chromium and Firefox have theirs (nss)%s\n",
			trust->word, trust->kinds ? "" : ": left out");
		return asks_nss ? EXIT_FAILED : OPTIONS_FINE;
	}
	return OPTIONS_FINE;
}

static int find_stores(struct trust *trust)
{
	struct truststore_search search = {
		.make = trust->kinds && strstr(trust->kinds, "nss"),
		.home = getenv("HOME"), .java_home = getenv("JAVA_HOME"),
		.path = getenv("PATH"), .java = trust->java,
		.made = strcmp(trust->word, "remove") == 0,
	};
	const char *kinds = trust->kinds ? trust->kinds :
		trust->java ? "java" : "system,nss,java";
	int code = take_kinds(&search, kinds);

	if (code == OPTIONS_FINE)
		code = check_places(trust, search.home, &search);
	if (code == OPTIONS_FINE)
		truststores_find(&trust->stores, &search);
	memcpy(trust->asked, search.kinds, sizeof(trust->asked));
	if (code == OPTIONS_FINE && trust->stores.num == 0) {
		fprintf(stderr, "sallyport trust %s: no store of this kind is "
			"found here: %s\n", trust->word, shown(kinds).text);
		return EXIT_FAILED;
	}
	return code;
}

/* --- what is shown ------------------------------------------------------ */

static void put_row(struct trust *trust, const struct truststore *store,
	const char *state, const char *why)
{
	json_t *row = json_pack("{s:s, s:s, s:s}", "store",
		truststore_kind_name(store->kind), "path", store->path, "state",
		state);

	if (row && why[0])
		(void)json_object_set_new(row, "why", json_string(why));
	(void)json_array_append_new(trust->rows, row);
}

/* fail_row: what says why may begin with the path, which is said anyhow. */
static void fail_row(struct trust *trust, const struct truststore *store, int result,
	const char *why)
{
	size_t len = strlen(store->path);

	if (strncmp(why, store->path, len) == 0 &&
	    strncmp(why + len, ": ", 2) == 0)
		why += len + 2;
	put_row(trust, store, "failed", why);
	trust->good = false;
	trust->not_let[store->kind] |= result == TRUSTSTORE_NOT_LET;
}

/* tell_word writes a word of a line that people copy: whole, and for a shell. */
static void tell_word(const char *option, const char *word)
{
	fprintf(stderr, " %s '", option);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", stderr);
		else
			fputc((unsigned char)*word < ' ' || *word == 0x7f ?
				'?' : *word, stderr);
	}
	fputc('\'', stderr);
}

/* tell_root says how root does it, with the same root certificate. */
static void tell_root(const struct trust *trust)
{
	const struct target_order *order = &trust->order;
	const bool *not_let = trust->not_let;
	bool system = not_let[TRUST_SYSTEM], java = not_let[TRUST_JAVA];

	if (!system && !java)
		return;
	fputs("It takes root:\n  ", stderr);
	if (trust->root_pem && !order->ca && !order->proxy) {
		fputs("sallyport ca root", stderr);
		if (order->config)
			tell_word("-c", order->config);
		fputs(" >root.pem && ", stderr);
	}
	fprintf(stderr, "sudo sallyport trust %s --for %s%s%s", trust->word,
		system ? "system" : "", system && java ? "," : "",
		java ? "java" : "");
	if (trust->java)
		tell_word("--java", trust->java);
	if (order->ca || (trust->root_pem && !order->proxy))
		tell_word("--ca", order->ca ? order->ca : "root.pem");
	else if (order->proxy)
		tell_word("--proxy", order->proxy);
	fputc('\n', stderr);
}

/* tell_why: sentences go below the table, which has no room for them. */
static void tell_why(const struct trust *trust)
{
	json_t *row;
	size_t i;

	json_array_foreach(trust->rows, i, row) {
		const char *at, *state, *why = NULL;
		char *path;

		(void)json_unpack(row, "{s:s, s:s, s?s}", "path", &at,
			"state", &state, "why", &why);
		if (!why || strcmp(state, "failed") != 0)
			continue;
		path = pki_copy(at);
		shown_mask(path);
		fprintf(stderr, "sallyport trust %s: %s: %s\n", trust->word,
			path, why);
		free(path);
	}
	tell_root(trust);
}

static int show(const struct trust *trust)
{
	static const struct table_column columns[] = {
		{"STORE", "store", TABLE_TEXT},
		{"ROOT IS", "state", TABLE_TEXT},
		{"WHERE", "path", TABLE_TEXT},
	};

	if (trust->json)
		table_json(stdout, trust->rows);
	else
		table_print(stdout, trust->rows, columns, 3);
	fflush(stdout);
	if (!trust->json)
		tell_why(trust);
	return trust->good ? EXIT_DONE : EXIT_FAILED;
}

/* --- the three of them -------------------------------------------------- */

static void look(struct trust *trust, const struct truststore *store)
{
	char why[WHY] = "";

	switch (truststore_trusts(store, trust->root_pem, why, sizeof(why))) {
	case 1:
		put_row(trust, store, "trusted", "");
		break;
	case 0:
		put_row(trust, store, "missing", "");
		trust->good = false;
		break;
	default:
		fail_row(trust, store, TRUSTSTORE_FAILED, why);
	}
}

static void add(struct trust *trust, const struct truststore *store)
{
	char why[WHY] = "";
	int there = truststore_trusts(store, trust->root_pem, why, sizeof(why));
	int result = there == 0 ? truststore_put(store, trust->root_pem, why,
		sizeof(why)) : there;

	if (there == 1)
		put_row(trust, store, "trusted", "");
	else if (result == 0)
		put_row(trust, store, "added", "");
	else
		fail_row(trust, store, result, why);
}

static void take_out(struct trust *trust, const struct truststore *store)
{
	char why[WHY] = "";
	int num = truststore_remove(store, trust->root_pem, why, sizeof(why));

	if (num > 0)
		put_row(trust, store, "removed", "");
	else if (num < 0)
		fail_row(trust, store, num, why);
	else if (trust->asked[store->kind]) /* it, or all that bear a mark */
		put_row(trust, store, trust->root_pem ? "absent" : "none", "");
}

/* --- all of it ---------------------------------------------------------- */

static int each(struct trust *trust,
	void (*way)(struct trust *, const struct truststore *))
{
	trust->rows = json_array();
	trust->good = true;
	for (size_t i = 0; i < trust->stores.num; i++)
		way(trust, &trust->stores.at[i]);
	return show(trust);
}

/* find_root: which root it is about; to be sure of it, where it will be trusted. */
static int find_root(struct trust *trust,
	void (*way)(struct trust *, const struct truststore *))
{
	const struct target_order *order = &trust->order;

	if (way == take_out && !order->config && !order->proxy && !order->ca)
		return OPTIONS_FINE; /* all that were put in */
	if (way == add)
		return target_root_sure(order, &trust->root_pem);
	return target_root(order, &trust->root_pem);
}

static int run(const struct command *self, int argc, char **argv,
	void (*way)(struct trust *, const struct truststore *))
{
	struct trust trust = {.word = way == add ? "install" :
		way == take_out ? "remove" : "status"};
	const struct option_row rows[] = {
		TARGET_ROOT_ROWS(trust.order),
		{.name = "for", .value = &trust.kinds},
		{.name = "java", .value = &trust.java},
		{.name = "json", .flag = &trust.json},
	};
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = find_stores(&trust);
	if (code == OPTIONS_FINE)
		code = find_root(&trust, way);
	if (code == OPTIONS_FINE)
		code = each(&trust, way);
	truststores_clear(&trust.stores);
	json_decref(trust.rows);
	free(trust.root_pem);
	return code;
}

static int install(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, add);
}

static int remove_(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, take_out);
}

static int status(const struct command *self, int argc, char **argv)
{
	return run(self, argc, argv, look);
}

#define WHERE \
	"  --for STORES        of system, nss, java, with commas between; without\n" \
	"                      it, all: the system's; Chromium's and each Firefox\n" \
	"                      profile's, by certutil; each Java's own, by keytool\n" \
	"  --java FOLDER       this Java, rather than all that are found\n"

static const char install_help[] =
	"usage: sallyport trust install [--for STORES] [--java FOLDER] [-c FILE]\n"
	"                               [--proxy HOST:PORT] [--ca FILE] [--json]\n"
	"\n"
	"Has this machine's programs trust the proxy's root certificate. The\n"
	"system's store is root's, browsers' are whose they are. Exits 1 where one\n"
	"of them does not trust it now.\n"
	"\n"
	WHERE
	"  -c, --config FILE   the proxy of that configuration, running or not, if\n"
	"                      its state folder can be read; without it, the one at\n"
	"                      127.0.0.1:8080\n"
	"  --proxy HOST:PORT   another one; it needs --ca\n"
	"  --ca FILE           its root certificate; without --proxy, nobody is\n"
	"                      asked\n"
	"  --json              for programs\n";

static const char remove_help[] =
	"usage: sallyport trust remove [--for STORES] [--java FOLDER] [-c FILE]\n"
	"                              [--proxy HOST:PORT] [--ca FILE] [--json]\n"
	"\n"
	"Takes out the root of the proxy that is named, whoever has put it in, by\n"
	"whatever name; where none is named, every root that \"sallyport trust\n"
	"install\" has put in, by the names it gives (sallyport-...). With the\n"
	"system's store, what is made of it for Java loses it, too. Exits 1 where\n"
	"it can't be taken out.\n"
	"\n"
	WHERE
	"  -c, --config FILE   the root of that configuration's proxy alone\n"
	"  --proxy HOST:PORT   likewise, of that proxy\n"
	"  --ca FILE           likewise, that one\n"
	"  --json              for programs\n";

static const char status_help[] =
	"usage: sallyport trust status [--for STORES] [--java FOLDER] [-c FILE]\n"
	"                              [--proxy HOST:PORT] [--ca FILE] [--json]\n"
	"\n"
	"Tells which stores have the proxy's root certificate. Exits 1 where one\n"
	"has not.\n"
	"\n"
	WHERE
	"  -c, --config FILE   the proxy of that configuration, running or not;\n"
	"                      without it, the one at 127.0.0.1:8080, or what the\n"
	"                      state folder has\n"
	"  --proxy HOST:PORT   another one\n"
	"  --ca FILE           its root certificate; without --proxy, nobody is\n"
	"                      asked\n"
	"  --json              for programs\n";

static const char trust_help[] =
	"usage: sallyport trust install [--for STORES] [--ca FILE] [...]\n"
	"       sallyport trust remove [...]\n"
	"       sallyport trust status [...]\n"
	"\n"
	"Where this machine's programs have the roots they trust, and the proxy's\n"
	"among them.\n"
	"\n"
	"  install   put it in\n"
	"  remove    take it out again\n"
	"  status    where it is, and where it is missing\n"
	"\n"
	"The stores are the system's (Debian, Alpine, RHEL, Fedora, SUSE, Arch),\n"
	"those of Chromium and Firefox (nss), and those of Javas that have one of\n"
	"their own. For a single command, \"sallyport exec\" needs none of them.\n"
	"\n"
	"\"sallyport trust install --help\" and so on say more.\n";

const struct command trust_words[] = {
	{"trust install", "have programs trust the root", install_help,
		install},
	{"trust remove", "take it out again", remove_help, remove_},
	{"trust status", "who trusts it", status_help, status},
	{NULL, NULL, NULL, NULL},
};

const struct command command_trust = {
	.name = "trust",
	.summary = "have this machine's programs trust the root",
	.help = trust_help,
	.run = command_group,
};
