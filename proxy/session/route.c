/* route.c - where each request goes, and what fits it for there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority.h"
#include "proxy/http/url.h"
#include "proxy/session/agent.h"
#include "proxy/session/session_private.h"
#include "proxy/session/whereabouts.h"

/* What a request asks for, taken apart. */
struct asked {
	struct url url;
	char host[HOST_SIZE]; /* normalized; "": none was named */
	uint16_t port;        /* 0: none was named */
};

/* --- taking a request apart --------------------------------------------- */

static enum route bad(struct exchange *x, const char *why)
{
	x->last = true;
	return exchange_refuse(x, REASON_BAD_REQUEST, why);
}

static bool take_authority(struct slice host, uint16_t port, struct asked *out)
{
	out->port = port;
	return host_normalize(host.at, host.len, out->host) != HOST_BAD;
}

/* RFC 9112, 3.2.2: an absolute target's authority counts, not the Host. */
static bool take_apart(struct head *head, struct asked *out)
{
	struct slice field = head_get(head, "Host"), host;
	uint16_t port;

	memset(out, 0, sizeof(*out));
	if (url_parse_target(head_target(head), &out->url) != 0)
		return false;
	if (out->url.form == URL_ABSOLUTE)
		return take_authority(out->url.host, out->url.port, out);
	if (!field.at || field.len == 0)
		return head_minor(head) == 0;
	return url_parse_authority(field, &host, &port) == 0 &&
		take_authority(host, port, out);
}

/* --- making it fit for the origin --------------------------------------- */

static void set_target(struct head *head, struct slice path)
{
	struct slice method = head_method(head);
	char *text = malloc(method.len + path.len + 2);
	size_t slash = path.len == 0 || path.at[0] != '/';

	if (!text)
		abort();
	memcpy(text, method.at, method.len);
	text[method.len] = '/';
	memcpy(text + method.len + slash, path.at, path.len);
	head_set_request(head, (struct slice){text, method.len},
		(struct slice){text + method.len, path.len + slash}, 1);
	free(text);
}

enum { AUTHORITY_SIZE = HOST_SIZE + 16 };

/* write_authority leaves the port out where it is not known (0) or usual. */
static void write_authority(char out[AUTHORITY_SIZE], const char *host,
	uint16_t port, uint16_t usual)
{
	bool brackets = strchr(host, ':') != NULL;

	if (port != 0 && port != usual)
		address_with_port(host, port, out, AUTHORITY_SIZE);
	else /* of every request: host is shorter than HOST_SIZE */
		(void)stpcpy(stpcpy(stpcpy(out, brackets ? "[" : ""), host),
			brackets ? "]" : "");
}

/* set_host writes Host anew where the target or the connection, not the field,
 * says what it is. */
static void set_host(struct head *head, const char *host, uint16_t port,
	uint16_t usual)
{
	char text[AUTHORITY_SIZE];

	write_authority(text, host, port, usual);
	(void)head_remove(head, "Host");
	head_add_text(head, "Host", text);
}

static void to_origin_form(struct head *head, const struct asked *asked,
	const char *host, uint16_t port, uint16_t usual)
{
	if (asked->url.form == URL_ABSOLUTE) {
		/* OPTIONS without a path asks of the server (RFC 9112, 3.2.4) */
		if (asked->url.path.len == 0 &&
		    slice_is(head_method(head), "OPTIONS"))
			head_set_request(head, (struct slice){"OPTIONS", 7},
				(struct slice){"*", 1}, 1);
		else
			set_target(head, asked->url.path);
	}
	if (asked->url.form == URL_ABSOLUTE || !asked->host[0])
		set_host(head, asked->host[0] ? asked->host : host,
			asked->host[0] ? asked->port : port, usual);
}

/* note_url keeps the URL for the log, which leaves out its query unless it is told
 * not to: that may hold secrets. A user and password are none of it. */
static void note_url(struct exchange *x, const char *scheme, const char *host,
	uint16_t port, const struct asked *asked)
{
	uint16_t usual = strcmp(scheme, "https") == 0 ? 443 : 80;
	struct slice path = asked->url.path;
	char authority[AUTHORITY_SIZE], *at;

	write_authority(authority, host, port, usual);
	free(x->url);
	x->url = malloc(strlen(scheme) + 3 + strlen(authority) + path.len + 1);
	if (!x->url)
		abort();
	at = stpcpy(stpcpy(stpcpy(x->url, scheme), "://"), authority);
	if (path.len > 0)
		memcpy(at, path.at, path.len);
	at[path.len] = '\0';
}

