#include "proxy/admin/logins.h"

#include <openssl/mem.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "pki/keymaker.h"

/* An access token or a session. */
struct login {
	uint8_t digest[TOKEN_DIGEST];
	int64_t token;             /* of the store, by which it was made */
	time_t made, used;
	uint64_t turn;             /* which of all it was; 0: a free place */
};

struct table {
	struct login logins[LOGINS_MAX];
	time_t life_s, idle_s;     /* 0: for as long as it is used */
};

struct logins {
	bool has_admin;
	uint8_t admin[TOKEN_DIGEST];
	pthread_mutex_t lock;      /* of what stands below */
	uint64_t turn;
	struct table access, sessions;
};

struct logins *logins_new(const char *admin_token)
{
	struct logins *logins = pki_new(sizeof(*logins));

	(void)pthread_mutex_init(&logins->lock, NULL);
	logins->access.life_s = LOGIN_OAUTH_S;
	logins->sessions.idle_s = LOGIN_IDLE_S;
	logins->has_admin = admin_token && admin_token[0] != '\0';
	if (logins->has_admin)
		login_digest((struct slice){admin_token, strlen(admin_token)},
			logins->admin);
	return logins;
}

void logins_free(struct logins *logins)
{
	if (!logins)
		return;
	(void)pthread_mutex_destroy(&logins->lock);
	OPENSSL_cleanse(logins, sizeof(*logins));
	free(logins);
}

time_t login_clock(void)
{
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) != 0)
		abort();
	return now.tv_sec;
}

void login_digest(struct slice secret, uint8_t out[TOKEN_DIGEST])
{
	SHA256((const uint8_t *)(secret.len > 0 ? secret.at : ""), secret.len,
		out);
}

static bool same(const uint8_t a[TOKEN_DIGEST], const uint8_t b[TOKEN_DIGEST])
{
	return CRYPTO_memcmp(a, b, TOKEN_DIGEST) == 0;
}

/* --- what was made ------------------------------------------------------ */

static bool is_over(const struct table *table, const struct login *login,
	time_t now)
{
	return login->turn == 0 ||
		(table->life_s && now - login->made >= table->life_s) ||
		(table->idle_s && now - login->used >= table->idle_s);
}

/* find looks at every place, whatever it finds: how long that takes tells
 * nothing. */
static struct login *find(struct table *table, const uint8_t *digest,
	time_t now)
{
	struct login *found = NULL;

	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct login *login = &table->logins[i];

		if (same(login->digest, digest) && !is_over(table, login, now))
			found = login;
	}
	return found;
}

/* place is one that is free, or is over, or the oldest. */
static struct login *place(struct table *table, time_t now)
{
	struct login *oldest = &table->logins[0];

	for (size_t i = 0; i < LOGINS_MAX; i++) {
		struct login *login = &table->logins[i];

		if (is_over(table, login, now))
			return login;
		if (login->turn < oldest->turn)
			oldest = login;
	}
	return oldest;
}

static void make_login(struct logins *logins, struct table *table,
	int64_t token, time_t now, char out[LOGIN_SECRET])
{
	struct login *login;

	make_chance((LOGIN_SECRET - 1) / 2, out);
	(void)pthread_mutex_lock(&logins->lock);
	login = place(table, now);
	login_digest((struct slice){out, LOGIN_SECRET - 1}, login->digest);
	login->token = token;
	login->made = login->used = now;
	login->turn = ++logins->turn;
	(void)pthread_mutex_unlock(&logins->lock);
}

/* use_login gives the token that a login was made with; 0: it is none, or none
 * any more. */
static int64_t use_login(struct logins *logins, struct table *table,
	const uint8_t *digest, time_t now)
{
	struct login *login;
	int64_t token = 0;

	(void)pthread_mutex_lock(&logins->lock);
	login = find(table, digest, now);
	if (login) {
		login->used = now;
		token = login->token;
	}
	(void)pthread_mutex_unlock(&logins->lock);
	return token;
}

static void drop_login(struct logins *logins, struct table *table,
	const uint8_t *digest)
{
	(void)pthread_mutex_lock(&logins->lock);
	for (size_t i = 0; i < LOGINS_MAX; i++) {
		if (same(table->logins[i].digest, digest))
			OPENSSL_cleanse(&table->logins[i],
				sizeof(table->logins[i]));
	}
	(void)pthread_mutex_unlock(&logins->lock);
}

/* --- the store's tokens ------------------------------------------------- */

int login_tokens(const char *state, struct store_token **out, size_t *out_num,
	char *err, size_t err_size)
{
	char *path = state_path(state, STORE_FILE);
	struct stat info;
	int result = 0;

	*out = NULL;
	*out_num = 0;
	if (stat(path, &info) == 0 && info.st_size > 0)
		result = store_token_read(path, out, out_num, err, err_size);
	free(path);
	return result;
}

