#include "proxy/cli/explain_inquiry.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/path.h"
#include "policy/policy.h"
#include "policy/zone.h"
#include "proxy/config/mistakes.h"
#include "proxy/http/start_line.h"
#include "proxy/http/url.h"
#include "proxy/net/address.h"

/* --- the URL ------------------------------------------------------------ */

/* behind_scheme: where the host begins. */
static const char *behind_scheme(const char *text)
{
	const char *colon = strstr(text, "://");

	/* In "host/?to=https://other" it is no scheme. */
	return colon && colon < text + strcspn(text, "/?") ? colon + 3 : text;
}

/* encode makes of text what a client would send: what is behind a "#" stays with
 * the client, bytes beyond ASCII are percent-encoded in a path, and kept in the
 * host, which is IDNA's. false: there are blanks or controls, or it is too
 * long. */
static bool encode(const char *text, char out[INQUIRY_URL_MAX])
{
	const char *host = behind_scheme(text);
	const char *path = host + strcspn(host, "/?#");
	size_t len = 0;

	for (; *text && *text != '#'; text++) {
		unsigned char c = (unsigned char)*text;

		if (c <= ' ' || c == 0x7f || len + 4 > INQUIRY_URL_MAX)
			return false;
		if (text > path && c > 0x7f)
			len += (size_t)snprintf(out + len, 4, "%%%02X", c);
		else
			out[len++] = (char)c;
	}
	out[len] = '\0';
	return true;
}

/* split puts a scheme before what has none. */
static int split(const char *text, char *whole, size_t size, struct url *out)
{
	bool bare = behind_scheme(text) == text;
	struct slice target;

	snprintf(whole, size, "%s%s", bare ? "https://" : "", text);
	target = (struct slice){whole, strlen(whole)};
	if (url_parse_target(target, out) != 0 || out->form != URL_ABSOLUTE)
		return -1;
	return 0;
}

static bool scheme_is(const struct url *url, const char *scheme)
{
	return url->scheme.len == strlen(scheme) &&
		strncasecmp(url->scheme.at, scheme, url->scheme.len) == 0;
}

char *inquiry_path(const char *reading)
{
	char *out = malloc(3 * strlen(reading) + 1);
	size_t len = 0;

	if (!out)
		abort();
	for (; *reading; reading++) {
		unsigned char c = (unsigned char)*reading;

		if (c > ' ' && c < 0x7f)
			out[len++] = (char)c;
		else
			len += (size_t)snprintf(out + len, 4, "%%%02X", c);
	}
	out[len] = '\0';
	return out;
}

/* write_url: the port only where it is not the scheme's. */
static void write_url(struct inquiry *out, const struct url *url)
{
	const char *scheme = out->https ? "https" : "http";
	const char *query = memchr(url->path.at, '?', url->path.len);
	size_t query_len = 0;
	char at[HOST_SIZE + 16], *path = inquiry_path(out->exact);

	if (query)
		query_len = (size_t)(url->path.at + url->path.len - query);
	if (out->port == (out->https ? 443 : 80))
		snprintf(at, sizeof(at), strchr(out->host, ':') ? "[%s]" :
			"%s", out->host);
	else
		address_with_port(out->host, out->port, at, sizeof(at));
	if (asprintf(&out->url, "%s://%s%s%.*s", scheme, at, path,
		    (int)query_len, query ? query : "") < 0)
		abort();
	free(path);
}

static char *reading(void (*read)(const char *, size_t, char *),
	struct slice path)
{
	char *out = malloc(path.len + 2);

	if (!out)
		abort();
	read(path.at, path.len, out);
	return out;
}