/* --- our own pages ------------------------------------------------------ */

/* under_cdp: the URL lies under the one that every leaf's CDP begins with. What
 * stands behind that is a path of ours. */
static bool under_cdp(const struct session *s, const struct asked *asked,
	struct slice *out_path)
{
	const char *base =
		authority_crl_base(s->services->snapshot->authority);
	struct slice path = asked->url.path;
	char host[HOST_SIZE];
	struct url url;
	size_t len;

	if (url_parse_target((struct slice){base, strlen(base)}, &url) != 0 ||
	    host_normalize(url.host.at, url.host.len, host) == HOST_BAD ||
	    strcmp(host, asked->host) != 0 ||
	    (url.port ? url.port : 80) != (asked->port ? asked->port : 80))
		return false;
	len = url.path.len;
	if (len > 0 && url.path.at[len - 1] == '/')
		len--;
	*out_path = path;
	if (len == 0)
		return true;
	if (path.len < len || memcmp(path.at, url.path.at, len) != 0 ||
	    (path.len > len && !strchr("/?", path.at[len])))
		return false;
	*out_path = (struct slice){path.at + len, path.len - len};
	return true;
}

static enum portal_way way_of(const struct session *s,
	const struct asked *asked)
{
	if (s->realm == REALM_INSPECTED)
		return PORTAL_INSPECTED;
	return s->realm == REALM_PROXY && asked->url.form == URL_ORIGIN ?
		PORTAL_STRAIGHT : PORTAL_PROXIED;
}

/* tell_proxy: a name counts that it was called by straight; what is asked of it as
 * of a proxy names a site. */
static void tell_proxy(const struct session *s, const struct asked *asked,
	enum portal_way way, char out[PROXY_ADDRESS_SIZE])
{
	struct came came = {.local = s->client_local, .host = ""};

	if (!s->transparent && !s->inner)
		came.to = &s->local.any;
	if (way == PORTAL_STRAIGHT) {
		came.host = asked->host;
		came.port = asked->port ? asked->port : 80;
	}
	whereabouts_tell(session_config(s), &came, out);
}

static enum route own(struct session *s, struct exchange *x,
	struct head *head, const struct asked *asked)
{
	char proxy[PROXY_ADDRESS_SIZE];
	struct own_request request = {.method = head_method(head),
		.path = asked->url.path, .way = way_of(s, asked),
		.proxy = proxy, .page = x->page,
		.html = answer_names_html(head_get(head, "Accept"))};
	enum reason reason;

	tell_proxy(s, asked, request.way, proxy);
	(void)under_cdp(s, asked, &request.path);
	reason = answer_own(&x->answer, s->services->snapshot, &request);
	if (reason != REASON_OK)
		x->reason = reason;
	return ROUTE_ANSWER;
}

/* wants_user: that page is how a program finds out whether a user is needed. */
static bool wants_user(const struct asked *asked)
{
	return slice_is(asked->url.path, "/check?user");
}

/* --- on the explicit listener ------------------------------------------- */

/* keep_agent: what a program says it is when it asks for a tunnel. */
static void keep_agent(struct session *s, const struct head *head)
{
	char agent[AGENT_SIZE];

	agent_read(head, agent);
	words_set(&s->user_agent, agent);
}

/* refuse_connect: a name that is blocked whatever comes. What would be tunnelled
 * can't be shown a page later. */
static enum route refuse_connect(struct session *s, struct exchange *x)
{
	struct decision decision;

	decide_name(s, s->host, false, false, &decision);
	if (decision.options.action == ACTION_INSPECT ||
	    (decision.options.action == ACTION_BLOCK &&
		    decision.options.notify))
		return ROUTE_CONNECT;
	if (decision.options.action == ACTION_DO_NOT_INSPECT &&
	    (decision.options.url_policies == URL_POLICIES_BYPASS ||
		    !urls_block_host(s, s->host)))
		return ROUTE_CONNECT;
	s->decision = decision;
	decide_note(s);
	x->last = true;
	if (decision.options.action == ACTION_BLOCK)
		return exchange_refuse(x, REASON_BLOCKED, "");
	words_set(&x->url_rule, s->url_rule);
	x->url_action = s->url_action;
	return exchange_refuse(x, REASON_URL_BLOCKED, "");
}

