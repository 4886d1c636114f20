/* own_routes.c - what the vendor's API has no calls for: the issuing CAs,
 * revocation, the audit trail, roots and CRLs. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pki/estate.h"
#include "pki/revoke.h"
#include "pki/store_audit.h"
#include "proxy/admin/ca_json.h"
#include "proxy/admin/call.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"
#include "proxy/report/metrics.h"

enum { AUDIT_DEFAULT = 100, AUDIT_MOST = 10000, SITE = 256 };

/* --- issuing CAs, and what is revoked ----------------------------------- */

void rest_issuing(struct call *call)
{
	struct store_issuing *rows;
	json_t *list, *one;
	size_t num;

	if (!call_went(call, revoke_list(&call->life, &rows, &num)))
		return;
	list = json_array();
	for (size_t i = 0; i < num; i++) {
		one = ca_json_issuing(&rows[i]);
		if (one)
			(void)json_array_append_new(list, one);
	}
	call_json(call, list);
	store_issuing_free(rows, num);
}

struct revocation {
	const char *issuing, *site; /* borrowed from the body */
	int64_t ca;
};

static bool read_revocation(struct call *call, const json_t *body,
	struct revocation *out)
{
	*out = (struct revocation){.issuing = NULL};
	if (!call_text(call, body, "issuing", &out->issuing) ||
	    !call_text(call, body, "site", &out->site) ||
	    !call_number(call, body, "ca", 1, INT64_MAX, &out->ca))
		return false;
	if ((out->issuing != NULL) + (out->site != NULL) + (out->ca != 0) == 1)
		return true;
	call_fail(call, FAULT_INPUT, "Say what to revoke by one of the "
		"fields issuing (a key id or serial number), ca (an id) and "
		"site (a host).");
	return false;
}

/* Sites are noted in small letters and without the root's dot, a moment after
 * they are signed for. */
static enum life_outcome revoke_host(struct call *call, const char *host,
	size_t *out)
{
	const struct api_world *world = call->world;
	char site[SITE];
	size_t len = strlen(host);

	if (len > 0 && host[len - 1] == '.')
		len--;
	if (len >= sizeof(site))
		len = sizeof(site) - 1; /* nobody's */
	for (size_t i = 0; i < len; i++)
		site[i] = host[i] >= 'A' && host[i] <= 'Z' ?
			(char)(host[i] | 0x20) : host[i];
	site[len] = '\0';
	if (world->settle)
		world->settle(world->arg);
	return revoke_site(&call->life, site, out);
}

static void revoke(struct call *call, const struct revocation *what)
{
	enum life_outcome outcome;
	json_t *object;
	size_t num = 1;

	if (what->issuing)
		outcome = revoke_issuing(&call->life, what->issuing);
	else if (what->site)
		outcome = revoke_host(call, what->site, &num);
	else
		outcome = revoke_ca(&call->life, what->ca);
	if (!call_went(call, outcome) || !call_changed(call))
		return;
	object = json_object();
	put_number(object, "revoked", (int64_t)num);
	call_json(call, object);
}

void rest_revoke(struct call *call)
{
	json_t *body = call_body(call);
	struct revocation what;

	if (body && read_revocation(call, body, &what))
		revoke(call, &what);
	json_decref(body);
}

void rest_refresh(struct call *call)
{
	json_t *object;

	if (!call_changed(call))
		return;
	object = json_object();
	put_flag(object, "refreshed", true);
	call_json(call, object);
}

/* --- the audit trail ---------------------------------------------------- */

static json_t *show_line(const struct store_audit *line)
{
	json_t *object = json_object();

	put_time(object, "time", line->time);
	put_text(object, "who", line->who);
	put_text(object, "what", line->what);
	if (line->ca != 0)
		put_number(object, "ca", line->ca);
	put_text(object, "name", line->name);
	put_text(object, "detail", line->detail);
	return object;
}

static json_t *show_lines(const struct store_audit *lines, size_t num)
{
	json_t *list = json_array();

	for (size_t i = 0; i < num; i++)
		(void)json_array_append_new(list, show_line(&lines[i]));
	return list;
}