struct wanted {
	enum token_kind kind;
	int64_t id;               /* 0: by what stands below */
	const char *client;       /* NULL: by its secret alone */
	const uint8_t *digest;
};

static bool is_wanted(const struct wanted *wanted,
	const struct store_token *token)
{
	if (token->kind != wanted->kind)
		return false;
	if (wanted->id != 0)
		return token->id == wanted->id;
	return same(token->digest, wanted->digest) &&
		(!wanted->client ||
			strcmp(token->client, wanted->client) == 0);
}

/* find_token fills out, which may hold an API key, where it is LOGIN_OK. */
static enum login_result find_token(const char *state,
	const struct wanted *wanted, struct store_token *out, char *err,
	size_t err_size)
{
	struct store_token *list;
	size_t num;
	enum login_result result = LOGIN_WRONG;

	if (login_tokens(state, &list, &num, err, err_size) != 0)
		return LOGIN_FAILED;
	for (size_t i = 0; i < num; i++) {
		if (is_wanted(wanted, &list[i])) {
			*out = list[i];
			result = LOGIN_OK;
		}
	}
	store_token_free(list, num);
	return result;
}

static void show_caller(const struct store_token *token, struct caller *out)
{
	static const char *const words[NUM_TOKEN_KINDS] = {
		[TOKEN_BEARER] = "token",
		[TOKEN_OAUTH] = "oauth",
		[TOKEN_SESSION] = "session",
	};

	snprintf(out->who, sizeof(out->who), "%s %s", words[token->kind],
		token->name);
	out->may_write = !token->read_only;
}

static enum login_result as_token(const char *state,
	const struct wanted *wanted, struct caller *out, char *err,
	size_t err_size)
{
	struct store_token token;
	enum login_result result = find_token(state, wanted, &token, err,
		err_size);

	if (result != LOGIN_OK)
		return result;
	show_caller(&token, out);
	OPENSSL_cleanse(&token, sizeof(token));
	return LOGIN_OK;
}

/* --- who asks ----------------------------------------------------------- */

