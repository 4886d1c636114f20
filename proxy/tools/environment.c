#include "proxy/tools/environment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/tools/java.h"
#include "proxy/tools/variables.h"

#define GIT_COUNT "GIT_CONFIG_COUNT"
#define GIT_SETTING "http.proxy"

enum { GIT_ROWS = 2, GIT_MAX = 10000, GIT_NAME = 32 };

/* This machine is reached without the proxy. */
static const char *const direct[] = {"localhost", "127.0.0.1", "::1"};

/* --- what there was ----------------------------------------------------- */

const char *environment_get(char *const *before, const char *name)
{
	size_t len = strlen(name);

	for (; *before; before++) {
		if (strncmp(*before, name, len) == 0 && (*before)[len] == '=')
			return *before + len + 1;
	}
	return NULL;
}

static int hex(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* decode undoes encode. */
static char *decode(const char *at, size_t len)
{
	char *out = malloc(len + 1), *to = out;

	if (!out)
		abort();
	for (size_t i = 0; i < len; i++) {
		if (at[i] == '%' && i + 2 < len && hex(at[i + 1]) >= 0 &&
		    hex(at[i + 2]) >= 0) {
			*to++ = (char)(hex(at[i + 1]) * 16 + hex(at[i + 2]));
			i += 2;
		} else {
			*to++ = at[i];
		}
	}
	*to = '\0';
	return out;
}

static void encode(UT_string *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '%' || *text == ';' || *text == '\'' ||
		    (unsigned char)*text < ' ')
			utstring_printf(out, "%%%02X", (unsigned char)*text);
		else
			utstring_bincpy(out, text, 1);
	}
}

/* saved finds name in SALLYPORT_BEFORE: "NAME=value;OTHER=value;". */
static char *saved(const char *all, const char *name)
{
	size_t name_len = strlen(name), len;

	for (; *all; all += len + (all[len] == ';')) {
		len = strcspn(all, ";");
		if (len > name_len && strncmp(all, name, name_len) == 0 &&
		    all[name_len] == '=')
			return decode(all + name_len + 1, len - name_len - 1);
	}
	return NULL;
}

char *environment_was(char *const *before, const char *name)
{
	const char *all = environment_get(before, ENVIRONMENT_BEFORE);
	const char *now = environment_get(before, name);

	if (all)
		return saved(all, name);
	return now ? pki_copy(now) : NULL;
}

/* save is what goes into SALLYPORT_BEFORE; the first one stays. */
static char *save(char *const *before)
{
	const char *value = environment_get(before, ENVIRONMENT_BEFORE);
	const struct variable *all;
	UT_string out;
	size_t num;

	if (value)
		return pki_copy(value);
	all = variables_all(&num);
	utstring_init(&out);
	for (size_t i = 0; i < num; i++) {
		value = environment_get(before, all[i].name);
		if (!value)
			continue;
		utstring_printf(&out, "%s=", all[i].name);
		encode(&out, value);
		utstring_bincpy(&out, ";", 1);
	}
	return utstring_body(&out);
}

/* --- values ------------------------------------------------------------- */

/* has: the list, with commas between, has that word. */
static bool has(const char *list, const char *word, size_t len)
{
	for (;;) {
		size_t one;

		list += strspn(list, ", ");
		one = strcspn(list, ", ");
		if (one == 0)
			return false;
		if (one == len && strncmp(list, word, len) == 0)
			return true;
		list += one;
	}
}

static void put_word(UT_string *out, const char *word, size_t len)
{
	if (len == 0 || has(utstring_body(out), word, len))
		return;
	if (utstring_len(out) > 0)
		utstring_bincpy(out, ",", 1);
	utstring_bincpy(out, word, len);
}

/* put_words leaves out "*": nothing would go through the proxy then. */
static void put_words(UT_string *out, const char *list)
{
	while (*(list += strspn(list, ", "))) {
		size_t len = strcspn(list, ", ");

		if (len != 1 || list[0] != '*')
			put_word(out, list, len);
		list += len;
	}
}