static int read_url(const char *text, struct inquiry *out, char *err,
	size_t err_size)
{
	char encoded[INQUIRY_URL_MAX], whole[INQUIRY_URL_MAX + 16];
	enum host_kind kind;
	struct url url;

	if (!encode(text, encoded) ||
		split(encoded, whole, sizeof(whole), &url) != 0) {
		snprintf(err, err_size, "\"%s\" is no URL; write one as "
			"https://host/path, http://host:8080/ or host alone, "
			"without blanks and without a user",
			shown(text).text);
		return -1;
	}
	out->https = scheme_is(&url, "https");
	if (!out->https && !scheme_is(&url, "http")) {
		snprintf(err, err_size, "\"%s\": rules are about https:// and "
			"http:// alone", shown(text).text);
		return -1;
	}
	if (path_is_long(url.path.at, url.path.len)) {
		snprintf(err, err_size, "servers do not agree what this path "
			"means, and it is longer than %d bytes: the proxy "
			"refuses such", PATH_LONG);
		return -1;
	}
	kind = host_normalize(url.host.at, url.host.len, out->host);
	if (kind == HOST_BAD) {
		snprintf(err, err_size, "\"%s\": its host is neither a name "
			"nor an address", shown(text).text);
		return -1;
	}
	out->host_is_address = kind == HOST_ADDRESS;
	out->port = url.port ? url.port : out->https ? 443 : 80;
	out->exact = reading(path_exact, url.path);
	out->lax = reading(path_lax, url.path);
	path_read(url.path.at, url.path.len, &out->readings);
	write_url(out, &url);
	return 0;
}

/* --- addresses ---------------------------------------------------------- */

