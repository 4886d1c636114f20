#include "proxy/cli/explain_walk.h"

#include <stdlib.h>
#include <string.h>

#include "proxy/cli/explain_dns.h"
#include "proxy/config/config.h"
#include "proxy/net/address.h"

/* --- names and addresses ------------------------------------------------ */

/* find_addresses: connections go where origin.connect-to sends them. */
static void find_addresses(const struct config *config,
	struct inquiry *inquiry, struct walk *out)
{
	const struct connect_to *to = config_connect_to(config,
		inquiry->host, inquiry->port);
	struct addresses found;

	if (inquiry->num_to > 0)
		return;
	explain_dns(config->origin.dns, to && to->to_host[0] ? to->to_host :
		inquiry->host, &found);
	memcpy(inquiry->to, found.at, found.num * sizeof(found.at[0]));
	inquiry->num_to = found.num;
	out->unresolved = found.num == 0;
}

/* sni_leads_to_host: CONNECT to an address, and the SNI says what it is of. */
static bool sni_leads_to_host(const struct config *config,
	const struct inquiry *inquiry)
{
	struct addresses found;
	char text[46];

	if (!inquiry->sni[0] || !inquiry->host_is_address)
		return false;
	explain_dns(config->origin.dns, inquiry->sni, &found);
	for (size_t i = 0; i < found.num; i++) {
		address_text((const struct sockaddr *)&found.at[i], text);
		if (strcmp(text, inquiry->host) == 0)
			return true;
	}
	return false;
}

/* --- one way ------------------------------------------------------------ */

struct telling {
	struct tried *tried; /* owned */
	size_t num, room;
	unsigned unsure;     /* bits of enum unsure */
};

static void on_tried(void *arg, const struct tried *tried)
{
	struct telling *telling = arg;

	if (telling->num == telling->room) {
		telling->room = telling->room ? 2 * telling->room : 16;
		telling->tried = reallocarray(telling->tried, telling->room,
			sizeof(*telling->tried));
		if (!telling->tried)
			abort();
	}
	telling->tried[telling->num++] = *tried;
	telling->unsure |= 1u << tried->unsure;
}

static struct facts facts_of(const struct inquiry *inquiry,
	const struct walk *walk, const struct way *way)
{
	return (struct facts){
		.source = inquiry->has_from ?
			(const struct sockaddr *)&inquiry->from : NULL,
		.user = walk->user,
		.user_agent = inquiry->user_agent,
		.now = inquiry->now,
		.host = way->host,
		.port = inquiry->port,
		.destination = way->destination,
		.tls = inquiry->https,
		/* A client that asks for an address sends no SNI. */
		.has_sni = inquiry->sni[0] || !inquiry->host_is_address,
		.method = way->path ? inquiry->method : NULL,
		.path = way->path,
		/* Nobody sees into a tunnel. */
		.certificate = way->path ? inquiry->certificate :
					   CERTIFICATE_UNKNOWN,
	};
}

/* stricter: the way that came last is, and its walk is the one to tell. */
static bool stricter(const struct pass *pass, const struct way *way,
	bool url_pass)
{
	const struct way *before = &pass->ways[pass->counts];

	if (url_pass)
		return url_decision_stricter(&before->url, &way->url) ==
			&way->url;
	return decision_stricter(&before->ssl, &way->ssl) == &way->ssl;
}

/* is_heeded: what is said of the address that the SNI leads to counts where a rule
 * names it. */
static bool is_heeded(const struct inquiry *inquiry, const struct walk *walk,
	const struct way *way, bool url_pass)
{
	if (!walk->sni_is_host || way->host != inquiry->host)
		return true;
	return url_pass ? way->url.names_host : way->ssl.names_host;
}

static void ask(const struct config *config, const struct inquiry *inquiry,
	const struct walk *walk, const struct way *asked, bool url_pass,
	struct pass *out)
{
	struct facts facts = facts_of(inquiry, walk, asked);
	struct way *way = &out->ways[out->num];
	struct telling telling = {NULL, 0, 0, 0};

	*way = *asked;
	if (url_pass)
		explain_url(config->policy, &facts, on_tried, &telling,
			&way->url);
	else
		explain_ssl(config->policy, &facts, on_tried, &telling,
			&way->ssl);
	if (!is_heeded(inquiry, walk, way, url_pass)) {
		free(telling.tried);
		return;
	}
	if (out->num == 0 || stricter(out, way, url_pass)) {
		free(out->tried);
		out->tried = telling.tried;
		out->num_tried = telling.num;
		out->counts = out->num;
	} else {
		free(telling.tried);
	}
	/* what nobody knows of a tunnel the proxy does not either */
	if (!asked->path)
		telling.unsure &= ~(1u << UNSURE_CERTIFICATE);
	out->unsure |= telling.unsure;
	out->num++;
}

/* --- all ways ----------------------------------------------------------- */

/* The names a connection goes by: the SNI's, if any, first, since it always
 * counts, and CONNECT's. */