static enum route route_connect(struct session *s, struct exchange *x,
	struct head *head)
{
	enum route refused;
	struct slice host;

	if (url_parse_authority(head_target(head), &host, &s->port) != 0 ||
	    host_normalize(host.at, host.len, s->host) == HOST_BAD ||
	    s->port == 0)
		return bad(x, "CONNECT wants host:port");
	s->name = s->host;
	s->host_is_address = host_normalize(host.at, host.len, s->host) ==
		HOST_ADDRESS;
	s->own_pages = decide_is_magic(s->host);
	if (s->own_pages)
		return ROUTE_CONNECT;
	switch (who_asks(s, x, head, &refused)) {
	case WHO_WAIT:
		return ROUTE_WAIT;
	case WHO_REFUSED:
		return refused;
	case WHO_KNOWN:
	default:
		break;
	}
	keep_agent(s, head);
	if (decide_asks_destination(s) &&
	    !decide_find_destinations(s, s->host, s->port))
		return ROUTE_WAIT;
	return refuse_connect(s, x);
}

static enum route route_plain_url(struct session *s, struct exchange *x,
	struct head *head, struct asked *asked)
{
	uint16_t port = asked->port ? asked->port : 80;
	struct urls_asked url = {"http", asked->host, port, asked->url.path};
	bool magic = decide_is_magic(asked->host);
	enum route route;
	struct slice path;

	if (slice_is_nocase(asked->url.scheme, "https"))
		return exchange_refuse(x, REASON_HTTPS_IN_PLAIN, "");
	if (!slice_is_nocase(asked->url.scheme, "http"))
		return bad(x, "only http:// URLs");
	note_url(x, "http", asked->host, port, asked);
	snprintf(s->host, sizeof(s->host), "%s", asked->host);
	s->port = port;
	if (magic ? !wants_user(asked) : under_cdp(s, asked, &path))
		return own(s, x, head, asked);
	if (slice_is(head_method(head), "TRACE"))
		return exchange_refuse(x, REASON_METHOD_NOT_ALLOWED, "");
	switch (who_asks(s, x, head, &route)) {
	case WHO_WAIT:
		return ROUTE_WAIT;
	case WHO_REFUSED:
		return route;
	case WHO_KNOWN:
	default:
		break;
	}
	if (magic)
		return own(s, x, head, asked);
	if (policy_asks_url_destination(session_config(s)->policy) &&
	    !decide_find_destinations(s, s->host, port))
		return ROUTE_WAIT;
	route = urls_route(s, x, head, &url);
	if (route != ROUTE_ORIGIN)
		return route;
	session_want(s, s->host, port, &x->want);
	to_origin_form(head, asked, asked->host, port, 80);
	return ROUTE_ORIGIN;
}

static enum route route_proxy(struct session *s, struct exchange *x,
	struct head *head)
{
	struct asked asked;

	if (!s->allowed) {
		x->last = true;
		return exchange_refuse(x, REASON_CLIENT_NOT_ALLOWED, "");
	}
	if (slice_is(head_method(head), "CONNECT"))
		return route_connect(s, x, head);
	if (!take_apart(head, &asked))
		return bad(x, "the target or the Host field is malformed");
	if (asked.url.form == URL_ABSOLUTE)
		return route_plain_url(s, x, head, &asked);
	note_url(x, "http", MAGIC_HOST, 80, &asked);
	if (asked.url.form != URL_ORIGIN) /* of the proxy itself, as pages are */
		asked.url.path = head_target(head);
	return own(s, x, head, &asked);
}

/* --- in a tunnel -------------------------------------------------------- */

/* route_own: this tunnel is open to all, without a login. So whatever name stands
 * inside it, the log has only the tunnel's own: nobody could be asked for another. */
static enum route route_own(struct session *s, struct exchange *x,
	struct head *head, const struct asked *asked, const char *scheme)
{
	note_url(x, scheme, s->name, s->port, asked);
	if (asked->url.form == URL_ABSOLUTE &&
	    (!slice_is_nocase(asked->url.scheme, scheme) ||
		    (asked->port && asked->port != s->port)))
		return exchange_refuse(x, REASON_WRONG_HOST,
			"another scheme or port");
	if (asked->host[0] && !decide_is_magic(asked->host))
		return exchange_refuse(x, REASON_WRONG_HOST, "not our own");
	return own(s, x, head, asked);
}