static bool read_address(const char *text, uint16_t port,
	struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	char host[HOST_SIZE];

	memset(out, 0, sizeof(*out));
	if (host_normalize(text, strlen(text), host) != HOST_ADDRESS)
		return false;
	if (inet_pton(AF_INET, host, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		return true;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

static int read_addresses(const struct inquiry_words *words,
	struct inquiry *out, char *err, size_t err_size)
{
	const char *bad = NULL, *option = "from";

	out->has_from = words->from != NULL;
	if (words->from && !read_address(words->from, 0, &out->from))
		bad = words->from;
	if (!bad && words->to) {
		option = "to";
		out->num_to = 1;
		if (!read_address(words->to, out->port, &out->to[0]))
			bad = words->to;
	}
	/* An address is where it leads. */
	if (!bad && !words->to && out->host_is_address &&
		read_address(out->host, out->port, &out->to[0]))
		out->num_to = 1;
	if (!bad)
		return 0;
	snprintf(err, err_size, "--%s %s: this is no address; write one as "
		"10.1.2.3 or 2001:db8::7", option, shown(bad).text);
	return -1;
}

/* --- time --------------------------------------------------------------- */

/* to_seconds: timegm makes the 1st of March of the 29th of February, and says so
 * in what it is given. */
static bool to_seconds(const struct tm *given, time_t *out)
{
	struct tm made = *given;

	*out = timegm(&made);
	return made.tm_mday == given->tm_mday &&
		made.tm_mon == given->tm_mon && made.tm_hour == given->tm_hour;
}

/* read_zone: what stands behind the time, if anything. */
static bool read_zone(const char *text, int32_t *out_offset)
{
	struct zone *zone;

	*out_offset = 0;
	while (*text == ' ')
		text++;
	if (*text == '\0')
		return true;
	zone = zone_fixed(text);
	if (!zone)
		return false;
	*out_offset = zone_offset(zone, 0);
	zone_free(zone);
	return true;
}

int inquiry_time(const char *text, time_t *out)
{
	struct tm tm = {.tm_mday = 1};
	int32_t offset;
	const char *rest = strptime(text, "%Y-%m-%d", &tm);

	if (rest && (*rest == 'T' || *rest == ' '))
		rest = strptime(rest + 1, "%H:%M", &tm);
	else
		rest = NULL;
	if (rest && *rest == ':')
		rest = strptime(rest + 1, "%S", &tm);
	if (!rest || !read_zone(rest, &offset) || !to_seconds(&tm, out))
		return -1;
	*out -= offset;
	return 0;
}

/* --- the rest ----------------------------------------------------------- */

/* RFC 9110, 9.1: capitals matter, and all methods there are have them. */
static int read_method(const char *text, struct inquiry *out, char *err,
	size_t err_size)
{
	static const char tunnels[] = "CONNECT", echoes[] = "TRACE";
	size_t len = strlen(text);
	bool capitals = len > 0 && len < sizeof(out->method) &&
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-") == len;

	if (capitals && !start_line_knows_method((struct slice){text, len})) {
		snprintf(err, err_size, "--method %s: the proxy does not know "
			"it, and answers 501 (unknown-method), whatever the "
			"rules say", text);
		return -1;
	}
	if (strcmp(text, tunnels) == 0 || strcmp(text, echoes) == 0) {
		snprintf(err, err_size, "--method %s: no request to a server: "
			"the proxy answers 405 (method-not-allowed), whatever "
			"the rules say", text);
		return -1;
	}
	if (capitals) {
		memcpy(out->method, text, len + 1);
		return 0;
	}
	snprintf(err, err_size, "--method %s: this is no method; in capitals, "
		"which matter, as GET, POST ...", shown(text).text);
	return -1;
}

static int read_sni(const char *text, struct inquiry *out, char *err,
	size_t err_size)
{
	if (host_normalize(text, strlen(text), out->sni) != HOST_NAME) {
		snprintf(err, err_size, "--sni %s: this is no name of a host",
			shown(text).text);
		return -1;
	}
	if (strcmp(out->sni, out->host) == 0)
		out->sni[0] = '\0';
	return 0;
}

static int read_certificate(const char *text, struct inquiry *out, char *err,
	size_t err_size)
{
	size_t len;

	for (int i = CERTIFICATE_TRUSTED; i < CERTIFICATES; i++) {
		if (strcmp(text, certificate_name((enum certificate)i)) == 0) {
			out->certificate = (enum certificate)i;
			return 0;
		}
	}
	snprintf(err, err_size, "--certificate %s: there is no such; there are",
		shown(text).text);
	for (int i = CERTIFICATE_TRUSTED; i < CERTIFICATES; i++) {
		len = strlen(err);
		snprintf(err + len, err_size - len, "%s %s",
			i > CERTIFICATE_TRUSTED ? "," : "",
			certificate_name((enum certificate)i));
	}
	return -1;
}

static int read_rest(const struct inquiry_words *words, struct inquiry *out,
	char *err, size_t err_size)
{
	if (words->sni && !out->https) {
		snprintf(err, err_size, "--sni is of TLS, and %s has none",
			shown(words->url).text);
		return -1;
	}
	if (words->sni && read_sni(words->sni, out, err, err_size) != 0)
		return -1;
	if (words->certificate && !out->https) {
		snprintf(err, err_size, "--certificate is of TLS, and %s has "
			"none", shown(words->url).text);
		return -1;
	}
	if (words->certificate && read_certificate(words->certificate, out,
		    err, err_size) != 0)
		return -1;
	if (words->at && inquiry_time(words->at, &out->now) != 0) {
		snprintf(err, err_size, "--at %s: write a time as \"2026-11-30 "
			"12:00\", which is UTC, or \"2026-11-30 12:00 +01:00\"",
			shown(words->at).text);
		return -1;
	}
	return 0;
}

int inquiry_read(const struct inquiry_words *words, struct inquiry *out,
	char *err, size_t err_size)
{
	memset(out, 0, sizeof(*out));
	out->user = words->user;
	out->user_agent = words->user_agent;
	out->now = time(NULL);
	if (read_url(words->url, out, err, err_size) != 0 ||
		read_method(words->method ? words->method : "GET", out, err,
			err_size) != 0 ||
		read_addresses(words, out, err, err_size) != 0)
		return -1;
	return read_rest(words, out, err, err_size);
}

void inquiry_clear(struct inquiry *inquiry)
{
	free(inquiry->url);
	free(inquiry->exact);
	free(inquiry->lax);
	path_readings_clear(&inquiry->readings);
	memset(inquiry, 0, sizeof(*inquiry));
}
