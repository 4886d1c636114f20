#include "proxy/session/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/pool.h>

#include "pki/authority.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/services.h"
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

/* add_escaped writes text that may come from anybody. */
static void add_escaped(struct answer *answer, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			add(answer, "&lt;");
			break;
		case '>':
			add(answer, "&gt;");
			break;
		case '&':
			add(answer, "&amp;");
			break;
		case '"':
			add(answer, "&quot;");
			break;
		default:
			utstring_bincpy(&answer->body, text, 1);
		}
	}
}

/* No script, no frame, nothing from elsewhere: the page must stay what it is
 * even on the name of another site. */
static void begin_page(struct answer *answer, unsigned status,
	const char *title)
{
	begin(answer, status, "text/html; charset=utf-8");
	head_add_text(answer->head, "Content-Security-Policy",
		"default-src 'none'; style-src 'unsafe-inline'; "
		"frame-ancestors 'none'");
	head_add_text(answer->head, "X-Content-Type-Options", "nosniff");
	add(answer, "<!doctype html>\n<html lang=\"en\"><head>"
		"<meta charset=\"utf-8\"><meta name=\"viewport\" "
		"content=\"width=device-width\"><title>");
	add_escaped(answer, title);
	add(answer, "</title>\n<style>body{font:16px/1.5 system-ui,sans-serif;"
		"max-width:42em;margin:3em auto;padding:0 1em;color:#222}"
		"h1{font-size:1.4em}dt{color:#666}dd{margin:0 0 .6em}"
		"code,pre{background:#f3f3f3;padding:.1em .3em}"
		"pre{padding:.6em;white-space:pre-wrap;overflow-wrap:anywhere}"
		"@media(prefers-color-scheme:dark){body{background:#1b1b1b;"
		"color:#ddd}code,pre{background:#2b2b2b}dt{color:#999}}"
		"</style></head>\n<body>\n");
}

