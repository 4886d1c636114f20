/* token_routes.c - who may use the API: made, listed and taken back by commands
 * on this machine. */

#include <openssl/mem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/store_audit.h"
#include "proxy/admin/call.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"

enum { SEED = 12 }; /* letters of an API key, as the vendor's have */

/* --- the store ---------------------------------------------------------- */

/* What is about to be done, in one transaction with its line. */
struct change {
	struct store *store;
	char secret[LOGIN_SECRET];
	struct store_token token;
};

static bool failed(struct call *call)
{
	call_fail(call, FAULT_OURS, "%s", call->err);
	return false;
}

static bool open_store(struct call *call, struct change *change)
{
	char *path = state_path(call->world->options.state, STORE_FILE);
	int result = store_open(path, &change->store, call->err,
		sizeof(call->err));

	free(path);
	if (result == 0)
		result = store_begin(change->store, call->err,
			sizeof(call->err));
	return result == 0 ? true : failed(call);
}

static bool tell(struct call *call, struct change *change, const char *what,
	const char *detail)
{
	struct store_audit line = {.time = call->now};

	snprintf(line.who, sizeof(line.who), "%s", call->caller.who);
	snprintf(line.what, sizeof(line.what), "%s", what);
	snprintf(line.name, sizeof(line.name), "%s", change->token.name);
	snprintf(line.detail, sizeof(line.detail), "%s", detail);
	if (store_audit_add(change->store, &line, call->err,
		    sizeof(call->err)) != 0 ||
	    store_commit(change->store, call->err, sizeof(call->err)) != 0)
		return failed(call);
	return true;
}

/* --- reading ------------------------------------------------------------ */

static bool read_name(struct call *call, const char *text, const char *what,
	size_t size, char *out)
{
	size_t letters;

	if (text[0] == '\0' || !name_text_ok(text, &letters)) {
		call_fail(call, FAULT_INPUT, "The %s is required: text "
			"without control characters.", what);
		return false;
	}
	if ((size_t)snprintf(out, size, "%s", text) >= size) {
		call_fail(call, FAULT_INPUT, "The %s is too long: at most "
			"%zu bytes.", what, size - 1);
		return false;
	}
	return true;
}

static bool read_kind(struct call *call, const json_t *body,
	enum token_kind *out)
{
	const char *word = "bearer";

	if (!call_text(call, body, "kind", &word))
		return false;
	if (token_kind_named(word, out))
		return true;
	call_fail(call, FAULT_INPUT, "The kind must be bearer, oauth or "
		"session.");
	return false;
}

static bool read_token(struct call *call, const json_t *body,
	struct store_token *out)
{
	const char *name = "", *client;

	if (!call_text(call, body, "name", &name) ||
	    !read_name(call, name, "name", sizeof(out->name), out->name) ||
	    !read_kind(call, body, &out->kind) ||
	    !call_flag(call, body, "readOnly", &out->read_only))
		return false;
	client = out->name;
	if (out->kind == TOKEN_BEARER)
		return true;
	return call_text(call, body, "client", &client) &&
		read_name(call, client, "client", sizeof(out->client),
			out->client);
}

/* --- making ------------------------------------------------------------- */

/* A letter of chance: what goes beyond the last whole round of the alphabet is
 * thrown away, so that each letter is as likely. */
static char make_letter(void)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
		"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint8_t byte;

	do {
		RAND_bytes(&byte, 1);
	} while (byte >= 256 / (sizeof(letters) - 1) * (sizeof(letters) - 1));
	return letters[byte % (sizeof(letters) - 1)];
}

static void make_secrets(struct call *call, struct change *change)
{
	make_chance((LOGIN_SECRET - 1) / 2, change->secret);
	login_digest((struct slice){change->secret, LOGIN_SECRET - 1},
		change->token.digest);
	change->token.made = call->now;
	if (change->token.kind != TOKEN_SESSION)
		return;
	for (size_t i = 0; i < SEED; i++)
		change->token.api_key[i] = make_letter();
}

/* Two of a kind by one client's name would be one login with two passwords. */
static bool is_new_client(struct call *call, struct change *change)
{
	struct store_token *list;
	bool taken = false;
	size_t num;

	if (store_token_list(change->store, &list, &num, call->err,
		    sizeof(call->err)) != 0)
		return failed(call);
	for (size_t i = 0; i < num; i++)
		taken |= change->token.kind != TOKEN_BEARER &&
			list[i].kind == change->token.kind &&
			strcmp(list[i].client, change->token.client) == 0;
	store_token_free(list, num);
	if (taken)
		call_fail(call, FAULT_DUPLICATE, "Another token has the "
			"client \"%s\".", change->token.client);
	return !taken;
}

