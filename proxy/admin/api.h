/*
 * api.h - the REST API: a request in, a reply out.
 *
 * It knows no sockets: the admin listener, the control socket and the commands
 * on a stopped proxy all bring their requests here. routes.def has a row a call.
 *
 *	/api/v1/…  /zia/api/v1/…   the vendor's paths, the same calls (CA-API.md)
 *	/oauth2/v1/token           a login
 *
 * Errors are {"code", "message"}. Every path but the logins needs one, with a
 * caller who may write where the call changes something.
 *
 * HEAD is answered as GET: whoever sends the answer leaves its body away. What
 * is answered is nobody's to keep: Cache-Control: no-store.
 *
 * Owns:    logins that were made, in memory; they end with the process.
 * Threads: any; calls that change CAs wait for each other.
 */
#ifndef PROXY_ADMIN_API_H
#define PROXY_ADMIN_API_H

#include <stdbool.h>
#include <stddef.h>
#include <utstring.h>

#include "pki/authority.h"
#include "pki/lifecycle.h"
#include "proxy/http/message.h"

struct api;

enum {
	/* An upload of 64 KB, and what is around it. Of a longer body the first
	 * API_BODY_MAX + 1 bytes are enough: it is refused. */
	API_BODY_MAX = 80 * 1024,
	API_WHO = 128,
};

/* Where a call works. Borrowed during api_handle. */
struct api_world {
	struct authority_options options; /* state, crl_base, link … */
	const struct life_rule *rules;
	size_t num_rules;
	bool zia;                         /* compat: zia */
	/* changed: the CAs are not what they were; it returns once everything
	 * goes by what they are now. -1: with a sentence in err, they are
	 * stored, but not in use yet. NULL: nobody uses them. */
	int (*changed)(void *arg, char *err, size_t err_size);
	/* settle returns once the store has every leaf that has been signed.
	 * NULL: it has. */
	void (*settle)(void *arg);
	void *arg;
};

/* Who asks: one with a login, to be shown; or one whose uid the kernel knows,
 * who may do all. */
enum api_caller { API_REMOTE, API_LOCAL };

struct api_request {
	enum api_caller caller;
	char who[API_WHO];             /* of API_LOCAL: "root (uid 0)" */
	struct slice method, path;     /* path without query */
	struct slice query;            /* without the '?'; may be empty */
	struct slice host;             /* as in the Host header */
	struct slice authorization, cookie, origin, content_type;
	struct slice body;
	bool tls;                      /* a cookie may be marked Secure */
};

/* One that was filled is cleared by api_reply_clear, which wipes it; so is one
 * that is zeroed. */
struct api_reply {
	unsigned status;
	const char *content_type;      /* NULL: no body. Static */
	UT_string body;
	char cookie[256];              /* Set-Cookie; "": none */
	char disposition[256];         /* Content-Disposition; "": none */
	const char *allow;             /* of a 405. Static */
	bool challenge;                /* of a 401: WWW-Authenticate: Bearer */
	char refused[128];             /* a login: user "ann"; "": none was */
};

/* api_new: admin_token (a text of letters and digits) is who may do all; NULL:
 * there is none, as for commands. Copied as a digest. */
struct api *api_new(const char *admin_token);
void api_free(struct api *api);

/* api_is_mine: a path that api_handle answers, if only with 404: all under
 * /api, /zia and /oauth2. */
bool api_is_mine(struct slice path);

/* api_handle answers. It may take as long as making a key does, or as whatever
 * world->changed waits for: it is not for a loop. */
void api_handle(struct api *api, const struct api_world *world,
	const struct api_request *request, struct api_reply *reply);
void api_reply_clear(struct api_reply *reply);

#endif
