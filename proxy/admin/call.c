#include "proxy/admin/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/pem.h"
#include "proxy/admin/pairs.h"
#include "proxy/admin/put.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/nearest.h"

static const char type_json[] = "application/json"; /* clients compare it */

/* --- answers ------------------------------------------------------------ */

static const struct {
	unsigned status;
	const char *code;
} faults[] = {
	[FAULT_INPUT] = {400, "INVALID_INPUT_ARGUMENT"},
	[FAULT_DUPLICATE] = {400, "DUPLICATE_ITEM"},
	[FAULT_BUILT_IN] = {403, "INVALID_INPUT_ARGUMENT"},
	[FAULT_LOGIN] = {401, "SESSION_NOT_VALID"},
	[FAULT_RIGHTS] = {403, "NOT_AUTHORIZED"},
	[FAULT_UNKNOWN] = {404, "RESOURCE_NOT_FOUND"},
	[FAULT_METHOD] = {405, "METHOD_NOT_ALLOWED"},
	[FAULT_CONFLICT] = {409, "EDIT_LOCK_NOT_AVAILABLE"},
	[FAULT_SIZE] = {413, "PAYLOAD_TOO_LARGE"},
	[FAULT_OURS] = {500, "UNEXPECTED_ERROR"},
	[FAULT_ABSENT] = {503, "SERVICE_UNAVAILABLE"},
};

static void write_json(struct call *call, unsigned status, const json_t *value)
{
	UT_string *body = &call->reply->body;
	size_t len = json_dumpb(value, NULL, 0, JSON_COMPACT);

	utstring_clear(body);
	utstring_reserve(body, len + 1);
	if (len == 0 || json_dumpb(value, body->d, len, JSON_COMPACT) != len)
		abort(); /* what put.h makes can be written */
	body->d[len] = '\0';
	body->i = len;
	call->reply->status = status;
	call->reply->content_type = type_json;
}

void call_fail_long(struct call *call, enum fault fault, const char *message)
{
	json_t *object = json_object();

	put_text(object, "code", faults[fault].code);
	put_text(object, "message", message[0] ? message : "It failed.");
	call->reply->challenge = fault == FAULT_LOGIN;
	call->reply->disposition[0] = '\0';
	write_json(call, faults[fault].status, object);
	json_decref(object);
}

void call_fail(struct call *call, enum fault fault, const char *format, ...)
{
	char message[CALL_ERR];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	call_fail_long(call, fault, message);
}

bool call_went(struct call *call, enum life_outcome outcome)
{
	static const enum fault as[] = {
		[LIFE_FAILED] = FAULT_OURS,
		[LIFE_UNKNOWN] = FAULT_UNKNOWN,
		[LIFE_REFUSED] = FAULT_INPUT,
		[LIFE_TAKEN] = FAULT_DUPLICATE,
		[LIFE_BUILT_IN] = FAULT_BUILT_IN,
	};

	if (outcome == LIFE_OK)
		return true;
	call_fail(call, as[outcome], "%s", call->err);
	return false;
}

void call_json(struct call *call, json_t *value)
{
	write_json(call, 200, value);
	json_decref(value);
}

void call_nothing(struct call *call, unsigned status)
{
	utstring_clear(&call->reply->body);
	call->reply->status = status;
	call->reply->content_type = NULL;
}

void call_bytes(struct call *call, const char *type, const void *data,
	size_t len)
{
	UT_string *body = &call->reply->body;

	utstring_clear(body);
	utstring_reserve(body, len + 1); /* at once: nothing is left behind */
	utstring_bincpy(body, data, len);
	call->reply->status = 200;
	call->reply->content_type = type;
}

void call_secret(struct call *call, const char *text)
{
	call_bytes(call, type_json, text, strlen(text));
}

/* A name in a header (RFC 6266, 4.3) is plain ASCII here: some clients take the
 * rest for another alphabet, and quotes for the end. */
static void name_file(struct call *call, const char *name)
{
	char plain[200];
	size_t len = 0;

	for (; *name && len + 1 < sizeof(plain); name++)
		plain[len++] = *name < ' ' || *name > '~' ||
			strchr("\"\\/%", *name) ? '_' : *name;
	plain[len] = '\0';
	snprintf(call->reply->disposition, sizeof(call->reply->disposition),
		"attachment; filename=\"%s\"", plain);
}

void call_pem(struct call *call, const char *title, struct der der,
	const char *file_name)
{
	char *text = pem_of(title, der);

	call_bytes(call, "application/octet-stream", text, strlen(text));
	name_file(call, file_name);
	free(text);
}

bool call_changed(struct call *call)
{
	const struct api_world *world = call->world;

	call->err[0] = '\0';
	if (!world->changed ||
	    world->changed(world->arg, call->err, sizeof(call->err)) == 0)
		return true;
	call_fail(call, FAULT_OURS, "The change is stored, but not in use "
		"yet: %s", call->err);
	return false;
}

void call_refused(struct call *call, const char *kind, const char *whom)
{
	char *out = call->reply->refused;
	size_t size = sizeof(call->reply->refused);

	if (whom)
		snprintf(out, size, "%s \"%s\"", kind, shown(whom).text);
	else
		snprintf(out, size, "%s", kind);
}

/* --- the body ----------------------------------------------------------- */

