/* ca_show.c - what there is, for people: lists, one CA, and what comes next. */

#include <stdio.h>
#include <string.h>
#include <utstring.h>

#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_step.h"
#include "proxy/cli/ca_steps.h"
#include "proxy/cli/table.h"

#define NUM(columns) (sizeof(columns) / sizeof(*(columns)))

/* --- what comes next ---------------------------------------------------- */

/* By the state of a CA; @ stands for its id, and for -c FILE. */
static const struct next {
	const char *state, *text;
	bool idle; /* only for one that is not the default */
} nexts[] = {
	{"GENERAL_DONE", "sallyport ca keypair @", false},
	{"KEYGEN_DONE", "sallyport ca csr @ --cn NAME ...", false},
	{"PUBKEY_DONE", "sallyport ca csr @ --cn NAME ...", false},
	{"CSRGEN_DONE", "have it signed (\"sallyport ca setup\" shows how), "
		"then\nsallyport ca upload @ FILE", false},
	{"INTCERT_UPLOAD_DONE", "sallyport ca chain @ FILE\n"
		"(the certificates above it, up to the root: without them\n"
		"root.pem holds no root), or without them\n"
		"sallyport ca finalize @", false},
	{"CERTCHAIN_UPLOAD_DONE", "sallyport ca finalize @", false},
	{"CERT_READY", "sallyport ca default @", true},
};

static bool has(const json_t *object, const char *member, const char *text)
{
	const char *value = json_string_value(json_object_get(object, member));

	return value && strcmp(value, text) == 0;
}

/* find_next: what is disabled stays so, and needs nothing more. */
static const struct next *find_next(const json_t *ca)
{
	bool idle = !json_is_true(json_object_get(ca, "defaultCertificate"));

	for (size_t i = 0; i < NUM(nexts) && has(ca, "status", "ENABLED");
		i++) {
		if (has(ca, "currentState", nexts[i].state) &&
		    (idle || !nexts[i].idle))
			return &nexts[i];
	}
	return NULL;
}

static void put_next(const struct step *step, json_t *ca)
{
	const struct next *next = find_next(ca);
	UT_string text;

	if (!next)
		return;
	utstring_init(&text);
	for (const char *at = next->text; *at; at++) {
		if (*at == '@')
			utstring_printf(&text, "%lld%s%s",
				(long long)json_integer_value(
					json_object_get(ca, "id")),
				step->config ? " -c " : "",
				step->config ? step->config : "");
		else
			utstring_bincpy(&text, at, 1);
	}
	(void)json_object_set_new(ca, "next",
		json_string(utstring_body(&text)));
	utstring_done(&text);
}

/* --- one ---------------------------------------------------------------- */

static const struct table_column of_one[] = {
	{"id", "id", TABLE_TEXT}, {"name", "name", TABLE_TEXT},
	{"description", "description", TABLE_TEXT},
	{"type", "type", TABLE_TEXT}, {"region", "region", TABLE_TEXT},
	{"state", "currentState", TABLE_TEXT},
	{"status", "status", TABLE_TEXT},
	{"default", "defaultCertificate", TABLE_YES},
	{"key", "keyType", TABLE_TEXT},
	{"key made", "keyGenerationTime", TABLE_TIME},
	{"request made", "csrGenerationTime", TABLE_TIME},
	{"request file", "csrFileName", TABLE_TEXT},
	{"certificate", "uploadedCertFileName", TABLE_TEXT},
	{"issuer", "issuer", TABLE_LINES},
	{"serial", "serialNumber", TABLE_TEXT},
	{"path length", "pathLengthConstraint", TABLE_TEXT},
	{"begins", "certStartDate", TABLE_TIME},
	{"ends", "certExpDate", TABLE_TIME},
	{"next", "next", TABLE_LINES},
};

/* explain_type: people are told what the vendor's word for it means. */
static void explain_type(json_t *ca)
{
	if (has(ca, "type", "ZSCALER"))
		(void)json_object_set_new(ca, "type",
			json_string("ZSCALER (Sallyport's own)"));
}

