/* login_routes.c - the calls by which logins are made. */

#include <openssl/base64.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pki/store_audit.h"
#include "proxy/admin/call.h"
#include "proxy/admin/pairs.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"

enum { CREDENTIAL = 256, LOGIN_NOTED_S = 60 };

struct oauth {
	char client[CREDENTIAL], secret[CREDENTIAL], grant[64];
};

/* is_noted: once a minute is enough: who may log in may do so all the time. */
static bool is_noted(const char *path, const struct store_audit *line)
{
	struct store *store;
	char err[256];
	bool noted;

	if (store_open_to_read(path, &store, err, sizeof(err)) != 0)
		return false;
	noted = store_audit_known(store, line, LOGIN_NOTED_S);
	store_close(store);
	return noted;
}

/* note_login writes down who has logged in. Without that nobody does. */
static bool note_login(struct call *call)
{
	char *path = state_path(call->world->options.state, STORE_FILE);
	struct store_audit line = {.time = call->now, .what = "login"};
	struct store *store = NULL;
	bool noted;

	snprintf(line.who, sizeof(line.who), "%s", call->caller.who);
	noted = is_noted(path, &line) ||
		(store_open(path, &store, call->err, sizeof(call->err)) == 0 &&
			store_audit_add(store, &line, call->err,
				sizeof(call->err)) == 0);
	store_close(store);
	free(path);
	if (!noted)
		call_fail(call, FAULT_OURS,
			"The login can't be written down just now.");
	return noted;
}

/* --- OAuth: client credentials (RFC 6749, 4.4) -------------------------- */

/* refuse answers in the API's way and in that of RFC 6749, 5.2, at once. */
static void refuse(struct call *call, unsigned status, const char *error,
	const char *message)
{
	json_t *object = json_object();

	put_text(object, "code", status == 401 ? "SESSION_NOT_VALID" :
						 "INVALID_INPUT_ARGUMENT");
	put_text(object, "message", message);
	put_text(object, "error", error);
	call_json(call, object);
	call->reply->status = status;
	call->reply->challenge = status == 401;
}

static bool is_json(struct slice type)
{
	static const char json[] = "application/json";

	return type.len >= sizeof(json) - 1 &&
		strncasecmp(type.at, json, sizeof(json) - 1) == 0;
}

static bool copy_field(struct call *call, const json_t *body, const char *key,
	char *out, size_t size)
{
	const char *text = "";

	if (!call_text(call, body, key, &text))
		return false;
	if ((size_t)snprintf(out, size, "%s", text) < size)
		return true;
	refuse(call, 400, "invalid_request", "A field is too long.");
	return false;
}

static bool read_json(struct call *call, struct oauth *out)
{
	json_t *body = call_body(call);
	bool ok = body && copy_field(call, body, "client_id", out->client,
				  sizeof(out->client)) &&
		copy_field(call, body, "client_secret", out->secret,
			sizeof(out->secret)) &&
		copy_field(call, body, "grant_type", out->grant,
			sizeof(out->grant));

	json_decref(body);
	return ok;
}

static bool read_form(struct call *call, struct oauth *out)
{
	struct slice body = call->request->body;

	if (pairs_get(body, "client_id", out->client,
		    sizeof(out->client)) != PAIRS_BAD &&
	    pairs_get(body, "client_secret", out->secret,
		    sizeof(out->secret)) != PAIRS_BAD &&
	    pairs_get(body, "grant_type", out->grant,
		    sizeof(out->grant)) != PAIRS_BAD)
		return true;
	refuse(call, 400, "invalid_request", "A parameter is given twice, or "
		"is not well encoded, or is too long.");
	return false;
}

/* split_basic: "client:secret", both encoded as in a form (RFC 6749, 2.3.1). */
static bool split_basic(struct slice text, struct oauth *out)
{
	const char *colon = memchr(text.at, ':', text.len);
	struct slice client, secret;

	if (!colon)
		return false;
	client = (struct slice){text.at, (size_t)(colon - text.at)};
	secret = (struct slice){colon + 1, text.len - client.len - 1};
	return pairs_decode(client, true, out->client, sizeof(out->client)) &&
		pairs_decode(secret, true, out->secret, sizeof(out->secret));
}

static bool read_basic(struct slice header, struct oauth *out)
{
	static const char scheme[] = "basic ";
	size_t len = sizeof(scheme) - 1, num = 0;
	uint8_t text[4 * CREDENTIAL];
	bool ok;

	if (header.len <= len || strncasecmp(header.at, scheme, len) != 0)
		return false;
	while (len < header.len && header.at[len] == ' ')
		len++;
	ok = EVP_DecodeBase64(text, &num, sizeof(text),
		     (const uint8_t *)header.at + len, header.len - len) &&
		split_basic((struct slice){(const char *)text, num}, out);
	OPENSSL_cleanse(text, sizeof(text));
	return ok;
}