static char *no_proxy(char *const *before)
{
	static const char *const names[] = {"no_proxy", "NO_PROXY"};
	UT_string out;

	utstring_init(&out);
	for (size_t i = 0; i < sizeof(direct) / sizeof(*direct); i++)
		put_word(&out, direct[i], strlen(direct[i]));
	for (size_t i = 0; i < 2; i++) {
		const char *now = environment_get(before, names[i]);

		if (now)
			put_words(&out, now);
	}
	return utstring_body(&out);
}

/* java_past is what goes past a proxy by the options that java_too leaves it out of. */
static char *java_past(char *const *before)
{
	size_t num;
	const struct variable *all = variables_all(&num);
	UT_string out;

	utstring_init(&out);
	for (size_t i = 0; i < num; i++) {
		char *own = all[i].kind != VARIABLE_JAVA_TOO ? NULL :
			java_option(environment_get(before, all[i].name),
				"http.nonProxyHosts");

		if (own)
			utstring_printf(&out, "%s|", own);
		free(own);
	}
	return utstring_body(&out);
}

static char *java(const struct environment_aim *aim, char *const *before)
{
	const char *now = environment_get(before, "JAVA_TOOL_OPTIONS");
	char *words = no_proxy(before), *past = java_past(before);
	char *options = java_options(now, &(struct java_aim){aim->java_store,
		aim->host, aim->port, words, past});

	free(words);
	free(past);
	return options;
}

static char *java_too(const char *name, char *const *before)
{
	const char *now = environment_get(before, name);

	return now ? java_without(now) : NULL;
}

/* value_of: NULL where it stays what it is. */
static char *value_of(const struct variable *variable,
	const struct environment_aim *aim, char *const *before)
{
	switch (variable->kind) {
	case VARIABLE_PROXY:
		return pki_copy(aim->proxy);
	case VARIABLE_NO_PROXY:
		return no_proxy(before);
	case VARIABLE_BUNDLE:
		return pki_copy(aim->bundle);
	case VARIABLE_ROOT:
		return pki_copy(aim->extra);
	case VARIABLE_JAVA:
		return java(aim, before);
	case VARIABLE_JAVA_TOO:
		return java_too(variable->name, before);
	case VARIABLE_GIT:
		return NULL; /* put_git does */
	case VARIABLE_WGETRC:
		return pki_copy(aim->wgetrc);
	case VARIABLE_APT:
		return pki_copy(aim->apt);
	case VARIABLE_ONE:
	default:
		return pki_copy("1");
	}
}

/* --- all of them -------------------------------------------------------- */

static void begin(struct environment *out)
{
	size_t num;

	(void)variables_all(&num);
	out->num = 0;
	out->at = calloc(num + 1 + GIT_ROWS, sizeof(*out->at));
	if (!out->at)
		abort();
}

static void put(struct environment *out, const char *name, char *value)
{
	out->at[out->num++] = (struct environment_row){pki_copy(name), value};
}

/* --- git ---------------------------------------------------------------- */

/* count_of is what GIT_CONFIG_COUNT says; -1: nothing that git would take. */
static int count_of(const char *text)
{
	char *end;
	long count;

	if (!text || !text[0])
		return 0;
	count = strtol(text, &end, 10);
	return *end == '\0' && count >= 0 && count < GIT_MAX ? (int)count : -1;
}

/* git_place is where http.proxy is to stand among the settings by variables, which is
 * where it does already, if it is ours. -1: nowhere. */
static int git_place(char *const *before, int *out_count, bool *out_is_ours)
{
	char *first = environment_was(before, GIT_COUNT), name[GIT_NAME];
	int was = count_of(first);
	const char *key;

	free(first);
	*out_count = count_of(environment_get(before, GIT_COUNT));
	snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%d", was);
	key = environment_get(before, name);
	*out_is_ours = was >= 0 && was < *out_count && key &&
		strcmp(key, GIT_SETTING) == 0 &&
		environment_get(before, ENVIRONMENT_BEFORE);
	return *out_is_ours ? was : *out_count;
}

static void put_git_pair(struct environment *out, int place, char *key,
	char *value)
{
	char name[GIT_NAME];

	snprintf(name, sizeof(name), "GIT_CONFIG_KEY_%d", place);
	put(out, name, key);
	snprintf(name, sizeof(name), "GIT_CONFIG_VALUE_%d", place);
	put(out, name, value);
}