void ca_show_step(const struct step *step)
{
	if (step->json) {
		table_json(stdout, step->reply.json);
		return;
	}
	put_next(step, step->reply.json);
	explain_type(step->reply.json);
	table_list(stdout, step->reply.json, of_one, NUM(of_one));
}

/* add_cert adds what stands in the certificate, for people. */
static int add_cert(struct step *step)
{
	struct client_reply cert;
	int code;

	if (step->json || !json_object_get(step->reply.json, "certStartDate"))
		return OPTIONS_FINE;
	code = ca_get(step->client, "/showCert", step->id, &cert);
	if (code == OPTIONS_FINE)
		(void)json_object_update_missing(step->reply.json, cert.json);
	client_reply_clear(&cert);
	return code;
}

int ca_show_one(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step),
		{.name = "a CA: its id or name", .value = &step.ca,
			.operand = true},
	};
	int code = options_read(self, argc, argv, rows, 3);

	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, false);
	if (code == OPTIONS_FINE && !step.ca)
		code = ca_find_default(step.client, &step.id);
	if (code == OPTIONS_FINE)
		code = ca_get(step.client, "", step.id, &step.reply);
	if (code == OPTIONS_FINE)
		code = add_cert(&step);
	if (code == OPTIONS_FINE)
		ca_show_step(&step);
	return ca_close_step(&step, code);
}

/* --- lists -------------------------------------------------------------- */

static void show_list(const struct step *step,
	const struct table_column *columns, size_t num)
{
	json_t *one;
	size_t i;

	if (step->json) {
		table_json(stdout, step->reply.json);
		return;
	}
	json_array_foreach(step->reply.json, i, one)
		explain_type(one);
	table_print(stdout, step->reply.json, columns, num);
}

static int list_at(const struct command *self, int argc, char **argv,
	const char *path, const struct table_column *columns, size_t num)
{
	struct step step = {.config = NULL};
	const struct option_row rows[] = {ROW_CONFIG(step), ROW_JSON(step)};
	int code = options_read(self, argc, argv, rows, 2);

	if (code != OPTIONS_FINE)
		return code;
	code = ca_open_step(&step, false);
	if (code == OPTIONS_FINE)
		code = client_call(step.client, "GET", path, NULL,
			&step.reply);
	if (code == OPTIONS_FINE)
		show_list(&step, columns, num);
	return ca_close_step(&step, code);
}

int step_list(const struct command *self, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"ID", "id", TABLE_TEXT}, {"NAME", "name", TABLE_TEXT},
		{"TYPE", "type", TABLE_TEXT}, {"KEY", "keyType", TABLE_TEXT},
		{"STATE", "currentState", TABLE_TEXT},
		{"STATUS", "status", TABLE_TEXT},
		{"ENDS", "certExpDate", TABLE_DAY},
		{"DEFAULT", "defaultCertificate", TABLE_YES},
	};

	return list_at(self, argc, argv, CA_PATH_OF_ALL, columns,
		NUM(columns));
}

int step_issuing(const struct command *self, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"SERIAL", "serialNumber", TABLE_TEXT},
		{"KEY ID", "keyId", TABLE_TEXT},
		{"NAME", "name", TABLE_TEXT},
		{"BEGINS", "startDate", TABLE_DAY},
		{"ENDS", "expDate", TABLE_DAY},
		{"REVOKED", "revoked", TABLE_TIME},
	};

	return list_at(self, argc, argv, "/sallyport/issuing", columns,
		NUM(columns));
}

int step_audit(const struct command *self, int argc, char **argv)
{
	static const struct table_column columns[] = {
		{"TIME", "time", TABLE_TIME}, {"WHO", "who", TABLE_TEXT},
		{"WHAT", "what", TABLE_TEXT}, {"CA", "name", TABLE_TEXT},
		{"DETAIL", "detail", TABLE_TEXT},
	};

	return list_at(self, argc, argv, "/sallyport/audit?last=1000",
		columns, NUM(columns));
}
