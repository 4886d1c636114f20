#include "proxy/admin/api.h"

#include <errno.h>
#include <jansson.h>
#include <malloc.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/admin/call.h"
#include "proxy/admin/pairs.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"

enum {
	ZIA_MOST = 2,           /* seed 003: with software protection */
	ZIA_MOST_ENABLED = 1,
};

struct api {
	struct logins *logins;  /* owned */
};

/* What jansson lets go of may have been a password. */
static void wiping_free(void *memory)
{
	if (memory)
		OPENSSL_cleanse(memory, malloc_usable_size(memory));
	free(memory);
}

static void set_up_json(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

struct api *api_new(const char *admin_token)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct api *api = pki_new(sizeof(*api));

	(void)pthread_once(&once, set_up_json);
	api->logins = logins_new(admin_token);
	return api;
}

void api_free(struct api *api)
{
	if (!api)
		return;
	logins_free(api->logins);
	free(api);
}

bool api_is_mine(struct slice path)
{
	static const char *const tops[] = {"/api", "/zia", "/oauth2",
		"/metrics"};

	for (size_t i = 0; i < sizeof(tops) / sizeof(*tops); i++) {
		size_t len = strlen(tops[i]);

		if (path.len >= len && memcmp(path.at, tops[i], len) == 0 &&
		    (path.len == len || path.at[len] == '/'))
			return true;
	}
	return false;
}

void api_reply_clear(struct api_reply *reply)
{
	if (reply->body.d) {
		OPENSSL_cleanse(reply->body.d, reply->body.n);
		utstring_done(&reply->body);
	}
	OPENSSL_cleanse(reply, sizeof(*reply));
}

/* --- who may ------------------------------------------------------------ */

static bool know_caller(struct call *call)
{
	switch (logins_who(call->logins, call->world->options.state,
		call->request, login_clock(), &call->caller, call->err,
		sizeof(call->err))) {
	case LOGIN_OK:
		return true;
	case LOGIN_NONE:
		call_fail(call, FAULT_LOGIN, "A login is needed: a token "
			"(Authorization: Bearer), an OAuth access token or a "
			"session.");
		return false;
	case LOGIN_WRONG:
		call_refused(call, call->request->authorization.len > 0 ?
			"bearer token" : "session", NULL);
		call_fail(call, FAULT_LOGIN, "The token or the session is not "
			"valid, or not any more.");
		return false;
	case LOGIN_FOREIGN:
		call_refused(call, "session by another site's page", NULL);
		call_fail(call, FAULT_RIGHTS, "A session can't be used from "
			"another site's page.");
		return false;
	case LOGIN_FAILED: /* why is for an administrator, not for anybody */
		call_fail(call, FAULT_OURS,
			"The tokens can't be looked up just now.");
		return false;
	}
	return false;
}

static bool may_call(struct call *call)
{
	switch (call->route->access) {
	case ACCESS_OPEN:
	case ACCESS_READ:
		return true;
	case ACCESS_WRITE:
		if (call->caller.may_write)
			return true;
		call_fail(call, FAULT_RIGHTS, "This login may only read.");
		return false;
	case ACCESS_LOCAL:
		if (call->caller.is_local)
			return true;
		call_fail(call, FAULT_RIGHTS, "Tokens are managed on the "
			"proxy's own machine alone: sallyport token.");
		return false;
	}
	return false;
}

/* --- the call ----------------------------------------------------------- */

static bool takes_file(const struct call *call)
{
	return call->route->answer == rest_upload_cert ||
		call->route->answer == rest_upload_chain;
}

static size_t body_max(const struct route *route)
{
	return route && route->answer == rest_policy_put ? API_POLICY_MAX :
							   API_BODY_MAX;
}

size_t api_body_max(struct slice method, struct slice path)
{
	struct routes_match match;

	(void)routes_find(method, path, &match);
	return body_max(match.route);
}

static bool fits(struct call *call)
{
	size_t most = body_max(call->route);

	if (call->request->body.len <= most)
		return true;
	if (takes_file(call))
		call_fail(call, FAULT_INPUT, "The file is larger than 64 KB.");
	else
		call_fail(call, FAULT_SIZE, "The body is larger than %zu KB.",
			most / 1024);
	return false;
}

static bool read_part(struct call *call, struct slice part)
{
	if (!pairs_decode(part, false, call->part, sizeof(call->part))) {
		call_fail(call, FAULT_UNKNOWN, "There is no such thing: the "
			"last piece of the path is not well encoded, or too "
			"long.");
		return false;
	}
	errno = 0;
	call->id = strtoll(call->part, NULL, 10);
	if (errno != 0)
		call->id = 0; /* nobody's */
	return true;
}

static void fill_life(struct call *call)
{
	const struct api_world *world = call->world;

	call->life = (struct life){
		.options = &world->options,
		.who = call->caller.who,
		.rules = world->rules,
		.num_rules = world->num_rules,
		.most = world->zia ? ZIA_MOST : 0,
		.most_enabled = world->zia ? ZIA_MOST_ENABLED : 0,
		.err = call->err,
		.err_size = sizeof(call->err),
	};
}

static void no_such_path(struct call *call)
{
	const char *meant = routes_nearest(call->request->path);

	if (meant)
		call_fail(call, FAULT_UNKNOWN, "There is no such path. Did "
			"you mean %s?", meant);
	else
		call_fail(call, FAULT_UNKNOWN, "There is no such path.");
}

static void other_method(struct call *call, const char *allow)
{
	call_fail(call, FAULT_METHOD, "The methods of this path are: %s.",
		allow);
	call->reply->allow = allow;
}

static void answer(struct call *call)
{
	const struct api_request *request = call->request;
	struct routes_match match;
	enum routes_found found = routes_find(request->method, request->path,
		&match);
	bool open = found == ROUTES_FOUND ?
		match.route->access == ACCESS_OPEN : match.open;

	/* Without a login nobody learns what there is but logins. */
	if (!open && !know_caller(call))
		return;
	if (found == ROUTES_UNKNOWN) {
		no_such_path(call);
		return;
	}
	if (found == ROUTES_OTHER_METHOD) {
		other_method(call, match.allow);
		return;
	}
	call->route = match.route;
	if (!may_call(call) || !fits(call) || !read_part(call, match.part))
		return;
	fill_life(call);
	match.route->answer(call);
}

void api_handle(struct api *api, const struct api_world *world,
	const struct api_request *request, struct api_reply *reply)
{
	struct call *call = pki_new(sizeof(*call));

	memset(reply, 0, sizeof(*reply));
	utstring_init(&reply->body);
	call->logins = api->logins;
	call->world = world;
	call->request = request;
	call->reply = reply;
	call->now = time(NULL);
	answer(call);
	free(call);
}