static void put_git(struct environment *out, const char *proxy,
	char *const *before)
{
	char number[16];
	bool is_ours;
	int count, place = git_place(before, &count, &is_ours);

	if (place < 0)
		return;
	snprintf(number, sizeof(number), "%d", is_ours ? count : count + 1);
	put(out, GIT_COUNT, pki_copy(number));
	put_git_pair(out, place, pki_copy(GIT_SETTING), pki_copy(proxy));
}

/* undo_git: what has been set in the place of ours stays. */
static void undo_git(struct environment *out, char *const *before)
{
	bool is_ours;
	int count, place = git_place(before, &count, &is_ours);

	if (!is_ours)
		return;
	put(out, GIT_COUNT, environment_was(before, GIT_COUNT));
	put_git_pair(out, place, NULL, NULL);
}

/* --- all of them, made and undone --------------------------------------- */

static void put_value(struct environment *out, const struct variable *variable,
	const struct environment_aim *aim, char *const *before)
{
	char *value = value_of(variable, aim, before);

	if (value)
		put(out, variable->name, value);
}

void environment_make(struct environment *out,
	const struct environment_aim *aim, char *const *before)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	begin(out);
	for (size_t i = 0; i < num; i++)
		put_value(out, &all[i], aim, before);
	put_git(out, aim->proxy, before);
	put(out, ENVIRONMENT_BEFORE, save(before));
}

void environment_make_bare(struct environment *out,
	const struct environment_aim *aim, char *const *before)
{
	struct environment_aim bare = {.proxy = aim->proxy, .host = aim->host,
		.port = aim->port};
	size_t num;
	const struct variable *all = variables_all(&num);

	begin(out);
	for (size_t i = 0; i < num; i++) {
		enum variable_kind kind = all[i].kind;

		if (kind == VARIABLE_PROXY || kind == VARIABLE_NO_PROXY ||
		    kind == VARIABLE_JAVA)
			put_value(out, &all[i], &bare, before);
	}
}

void environment_undo(struct environment *out, char *const *before)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	begin(out);
	if (!environment_get(before, ENVIRONMENT_BEFORE))
		return;
	for (size_t i = 0; i < num; i++) {
		char *was = all[i].kind == VARIABLE_GIT ? NULL :
			environment_was(before, all[i].name);

		if (was || (all[i].kind != VARIABLE_JAVA_TOO &&
				   all[i].kind != VARIABLE_GIT))
			put(out, all[i].name, was);
	}
	undo_git(out, before);
	put(out, ENVIRONMENT_BEFORE, NULL);
}

void environment_clear(struct environment *env)
{
	for (size_t i = 0; i < env->num; i++) {
		free(env->at[i].name);
		free(env->at[i].value);
	}
	free(env->at);
	memset(env, 0, sizeof(*env));
}

/* --- for execve --------------------------------------------------------- */

static bool is_replaced(const struct environment *env, const char *text)
{
	for (size_t i = 0; i < env->num; i++) {
		size_t len = strlen(env->at[i].name);

		if (strncmp(text, env->at[i].name, len) == 0 &&
		    text[len] == '=')
			return true;
	}
	return false;
}

static char *joined(const struct environment_row *row)
{
	UT_string text;

	utstring_init(&text);
	utstring_printf(&text, "%s=%s", row->name, row->value);
	return utstring_body(&text);
}

char **environment_over(const struct environment *env, char *const *before)
{
	size_t num = 0;
	char **all;

	while (before[num])
		num++;
	all = calloc(num + env->num + 1, sizeof(*all));
	if (!all)
		abort();
	num = 0;
	for (; *before; before++) {
		if (!is_replaced(env, *before))
			all[num++] = pki_copy(*before);
	}
	for (size_t i = 0; i < env->num; i++) {
		if (env->at[i].value)
			all[num++] = joined(&env->at[i]);
	}
	return all;
}

void environment_free(char **all)
{
	for (size_t i = 0; all && all[i]; i++)
		free(all[i]);
	free(all);
}