static void end_page(struct answer *answer)
{
	add(answer, "<p><small>Sallyport, your network's proxy</small></p>\n"
		"</body></html>\n");
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
	add_escaped(answer, value);
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

/* For curl and its kind: what the page says, without the page. */
static void refuse_in_text(struct answer *answer,
	const struct refusal *refusal)
{
	enum reason reason = refusal->reason;

	begin(answer, reason_status(reason), "text/plain; charset=utf-8");
	add(answer, reason_sentence(reason));
	add(answer, "\n");
	add_line(answer, "Site", refusal->host);
	add_line(answer, "Rule", refusal->rule);
	add_line(answer, "In detail", refusal->why);
	add_line(answer, "What to do", reason_advice(reason));
	add_line(answer, "Reason", reason_word(reason));
	add(answer, "Sallyport, your network's proxy\n");
}

static void refuse_in_html(struct answer *answer,
	const struct refusal *refusal)
{
	enum reason reason = refusal->reason;

	begin_page(answer, reason_status(reason), reason_sentence(reason));
	add(answer, "<h1>");
	add_escaped(answer, reason_sentence(reason));
	add(answer, "</h1>\n<dl>\n");
	add_detail(answer, "Site", refusal->host);
	add_detail(answer, "Rule", refusal->rule);
	add_detail(answer, "In detail", refusal->why);
	add_detail(answer, "What to do", reason_advice(reason));
	add_detail(answer, "Reason", reason_word(reason));
	add(answer, "</dl>\n");
	end_page(answer);
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
		head_add_text(answer->head, "Allow", refusal->allow ?
			refusal->allow :
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

/* find_self is where clients find the proxy: as this one did, or by its name. */
static void find_self(const struct services *services,
	const struct own_request *request, char out[PROXY_ADDRESS_SIZE])
{
	if (request->self)
		snprintf(out, PROXY_ADDRESS_SIZE, "%s", request->self);
	else
		config_proxy_address(services->snapshot->config, out,
			PROXY_ADDRESS_SIZE);
}

static void start_page(struct answer *answer, const char *proxy)
{

	begin_page(answer, 200, "Sallyport");
	add(answer, "<h1>This is Sallyport</h1>\n<p>Your network's proxy. It "
		"inspects TLS: it shows a certificate of its own for each "
		"site, signed by your organization's CA. Programs must trust "
		"that CA's root.</p>\n<ul>\n"
		"<li><a href=\"/ca/root.pem\">The root certificate</a>, to be "
		"trusted</li>\n<li><a href=\"/proxy.pac\">The PAC file</a>, "
		"for browsers and systems</li>\n</ul>\n<p>In a shell:</p>\n"
		"<pre>");
	add(answer, "curl -x http://");
	add_escaped(answer, proxy);
	add(answer, " -o root.pem http://" MAGIC_HOST
		"/ca/root.pem\nexport https_proxy=http://");
	add_escaped(answer, proxy);
	add(answer, "\ncurl --cacert root.pem https://example.com/</pre>\n");
	end_page(answer);
}

static void root_file(struct answer *answer, const struct services *services)
{
	begin(answer, 200, "application/x-pem-file");
	head_add_text(answer->head, "Content-Disposition",
		"attachment; filename=\"sallyport-root.pem\"");
	add(answer, authority_root_pem(services->snapshot->authority));
}

static void pac_file(struct answer *answer, const char *proxy)
{
	begin(answer, 200, "application/x-ns-proxy-autoconfig");
	add(answer, "function FindProxyForURL(url, host) {\n"
		"\tif (isPlainHostName(host) || host == \"localhost\" ||\n"
		"\t    shExpMatch(host, \"127.*\") || host == \"[::1]\")\n"
		"\t\treturn \"DIRECT\";\n\treturn \"PROXY ");
	add(answer, proxy);
	add(answer, "\";\n}\n");
}

/* crl_age: another may come at any moment (a revocation); a cache that asks
 * once an hour is no burden, and one that keeps an old one is no danger beyond
 * that. RFC 5280 has nextUpdate for the rest. */
static long long crl_age(time_t until)
{
	enum { HOUR = 3600 };
	time_t left = until - time(NULL);

	return until == 0 || left > HOUR ? HOUR : left > 0 ? left : 1;
}

/* crl_file serves /crl/ID.crl. */
static bool crl_file(struct answer *answer, const struct services *services,
	struct slice path)
{
	static const char before[] = "/crl/", after[] = ".crl";
	size_t fixed = sizeof(before) - 1 + sizeof(after) - 1;
	CRYPTO_BUFFER *crl;
	time_t until;
	char id[CA_ID_MAX + 1];

	if (path.len <= fixed || path.len - fixed >= sizeof(id) ||
	    memcmp(path.at, before, sizeof(before) - 1) != 0 ||
	    memcmp(path.at + path.len - 4, after, 4) != 0)
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(path.len - fixed),
		path.at + sizeof(before) - 1);
	crl = authority_crl(services->snapshot->authority, id, &until);
	if (!crl)
		return false;
	begin_kept(answer, 200, "application/pkix-crl", crl_age(until));
	utstring_bincpy(&answer->body, CRYPTO_BUFFER_data(crl),
		CRYPTO_BUFFER_len(crl));
	CRYPTO_BUFFER_free(crl);
	return true;
}

static enum reason refuse(struct answer *answer, enum reason reason,
	bool page)
{
	struct refusal refusal = {
		.reason = reason, .allow = "GET, HEAD", .page = page};

	answer_refuse(answer, &refusal);
	return reason;
}

enum reason answer_own(struct answer *answer, const struct services *services,
	const struct own_request *request)
{
	struct slice path = request->path;
	const char *query = path.at ? memchr(path.at, '?', path.len) : NULL;
	char proxy[PROXY_ADDRESS_SIZE];

	if (!slice_is(request->method, "GET") &&
	    !slice_is(request->method, "HEAD"))
		return refuse(answer, REASON_METHOD_NOT_ALLOWED,
			request->page);
	find_self(services, request, proxy);
	if (query)
		path.len = (size_t)(query - path.at);
	if (path.len == 0 || slice_is(path, "/"))
		start_page(answer, proxy);
	else if (slice_is(path, "/ca/root.pem"))
		root_file(answer, services);
	else if (slice_is(path, "/proxy.pac"))
		pac_file(answer, proxy);
	else if (!crl_file(answer, services, path))
		return refuse(answer, REASON_NOT_FOUND, request->page);
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
