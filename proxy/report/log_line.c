#include "proxy/report/log_line.h"

#include <string.h>

#include "proxy/net/address.h"
#include "proxy/report/csv_cell.h"

enum { USER_AGENT_MAX = 512 };

struct text {
	const char *at; /* NULL: none */
	size_t len;
};

/* What is made once for a line. */
struct scope {
	const char *time;
	unsigned redact;
	char client[46];
};

/* --- what fields say ---------------------------------------------------- */

static struct text slice_of(const char *at)
{
	return (struct text){at, at ? strlen(at) : 0};
}

static struct text text_of(const char *at, size_t len)
{
	return (struct text){len > 0 ? at : NULL, len};
}

const char *log_line_kind(enum record_kind kind)
{
	static const char *const names[RECORD_KINDS] = {
		[RECORD_EXCHANGE] = "exchange",
		[RECORD_TUNNEL] = "tunnel",
		[RECORD_RELAY] = "relay",
		[RECORD_REFUSED] = "refused",
		[RECORD_LOG] = "log",
	};

	return names[kind];
}

/* client_failure_word: NULL, there was none. */
static const char *client_failure_word(enum client_failure failure)
{
	static const char *const words[] = {
		[CLIENT_FAILURE_NONE] = NULL,
		[CLIENT_FAILURE_ALERT] = "alert",
		[CLIENT_FAILURE_RESET] = "reset",
		[CLIENT_FAILURE_CLOSED] = "closed",
		[CLIENT_FAILURE_TIMEOUT] = "timeout",
		[CLIENT_FAILURE_NO_CIPHER] = "no-shared-cipher",
		[CLIENT_FAILURE_NO_VERSION] = "no-shared-version",
		[CLIENT_FAILURE_MALFORMED] = "malformed",
		[CLIENT_FAILURE_REFUSED] = "certificate-refused",
		[CLIENT_FAILURE_UNUSED] = "unused",
	};

	return words[failure];
}

static const char *listener_name(const struct record *r)
{
	if (r->proxy_tls)
		return "proxy-tls";
	return r->transparent ? "transparent" : "proxy";
}

static const char *location_of(const struct record *r)
{
	return r->location ? r->location : listener_name(r);
}

/* policy_action: that of a reason, but a handshake may fail for several. */
static const char *policy_action(const struct record *r)
{
	if (r->kind == RECORD_LOG)
		return LOG_LINE_LOST;
	if (r->client_failure != CLIENT_FAILURE_NONE &&
	    r->client_failure != CLIENT_FAILURE_UNUSED)
		return reason_action(REASON_CLIENT_HANDSHAKE);
	return reason_action(r->reason);
}

/* cert_reason: what was wrong with the origin's certificate. */
static enum reason cert_reason(const struct record *r)
{
	if (r->untrusted != REASON_OK)
		return r->untrusted;
	return r->reason >= REASON_CERT_EXPIRED &&
		r->reason <= REASON_CERT_INVALID ? r->reason : REASON_OK;
}

static bool is_judged(const struct record *r)
{
	return r->origin_tls || cert_reason(r) != REASON_OK;
}

static struct text client_of(struct scope *l, const struct record *r)
{
	if (!r->client || l->redact & LOG_REDACT_CLIENT)
		return (struct text){NULL, 0};
	address_text(r->client, l->client);
	return slice_of(l->client);
}

static struct text user_of(const struct scope *l, const struct record *r)
{
	return slice_of(l->redact & LOG_REDACT_USER ? NULL : r->user);
}

static struct text agent_of(const struct scope *l, const char *agent,
	size_t len)
{
	if (l->redact & LOG_REDACT_USER_AGENT)
		len = 0;
	return text_of(agent, len < USER_AGENT_MAX ? len : USER_AGENT_MAX);
}

static struct text user_agent_of(const struct scope *l, const struct record *r)
{
	return agent_of(l, r->user_agent, r->user_agent_len);
}

static struct text connect_agent_of(const struct scope *l,
	const struct record *r)
{
	size_t len = r->connect_agent ? strlen(r->connect_agent) : 0;

	if (len == r->user_agent_len &&
	    (len == 0 || memcmp(r->connect_agent, r->user_agent, len) == 0))
		len = 0;
	return agent_of(l, r->connect_agent, len);
}