static size_t names_of(const struct inquiry *inquiry, const char *out[2])
{
	size_t num = 0;

	if (inquiry->sni[0])
		out[num++] = inquiry->sni;
	out[num++] = inquiry->host;
	return num;
}

/* Without a path, or one alone that is NULL, for SSL rules and tunnels. */
static size_t paths_of(const struct inquiry *inquiry, bool known,
	const char *out[PATH_READINGS])
{
	out[0] = NULL;
	if (!known)
		return 1;
	memcpy(out, inquiry->readings.at, sizeof(inquiry->readings.at));
	return inquiry->readings.num;
}

/* The destinations: where no rule asks it is no matter which. */
static void ask_each_address(const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk,
	struct way *way, bool url_pass, struct pass *out)
{
	bool asks = url_pass ? policy_asks_url_destination(config->policy) :
			       policy_asks_destination(config->policy);
	size_t num = asks ? inquiry->num_to : 0;

	way->destination = NULL;
	if (num == 0)
		ask(config, inquiry, walk, way, url_pass, out);
	for (size_t i = 0; i < num; i++) {
		way->destination = (const struct sockaddr *)&inquiry->to[i];
		ask(config, inquiry, walk, way, url_pass, out);
	}
}

static void ask_each(const struct config *config,
	const struct inquiry *inquiry, const struct walk *walk,
	bool url_pass, bool path_known, struct pass *out)
{
	const char *names[2], *paths[PATH_READINGS];
	size_t num_names = names_of(inquiry, names);
	size_t num_paths = paths_of(inquiry, path_known, paths);

	out->asked = true;
	for (size_t i = 0; i < num_names; i++) {
		for (size_t j = 0; j < num_paths; j++) {
			struct way way = {.host = names[i], .path = paths[j]};

			ask_each_address(config, inquiry, walk, &way,
				url_pass, out);
		}
	}
}

/* --- categories --------------------------------------------------------- */

static void on_category(void *arg, const char *name)
{
	struct categories_found *found = arg;

	for (size_t i = 0; i < found->num; i++) {
		if (strcmp(found->names[i], name) == 0)
			return;
	}
	found->names = reallocarray(found->names, found->num + 1,
		sizeof(*found->names));
	if (!found->names)
		abort();
	found->names[found->num++] = name;
}

static void find_categories(const struct config *config,
	const struct inquiry *inquiry, struct walk *out)
{
	const char *names[2], *paths[PATH_READINGS];
	size_t num_names = names_of(inquiry, names);
	size_t num_paths = paths_of(inquiry, !out->tunnelled, paths);

	for (size_t i = 0; i < num_names; i++) {
		for (size_t j = 0; j < num_paths; j++) {
			struct way way = {.host = names[i], .path = paths[j]};
			struct facts facts = facts_of(inquiry, out, &way);

			explain_categories(config->policy, &facts, false,
				on_category, &out->by_host);
			explain_categories(config->policy, &facts, true,
				on_category, &out->by_url);
		}
	}
}

/* --- both passes -------------------------------------------------------- */

/* url_rules_count: where one of the ways is not past them, as decision_both has
 * it. */
static bool url_rules_count(const struct walk *walk)
{
	const struct pass *ssl = &walk->ssl;

	if (!ssl->asked)
		return true;
	if (ssl->ways[ssl->counts].ssl.options.action == ACTION_BLOCK)
		return false;
	for (size_t i = 0; i < ssl->num; i++) {
		if (ssl->ways[i].ssl.options.url_policies ==
			URL_POLICIES_EVALUATE)
			return true;
	}
	return false;
}

static enum reason reason_of_certificate(enum certificate certificate)
{
	static const enum reason reasons[CERTIFICATES] = {
		[CERTIFICATE_EXPIRED] = REASON_CERT_EXPIRED,
		[CERTIFICATE_NOT_YET_VALID] = REASON_CERT_NOT_YET_VALID,
		[CERTIFICATE_WRONG_HOST] = REASON_CERT_WRONG_HOST,
		[CERTIFICATE_NO_SAN] = REASON_CERT_NO_SAN,
		[CERTIFICATE_SELF_SIGNED] = REASON_CERT_SELF_SIGNED,
		[CERTIFICATE_UNKNOWN_ISSUER] = REASON_CERT_UNKNOWN_ISSUER,
		[CERTIFICATE_INCOMPLETE_CHAIN] = REASON_CERT_INCOMPLETE,
		[CERTIFICATE_WEAK_SIGNATURE] = REASON_CERT_WEAK_SIGNATURE,
		[CERTIFICATE_WEAK_KEY] = REASON_CERT_WEAK_KEY,
		[CERTIFICATE_WRONG_PURPOSE] = REASON_CERT_WRONG_PURPOSE,
		[CERTIFICATE_MALFORMED] = REASON_CERT_MALFORMED,
		[CERTIFICATE_INVALID] = REASON_CERT_INVALID,
	};

