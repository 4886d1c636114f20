#include "policy/entry.h"

#include <stdio.h>
#include <string.h>

#include "policy/path.h"

/* An entry in pieces, borrowed from its text. */
struct parts {
	bool has_scheme, below;
	const char *host; /* with brackets */
	size_t host_len;
	const char *port; /* behind the colon; NULL: none */
	size_t port_len;
	const char *path; /* from the slash */
	size_t path_len;
};

struct word {
	const char *at;
	size_t len;
};

enum { QUOTED_MAX = 100 };

static const char not_a_host[] =
	"is not a host, a domain, an address or a network";

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* prefix is in small letters. */
static bool has_prefix(const char *text, size_t len, const char *prefix)
{
	for (; *prefix; text++, len--, prefix++) {
		char c = len > 0 ? *text : '\0';

		if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != *prefix)
			return false;
	}
	return true;
}

/* Lists come from strangers, and what is wrong in them goes to terminals and
 * pages: of other than printable ASCII only the values of the bytes are shown. */
static int refuse(const char *text, size_t len, const char *why, char *err,
	size_t err_size)
{
	char quoted[4 * QUOTED_MAX + 4];
	size_t end = 0;

	for (size_t i = 0; i < len && i < QUOTED_MAX; i++) {
		unsigned char c = (unsigned char)text[i];

		end += (size_t)snprintf(quoted + end, sizeof(quoted) - end,
			c >= ' ' && c < 0x7f ? "%c" : "\\x%02x", c);
	}
	snprintf(err, err_size, "\"%.*s%s\" %s", (int)end, quoted,
		len > QUOTED_MAX ? "..." : "", why);
	return -1;
}

static const char *check_bytes(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c <= ' ' || c == 0x7f)
			return "has a blank or a control in it";
		if (c == '?' || c == '#')
			return "has a query or a fragment, which cannot be "
			       "matched; a path can";
	}
	return NULL;
}

static bool is_scheme(const char *text, size_t len)
{
	static const char *const schemes[] = {"http", "https", "ws", "wss"};

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (strlen(schemes[i]) == len &&
			has_prefix(text, len, schemes[i]))
			return true;
	return false;
}

/* How long "scheme://" is; 0: there is none. */
static size_t scheme_len(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t before = slash ? (size_t)(slash - text) : 0;

	if (before == 0 || slash[-1] != ':' || before + 2 > len ||
		slash[1] != '/')
		return 0;
	return before + 2;
}

static const char *cut_scheme(struct word *rest, struct parts *parts)
{
	size_t scheme = scheme_len(rest->at, rest->len);

	if (scheme == 0)
		return NULL;
	if (!is_scheme(rest->at, scheme - 3))
		return "has a scheme that never comes by; http and https do";
	parts->has_scheme = true;
	rest->at += scheme;
	rest->len -= scheme;
	return NULL;
}

static const char *cut_below(struct word *rest, struct parts *parts)
{
	size_t prefix = 0;

	if (rest->len > 0 && rest->at[0] == '.')
		prefix = 1;
	else if (rest->len > 1 && memcmp(rest->at, "*.", 2) == 0)
		prefix = 2;
	parts->below = prefix > 0;
	rest->at += prefix;
	rest->len -= prefix;
	if (memchr(rest->at, '*', rest->len))
		return "has a \"*\" elsewhere than in \"*.\" at its "
		       "beginning; a path holds for all below it as it is";
	return NULL;
}

/* Two colons and more without brackets are an IPv6 address. */
static const char *cut_port(struct parts *parts)
{
	const char *end = parts->host + parts->host_len;
	const char *colon = memchr(parts->host, ':', parts->host_len);

	if (parts->host_len > 0 && parts->host[0] == '[') {
		colon = memchr(parts->host, ']', parts->host_len);
		if (!colon)
			return not_a_host;
		if (++colon == end)
			return NULL;
		if (*colon != ':')
			return not_a_host;
	} else if (!colon ||
		memchr(colon + 1, ':', (size_t)(end - colon - 1))) {
		return NULL;
	}
	parts->port = colon + 1;
	parts->port_len = (size_t)(end - colon - 1);
	parts->host_len = (size_t)(colon - parts->host);
	return NULL;
}

static const char *split(const char *text, size_t len, struct parts *parts)
{
	struct word rest = {text, len};
	const char *why = check_bytes(text, len), *slash;

	memset(parts, 0, sizeof(*parts));
	if (!why)
		why = cut_scheme(&rest, parts);
	if (!why)
		why = cut_below(&rest, parts);
	if (why)
		return why;
	slash = memchr(rest.at, '/', rest.len);
	parts->host = rest.at;
	parts->host_len = slash ? (size_t)(slash - rest.at) : rest.len;
	parts->path = rest.at + parts->host_len;
	parts->path_len = rest.len - parts->host_len;
	return cut_port(parts);
}