/* look opens the store for who only reads, and makes nothing where there is
 * none: ESTATE_NONE. Cleared by estate_close in any case; false: answered. */
static bool look(struct call *call, struct estate *out, int *result)
{
	*result = estate_look(&call->world->options, out, call->err,
		sizeof(call->err));
	if (*result >= 0)
		return true;
	call_fail(call, FAULT_OURS, "%s", call->err);
	return false;
}

void rest_audit(struct call *call)
{
	struct store_audit *lines = NULL;
	int64_t last = AUDIT_DEFAULT;
	struct estate estate;
	size_t num = 0;
	int result;

	if (!call_query_number(call, "last", 1, AUDIT_MOST, &last))
		return;
	if (look(call, &estate, &result)) {
		/* Tokens may have been made before there are any CAs. */
		if (estate.store)
			result = store_audit_list(estate.store, (size_t)last,
				&lines, &num, call->err, sizeof(call->err));
		if (result < 0)
			call_fail(call, FAULT_OURS, "%s", call->err);
		else
			call_json(call, show_lines(lines, num));
	}
	free(lines);
	estate_close(&estate);
}

/* --- metrics ------------------------------------------------------------ */

void rest_metrics(struct call *call)
{
	UT_string text;

	if (!call->world->metrics) {
		call_fail(call, FAULT_ABSENT, "No proxy runs: there is nothing "
			"to count.");
		return;
	}
	utstring_init(&text);
	call->world->metrics(call->world->arg, &text);
	call_bytes(call, METRICS_TYPE, utstring_body(&text),
		utstring_len(&text));
	utstring_done(&text);
}

/* --- roots and CRLs ----------------------------------------------------- */

void rest_root(struct call *call)
{
	struct authority_view view;
	int result = authority_look(&call->world->options, &view, call->err,
		sizeof(call->err));

	if (result == 0)
		call_bytes(call, "application/x-pem-file", view.root_pem,
			strlen(view.root_pem));
	else if (result == AUTHORITY_NONE)
		call_fail(call, FAULT_UNKNOWN, "There are no CAs yet: they "
			"are made when the proxy is first started.");
	else
		call_fail(call, FAULT_OURS, "%s", call->err);
	authority_view_clear(&view);
}

static void give_crl(struct call *call, const CRYPTO_BUFFER *crl)
{
	if (crl)
		call_bytes(call, "application/pkix-crl",
			CRYPTO_BUFFER_data(crl), CRYPTO_BUFFER_len(crl));
	else
		call_fail(call, FAULT_UNKNOWN, "There is no CRL of \"%s\": "
			"\"sallyport ca list\" and \"sallyport ca issuing\" "
			"show the ids.", call->part);
}

/* by_key looks for an issuing CA. */
static void crl_by_key(struct call *call, struct estate *estate)
{
	const CRYPTO_BUFFER *crl = NULL;
	struct store_issuing *rows;
	size_t num;

	if (store_issuing_list(estate->store, call->now, &rows, &num,
		    call->err, sizeof(call->err)) != 0) {
		call_fail(call, FAULT_OURS, "%s", call->err);
		return;
	}
	for (size_t i = 0; i < num; i++) {
		if (strcasecmp(rows[i].key_id, call->part) == 0)
			crl = rows[i].crl;
	}
	give_crl(call, crl);
	store_issuing_free(rows, num);
}

static void find_crl(struct call *call, struct estate *estate)
{
	const struct store_ca *row;
	char id[24];

	snprintf(id, sizeof(id), "%lld", (long long)call->id);
	if (strcmp(id, call->part) != 0) { /* not a number, or not all of it */
		crl_by_key(call, estate);
		return;
	}
	row = estate_find(estate, call->id);
	give_crl(call, row ? row->crl : NULL);
}

void rest_crl(struct call *call)
{
	struct estate estate;
	int result;

	if (look(call, &estate, &result)) {
		if (result == ESTATE_NONE)
			give_crl(call, NULL);
		else
			find_crl(call, &estate);
	}
	estate_close(&estate);
}
