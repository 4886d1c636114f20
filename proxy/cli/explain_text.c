/* explain_text.c - a walk told to people. */
#include <stdlib.h>
#include <string.h>

#include "policy/netset.h"
#include "proxy/cli/explain_show.h"
#include "proxy/cli/explain_walk.h"
#include "proxy/config/config.h"
#include "proxy/config/mistakes.h"
#include "proxy/net/address.h"
#include "proxy/portal/portal.h"
#include "proxy/session/isolated.h"

/* --- the inquiry -------------------------------------------------------- */

static void print_who(FILE *out, const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk)
{
	const struct sockaddr *from = (const struct sockaddr *)&inquiry->from;
	char address[46] = "an unknown address (--from)";
	char when[32] = "";
	struct tm tm;

	if (inquiry->has_from)
		address_text(from, address);
	if (gmtime_r(&inquiry->now, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC (%a)", &tm);
	fprintf(out, "  asked by %s%s%s from %s; %s; %s\n",
		walk->user ? "the user " : "nobody (--user)",
		walk->user ? shown(walk->user).text : "",
		walk->user_by_source ? ", by users.sources," : "", address,
		inquiry->method, when);
	if (inquiry->user_agent)
		fprintf(out, "  user agent: %s\n",
			shown(inquiry->user_agent).text);
	if (inquiry->has_from && !config->clients_any &&
		!netset_match(config->clients, from))
		fprintf(out, "  note: `clients` does not have that address; "
			"unless it is this machine's own, it is refused (403) "
			"before any rule\n");
	if (walk->asks_user)
		fprintf(out, "  note: on the explicit proxy (listen.proxy) who "
			"is nobody is asked for a user first (407)\n");
}

static void print_categories(FILE *out, const char *by,
	const struct categories_found *found)
{
	fprintf(out, "  categories by %s: ", by);
	for (size_t i = 0; i < found->num; i++)
		fprintf(out, "%s%s", i > 0 ? ", " : "",
			shown(found->names[i]).text);
	fprintf(out, "%s\n", found->num == 0 ? "none" : "");
}

static void print_names(FILE *out, const struct inquiry *inquiry,
	const struct walk *walk)
{
	char *lax;

	if (walk->sni_is_host)
		fprintf(out, "  %s is an address of %s, the SNI: it counts where "
			"a rule names it\n", inquiry->host, inquiry->sni);
	else if (inquiry->sni[0])
		fprintf(out, "  CONNECT says %s, the SNI %s: decided by both, "
			"and the stricter counts\n", inquiry->host,
			inquiry->sni);
	if (strcmp(inquiry->exact, inquiry->lax) == 0)
		return;
	lax = inquiry_path(inquiry->lax);
	fprintf(out, "  some servers take the path for %s: decided by both, "
		"and the stricter counts\n", lax);
	free(lax);
}

static void print_addresses(FILE *out, const struct inquiry *inquiry,
	const struct walk *walk)
{
	char text[46];

	if (walk->unresolved)
		fprintf(out, "  where %s leads is not known; say it by --to "
			"ADDRESS\n", inquiry->host);
	else if (inquiry->num_to > 0)
		fprintf(out, "  leads to: ");
	for (size_t i = 0; i < inquiry->num_to; i++) {
		address_text((const struct sockaddr *)&inquiry->to[i], text);
		fprintf(out, "%s%s%s", i > 0 ? ", " : "", text,
			i + 1 == inquiry->num_to ? "\n" : "");
	}
}

static void print_inquiry(FILE *out, const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk)
{
	fprintf(out, "%s\n", inquiry->url);
	print_who(out, config, inquiry, walk);
	print_names(out, inquiry, walk);
	print_addresses(out, inquiry, walk);
	if (inquiry->https)
		print_categories(out, "host, for SSL rules", &walk->by_host);
	print_categories(out, walk->tunnelled ? "URL (in a tunnel, the host "
		"alone), for URL rules" : "URL, for URL rules", &walk->by_url);
	if (strcmp(inquiry->host, MAGIC_HOST) == 0)
		fprintf(out, "  note: %s is Sallyport itself, which no rule "
			"keeps away\n", MAGIC_HOST);
}

/* --- a pass ------------------------------------------------------------- */

static void print_tried(FILE *out, const struct pass *pass)
{
	for (size_t i = 0; i < pass->num_tried; i++) {
		const struct tried *tried = &pass->tried[i];

		fprintf(out, "  %zu %s", i + 1, shown(tried->rule).text);
		if (tried->file && tried->file[0])
			fprintf(out, " (%s:%u)", tried->file, tried->line);
		fprintf(out, ": %s%s\n", tried->matched ? "matched" : "no: ",
			tried->matched ? "" : tried->because);
	}
	if (!pass_rule(pass))
		fprintf(out, "  default: no rule matched\n");
}

static const char *rule_of(const struct way *way, bool url_pass)
{
	return url_pass ? way->url.rule_name : way->ssl.rule_name;
}

static void print_way(FILE *out, const struct way *way, bool url_pass,
	bool counts)
{
	char *path = inquiry_path(way->path ? way->path : "");
	char text[46];

	fprintf(out, "  %c %s%s", counts ? '>' : ' ', way->host, path);
	free(path);
	if (way->destination) {
		address_text(way->destination, text);
		fprintf(out, " at %s", text);
	}
	fprintf(out, ": %s by %s\n", url_pass ?
		url_action_name(way->url.options.action) :
		action_name(way->ssl.options.action),
		shown(rule_of(way, url_pass)).text);
}

/* Each way, where it is not the same which. */
static void print_ways(FILE *out, const struct pass *pass, bool url_pass)
{
	if (!pass_differs(pass, url_pass))
		return;
	fprintf(out, "  Above is the strictest of several ways to take it:\n");
	for (size_t i = 0; i < pass->num; i++)
		print_way(out, &pass->ways[i], url_pass, i == pass->counts);
}

static const char *untrusted_in_words(enum untrusted untrusted)
{
	static const char *const words[] = {
		[UNTRUSTED_BLOCK] = "is blocked",
		[UNTRUSTED_ALLOW] = "is let in",
		[UNTRUSTED_PASS_THROUGH] =
			"is shown with a certificate that is not trusted, "
			"either",
	};

	return words[untrusted];
}

static const char *tls_in_words(enum tls_version version)
{
	return version == TLS_1_3 ? "TLS 1.3" : "TLS 1.2 or newer";
}

static void print_inspect(FILE *out, const struct inquiry *inquiry,
	const struct verdict_options *options)
{
	fprintf(out, "  inspect; an origin whose certificate does not verify "
		"%s%s\n", untrusted_in_words(options->untrusted),
		options->untrusted == UNTRUSTED_BLOCK &&
				inquiry->certificate == CERTIFICATE_UNKNOWN ?
			"; this one is taken to (--certificate)" : "");
	if (options->min_client_tls != TLS_ANY)
		fprintf(out, "  clients must speak %s (taken for granted)\n",
			tls_in_words(options->min_client_tls));
	if (options->min_server_tls != TLS_ANY)
		fprintf(out, "  origins must speak %s (taken for granted)\n",
			tls_in_words(options->min_server_tls));
	fprintf(out, "  an origin that asks for a client certificate is %s; "
		"this one is taken not to\n",
		options->block_undecryptable ? "blocked" :
			"passed on as it is, from the next connection on");
	if (options->intermediate_ca)
		fprintf(out, "  certificates are made under the CA %s\n",
			shown(options->intermediate_ca).text);
}

static void print_ssl_options(FILE *out, const struct inquiry *inquiry,
	const struct walk *walk)
{
	const struct verdict_options *options =
		&walk->ssl.ways[walk->ssl.counts].ssl.options;
	bool no_sni = !inquiry->sni[0] && inquiry->host_is_address;

	switch (options->action) {
	case ACTION_INSPECT:
		print_inspect(out, inquiry, options);
		break;
	case ACTION_DO_NOT_INSPECT:
		fprintf(out, "  do-not-inspect: the bytes are passed on as "
			"they are\n");
		break;
	case ACTION_BLOCK:
		fprintf(out, "  block%s, %s\n",
			options->block_no_sni && no_sni ?
				", since the client names no host (SNI)" : "",
			options->notify ? "with a page inside TLS" :
				"without a page (notify: false)");
		return;
	}
	if (!walk->untrusted)
		fprintf(out, "  URL rules are %s\n", options->url_policies ==
			URL_POLICIES_BYPASS ? "bypassed" : "asked");
	if (options->block_no_sni)
		fprintf(out, "  a client that names no host (SNI) is "
			"blocked; this one names it\n");
}

static void print_ssl(FILE *out, const struct inquiry *inquiry,
	const struct walk *walk)
{
	if (!walk->ssl.asked) {
		fprintf(out, "\nSSL rules: not asked, since this is no TLS\n");
		return;
	}
	fprintf(out, "\nSSL rules:\n");
	print_tried(out, &walk->ssl);
	print_ways(out, &walk->ssl, false);
	print_ssl_options(out, inquiry, walk);
	if (walk->untrusted)
		fprintf(out, "  note: with that certificate (%s) the client "
			"gets a page that says so\n",
			certificate_name(inquiry->certificate));
}

static void print_url_options(FILE *out, const struct inquiry *inquiry,
	const struct walk *walk)
{
	const struct url_options *options =
		&walk->url.ways[walk->url.counts].url.options;
	char *where;

	if (options->action != URL_ISOLATE) {
		fprintf(out, "  %s\n", url_action_name(options->action));
		return;
	}
	where = isolated_url(options->isolate, inquiry->url);
	shown_mask(where);
	fprintf(out, "  isolate: sent on to %s\n", where);
	free(where);
}

static void print_url(FILE *out, const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk)
{
	if (walk->untrusted) {
		fprintf(out, "\nURL rules: not asked, since the SSL rule "
			"blocks that certificate\n");
		return;
	}
	if (!walk->url.asked) {
		fprintf(out, "\nURL rules: not asked, since the SSL rule %s\n",
			strcmp(walk->outcome, "block") == 0 ? "blocks" :
				"bypasses them (url-policies: bypass)");
		return;
	}
	fprintf(out, "\nURL rules%s:\n", walk->tunnelled ? ", by the host "
		"alone, since nobody sees into a tunnel (isolate is block)" :
		"");
	if (inquiry->https && !walk->tunnelled &&
		inquiry->certificate == CERTIFICATE_UNKNOWN &&
		policy_asks_certificate(config->policy))
		fprintf(out, "  rules ask for the origin's certificate, which "
			"is not known; say it by --certificate\n");
	print_tried(out, &walk->url);
	print_ways(out, &walk->url, true);
	print_url_options(out, inquiry, walk);
}

void explain_text(FILE *out, const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk)
{
	print_inquiry(out, config, inquiry, walk);
	print_ssl(out, inquiry, walk);
	print_url(out, config, inquiry, walk);
	fprintf(out, "\n");
	if (walk_unsure(walk))
		fprintf(out, "not sure: %s\n", walk_unsure(walk));
	fprintf(out, "decision: %s by %s\n", walk->outcome,
		shown(walk->by).text);
}