static bool add(struct call *call, struct change *change)
{
	char detail[TOKEN_CLIENT + 64];
	int result;

	if (!is_new_client(call, change))
		return false;
	result = store_token_add(change->store, &change->token, call->err,
		sizeof(call->err));
	if (result == STORE_TOKEN_TAKEN) {
		call_fail(call, FAULT_DUPLICATE, "Another token has the name "
			"\"%s\".", change->token.name);
		return false;
	}
	snprintf(detail, sizeof(detail), "%s%s%s%s",
		token_kind_word(change->token.kind),
		change->token.read_only ? ", read-only" : "",
		change->token.client[0] ? ", client " : "",
		change->token.client);
	return result == 0 ? tell(call, change, "token-create", detail) :
		failed(call);
}

static char *quoted(const char *text)
{
	json_t *string = put_string(text, strlen(text));
	char *made = json_dumps(string, JSON_ENCODE_ANY);

	json_decref(string);
	if (!made)
		abort();
	return made;
}

/* The secrets are letters and digits. They are shown this once. */
static void show_secrets(struct call *call, const struct change *change)
{
	const struct store_token *token = &change->token;
	char *name = quoted(token->name), *client = quoted(token->client);
	char text[8 * (TOKEN_NAME + TOKEN_CLIENT) + 2 * LOGIN_SECRET + 128];

	if (token->kind == TOKEN_BEARER)
		snprintf(text, sizeof(text), "{\"name\":%s,\"kind\":\"bearer\""
			",\"token\":\"%s\"}", name, change->secret);
	else if (token->kind == TOKEN_OAUTH)
		snprintf(text, sizeof(text), "{\"name\":%s,\"kind\":\"oauth\","
			"\"clientId\":%s,\"clientSecret\":\"%s\"}", name,
			client, change->secret);
	else
		snprintf(text, sizeof(text), "{\"name\":%s,\"kind\":"
			"\"session\",\"username\":%s,\"password\":\"%s\","
			"\"apiKey\":\"%s\"}", name, client, change->secret,
			token->api_key);
	call_secret(call, text);
	OPENSSL_cleanse(text, sizeof(text));
	free(name);
	free(client);
}

void rest_token_create(struct call *call)
{
	struct change change = {.store = NULL};
	json_t *body = call_body(call);

	if (body && read_token(call, body, &change.token) &&
	    open_store(call, &change)) {
		make_secrets(call, &change);
		if (add(call, &change))
			show_secrets(call, &change);
	}
	store_close(change.store);
	OPENSSL_cleanse(&change, sizeof(change));
	json_decref(body);
}

/* --- the others --------------------------------------------------------- */

static json_t *show_token(const struct store_token *token)
{
	json_t *object = json_object();

	put_text(object, "name", token->name);
	put_text(object, "kind", token_kind_word(token->kind));
	put_text(object, "client", token->client);
	put_flag(object, "readOnly", token->read_only);
	put_time(object, "made", token->made);
	return object;
}

void rest_tokens(struct call *call)
{
	struct store_token *list;
	json_t *shown;
	size_t num;

	if (login_tokens(call->world->options.state, &list, &num, call->err,
		    sizeof(call->err)) != 0) {
		(void)failed(call);
		return;
	}
	shown = json_array();
	for (size_t i = 0; i < num; i++)
		(void)json_array_append_new(shown, show_token(&list[i]));
	store_token_free(list, num);
	call_json(call, shown);
}

void rest_token_delete(struct call *call)
{
	struct change change = {.store = NULL};
	int result = -1;

	if (open_store(call, &change)) {
		snprintf(change.token.name, sizeof(change.token.name), "%.*s",
			TOKEN_NAME - 1, call->part);
		result = store_token_delete(change.store, call->part,
			call->err, sizeof(call->err));
		if (result == STORE_TOKEN_NONE)
			call_fail(call, FAULT_UNKNOWN, "There is no token "
				"\"%s\".", call->part);
		else if (result != 0)
			(void)failed(call);
		else if (tell(call, &change, "token-delete", ""))
			call_nothing(call, 204);
	}
	store_close(change.store);
}
