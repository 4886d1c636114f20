/*
 * visit.h - one connection to the admin listener, or to the control socket.
 *
 *	HEAD ──► BODY ──► WORK ──► (answer) ──► HEAD …
 *
 * Reads a request whole, within bounds, and answers it: Sallyport's own open
 * pages at once, calls of the API once its host has had them handled on
 * another thread. But for the control socket, neither is for who calls the
 * listener by a name that is not its own (hosts.h): 421.
 *
 * Owns:    its stream, the request, the reply.
 * Threads: one, its loop's; request and reply are the other thread's between
 *          visit_host.handle and visit_answered.
 */
#ifndef PROXY_ADMIN_VISIT_H
#define PROXY_ADMIN_VISIT_H

#include <openssl/ssl.h>

#include "proxy/admin/api.h"
#include "proxy/net/stream.h"
#include "proxy/session/h1_side.h"

struct answer;
struct visit;

struct visit_host {
	/* handle has visit->request answered in visit->reply, and visit_answered
	 * called then; not from inside. False: too many are waiting for that. */
	bool (*handle)(void *host, struct visit *visit);
	/* page answers what is no API call. */
	void (*page)(void *host, const struct visit *visit,
		struct answer *answer);
	/* grow: one more body may be larger than API_BODY_MAX. False: there
	 * are too many. */
	bool (*grow)(void *host);
	/* gone: the visit is over; it frees itself after that. */
	void (*gone)(void *host, struct visit *visit);
};

enum visit_step { VISIT_HEAD, VISIT_BODY, VISIT_WORK, VISIT_OVER };

enum { VISIT_FIELD = 1024, VISIT_COOKIE = 8192, VISIT_PATH = 2048 };

struct visit {
	struct visit *prev, *next;      /* the host's list */
	const struct visit_host *ops;
	void *host;
	struct stream stream;
	SSL *ssl;                       /* owned, until the first byte */
	struct h1_side side;
	enum visit_step at;
	bool local;                     /* of the control socket */
	bool loopback;                  /* of a listener on this machine's own */
	bool closing, closed;
	bool to_head, last;
	bool html;                      /* the client names HTML */
	bool cut;                       /* its end was not waited for */
	bool begun;                     /* a request has; not read whole yet */
	uint64_t since_ms;              /* of that, else of the step */
	char self[128];                 /* its own address, "127.0.0.1:8081" */
	char peer[API_WHO];             /* the client's, or who it is */
	/* What request points into. */
	char method[24], path[VISIT_PATH], query[VISIT_PATH];
	char host_field[VISIT_FIELD], authorization[VISIT_FIELD];
	char cookie[VISIT_COOKIE], origin[VISIT_FIELD], type[VISIT_FIELD];
	UT_string body;                 /* body_max + 1 bytes at the most */
	size_t body_max;
	bool large;                     /* it may be more than API_BODY_MAX */
	uint64_t came;                  /* of the body */
	unsigned refusal;               /* a status; 0: none */
	char why[96];
	struct api_request request;
	struct api_reply reply;
};

/* What a visit is made of. */
struct visit_order {
	const struct visit_host *ops;
	void *host;
	struct loop *loop;
	int fd;                 /* taken */
	SSL *ssl;               /* taken; NULL: plain */
	const char *self;       /* "127.0.0.1:8081"; "": the control socket */
	const char *peer;       /* likewise; there: who */
	bool loopback;
	const char *who;        /* of the control socket; else NULL */
};

struct visit *visit_new(const struct visit_order *order);

/* visit_answered: the reply is filled. */
void visit_answered(struct visit *visit);

/* visit_check ends one that has taken too long. */
void visit_check(struct visit *visit, uint64_t now_ms);

/* visit_end ends it now; one that is being handled, after that. */
void visit_end(struct visit *visit);

#endif