/* path_of is where the path begins in a URL, or its end. */
static size_t path_of(const char *url, size_t len)
{
	const char *slash = memmem(url, len, "://", 3);

	if (slash)
		slash = memchr(slash + 3, '/',
			len - (size_t)(slash + 3 - url));
	return slash ? (size_t)(slash - url) : len;
}

static struct text url_of(const struct scope *l, const struct record *r)
{
	const char *query = NULL;
	size_t len = r->url ? r->url_len : 0;

	if (len > 0 && l->redact & LOG_REDACT_PATH)
		len = path_of(r->url, len);
	if (len > 0 && l->redact & (LOG_REDACT_QUERY | LOG_REDACT_PATH))
		query = memchr(r->url, '?', len);
	return text_of(r->url, query ? (size_t)(query - r->url) : len);
}

static const char *time_of(struct log_clock *clock)
{
	struct timespec now;
	struct tm tm;
	long ms;

	clock_gettime(CLOCK_REALTIME, &now);
	if (now.tv_sec != clock->second) {
		gmtime_r(&now.tv_sec, &tm);
		(void)strftime(clock->text, sizeof(clock->text),
			"%Y-%m-%dT%H:%M:%S.000Z", &tm);
		clock->second = now.tv_sec;
	}
	ms = now.tv_nsec / 1000000;
	clock->text[20] = (char)('0' + ms / 100);
	clock->text[21] = (char)('0' + ms / 10 % 10);
	clock->text[22] = (char)('0' + ms % 10);
	return clock->text;
}

/* --- writing ------------------------------------------------------------ */

static char *put(char *at, const char *text, size_t len)
{
	memcpy(at, text, len);
	return at + len;
}

static void end_at(struct json_line *line, const char *end)
{
	line->len = (size_t)(end - line->text);
}

/* --- JSON: key is ,"name": ---------------------------------------------- */

static void json_put_text(struct json_line *line, const char *key,
	size_t key_len, struct text value)
{
	char *at;

	if (!value.at)
		return;
	at = json_room(line, key_len + JSON_ESCAPED(value.len) + 2);
	at = put(at, key, key_len);
	*at++ = '"';
	at = json_escape(at, value.at, value.len);
	*at++ = '"';
	end_at(line, at);
}

static void json_put_number(struct json_line *line, const char *key,
	size_t key_len, uint64_t value)
{
	char *at = json_room(line, key_len + JSON_DIGITS);

	end_at(line, json_digits(put(at, key, key_len), value));
}

static void json_put_bool(struct json_line *line, const char *key,
	size_t key_len, bool value)
{
	char *at = put(json_room(line, key_len + 5), key, key_len);

	end_at(line, value ? put(at, "true", 4) : put(at, "false", 5));
}

#define KEY(json) ",\"" #json "\":", sizeof(",\"" #json "\":") - 1
#define JSON_TEXT(json, known, value) json_put_text(line, KEY(json), value)
#define JSON_URL(json, known, value) JSON_TEXT(json, known, value)
#define JSON_NUMBER(json, known, value) json_put_number(line, KEY(json), value)
#define JSON_COUNT(json, known, value) \
	if (value) \
		json_put_number(line, KEY(json), value)
#define JSON_FLAG(json, known, value) \
	if (known) \
		json_put_bool(line, KEY(json), value)
#define JSON_MARK(json, known, value) \
	if ((known) && (value)) \
		json_put_bool(line, KEY(json), true)

static void write_json(struct json_line *line, struct scope *l,
	const struct record *r)
{
	size_t begin = line->len;

#define LOG_FIELD(json, column, kind, known, value, help) \
	JSON_##kind(json, known, value);
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
	line->text[begin] = '{';
	end_at(line, put(json_room(line, 2), "}\n", 2));
}

/* --- CSV: each cell has a comma behind it ------------------------------- */

static void csv_put_text(struct json_line *line, struct text cell)
{
	csv_cell(line, cell.at, cell.len);
}

static void csv_put_number(struct json_line *line, uint64_t value)
{
	char *at = json_digits(json_room(line, 1 + JSON_DIGITS), value);

	*at++ = ',';
	end_at(line, at);
}

static void csv_put_bool(struct json_line *line, bool known, bool value)
{
	char *at = json_room(line, 4);

	if (known)
		at = value ? put(at, "Yes", 3) : put(at, "No", 2);
	*at++ = ',';
	end_at(line, at);
}

static struct text or_host(struct text url, const struct record *r)
{
	return url.at ? url : slice_of(r->host);
}

