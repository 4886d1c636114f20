/*
 * call.h - one request of the API while it is answered: what its handler in
 * routes.def works with.
 *
 *	void rest_frob(struct call *call)
 *	{
 *		json_t *body = call_body(call);         what was asked
 *		const char *name;
 *
 *		if (body && call_text(call, body, "name", &name)) {
 *			outcome = life_frob(&call->life, call->id, name);
 *			if (call_went(call, outcome))
 *				call_json(call, frob_json(…));
 *		}
 *		json_decref(body);
 *	}
 *
 * What reads the request answers it where it is wrong, and says so by false or
 * NULL: then the handler has only to let go of what it has.
 *
 * Threads: one call, one thread.
 */
#ifndef PROXY_ADMIN_CALL_H
#define PROXY_ADMIN_CALL_H

#include <jansson.h>
#include <stdint.h>
#include <time.h>

#include "proxy/admin/api.h"
#include "proxy/admin/logins.h"

struct route;

enum { CALL_ERR = 2048, CALL_PART = 256 };

struct call {
	struct logins *logins;              /* borrowed, as all below */
	const struct api_world *world;
	const struct api_request *request;
	struct api_reply *reply;
	const struct route *route;
	struct caller caller;
	time_t now;            /* of day */
	char part[CALL_PART];  /* what stands for the pattern's {…}, decoded */
	int64_t id;            /* the same as a number; 0: it is none */
	struct life life;      /* by that caller, err is the one below */
	char err[CALL_ERR];
};

/* --- answers; one a call ---- */

enum fault {
	FAULT_INPUT,     /* 400 INVALID_INPUT_ARGUMENT */
	FAULT_DUPLICATE, /* 400 DUPLICATE_ITEM */
	FAULT_BUILT_IN,  /* 403 INVALID_INPUT_ARGUMENT */
	FAULT_LOGIN,     /* 401 SESSION_NOT_VALID */
	FAULT_RIGHTS,    /* 403 NOT_AUTHORIZED */
	FAULT_UNKNOWN,   /* 404 RESOURCE_NOT_FOUND */
	FAULT_METHOD,    /* 405 METHOD_NOT_ALLOWED */
	FAULT_CONFLICT,  /* 409 EDIT_LOCK_NOT_AVAILABLE */
	FAULT_SIZE,      /* 413 PAYLOAD_TOO_LARGE */
	FAULT_OURS,      /* 500 UNEXPECTED_ERROR */
	FAULT_ABSENT,    /* 503 SERVICE_UNAVAILABLE */
};

void call_fail(struct call *call, enum fault fault, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* call_fail_long is for a message of any length. */
void call_fail_long(struct call *call, enum fault fault, const char *message);

/* call_went answers an outcome that is not LIFE_OK with its sentence. */
bool call_went(struct call *call, enum life_outcome outcome);

/* call_json takes value: 200. call_secret is for text of JSON that is to be
 * left nowhere else. */
void call_json(struct call *call, json_t *value);
void call_secret(struct call *call, const char *text);
void call_nothing(struct call *call, unsigned status); /* no body, no type */
void call_bytes(struct call *call, const char *type, const void *data,
	size_t len);

/* call_pem answers with DER as a file to be downloaded. */
void call_pem(struct call *call, const char *title, struct der der,
	const char *file_name);

/* call_changed has what is stored taken into use; false: it could not be, and
 * that is the answer. */
bool call_changed(struct call *call);

/* call_refused: a login was, of that kind and, unless it is NULL, of whom; for
 * the log. */
void call_refused(struct call *call, const char *kind, const char *whom);

/* --- what was asked ---- */

/* call_body is the body as an object, owned; an empty one is {}. */
json_t *call_body(struct call *call);

/* call_body_or: otherwise is said behind what is wrong with a body that is no
 * JSON object. */
json_t *call_body_or(struct call *call, const char *otherwise);

/* What stands in an object, or what was there before where it does not (or is
 * null). Text is borrowed from the object; digits in a string are a number, as
 * some clients send them. */
bool call_text(struct call *call, const json_t *body, const char *key,
	const char **inout);
bool call_number(struct call *call, const json_t *body, const char *key,
	int64_t least, int64_t most, int64_t *inout);
bool call_flag(struct call *call, const json_t *body, const char *key,
	bool *inout);

/* The same, in the query. A number or flag that is given and empty is wrong: who
 * writes "?dryRun" does not mean what happens without. */
bool call_query(struct call *call, const char *key, char *out, size_t size);
bool call_query_number(struct call *call, const char *key, int64_t least,
	int64_t most, int64_t *inout);
bool call_query_flag(struct call *call, const char *key, bool *inout);

/* call_knows: the query has no other parameters than names, nor the object (NULL:
 * none) other fields than fields; NULL ends each. For calls where one that is
 * misspelt must not count as not given. */
bool call_knows(struct call *call, const char *const *names,
	const json_t *body, const char *const *fields);

#endif
