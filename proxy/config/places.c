#include "proxy/config/places.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/config/mistakes.h"
#include "proxy/config/units.h"

struct piece {
	const char *at;
	size_t len;
};

static int bad(char *err, size_t err_size, const char *text, const char *why)
{
	snprintf(err, err_size, "\"%s\" %s", shown(text).text, why);
	return -1;
}

/* port_read: "1" to "65535", all of the piece. */
static int port_read(struct piece text, uint16_t *out)
{
	char copy[6];
	uint64_t value;

	if (text.len >= sizeof(copy))
		return -1;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (units_count(copy, &value) != 0 || value < 1 || value > 65535)
		return -1;
	*out = (uint16_t)value;
	return 0;
}

/* take_host splits off a host, which an IPv6 address is only in brackets, up
 * to the next colon or the end. Brackets are left out. */
static int take_host(const char **at, struct piece *out, bool *bracketed)
{
	const char *end;

	*bracketed = **at == '[';
	if (!*bracketed) {
		*out = (struct piece){*at, strcspn(*at, ":")};
		*at += out->len;
		return 0;
	}
	end = strchr(*at, ']');
	if (!end || (end[1] != ':' && end[1] != '\0'))
		return -1;
	*out = (struct piece){*at + 1, (size_t)(end - *at) - 1};
	*at = end + 1;
	return 0;
}

static int fill_address(struct piece host, bool bracketed, uint16_t port,
	struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;
	char copy[INET6_ADDRSTRLEN];

	memset(out, 0, sizeof(*out));
	if (host.len >= sizeof(copy))
		return -1;
	memcpy(copy, host.at, host.len);
	copy[host.len] = '\0';
	if (bracketed) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		return inet_pton(AF_INET6, copy, &in6->sin6_addr) == 1 ? 0 : -1;
	}
	in->sin_family = AF_INET;
	in->sin_port = htons(port);
	return inet_pton(AF_INET, copy, &in->sin_addr) == 1 ? 0 : -1;
}

static void write_endpoint(struct endpoint *endpoint)
{
	const struct sockaddr_storage *address = &endpoint->address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;
	char host[INET6_ADDRSTRLEN] = "";

	if (address->ss_family == AF_INET6) {
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		snprintf(endpoint->text, sizeof(endpoint->text), "[%s]:%u",
			host, place_port(endpoint));
	} else {
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		snprintf(endpoint->text, sizeof(endpoint->text), "%s:%u", host,
			place_port(endpoint));
	}
}

int place_endpoint(const char *text, uint16_t default_port,
	struct endpoint *out, char *err, size_t err_size)
{
	uint16_t port = default_port;
	struct endpoint result;
	const char *at = text;
	struct piece host;
	bool bracketed;

	if (take_host(&at, &host, &bracketed) != 0)
		return bad(err, err_size, text,
			"has a bracket too few; as in [::1]:8080");
	if (default_port != 0 && strchr(text, ':') != strrchr(text, ':') &&
		text[0] != '[') { /* IPv6 without a port needs no brackets */
		host = (struct piece){text, strlen(text)};
		at = text + host.len;
		bracketed = true;
	}
	if (!bracketed && strchr(text, ':') != strrchr(text, ':'))
		return bad(err, err_size, text, "is not an address with a port;"
			" an IPv6 address goes in brackets, as in [::1]:8080");
	if (*at == '\0' && default_port == 0)
		return bad(err, err_size, text, "is not an address with a port;"
			" as in 127.0.0.1:8080 or [::]:8080");
	if (*at == ':' &&
		port_read((struct piece){at + 1, strlen(at + 1)}, &port) != 0)
		return bad(err, err_size, text,
			"has a port that is not 1 to 65535");
	if (fill_address(host, bracketed, port, &result.address) != 0)
		return bad(err, err_size, text, default_port == 0 ?
			"does not begin with an address; as in 127.0.0.1:8080 "
			"or [::]:8080" : "is not an address, which may have a "
			"port; as in 192.0.2.53 or 127.0.0.1:5353");
	write_endpoint(&result);
	*out = result;
	return 0;
}

bool place_is_wildcard(const struct endpoint *endpoint)
{
	const struct sockaddr_storage *address = &endpoint->address;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *in = (const struct sockaddr_in *)address;

	if (address->ss_family == AF_INET6)
		return IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr);
	return in->sin_addr.s_addr == htonl(INADDR_ANY);
}

uint16_t place_port(const struct endpoint *endpoint)
{
	const struct sockaddr_storage *address = &endpoint->address;

	if (address->ss_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)address)->sin6_port);
	return ntohs(((const struct sockaddr_in *)address)->sin_port);
}

/* take_pair reads "host:port" at *at up to a colon or the end, either of the
 * two perhaps empty. */
static int take_pair(const char **at, char host[HOST_SIZE], bool *below,
	uint16_t *port)
{
	enum host_kind kind = HOST_NAME;
	struct piece name, digits;
	bool bracketed;

	if (take_host(at, &name, &bracketed) != 0 || **at != ':')
		return -1;
	(*at)++;
	digits = (struct piece){*at, strcspn(*at, ":")};
	*at += digits.len;
	*port = 0;
	if (digits.len > 0 && port_read(digits, port) != 0)
		return -1;
	*below = !bracketed && name.len > 2 && memcmp(name.at, "*.", 2) == 0;
	if (*below)
		name = (struct piece){name.at + 2, name.len - 2};
	host[0] = '\0';
	if (name.len > 0 || bracketed)
		kind = host_normalize(name.at, name.len, host);
	if (kind == HOST_BAD || (*below && kind != HOST_NAME))
		return -1;
	/* Without brackets no address has a colon, with them all have. */
	return bracketed && !memchr(name.at, ':', name.len) ? -1 : 0;
}