/* is_blocked decides by CONNECT's host and by the one that is asked for; the
 * stricter counts. */
static bool is_blocked(struct session *s, const char *host)
{
	struct decision by_connect, by_host;

	decide_name(s, s->host, false, false, &by_connect);
	s->decision = by_connect;
	if (host[0] && strcmp(host, s->host) != 0) {
		decide_name(s, host, false, false, &by_host);
		s->decision = decision_both(&by_connect, &by_host);
	}
	decide_note(s);
	return s->decision.options.action == ACTION_BLOCK;
}

/* Plain HTTP in a tunnel goes where CONNECT said; its Host must be that name,
 * unless CONNECT named only an address. */
static enum route route_plain(struct session *s, struct exchange *x,
	struct head *head, struct asked *asked)
{
	struct urls_asked url = {"http", asked->host[0] ? asked->host : s->host,
		s->port, asked->url.path};
	enum route route;

	if (s->own_pages)
		return route_own(s, x, head, asked, "http");
	note_url(x, "http", asked->host[0] ? asked->host : s->host, s->port,
		asked);
	if (asked->url.form == URL_ABSOLUTE &&
	    (!slice_is_nocase(asked->url.scheme, "http") ||
		    (asked->port && asked->port != s->port)))
		return exchange_refuse(x, REASON_WRONG_HOST,
			"another scheme or port");
	if (!who_stays(s)) {
		x->last = true;
		return exchange_refuse(x, REASON_USER_GONE, "");
	}
	if (decide_asks_destination(s) &&
	    !decide_find_destinations(s, s->host, s->port))
		return ROUTE_WAIT;
	if (is_blocked(s, asked->host))
		return exchange_refuse(x, REASON_BLOCKED, "");
	if (asked->host[0] && strcmp(asked->host, s->host) != 0 &&
	    !s->host_is_address)
		return exchange_refuse(x, REASON_WRONG_HOST, asked->host);
	route = urls_route(s, x, head, &url);
	if (route != ROUTE_ORIGIN)
		return route;
	session_want(s, s->host, s->port, &x->want);
	to_origin_form(head, asked, s->host, s->port, 80);
	return ROUTE_ORIGIN;
}

/* Rules are compared by name: after a reload their places may be others. */
static bool same_rule(const struct decision *a, const struct decision *b)
{
	return strcmp(a->rule_name, b->rule_name) == 0 &&
		a->options.action == b->options.action &&
		a->options.untrusted == b->options.untrusted;
}

/* same_tls: what there is between the client and us would be made so again. */
static bool same_tls(const struct decision *a, const struct decision *b)
{
	return a->options.action == b->options.action &&
		a->options.untrusted == b->options.untrusted;
}

/* is_too_old: the client's TLS, for a rule that inspects. */
static bool is_too_old(const struct session *s, const struct decision *now)
{
	return now->options.action == ACTION_INSPECT &&
		now->options.min_client_tls == TLS_1_3 &&
		SSL_version(s->client.tls.ssl) < TLS1_3_VERSION;
}

/* adopt: origins are asked for the TLS that decision wants from here on; one
 * that was connected before and has less is not asked any more. */
static void adopt(struct session *s, const struct decision *decision)
{
	s->decision = *decision;
	s->want.min_tls = decision->options.min_server_tls;
}

/* stay: what was decided is the stricter, but for the TLS of origins. */
static void stay(struct session *s, const struct decision *laxer)
{
	struct decision was = s->decision;

	if (laxer->options.min_server_tls > was.options.min_server_tls)
		was.options.min_server_tls = laxer->options.min_server_tls;
	adopt(s, &was);
}

static bool refuse_from_here_on(struct session *s, const struct decision *now,
	enum reason reason, const char *why)
{
	s->decision = *now;
	s->deny = reason;
	words_set(&s->deny_why, why);
	return true;
}

/* other_host: a request for another name than the connection was decided for is
 * decided by itself. It goes on only under the same rule and where the shown
 * certificate covers it, and then to an origin of its own. */