/* "https://user:password@host": of that nothing but the host may be shown. */
static int check_user(
	const char *text, size_t len, char *err, size_t err_size)
{
	size_t scheme = scheme_len(text, len);
	const char *host = text + scheme, *end = text + len;
	const char *slash = memchr(host, '/', len - scheme);
	const char *at = memrchr(
		host, '@', (size_t)((slash ? slash : end) - host));

	if (!at)
		return 0;
	return refuse(at, (size_t)(end - at),
		"has a user before it, which cannot be matched", err,
		err_size);
}

/* An address, a slash and a number. A port or more path would have been meant
 * for something else, and which is not for us to guess. */
static bool is_network(const struct parts *parts)
{
	char host[HOST_SIZE];
	size_t digits = 1;

	while (digits < parts->path_len && is_digit(parts->path[digits]))
		digits++;
	if (digits < 2 || parts->has_scheme || parts->below)
		return false;
	if (digits < parts->path_len && parts->path[digits] != '/' &&
		parts->path[digits] != ':')
		return false;
	return host_normalize(parts->host, parts->host_len, host) ==
		HOST_ADDRESS;
}

static bool is_plain_network(const struct parts *parts)
{
	return !parts->port && parts->host[0] != '[' &&
		!memchr(parts->path + 1, '/', parts->path_len - 1) &&
		!memchr(parts->path, ':', parts->path_len);
}

/* The network of one address is that address, which is looked up at once. */
static int read_network(const char *text, size_t len, struct entry *out,
	char *err, size_t err_size)
{
	if (network_parse(text, len, &out->network, err, err_size) < 0)
		return -1;
	out->host[0] = '\0';
	if (out->network.bits == network_bits(out->network.family))
		network_text(&out->network, out->host);
	out->below = false;
	out->port = 0;
	out->path[0] = '\0';
	out->path_len = 0;
	return 0;
}

static const char *read_host(const struct parts *parts, struct entry *out)
{
	enum host_kind kind =
		host_normalize(parts->host, parts->host_len, out->host);

	if (kind == HOST_BAD)
		return not_a_host;
	if (kind == HOST_ADDRESS && parts->below)
		return "is an address, which has no hosts below it";
	out->below = parts->below;
	return NULL;
}