static json_t *load(struct call *call, const char *otherwise)
{
	struct slice body = call->request->body;
	json_error_t error;
	json_t *value = json_loadb(body.at, body.len, JSON_REJECT_DUPLICATES,
		&error);

	/* What jansson says may show what stands in the body. */
	if (!value)
		call_fail(call, FAULT_INPUT, "The body is not JSON, or has a "
			"field twice: see line %d, column %d.%s", error.line,
			error.column, otherwise);
	return value;
}

json_t *call_body_or(struct call *call, const char *otherwise)
{
	json_t *value;

	if (call->request->body.len == 0)
		return json_object();
	value = load(call, otherwise);
	if (!value || json_is_object(value))
		return value;
	json_decref(value);
	call_fail(call, FAULT_INPUT, "The body is not a JSON object.%s",
		otherwise);
	return NULL;
}

json_t *call_body(struct call *call)
{
	return call_body_or(call, "");
}

static bool is_there(const json_t *value)
{
	return value && !json_is_null(value);
}

bool call_text(struct call *call, const json_t *body, const char *key,
	const char **inout)
{
	const json_t *value = json_object_get(body, key);

	if (!is_there(value))
		return true;
	*inout = json_string_value(value);
	if (!*inout)
		call_fail(call, FAULT_INPUT, "The field \"%s\" must be text.",
			key);
	return *inout != NULL;
}

/* read_digits: false, they are none, or too many. */
static bool read_digits(const char *text, int64_t *out)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 18 || text[len] != '\0')
		return false;
	*out = strtoll(text, NULL, 10);
	return true;
}

static bool read_number(const json_t *value, int64_t *out)
{
	if (json_is_string(value))
		return read_digits(json_string_value(value), out);
	if (!json_is_integer(value))
		return false;
	*out = json_integer_value(value);
	return true;
}

static bool refuse_number(struct call *call, const char *what,
	const char *key, int64_t least, int64_t most)
{
	call_fail(call, FAULT_INPUT, "The %s \"%s\" must be a number from "
		"%lld to %lld.", what, key, (long long)least, (long long)most);
	return false;
}

bool call_number(struct call *call, const json_t *body, const char *key,
	int64_t least, int64_t most, int64_t *inout)
{
	const json_t *value = json_object_get(body, key);
	int64_t number;

	if (!is_there(value))
		return true;
	if (!read_number(value, &number) || number < least || number > most)
		return refuse_number(call, "field", key, least, most);
	*inout = number;
	return true;
}

bool call_flag(struct call *call, const json_t *body, const char *key,
	bool *inout)
{
	const json_t *value = json_object_get(body, key);

	if (!is_there(value))
		return true;
	if (!json_is_boolean(value)) {
		call_fail(call, FAULT_INPUT, "The field \"%s\" must be true or "
			"false.", key);
		return false;
	}
	*inout = json_is_true(value);
	return true;
}

/* --- the query ---------------------------------------------------------- */

static enum pairs_found query_get(struct call *call, const char *key,
	char *out, size_t size)
{
	enum pairs_found found = pairs_get(call->request->query, key, out,
		size);

	if (found == PAIRS_BAD)
		call_fail(call, FAULT_INPUT, "The parameter \"%s\" is given "
			"twice, or is not well encoded, or is too long.", key);
	return found;
}

bool call_query(struct call *call, const char *key, char *out, size_t size)
{
	return query_get(call, key, out, size) != PAIRS_BAD;
}

bool call_query_flag(struct call *call, const char *key, bool *inout)
{
	char text[32];
	enum pairs_found found = query_get(call, key, text, sizeof(text));

	if (found != PAIRS_FOUND)
		return found == PAIRS_NONE;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0) {
		call_fail(call, FAULT_INPUT, "The parameter \"%s\" must be "
			"true or false.", key);
		return false;
	}
	*inout = text[0] == 't';
	return true;
}

bool call_query_number(struct call *call, const char *key, int64_t least,
	int64_t most, int64_t *inout)
{
	char text[32];
	enum pairs_found found = query_get(call, key, text, sizeof(text));
	int64_t number;

	if (found != PAIRS_FOUND)
		return found == PAIRS_NONE;
	if (!read_digits(text, &number) || number < least || number > most)
		return refuse_number(call, "parameter", key, least, most);
	*inout = number;
	return true;
}

/* refuse_stranger: the nearest that there is may be what was meant. */
static bool refuse_stranger(struct call *call, const char *what,
	const char *name, const char *const *names)
{
	const char *close;
	size_t num = 0;

	while (names[num])
		num++;
	close = nearest(name, names, num);
	call_fail(call, FAULT_INPUT, "There is no %s \"%s\" here%s%s%s.", what,
		shown(name).text, close ? "; did you mean \"" : "",
		close ? close : "", close ? "\"?" : "");
	return false;
}

bool call_knows(struct call *call, const char *const *names,
	const json_t *body, const char *const *fields)
{
	struct slice stranger;
	const char *key;
	json_t *value;
	char name[64];

	if (pairs_stranger(call->request->query, names, &stranger)) {
		slice_text(stranger, name, sizeof(name));
		return refuse_stranger(call, "parameter", name, names);
	}
	json_object_foreach((json_t *)(uintptr_t)body, key, value) {
		size_t i = 0;

		while (fields[i] && strcmp(key, fields[i]) != 0)
			i++;
		if (!fields[i])
			return refuse_stranger(call, "field", key, fields);
	}
	return true;
}
