/*
 * logins.h - who may use the API.
 *
 *	Authorization: Bearer TOKEN    the administrator's (STATE/admin-token)
 *	                               a token of the store
 *	                               an access token that OAuth gave (1 hour)
 *	Cookie: JSESSIONID=…           a session (30 minutes after its last use)
 *
 * An access token or a session lives no longer than the token of the store that
 * it was made with, which is looked up again at every use. Both end with the
 * process. All that is secret is held as a digest, and compared in constant
 * time.
 *
 * Threads: any.
 * Errors:  a result; LOGIN_FAILED has a sentence in err.
 */
#ifndef PROXY_ADMIN_LOGINS_H
#define PROXY_ADMIN_LOGINS_H

#include <stdint.h>
#include <time.h>

#include "pki/store_token.h"
#include "proxy/admin/api.h"

struct logins;

enum {
	LOGIN_SECRET = 2 * 32 + 1,     /* room: 32 bytes in hexadecimal */
	LOGIN_OAUTH_S = 3600,
	LOGIN_IDLE_S = 30 * 60,
	LOGIN_CLOCK_S = 15 * 60,       /* a client's clock may be wrong by */
	LOGINS_MAX = 256,              /* of a kind; the oldest goes first */
	LOGIN_SEED_MIN = 12,           /* letters of an API key that count */
	LOGIN_API_KEY = 13,            /* room: an obfuscated one */
};

enum login_result {
	LOGIN_OK,
	LOGIN_NONE,     /* nothing that could be one was given */
	LOGIN_WRONG,    /* what was given is not good, or not any more */
	LOGIN_FOREIGN,  /* by a cookie, from another site's page */
	LOGIN_FAILED,
};

struct caller {
	char who[API_WHO];
	bool may_write;
	bool is_local;
};

/* logins_new: NULL, there is no administrator's token. */
struct logins *logins_new(const char *admin_token);
void logins_free(struct logins *logins);

/* logins_who finds who asks. state is the folder whose store has the tokens. */
enum login_result logins_who(struct logins *logins, const char *state,
	const struct api_request *request, time_t now, struct caller *out,
	char *err, size_t err_size);

/* login_clock counts seconds, those of sleep, too. */
time_t login_clock(void);

/* logins_oauth exchanges a client's id and secret for an access token; caller
 * is who that is. */
enum login_result logins_oauth(struct logins *logins, const char *state,
	const char *client, const char *secret, time_t now,
	struct caller *caller, char out[LOGIN_SECRET], char *err,
	size_t err_size);

/* logins_begin begins a session; out is its id. */
struct login_claim {
	const char *user, *password, *api_key; /* obfuscated */
	int64_t timestamp_ms;
	time_t here;                           /* the time of day, as we see it */
};
enum login_result logins_begin(struct logins *logins, const char *state,
	const struct login_claim *claim, time_t now, struct caller *caller,
	char out[LOGIN_SECRET], char *err, size_t err_size);

/* logins_end ends the access token and the session that a request shows. */
void logins_end(struct logins *logins, const struct api_request *request);

/* login_obfuscate is what a client sends for an API key at that time: false,
 * the key has less than LOGIN_SEED_MIN letters. */
bool login_obfuscate(const char *seed, int64_t timestamp_ms,
	char out[LOGIN_API_KEY]);

/* login_foreign: the Origin header names another site than Host does. */
bool login_foreign(const struct api_request *request);

/* login_tokens reads the tokens of a state folder, none where there is no store
 * yet; freed with store_token_free. */
int login_tokens(const char *state, struct store_token **out, size_t *out_num,
	char *err, size_t err_size) MUST_CHECK;

/* login_digest is how a secret is held. */
void login_digest(struct slice secret, uint8_t out[TOKEN_DIGEST]);

#endif
