#include "proxy/session/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/portal/html.h"
#include "proxy/session/verifier.h"

/* --- heads and HTML ----------------------------------------------------- */

static struct slice text_slice(const char *text)
{
	return (struct slice){text, strlen(text)};
}

/* Of the statuses in reasons.def (RFC 9110, 15). */
static const char *phrase(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} phrases[] = {
		{200, "OK"}, {302, "Found"}, {400, "Bad Request"},
		{403, "Forbidden"}, {404, "Not Found"},
		{405, "Method Not Allowed"},
		{407, "Proxy Authentication Required"},
		{408, "Request Timeout"}, {421, "Misdirected Request"},
		{429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"},
		{501, "Not Implemented"}, {502, "Bad Gateway"},
		{503, "Service Unavailable"}, {504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < sizeof(phrases) / sizeof(phrases[0]); i++)
		if (phrases[i].status == status)
			return phrases[i].text;
	return "";
}

/* begin_kept begins an answer that may be cached for max_age seconds. */
static void begin_kept(struct answer *answer, unsigned status,
	const char *type, long long max_age)
{
	char text[48] = "no-store";

	if (max_age > 0)
		snprintf(text, sizeof(text), "public, max-age=%lld", max_age);
	answer->head = head_new();
	head_set_response(answer->head, status, text_slice(phrase(status)), 1);
	head_add_text(answer->head, "Content-Type", type);
	head_add_text(answer->head, "Cache-Control", text);
	head_add_text(answer->head, "X-Content-Type-Options", "nosniff");
	utstring_init(&answer->body);
}

static void begin(struct answer *answer, unsigned status, const char *type)
{
	begin_kept(answer, status, type, 0);
}

static void add(struct answer *answer, const char *text)
{
	utstring_bincpy(&answer->body, text, strlen(text));
}

static void guard(struct answer *answer, const char *policy)
{
	if (policy[0])
		head_add_text(answer->head, "Content-Security-Policy", policy);
}

/* --- refusals ----------------------------------------------------------- */

static void add_detail(struct answer *answer, const char *name,
	const char *value)
{
	if (!value || !value[0])
		return;
	add(answer, "<dt>");
	add(answer, name);
	add(answer, "</dt><dd>");
	html_text(&answer->body, value);
	add(answer, "</dd>\n");
}

static void add_proxy_status(struct answer *answer, enum reason reason)
{
	char text[128];

	head_add_text(answer->head, "Sallyport-Error", reason_word(reason));
	if (!reason_proxy_error(reason)[0])
		return;
	snprintf(text, sizeof(text), "sallyport; error=%s",
		reason_proxy_error(reason));
	head_add_text(answer->head, "Proxy-Status", text);
}

static void add_line(struct answer *answer, const char *name,
	const char *value)
{
	if (!value || !value[0])
		return;
	add(answer, name);
	add(answer, ": ");
	add(answer, value);
	add(answer, "\n");
}

/* A URL may take as much as a head does. */
enum { URL_SHOWN = 512 };

static void shown_url(const char *url, char out[URL_SHOWN])
{
	bool fits = url && strlen(url) < URL_SHOWN;

	snprintf(out, URL_SHOWN, "%s", fits ? url : "");
}

/* time_now: by which the line of the log is found. */
static void time_now(char out[32])
{
	time_t now = time(NULL);
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&now, &tm))
		strftime(out, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

/* For curl and its kind: what the page says, without the page. */
static void refuse_in_text(struct answer *answer,
	const struct refusal *refusal)
{
	enum reason reason = refusal->reason;
	char url[URL_SHOWN], now[32];

	shown_url(refusal->url, url);
	time_now(now);
	begin(answer, reason_status(reason), "text/plain; charset=utf-8");
	add(answer, reason_sentence(reason));
	add(answer, "\n");
	add_line(answer, "Site", refusal->host);
	add_line(answer, "URL", url);
	add_line(answer, "User", refusal->user);
	add_line(answer, "Time", now);
	add_line(answer, "Rule", refusal->rule);
	add_line(answer, "In detail", refusal->why);
	add_line(answer, "What to do", reason_advice(reason));
	add_line(answer, "Reason", reason_word(reason));
	add(answer, "Sallyport, your network's proxy\n");
}

/* add_advice is add_detail for words of our own: `this` is code. */
static void add_advice(struct answer *answer, const char *advice)
{
	char *copy = strdup(advice), *rest = copy, *piece;

	if (!copy)
		abort();
	add(answer, "<dt>What to do</dt><dd>");
	for (bool code = false; (piece = strsep(&rest, "`")); code = !code) {
		add(answer, code ? "<code>" : "");
		html_text(&answer->body, piece);
		add(answer, code ? "</code>" : "");
	}
	add(answer, "</dd>\n");
	free(copy);
}

static void refuse_in_html(struct answer *answer,
	const struct refusal *refusal)
{
	enum reason reason = refusal->reason;
	char policy[HTML_POLICY_SIZE], url[URL_SHOWN], now[32];

	shown_url(refusal->url, url);
	time_now(now);
	begin(answer, reason_status(reason), "text/html; charset=utf-8");
	html_policy(policy, NULL, NULL);
	guard(answer, policy);
	html_begin(&answer->body, reason_sentence(reason));
	add(answer, "<main>\n<h1>");
	html_text(&answer->body, reason_sentence(reason));
	add(answer, "</h1>\n<dl>\n");
	add_detail(answer, "Site", refusal->host);
	add_detail(answer, "URL", url);
	add_detail(answer, "User", refusal->user);
	add_detail(answer, "Time", now);
	add_detail(answer, "Rule", refusal->rule);
	add_detail(answer, "In detail", refusal->why);
	if (reason_advice(reason)[0])
		add_advice(answer, reason_advice(reason));
	add_detail(answer, "Reason", reason_word(reason));
	add(answer, "</dl>\n</main>\n");
	html_end(&answer->body);
}

/* add_challenge: RFC 7617, 2 and 2.1. The realm was checked to have no quotes. */
static void add_challenge(struct answer *answer, const char *realm)
{
	char text[300];

	snprintf(text, sizeof(text), "Basic realm=\"%s\", charset=\"UTF-8\"",
		realm ? realm : "Sallyport");
	head_add_text(answer->head, "Proxy-Authenticate", text);
}

/* add_fields adds what goes with a status (RFC 9110, 15). */
static void add_fields(struct answer *answer, const struct refusal *refusal)
{
	char seconds[16];

	switch (reason_status(refusal->reason)) {
	case 302:
		if (refusal->location)
			head_add_text(answer->head, "Location",
				refusal->location);
		break;
	case 405:
		head_add_text(answer->head, "Allow", refusal->own ?
			"GET, HEAD" :
			"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
		break;
	case 407:
		add_challenge(answer, refusal->realm);
		break;
	case 429:
		snprintf(seconds, sizeof(seconds), "%d", VERIFIER_RETRY_S);
		head_add_text(answer->head, "Retry-After", seconds);
		break;
	default:
		break;
	}
}

void answer_refuse(struct answer *answer, const struct refusal *refusal)
{
	if (refusal->page)
		refuse_in_html(answer, refusal);
	else
		refuse_in_text(answer, refusal);
	add_proxy_status(answer, refusal->reason);
	add_fields(answer, refusal);
}

/* --- our own pages ------------------------------------------------------ */

bool answer_names_html(struct slice accept)
{
	return accept.at &&
		memmem(accept.at, accept.len, "text/html", 9) != NULL;
}

static void put_page(struct answer *answer, struct portal_page *page)
{
	char text[96];

	begin_kept(answer, 200, page->type, page->max_age);
	guard(answer, page->policy);
	if (page->file) {
		snprintf(text, sizeof(text), "attachment; filename=\"%s\"",
			page->file);
		head_add_text(answer->head, "Content-Disposition", text);
	}
	utstring_concat(&answer->body, &page->body);
}

static enum reason refuse(struct answer *answer, enum reason reason,
	bool page)
{
	struct refusal refusal = {
		.reason = reason, .own = true, .page = page};

	answer_refuse(answer, &refusal);
	return reason;
}

enum reason answer_own(struct answer *answer, const struct snapshot *snapshot,
	const struct own_request *request)
{
	struct portal_request asked = {.config = snapshot->config,
		.authority = snapshot->authority, .proxy = request->proxy,
		.way = request->way, .path = request->path,
		.html = request->html};
	struct portal_page page;

	if (!slice_is(request->method, "GET") &&
	    !slice_is(request->method, "HEAD"))
		return refuse(answer, REASON_METHOD_NOT_ALLOWED,
			request->page);
	if (!portal_open(&asked, &page))
		return refuse(answer, REASON_NOT_FOUND, request->page);
	put_page(answer, &page);
	portal_clear(&page);
	return REASON_OK;
}

void answer_clear(struct answer *answer)
{
	if (!answer->head)
		return;
	head_free(answer->head);
	utstring_done(&answer->body);
	answer->head = NULL;
}