static const char *read_port(const struct parts *parts, struct entry *out)
{
	unsigned port = 0;

	out->port = 0;
	if (!parts->port)
		return NULL;
	for (size_t i = 0; i < parts->port_len; i++) {
		if (!is_digit(parts->port[i]) || port > UINT16_MAX)
			return "has a port that is none, 1 to 65535";
		port = port * 10 + (unsigned)(parts->port[i] - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return "has a port that is none, 1 to 65535";
	out->port = (uint16_t)port;
	return NULL;
}

static const char *read_path(const struct parts *parts, struct entry *out)
{
	out->path[0] = '\0';
	out->path_len = 0;
	if (parts->path_len == 0)
		return NULL;
	if (parts->path_len > ENTRY_PATH_MAX)
		return "has a path of more than 2048 bytes";
	path_lax(parts->path, parts->path_len, out->path);
	out->path_len = strlen(out->path);
	if (out->path[out->path_len - 1] == '/')
		out->path[--out->path_len] = '\0';
	return NULL;
}

int entry_parse(const char *text, size_t len, struct entry *out, char *err,
	size_t err_size)
{
	struct parts parts;
	const char *why;

	if (check_user(text, len, err, err_size) < 0)
		return -1;
	why = split(text, len, &parts);
	if (!why && is_network(&parts)) {
		if (is_plain_network(&parts))
			return read_network(text, len, out, err, err_size);
		why = "is a network, which has no brackets, port or path; "
		      "write https:// before an address with a path";
	}
	if (!why)
		why = read_host(&parts, out);
	if (!why)
		why = read_port(&parts, out);
	if (!why)
		why = read_path(&parts, out);
	return why ? refuse(text, len, why, err, err_size) : 0;
}

/* Leaves in line what is neither blank around it nor comment. */
static struct word trim(const char *at, size_t len)
{
	while (len > 0 && at[len - 1] == '\r')
		len--;
	while (len > 0 && is_blank(*at)) {
		at++;
		len--;
	}
	for (size_t i = 0; i < len; i++)
		if (at[i] == '#' && (i == 0 || is_blank(at[i - 1])))
			len = i;
	while (len > 0 && is_blank(at[len - 1]))
		len--;
	return (struct word){at, len};
}

static struct word next_word(struct word *line)
{
	struct word word = {line->at, 0};

	while (word.len < line->len && !is_blank(line->at[word.len]))
		word.len++;
	line->at += word.len;
	line->len -= word.len;
	while (line->len > 0 && is_blank(*line->at)) {
		line->at++;
		line->len--;
	}
	return word;
}

static bool is_one_of(const char *host, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(host, *names) == 0)
			return true;
	return false;
}

/* What hosts files say of the machine they lie on. */
static bool is_own_name(const char *host)
{
	static const char *const names[] = {"localhost",
		"localhost.localdomain", "local", "broadcasthost", "0.0.0.0",
		NULL};

	return strncmp(host, "ip6-", 4) == 0 || is_one_of(host, names);
}

/* Where hosts files send what shall not be reached. */
static bool is_nowhere(const char *address)
{
	static const char *const addresses[] = {
		"0.0.0.0", "127.0.0.1", "::", "::1", NULL};

	return is_one_of(address, addresses);
}

static void plain_host(struct entry *entry, bool below)
{
	entry->below = below;
	entry->port = 0;
	entry->path[0] = '\0';
	entry->path_len = 0;
}

/* "0.0.0.0 a.example b.example"; a zone (fe80::1%lo0) says nothing. */
static int read_hosts_line(struct word line, entry_one *one, void *arg,
	char *err, size_t err_size)
{
	struct word whole = line, word = next_word(&line);
	const char *zone = memchr(word.at, '%', word.len);
	char address[HOST_SIZE];
	struct entry entry;

	if (host_normalize(word.at, zone ? (size_t)(zone - word.at) : word.len,
		    address) != HOST_ADDRESS)
		return refuse(whole.at, whole.len,
			"has more than one word; an entry has a line to itself",
			err, err_size);
	while (line.len > 0) {
		word = next_word(&line);
		if (host_normalize(word.at, word.len, entry.host) == HOST_BAD)
			return refuse(word.at, word.len,
				"is not a host, which a hosts file has behind "
				"an address",
				err, err_size);
		if (is_own_name(entry.host))
			continue;
		if (!is_nowhere(address))
			return refuse(whole.at, whole.len,
				"sends a name somewhere; lines of hosts files "
				"are read that begin with 0.0.0.0, 127.0.0.1, "
				":: or ::1",
				err, err_size);
		plain_host(&entry, false);
		one(arg, &entry);
	}
	return 0;
}

/* What an AdBlock rule asks for that an entry can't. */
static const char *why_no_domain(struct word line)
{
	if (line.at[0] == '@')
		return "is an AdBlock rule that makes an exception (@@), which "
		       "an entry can't; of these, ||domain^ is understood";
	if (memchr(line.at, '$', line.len))
		return "is an AdBlock rule with options (what is behind $), "
		       "which ask for more than a host; of these, ||domain^ "
		       "is understood";
	return "is an AdBlock rule; of these, ||domain^ is understood";
}

/* "||example.com^". Of an address there is nothing below. */
static int read_adblock_line(struct word line, entry_one *one, void *arg,
	char *err, size_t err_size)
{
	enum host_kind kind = HOST_BAD;
	struct entry entry;

	if (line.len > 3 && line.at[0] == '|' && line.at[line.len - 1] == '^')
		kind = host_normalize(line.at + 2, line.len - 3, entry.host);
	if (kind == HOST_BAD)
		return refuse(line.at, line.len, why_no_domain(line), err,
			err_size);
	plain_host(&entry, kind == HOST_NAME);
	one(arg, &entry);
	return 0;
}

int entry_each(const char *line, size_t len, entry_one *one, void *arg,
	char *err, size_t err_size)
{
	struct word text = trim(line, len);
	struct entry entry;

	if (text.len == 0 || text.at[0] == '!' ||
		has_prefix(text.at, text.len, "[adblock"))
		return 0;
	if (has_prefix(text.at, text.len, "||") ||
		has_prefix(text.at, text.len, "@@"))
		return read_adblock_line(text, one, arg, err, err_size);
	if (memchr(text.at, ' ', text.len) || memchr(text.at, '\t', text.len))
		return read_hosts_line(text, one, arg, err, err_size);
	if (entry_parse(text.at, text.len, &entry, err, err_size) < 0)
		return -1;
	one(arg, &entry);
	return 0;
}