int place_connect_to(const char *text, struct connect_to *out, char *err,
	size_t err_size)
{
	struct connect_to entry = {.host = ""};
	const char *at = text;
	bool to_below;

	if (take_pair(&at, entry.host, &entry.below, &entry.port) != 0 ||
		*at++ != ':' ||
		take_pair(&at, entry.to_host, &to_below, &entry.to_port) != 0 ||
		*at != '\0' || to_below)
		return bad(err, err_size, text, "is not host:port:to-host:"
			"to-port; as in site.test:443:127.0.0.1:9443, where "
			"an empty host or port is any, and *.site.test all "
			"below it");
	if (entry.to_host[0] == '\0' && entry.to_port == 0)
		return bad(err, err_size, text,
			"sends nowhere else; give a host or a port to go to");
	*out = entry;
	return 0;
}

int place_ports(const char *text, uint16_t *out_first, uint16_t *out_last,
	char *err, size_t err_size)
{
	struct piece first = {text, strcspn(text, "-")};
	struct piece last = first;

	if (text[first.len] == '-')
		last = (struct piece){text + first.len + 1,
			strlen(text + first.len + 1)};
	if (port_read(first, out_first) != 0 || port_read(last, out_last) != 0)
		return bad(err, err_size, text, "is not a port or a range of "
			"ports; 443 or 8000-8100, within 1 to 65535");
	if (*out_first > *out_last)
		return bad(err, err_size, text, "runs backwards");
	return 0;
}

/* What may stand in a path, with "/" and percent signs (RFC 3986, 3.3). */
static bool is_path(const char *path)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/%";

	return path[strspn(path, fine)] == '\0';
}

/* read_authority: a host and perhaps a port, nothing else. The port is left as it
 * is where there is none. */
static bool read_authority(const char *text, char name[HOST_SIZE],
	uint16_t *port)
{
	const char *at = text;
	struct piece host;
	bool bracketed;

	if (take_host(&at, &host, &bracketed) != 0)
		return false;
	if (bracketed != (memchr(host.at, ':', host.len) != NULL))
		return false;
	if (host_normalize(host.at, host.len, name) == HOST_BAD)
		return false;
	if (*at == '\0')
		return true;
	return port_read((struct piece){at + 1, strlen(at + 1)}, port) == 0;
}

static bool is_authority(const char *text)
{
	char name[HOST_SIZE];
	uint16_t port;

	return read_authority(text, name, &port);
}

int place_crl_url(const char *url, char *err, size_t err_size)
{
	static const char scheme[] = "http://";
	char authority[CRL_URL_MAX + 1];
	const char *path;
	size_t len;

	if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
		return bad(err, err_size, url, "must begin with http://; a CRL "
			"over https could not be checked without a CRL");
	if (strlen(url) > CRL_URL_MAX)
		return bad(err, err_size, url, "is longer than 200 characters");
	len = strcspn(url + sizeof(scheme) - 1, "/?#");
	memcpy(authority, url + sizeof(scheme) - 1, len);
	authority[len] = '\0';
	if (!is_authority(authority))
		return bad(err, err_size, url, "has no proper host and port; "
			"as in http://crl.example.org:8080");
	path = url + sizeof(scheme) - 1 + len;
	if (!is_path(path))
		return bad(err, err_size, url, "may have a host, a port and a "
			"path, nothing else");
	if (*path != '\0' && path[strlen(path) - 1] == '/')
		return bad(err, err_size, url, "must not end in a slash; "
			"/crl/ID.crl is put behind it");
	return 0;
}

static size_t scheme_len(const char *url)
{
	if (strncmp(url, "https://", 8) == 0)
		return 8;
	return strncmp(url, "http://", 7) == 0 ? 7 : 0;
}

/* is_rest: a path, a query and a fragment, which may hold what stands for a URL. */
static bool is_rest(const char *rest, const char *hole, size_t hole_len)
{
	char *text = strdup(rest);
	bool fine;

	if (!text)
		abort();
	memset(text + (hole - rest), '/', hole_len);
	for (char *at = text; *at; at++) {
		if (*at == '?' || *at == '#')
			*at = '/';
	}
	fine = is_path(text);
	free(text);
	return fine;
}

int place_isolate(const char *url, char *err, size_t err_size)
{
	static const char hole[] = "{url}";
	char authority[ISOLATE_MAX + 1];
	size_t scheme = scheme_len(url), len;
	const char *rest, *at;

	if (scheme == 0)
		return bad(err, err_size, url,
			"must begin with https:// or http://");
	if (strlen(url) > ISOLATE_MAX)
		return bad(err, err_size, url, "is longer than 1024 bytes");
	len = strcspn(url + scheme, "/?#");
	memcpy(authority, url + scheme, len);
	authority[len] = '\0';
	if (!is_authority(authority))
		return bad(err, err_size, url, "has no proper host and port; "
			"as in https://iso.example/?url={url}");
	rest = url + scheme + len;
	at = strstr(rest, hole);
	if (!at || strstr(at + 1, hole))
		return bad(err, err_size, url, "must have {url} in it, once, "
			"as in https://iso.example/?url={url}");
	if (!is_rest(rest, at, sizeof(hole) - 1))
		return bad(err, err_size, url, "has characters that can't "
			"stand in a URL; write them as % and two digits");
	return 0;
}

void place_isolation(const char *url, char host[HOST_SIZE], uint16_t *port)
{
	char authority[ISOLATE_MAX + 1];
	size_t scheme = scheme_len(url), len = strcspn(url + scheme, "/?#");

	snprintf(authority, sizeof(authority), "%.*s", (int)len, url + scheme);
	*port = scheme == 8 ? 443 : 80;
	if (!read_authority(authority, host, port))
		host[0] = '\0';
}