static bool read_oauth(struct call *call, struct oauth *out)
{
	const struct api_request *request = call->request;

	if (is_json(request->content_type) ? !read_json(call, out) :
					     !read_form(call, out))
		return false;
	if (request->authorization.len > 0 &&
	    !read_basic(request->authorization, out)) {
		refuse(call, 401, "invalid_client", "The Authorization header "
			"is not one of a client (Basic).");
		return false;
	}
	if (strcmp(out->grant, "client_credentials") != 0) {
		refuse(call, 400, out->grant[0] ? "unsupported_grant_type" :
						  "invalid_request",
			"The grant_type must be client_credentials.");
		return false;
	}
	return true;
}

static void give_token(struct call *call, const char *access)
{
	char text[LOGIN_SECRET + 96];

	snprintf(text, sizeof(text), "{\"access_token\":\"%s\",\"token_type\":"
		"\"Bearer\",\"expires_in\":%d}", access, LOGIN_OAUTH_S);
	call_secret(call, text);
	OPENSSL_cleanse(text, sizeof(text));
}

static void exchange(struct call *call, const struct oauth *oauth)
{
	char access[LOGIN_SECRET] = "";

	switch (logins_oauth(call->logins, call->world->options.state,
		oauth->client, oauth->secret, login_clock(), &call->caller,
		access, call->err, sizeof(call->err))) {
	case LOGIN_OK:
		if (note_login(call))
			give_token(call, access);
		break;
	case LOGIN_FAILED:
		call_fail(call, FAULT_OURS,
			"The tokens can't be looked up just now.");
		break;
	case LOGIN_NONE:
	case LOGIN_WRONG:
	case LOGIN_FOREIGN:
		call_refused(call, "OAuth client", oauth->client);
		refuse(call, 401, "invalid_client", "The client id or its "
			"secret is not right.");
		break;
	}
	OPENSSL_cleanse(access, sizeof(access));
}

void rest_oauth(struct call *call)
{
	struct oauth oauth = {.client = ""};

	if (read_oauth(call, &oauth))
		exchange(call, &oauth);
	OPENSSL_cleanse(&oauth, sizeof(oauth));
}

/* --- sessions ----------------------------------------------------------- */

static void show_session(struct call *call)
{
	json_t *object = json_object();

	put_text(object, "authType", "ADMIN_LOGIN");
	put_flag(object, "obfuscateApiKey", true);
	put_number(object, "passwordExpiryTime", 0);
	put_number(object, "passwordExpiryDays", 0);
	call_json(call, object);
}

static void set_cookie(struct call *call, const char *id, const char *more)
{
	snprintf(call->reply->cookie, sizeof(call->reply->cookie),
		"JSESSIONID=%s; Path=/; HttpOnly; SameSite=Strict%s%s", id,
		call->request->tls ? "; Secure" : "", more);
}

static bool read_claim(struct call *call, const json_t *body,
	struct login_claim *out)
{
	*out = (struct login_claim){"", "", "", -1, call->now};
	if (!call_text(call, body, "username", &out->user) ||
	    !call_text(call, body, "password", &out->password) ||
	    !call_text(call, body, "apiKey", &out->api_key) ||
	    !call_number(call, body, "timestamp", 0, INT64_MAX,
		    &out->timestamp_ms))
		return false;
	if (out->user[0] && out->password[0] && out->api_key[0] &&
	    out->timestamp_ms >= 0)
		return true;
	call_fail(call, FAULT_INPUT, "A login has the fields username, "
		"password, apiKey (obfuscated with the timestamp) and "
		"timestamp (milliseconds).");
	return false;
}

static void begin(struct call *call, const struct login_claim *claim)
{
	char id[LOGIN_SECRET] = "";

	switch (logins_begin(call->logins, call->world->options.state, claim,
		login_clock(), &call->caller, id, call->err,
		sizeof(call->err))) {
	case LOGIN_OK:
		if (note_login(call)) {
			show_session(call);
			set_cookie(call, id, "");
		}
		break;
	case LOGIN_FAILED:
		call_fail(call, FAULT_OURS,
			"The tokens can't be looked up just now.");
		break;
	case LOGIN_NONE:
	case LOGIN_WRONG:
	case LOGIN_FOREIGN:
		call_refused(call, "user", claim->user);
		call_fail(call, FAULT_LOGIN, "The user name, the password or "
			"the API key is not right, or the clocks are more than "
			"15 minutes apart.");
		break;
	}
	OPENSSL_cleanse(id, sizeof(id));
}

void rest_session_begin(struct call *call)
{
	struct login_claim claim;
	json_t *body;

	/* Else any page could log its reader in as somebody else. */
	if (login_foreign(call->request)) {
		call_fail(call, FAULT_RIGHTS,
			"The request comes from another site's page.");
		return;
	}
	body = call_body(call);
	if (body && read_claim(call, body, &claim))
		begin(call, &claim);
	json_decref(body);
}

void rest_session_show(struct call *call)
{
	show_session(call);
}

void rest_session_end(struct call *call)
{
	logins_end(call->logins, call->request);
	set_cookie(call, "", "; Max-Age=0");
	call_nothing(call, 204);
}