static enum route other_host(struct session *s, struct exchange *x,
	const struct asked *asked)
{
	struct decision decision;

	decide_name(s, asked->host, true, true, &decision);
	if (decision.options.action == ACTION_BLOCK)
		return exchange_refuse(x, REASON_BLOCKED, decision.rule_name);
	if (!same_rule(&decision, &s->decision) ||
	    decide_asks_destination(s) || /* of that name we know none */
	    !leaf_covers(s->site->leaf, asked->host))
		return exchange_refuse(x, REASON_WRONG_HOST, asked->host);
	x->want = *intercept_want(s);
	words_set(&x->other_name, asked->host);
	x->want.host = x->want.name = x->other_name;
	x->want.address = NULL;
	x->want.generation = 0;
	return ROUTE_ORIGIN;
}

/* decided_otherwise: after a reload the rules are asked again, once. What they
 * now do otherwise needs another connection; where they are stricter, this
 * request too. */
static bool decided_otherwise(struct session *s, struct exchange *x)
{
	struct decision now;

	if (s->generation == s->services->snapshot->generation)
		return false;
	if (!who_stays(s)) {
		s->deny = REASON_USER_GONE;
		x->last = true;
		return true;
	}
	decide_tls(s, &now);
	if (!is_too_old(s, &now) && same_tls(&s->decision, &now) &&
	    (s->destinations || !decide_asks_destination(s))) {
		adopt(s, &now); /* its URL policies count from here on, too */
		return false;
	}
	x->last = true;
	if (is_too_old(s, &now))
		return refuse_from_here_on(s, &now, REASON_CLIENT_TLS_OLD,
			now.rule_name);
	if (decision_stricter(&s->decision, &now) == &s->decision) {
		stay(s, &now);
		return false;
	}
	if (now.options.action == ACTION_BLOCK)
		return refuse_from_here_on(s, &now, REASON_BLOCKED, "");
	return refuse_from_here_on(s, &now, REASON_WRONG_HOST,
		"the rules have changed since");
}

/* refuse_denied: a tunnel that URL rules block is told by their rule's name. */
static enum route refuse_denied(struct session *s, struct exchange *x)
{
	if (s->deny == REASON_URL_BLOCKED) {
		words_set(&x->url_rule, s->url_rule);
		x->url_action = s->url_action;
	}
	return exchange_refuse(x, s->deny, s->deny_why);
}

static enum route route_inspected(struct session *s, struct exchange *x,
	struct head *head, struct asked *asked)
{
	struct urls_asked url = {"https", asked->host[0] ? asked->host : s->name,
		s->port, asked->url.path};
	enum route route = ROUTE_ORIGIN;

	if (s->own_pages)
		return route_own(s, x, head, asked, "https");
	note_url(x, "https", asked->host[0] ? asked->host : s->name, s->port,
		asked);
	if (s->deny)
		x->last = true; /* the next connection asks again */
	if (s->deny || decided_otherwise(s, x))
		return refuse_denied(s, x);
	if (asked->url.form == URL_ABSOLUTE &&
	    !slice_is_nocase(asked->url.scheme, "https"))
		return exchange_refuse(x, REASON_WRONG_HOST,
			"not an https URL");
	if (!s->transparent && asked->port && asked->port != s->port)
		return exchange_refuse(x, REASON_WRONG_HOST, "another port");
	if (asked->host[0] && strcmp(asked->host, s->name) != 0)
		route = other_host(s, x, asked);
	else
		x->want = *intercept_want(s);
	if (route == ROUTE_ORIGIN)
		route = urls_route(s, x, head, &url);
	if (route == ROUTE_ORIGIN)
		to_origin_form(head, asked, s->name, s->port, 443);
	return route;
}

/* --- which of them ------------------------------------------------------ */

enum route route_request(void *host, struct exchange *x, struct head *head)
{
	struct session *s = host;
	struct asked asked;

	if (policy_asks_user_agent(session_config(s)->policy) &&
	    !agent_is_clear(head))
		return bad(x, "rules ask about the User-Agent, which is given "
			"twice, or longer than 4 KB");
	if (s->realm == REALM_PROXY)
		return route_proxy(s, x, head);
	if (slice_is(head_method(head), "CONNECT") ||
	    slice_is(head_method(head), "TRACE"))
		return exchange_refuse(x, REASON_METHOD_NOT_ALLOWED, "");
	if (!take_apart(head, &asked))
		return bad(x, "the target or the Host field is malformed");
	if (s->realm == REALM_PLAIN)
		return route_plain(s, x, head, &asked);
	return route_inspected(s, x, head, &asked);
}
