/*
 * api.h - the REST API: a request in, a reply out.
 *
 * It knows no sockets: the admin listener, the control socket and the commands
 * on a stopped proxy all bring their requests here. routes.def has a row a call.
 *
 *	/api/v1/…  /zia/api/v1/…   the vendor's paths, the same calls (CA-API.md)
 *	/oauth2/v1/token           a login
 *	/metrics                   for Prometheus
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
#include "proxy/config/versions.h"
#include "proxy/http/message.h"

struct api;
struct live_list;

enum {
	/* An upload of 64 KB, and what is around it. */
	API_BODY_MAX = 80 * 1024,
	API_POLICY_MAX = 1024 * 1024, /* ... of a policy */
	API_WHO = 128,
};

/* A change of the policy: what is asked, and what came of it. */
struct api_policy {
	const char *text;       /* of the document; NULL: the file's own again */
	size_t len;
	const char *who, *note; /* of that version */
	int64_t based_on;       /* the version that it goes by; below 0: any */
	bool dry;               /* hold it against the loader, and no more */
	struct version version; /* out: which is in force, behind it */
	char *told;             /* out: mistakes and warnings, a line each; the
	                         * caller's (free). NULL: it came not so far */
	size_t told_len;
};

enum {
	API_POLICY_WRONG = 1,   /* told says why */
	API_POLICY_OTHER,       /* it goes by another than the one in force */
};

/* What a proxy does for calls that are about its policy. */
struct api_policies {
	/* change loads, stores and has everything go by it before it returns.
	 * Where it does not return 0 nothing has changed; -1: with a sentence
	 * in err. */
	int (*change)(void *arg, struct api_policy *policy, char *err,
		size_t err_size);
	/* look gives a copy (free) of the document in force; where the version
	 * is 0, of the configuration file. */
	void (*look)(void *arg, struct version *out, char **out_text,
		size_t *out_len);
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
	const struct api_policies *policies; /* NULL: no proxy runs */
	void (*metrics)(void *arg, UT_string *out); /* likewise */
	/* Fills list, whose most is given; at is the caller's to free.
	 * Likewise. */
	void (*live)(void *arg, struct live_list *list);
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
 * /api, /zia and /oauth2, and /metrics. */
bool api_is_mine(struct slice path);

/* api_body_max is how large the body of such a request may be: of a longer one
 * the first byte too many is enough. */
size_t api_body_max(struct slice method, struct slice path);

/* api_handle answers. It may take as long as making a key does, or as whatever
 * world->changed waits for: it is not for a loop. */
void api_handle(struct api *api, const struct api_world *world,
	const struct api_request *request, struct api_reply *reply);
void api_reply_clear(struct api_reply *reply);

#endif