	return reasons[certificate];
}

/* blocks_certificate: the origin is seen before any request is. */
static bool blocks_certificate(const struct walk *walk,
	enum certificate certificate)
{
	const struct verdict_options *options =
		&walk->ssl.ways[walk->ssl.counts].ssl.options;

	return walk->ssl.asked && options->action == ACTION_INSPECT &&
		options->untrusted == UNTRUSTED_BLOCK &&
		reason_of_certificate(certificate) != REASON_OK;
}

static void conclude_url(struct walk *walk, const struct url_decision *url)
{
	static const enum reason reasons[] = {
		[URL_ALLOW] = REASON_OK,
		[URL_ISOLATE] = REASON_ISOLATED,
		[URL_BLOCK] = REASON_URL_BLOCKED,
	};

	walk->outcome = url_action_name(url->options.action);
	walk->reason = reasons[url->options.action];
	walk->by = url->rule_name;
	walk->by_url_rule = true;
}

static void conclude_ssl(struct walk *walk, const struct decision *ssl,
	enum certificate certificate)
{
	enum action action = walk->untrusted ? ACTION_BLOCK :
					       ssl->options.action;

	walk->outcome = action_name(action);
	walk->by = ssl->rule_name;
	if (walk->untrusted)
		walk->reason = reason_of_certificate(certificate);
	else if (action == ACTION_BLOCK)
		walk->reason = REASON_BLOCKED;
}

static void conclude(struct walk *walk, enum certificate certificate)
{
	struct way *ssl = &walk->ssl.ways[walk->ssl.counts];
	struct way *url = &walk->url.ways[walk->url.counts];

	/* There is nothing to redirect in a tunnel. */
	if (walk->tunnelled && url->url.options.action == URL_ISOLATE)
		url->url.options.action = URL_BLOCK;
	if (walk->url.asked && (url->url.options.action != URL_ALLOW ||
				       !walk->ssl.asked))
		conclude_url(walk, &url->url);
	else
		conclude_ssl(walk, &ssl->ssl, certificate);
}

void walk_rules(const struct config *config, struct inquiry *inquiry,
	struct walk *out)
{
	const struct policy *policy = config->policy;

	memset(out, 0, sizeof(*out));
	out->user = inquiry->user;
	if (!out->user && inquiry->has_from)
		out->user = config_user_at(config,
			(const struct sockaddr *)&inquiry->from);
	out->user_by_source = out->user && !inquiry->user;
	out->asks_user = !out->user && config->users.given &&
		config->users.required;
	out->sni_is_host = sni_leads_to_host(config, inquiry);
	if ((inquiry->https && policy_asks_destination(policy)) ||
		policy_asks_url_destination(policy))
		find_addresses(config, inquiry, out);
	if (inquiry->https)
		ask_each(config, inquiry, out, false, false, &out->ssl);
	out->tunnelled = out->ssl.asked &&
		out->ssl.ways[out->ssl.counts].ssl.options.action ==
			ACTION_DO_NOT_INSPECT;
	find_categories(config, inquiry, out);
	out->untrusted = blocks_certificate(out, inquiry->certificate);
	if (!out->untrusted && url_rules_count(out))
		ask_each(config, inquiry, out, true, !out->tunnelled,
			&out->url);
	conclude(out, inquiry->certificate);
}

const char *walk_unsure(const struct walk *walk)
{
	static const char *const whys[] = {
		[UNSURE_SOURCE] = "a rule asks from where, which is not known; "
			"say it by --from ADDRESS",
		[UNSURE_DESTINATION] = "a rule asks where the host leads, "
			"which is not known; say it by --to ADDRESS",
		[UNSURE_CERTIFICATE] = "a rule asks for the origin's "
			"certificate, which is not known; say it by "
			"--certificate",
	};
	unsigned unsure = walk->ssl.unsure | walk->url.unsure;

	for (size_t i = UNSURE_SOURCE; i <= UNSURE_CERTIFICATE; i++) {
		if (unsure & 1u << i)
			return whys[i];
	}
	return NULL;
}

void walk_clear(struct walk *walk)
{
	free(walk->by_host.names);
	free(walk->by_url.names);
	free(walk->ssl.tried);
	free(walk->url.tried);
	memset(walk, 0, sizeof(*walk));
}

const struct tried *pass_rule(const struct pass *pass)
{
	size_t num = pass->num_tried;

	return num > 0 && pass->tried[num - 1].matched ?
		&pass->tried[num - 1] : NULL;
}

bool pass_differs(const struct pass *pass, bool url_pass)
{
	for (size_t i = 1; i < pass->num; i++) {
		const struct way *a = &pass->ways[0], *b = &pass->ways[i];

		if (strcmp(url_pass ? a->url.rule_name : a->ssl.rule_name,
			    url_pass ? b->url.rule_name :
				       b->ssl.rule_name) != 0)
			return true;
	}
	return false;
}