#define CSV_TEXT(known, value) csv_put_text(line, value)
#define CSV_URL(known, value) csv_put_text(line, or_host(value, r))
#define CSV_NUMBER(known, value) csv_put_number(line, value)
#define CSV_COUNT(known, value) \
	if (value) \
		csv_put_number(line, value); \
	else \
		csv_put_text(line, slice_of(NULL))
#define CSV_FLAG(known, value) csv_put_bool(line, known, value)
#define CSV_MARK(known, value) csv_put_bool(line, known, value)

static void write_csv(struct json_line *line, struct scope *l,
	const struct record *r)
{
#define LOG_FIELD(json, column, kind, known, value, help) \
	CSV_##kind(known, value);
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
	line->text[line->len - 1] = '\r';
	end_at(line, put(json_room(line, 1), "\n", 1));
}

/* --- the journal -------------------------------------------------------- */

static char *put_name(char *at, const char *name)
{
	at = put(at, "SALLYPORT_", 10);
	for (; *name; name++)
		*at++ = *name >= 'a' && *name <= 'z' ?
			(char)(*name - 'a' + 'A') : *name;
	*at++ = '=';
	return at;
}

static void journal_text(struct json_line *line, const char *name,
	struct text value)
{
	char *at;

	if (!value.at)
		return;
	at = json_room(line, 12 + strlen(name) + JSON_ESCAPED(value.len));
	at = json_escape(put_name(at, name), value.at, value.len);
	*at++ = '\n';
	end_at(line, at);
}

static void journal_number(struct json_line *line, const char *name,
	uint64_t value)
{
	char digits[JSON_DIGITS];

	journal_text(line, name, text_of(digits,
		(size_t)(json_digits(digits, value) - digits)));
}

#define JOURNAL_TEXT(json, known, value) journal_text(line, #json, value)
#define JOURNAL_URL(json, known, value) journal_text(line, #json, value)
#define JOURNAL_NUMBER(json, known, value) journal_number(line, #json, value)
#define JOURNAL_COUNT(json, known, value) \
	if (value) \
		journal_number(line, #json, value)
#define JOURNAL_FLAG(json, known, value) \
	if (known) \
		journal_text(line, #json, slice_of((value) ? "true" : "false"))
#define JOURNAL_MARK(json, known, value) \
	if ((known) && (value)) \
		journal_text(line, #json, slice_of("true"))

/* What journalctl shows: what came of it, and of what. */
static void journal_message(struct json_line *line, const struct scope *l,
	const struct record *r)
{
	struct text of = or_host(url_of(l, r), r);
	struct text what = slice_of(policy_action(r));
	static const char begin[] =
		"PRIORITY=6\nSYSLOG_IDENTIFIER=sallyport\nMESSAGE=";
	char *at = json_room(line, sizeof(begin) + 3 + what.len +
			JSON_ESCAPED(of.len));

	at = put(at, begin, sizeof(begin) - 1);
	at = put(at, what.at, what.len);
	if (of.at) {
		at = put(at, ": ", 2);
		at = json_escape(at, of.at, of.len);
	}
	*at++ = '\n';
	end_at(line, at);
}

static void write_journal(struct json_line *line, struct scope *l,
	const struct record *r)
{
	journal_message(line, l, r);
#define LOG_FIELD(json, column, kind, known, value, help) \
	JOURNAL_##kind(json, known, value);
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
	end_at(line, put(json_room(line, 1), "\n", 1));
}

/* --- any ---------------------------------------------------------------- */

void log_line(struct json_line *line, enum log_form form, unsigned redact,
	struct log_clock *clock, const struct record *r)
{
	struct scope scope = {.time = time_of(clock), .redact = redact};

	switch (form) {
	case LOG_CSV:
		write_csv(line, &scope, r);
		break;
	case LOG_JOURNAL:
		write_journal(line, &scope, r);
		break;
	case LOG_JSON:
	default:
		write_json(line, &scope, r);
		break;
	}
}

void log_line_header(struct json_line *line, enum log_form form)
{
	static const char columns[] =
#define LOG_FIELD(json, column, kind, known, value, help) "," column
#include "proxy/report/log_fields.def"
#undef LOG_FIELD
		"\r\n";

	if (form == LOG_CSV)
		end_at(line, put(json_room(line, sizeof(columns)),
			columns + 1, sizeof(columns) - 2));
}