static struct slice trim(struct slice text)
{
	while (text.len > 0 && (text.at[0] == ' ' || text.at[0] == '\t')) {
		text.at++;
		text.len--;
	}
	while (text.len > 0 && (text.at[text.len - 1] == ' ' ||
				text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* bearer gives the token of an Authorization header (RFC 6750, 2.1). */
static bool bearer(struct slice header, struct slice *out)
{
	static const char scheme[] = "bearer ";
	size_t len = sizeof(scheme) - 1;

	header = trim(header);
	if (header.len <= len || strncasecmp(header.at, scheme, len) != 0)
		return false;
	*out = trim((struct slice){header.at + len, header.len - len});
	return out->len > 0;
}

static enum login_result by_bearer(struct logins *logins, const char *state,
	struct slice secret, time_t now, struct caller *out, char *err,
	size_t err_size)
{
	uint8_t digest[TOKEN_DIGEST];
	struct wanted wanted = {.kind = TOKEN_BEARER, .digest = digest};

	login_digest(secret, digest);
	if (logins->has_admin && same(digest, logins->admin)) {
		snprintf(out->who, sizeof(out->who), "admin token");
		out->may_write = true;
		return LOGIN_OK;
	}
	wanted.id = use_login(logins, &logins->access, digest, now);
	if (wanted.id != 0)
		wanted.kind = TOKEN_OAUTH;
	return as_token(state, &wanted, out, err, err_size);
}

/* session_of gives the session of a Cookie header (RFC 6265, 4.2). */
static bool session_of(struct slice cookie, struct slice *out)
{
	static const char name[] = "JSESSIONID=";
	size_t len = sizeof(name) - 1;

	while (cookie.len > 0) {
		const char *end = memchr(cookie.at, ';', cookie.len);
		struct slice one = cookie;

		one.len = end ? (size_t)(end - cookie.at) : cookie.len;
		cookie.at += end ? one.len + 1 : one.len;
		cookie.len -= end ? one.len + 1 : one.len;
		one = trim(one);
		if (one.len <= len || memcmp(one.at, name, len) != 0)
			continue;
		*out = (struct slice){one.at + len, one.len - len};
		return true;
	}
	return false;
}

static enum login_result by_session(struct logins *logins, const char *state,
	struct slice id, time_t now, struct caller *out, char *err,
	size_t err_size)
{
	uint8_t digest[TOKEN_DIGEST];
	struct wanted wanted = {.kind = TOKEN_SESSION};

	login_digest(id, digest);
	wanted.id = use_login(logins, &logins->sessions, digest, now);
	if (wanted.id == 0)
		return LOGIN_WRONG;
	return as_token(state, &wanted, out, err, err_size);
}

bool login_foreign(const struct api_request *request)
{
	static const char *const schemes[] = {"http://", "https://"};
	struct slice origin = trim(request->origin);

	if (origin.len == 0)
		return false;
	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(schemes[i]);

		if (origin.len == len + request->host.len &&
		    strncasecmp(origin.at, schemes[i], len) == 0 &&
		    request->host.len > 0 &&
		    strncasecmp(origin.at + len, request->host.at,
			    request->host.len) == 0)
			return false;
	}
	return true;
}

enum login_result logins_who(struct logins *logins, const char *state,
	const struct api_request *request, time_t now, struct caller *out,
	char *err, size_t err_size)
{
	struct slice secret;
	enum login_result result;

	memset(out, 0, sizeof(*out));
	if (request->caller == API_LOCAL) {
		out->is_local = out->may_write = true;
		snprintf(out->who, sizeof(out->who), "%s", request->who);
		return LOGIN_OK;
	}
	if (request->authorization.len > 0)
		return bearer(request->authorization, &secret) ?
			by_bearer(logins, state, secret, now, out, err,
				err_size) : LOGIN_WRONG;
	if (!session_of(request->cookie, &secret))
		return LOGIN_NONE;
	result = by_session(logins, state, secret, now, out, err, err_size);
	/* A browser sends cookies whoever's page it is that asks. */
	return result == LOGIN_OK && login_foreign(request) ? LOGIN_FOREIGN :
		result;
}

/* --- logging in --------------------------------------------------------- */

enum login_result logins_oauth(struct logins *logins, const char *state,
	const char *client, const char *secret, time_t now,
	struct caller *caller, char out[LOGIN_SECRET], char *err,
	size_t err_size)
{
	uint8_t digest[TOKEN_DIGEST];
	struct wanted wanted = {.kind = TOKEN_OAUTH, .client = client,
		.digest = digest};
	struct store_token token;
	enum login_result result;

	login_digest((struct slice){secret, strlen(secret)}, digest);
	result = find_token(state, &wanted, &token, err, err_size);
	if (result == LOGIN_OK) {
		make_login(logins, &logins->access, token.id, now, out);
		show_caller(&token, caller);
	}
	OPENSSL_cleanse(digest, sizeof(digest));
	return result;
}

/* The vendor's way: which letters of the key are sent depends on the last six
 * digits of the time, and on half of them (CA-API.md). */
bool login_obfuscate(const char *seed, int64_t timestamp_ms,
	char out[LOGIN_API_KEY])
{
	int64_t last = timestamp_ms % 1000000;
	char digits[LOGIN_API_KEY];

	if (strlen(seed) < LOGIN_SEED_MIN || last < 0)
		return false;
	snprintf(digits, sizeof(digits), "%06d%06d", (int)last,
		(int)(last >> 1));
	for (size_t i = 0; i < 6; i++) {
		out[i] = seed[digits[i] - '0'];
		out[6 + i] = seed[digits[6 + i] - '0' + 2];
	}
	out[LOGIN_API_KEY - 1] = '\0';
	return true;
}

static bool key_is_right(const struct store_token *token,
	const struct login_claim *claim)
{
	char right[LOGIN_API_KEY] = "";
	bool is = login_obfuscate(token->api_key, claim->timestamp_ms, right) &&
		strlen(claim->api_key) == LOGIN_API_KEY - 1 &&
		CRYPTO_memcmp(right, claim->api_key, LOGIN_API_KEY - 1) == 0;

	OPENSSL_cleanse(right, sizeof(right));
	return is;
}

static bool clock_is_right(const struct login_claim *claim)
{
	int64_t apart = claim->timestamp_ms / 1000 - (int64_t)claim->here;

	return claim->timestamp_ms >= 0 && apart <= LOGIN_CLOCK_S &&
		apart >= -LOGIN_CLOCK_S;
}

enum login_result logins_begin(struct logins *logins, const char *state,
	const struct login_claim *claim, time_t now, struct caller *caller,
	char out[LOGIN_SECRET], char *err, size_t err_size)
{
	uint8_t digest[TOKEN_DIGEST];
	struct wanted wanted = {.kind = TOKEN_SESSION, .client = claim->user,
		.digest = digest};
	struct store_token token;
	enum login_result result;

	login_digest((struct slice){claim->password,
		strlen(claim->password)}, digest);
	result = find_token(state, &wanted, &token, err, err_size);
	if (result == LOGIN_OK &&
	    (!key_is_right(&token, claim) || !clock_is_right(claim)))
		result = LOGIN_WRONG;
	if (result == LOGIN_OK) {
		make_login(logins, &logins->sessions, token.id, now, out);
		show_caller(&token, caller);
	}
	OPENSSL_cleanse(digest, sizeof(digest));
	OPENSSL_cleanse(&token, sizeof(token));
	return result;
}

void logins_end(struct logins *logins, const struct api_request *request)
{
	uint8_t digest[TOKEN_DIGEST];
	struct slice secret;

	if (bearer(request->authorization, &secret)) {
		login_digest(secret, digest);
		drop_login(logins, &logins->access, digest);
	}
	if (session_of(request->cookie, &secret)) {
		login_digest(secret, digest);
		drop_login(logins, &logins->sessions, digest);
	}
}
