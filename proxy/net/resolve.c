#include "proxy/net/resolve.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

#include "proxy/net/dns.h"
#include "proxy/net/names.h"

enum {
	MAX_ASKED = 1024, /* different questions under way */
	MAX_KEPT = 4096,
	GRACE_MS = 50,    /* RFC 8305, 3: Resolution Delay */
};

/*
 * A question lives in `asked` while the servers are at it and, when answered,
 * in `ready` until its waiters have been told. What needs no asking starts out
 * in ready: there is one place where waiters are called, on_ready, and it is
 * never inside a call of anybody's.
 *
 *	resolver_ask ──► asked ──► ready ──► waiters
 *	       └────────────────────^
 */
struct question {
	struct resolver *resolver;      /* borrowed */
	char name[NAME_SIZE];
	struct resolve_waiter *waiters; /* borrowed, until told or gone */
	struct query v6, v4;
	enum { FRESH, IN_GRACE, GRACE_OVER } grace;
	uint64_t grace_until_ms;
	bool partial;                   /* once ready */
	struct question *prev, *next;   /* in ready, or in grace */
	UT_hash_handle hh;              /* in asked, by name */
};

struct resolver {
	uv_loop_t *loop;                  /* borrowed */
	struct dns *dns;                  /* owned */
	struct names names;               /* answers kept */
	struct question *asked;           /* hash; owned */
	struct question *grace;           /* those of asked in their 50 ms */
	struct question *ready, *telling; /* lists; owned */
	uv_timer_t grace_timer, ready_timer;
	unsigned open;                    /* timers and dns, until closed */
	bool closing;
	void (*closed)(void *arg);
	void *arg;
};

/* --- telling the waiters ------------------------------------------------- */

static void put(struct addresses *out, int family, const struct ip *ip)
{
	struct sockaddr_storage *at = &out->at[out->num++];
	struct sockaddr_in *v4 = (struct sockaddr_in *)at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)at;

	*at = (struct sockaddr_storage){0};
	at->ss_family = (sa_family_t)family;
	if (family == AF_INET)
		memcpy(&v4->sin_addr, ip->at, 4);
	else
		memcpy(&v6->sin6_addr, ip->at, 16);
}

/* fill gives each family half the room, and what the other leaves. */
static void fill(const struct question *q, struct addresses *out)
{
	const struct half *v6 = &q->v6.half, *v4 = &q->v4.half;
	size_t spare4 = v4->num < RESOLVE_MAX / 2 ? RESOLVE_MAX - v4->num
		: RESOLVE_MAX / 2;

	out->num = 0;
	out->partial = q->partial;
	for (size_t i = 0; i < v6->num && i < spare4; i++)
		put(out, AF_INET6, &v6->ips[i]);
	for (size_t i = 0; i < v4->num && out->num < RESOLVE_MAX; i++)
		put(out, AF_INET, &v4->ips[i]);
}

static enum resolve_status status_of(const struct question *q)
{
	enum resolve_status v6 = q->v6.half.status, v4 = q->v4.half.status;

	if ((!q->v6.out && v6 == RESOLVE_OK)
			|| (!q->v4.out && v4 == RESOLVE_OK))
		return RESOLVE_OK;
	if (v6 == RESOLVE_TIMEOUT || v4 == RESOLVE_TIMEOUT)
		return RESOLVE_TIMEOUT;
	return v6 == RESOLVE_NO_NAME ? v4 : v6;
}

/* tell calls the waiters of a ready question. Any of them may make others
 * leave, ask more, or close the resolver, and that frees q: r tells. */
static void tell(struct resolver *r, struct question *q)
{
	enum resolve_status status = status_of(q);
	struct resolve_waiter *w;
	struct addresses addresses;

	fill(q, &addresses);
	while (!r->closing && (w = q->waiters)) {
		DL_DELETE(q->waiters, w);
		w->question = NULL;
		w->resolved(w, status, &addresses);
	}
}

static void on_ready(uv_timer_t *timer)
{
	struct resolver *r = timer->data;
	struct question *q;

	/* What becomes ready meanwhile is for the next turn. */
	r->telling = r->ready;
	r->ready = NULL;
	while ((q = r->telling)) {
		tell(r, q);
		if (r->closing)
			return;
		DL_DELETE(r->telling, q);
		free(q);
	}
}

static void make_ready(struct question *q)
{
	struct resolver *r = q->resolver;

	DL_APPEND(r->ready, q);
	(void)uv_timer_start(&r->ready_timer, on_ready, 0, 0);
}

/* --- a question under way ------------------------------------------------ */

static struct question *question_new(struct resolver *r, const char *name)
{
	struct question *q = calloc(1, sizeof(*q));

	if (!q)
		abort();
	q->resolver = r;
	(void)snprintf(q->name, sizeof(q->name), "%s", name);
	return q;
}

static void add_waiter(struct question *q, struct resolve_waiter *waiter)
{
	waiter->question = q;
	DL_APPEND(q->waiters, waiter);
}

/* answer_half gives what is known to those who are content with it: they move
 * to a question of their own that is ready, while q goes on. */
static void answer_half(struct question *q)
{
	struct resolve_waiter *w, *next;
	struct question *part = NULL;

	DL_FOREACH_SAFE(q->waiters, w, next) {
		if (w->full)
			continue;
		if (!part) {
			part = question_new(q->resolver, q->name);
			part->v6 = q->v6;
			part->v4 = q->v4;
			part->partial = true;
		}
		DL_DELETE(q->waiters, w);
		add_waiter(part, w);
	}
	if (part)
		make_ready(part);
}

static void on_grace(uv_timer_t *timer);

static void rearm_grace(struct resolver *r)
{
	uint64_t now = uv_now(r->loop), until;

	if (!r->grace) {
		(void)uv_timer_stop(&r->grace_timer);
		return;
	}
	until = r->grace->grace_until_ms;
	(void)uv_timer_start(&r->grace_timer, on_grace,
		until > now ? until - now : 0, 0);
}

static void enter_grace(struct question *q)
{
	struct resolver *r = q->resolver;

	q->grace = IN_GRACE;
	q->grace_until_ms = uv_now(r->loop) + GRACE_MS;
	DL_APPEND(r->grace, q);
	rearm_grace(r);
}

static void leave_grace(struct question *q)
{
	if (q->grace == IN_GRACE) {
		DL_DELETE(q->resolver->grace, q);
		rearm_grace(q->resolver);
	}
	q->grace = GRACE_OVER;
}

static void on_grace(uv_timer_t *timer)
{
	struct resolver *r = timer->data;
	struct question *q;

	while ((q = r->grace) && q->grace_until_ms <= uv_now(r->loop)) {
		leave_grace(q);
		answer_half(q);
	}
	rearm_grace(r);
}

static void both_known(struct question *q)
{
	struct resolver *r = q->resolver;

	leave_grace(q);
	names_keep(&r->names, q->name, &q->v6.half, &q->v4.half,
		uv_now(r->loop));
	HASH_DEL(r->asked, q);
	make_ready(q);
}

/* on_half: RFC 8305, 3. Addresses of IPv6 are used at once; those of IPv4 give
 * IPv6 a moment to come first. */
static void on_half(struct question *q)
{
	if (!q->v6.out && !q->v4.out) {
		both_known(q);
	} else if (!q->v6.out && q->v6.half.status == RESOLVE_OK) {
		leave_grace(q);
		answer_half(q);
	} else if (!q->v4.out && q->v4.half.status == RESOLVE_OK) {
		enter_grace(q);
	}
}

static void on_v6(struct query *query)
{
	on_half((void *)((char *)query - offsetof(struct question, v6)));
}

static void on_v4(struct query *query)
{
	on_half((void *)((char *)query - offsetof(struct question, v4)));
}

/* --- asking -------------------------------------------------------------- */

static void ask_servers(struct question *q)
{
	struct resolver *r = q->resolver;

	HASH_ADD_STR(r->asked, name, q);
	q->v6.answered = on_v6;
	q->v4.answered = on_v4;
	/* The first may be answered before the second is asked. */
	q->v4.out = true;
	dns_ask(r->dns, q->name, AF_INET6, &q->v6);
	dns_ask(r->dns, q->name, AF_INET, &q->v4);
}

static bool is_localhost(const char *name)
{
	size_t len = strlen(name);

	return strcmp(name, "localhost") == 0
		|| (len > 10 && strcmp(name + len - 10, ".localhost") == 0);
}

/* from_itself answers what is no question for anybody: literal addresses, and
 * the name of loopback, which must never leave the machine (RFC 6761, 6.3). */
static bool from_itself(struct question *q)
{
	struct half *v6 = &q->v6.half, *v4 = &q->v4.half;

	if (inet_pton(AF_INET, q->name, v4->ips[0].at) == 1) {
		v4->num = 1;
	} else if (inet_pton(AF_INET6, q->name, v6->ips[0].at) == 1) {
		v6->num = 1;
	} else if (is_localhost(q->name)) {
		(void)inet_pton(AF_INET, "127.0.0.1", v4->ips[0].at);
		v6->ips[0] = (struct ip){{ [15] = 1 }};
		v4->num = v6->num = 1;
	}
	v6->status = v4->status = RESOLVE_OK;
	return v4->num || v6->num;
}

static bool is_refused(struct question *q, const char *name)
{
	bool bad = name[0] == '\0' || strlen(name) > NAME_SIZE - 3;

	q->v6.half.status = q->v4.half.status =
		bad ? RESOLVE_NO_NAME : RESOLVE_FAILED;
	return bad || HASH_COUNT(q->resolver->asked) >= MAX_ASKED;
}

static bool from_kept(struct question *q)
{
	struct resolver *r = q->resolver;

	return names_find(&r->names, q->name, uv_now(r->loop), &q->v6.half,
		&q->v4.half);
}

static bool from_hosts(struct question *q)
{
	return dns_hosts(q->resolver->dns, q->name, &q->v6.half, &q->v4.half);
}

void resolver_ask(struct resolver *r, const char *name, bool full,
	struct resolve_waiter *waiter)
{
	struct question *q;

	waiter->full = full;
	HASH_FIND_STR(r->asked, name, q);
	if (q) {
		add_waiter(q, waiter);
		if (q->grace == GRACE_OVER)
			answer_half(q);
		return;
	}
	q = question_new(r, name);
	add_waiter(q, waiter);
	if (from_itself(q) || from_kept(q) || is_refused(q, name)
			|| from_hosts(q))
		make_ready(q);
	else
		ask_servers(q);
}

void resolver_leave(struct resolve_waiter *waiter)
{
	struct question *q = waiter->question;

	if (!q)
		return;
	DL_DELETE(q->waiters, waiter);
	waiter->question = NULL;
}

/* --- beginning and end --------------------------------------------------- */

int resolver_new(uv_loop_t *loop, const char *servers, struct resolver **out,
	char *err, size_t err_size)
{
	struct resolver *r = calloc(1, sizeof(*r));

	if (!r)
		abort();
	if (dns_new(loop, servers, &r->dns, err, err_size) != 0) {
		free(r);
		return -1;
	}
	r->loop = loop;
	r->names.max = MAX_KEPT;
	(void)uv_timer_init(loop, &r->grace_timer);
	(void)uv_timer_init(loop, &r->ready_timer);
	r->grace_timer.data = r->ready_timer.data = r;
	r->open = 3;
	*out = r;
	return 0;
}

static void question_drop(struct question *q)
{
	struct resolve_waiter *w, *next;

	DL_FOREACH_SAFE(q->waiters, w, next)
		w->question = NULL;
	free(q);
}

static void drop_list(struct question **list)
{
	struct question *q, *next;

	DL_FOREACH_SAFE(*list, q, next)
		question_drop(q);
	*list = NULL;
}

static void drop_all(struct resolver *r)
{
	struct question *q, *next;

	HASH_ITER(hh, r->asked, q, next) {
		HASH_DEL(r->asked, q);
		question_drop(q);
	}
	drop_list(&r->ready);
	drop_list(&r->telling);
	names_clear(&r->names);
}

static void on_part_closed(void *arg)
{
	struct resolver *r = arg;

	if (--r->open > 0)
		return;
	if (r->closed)
		r->closed(r->arg);
	free(r);
}

static void on_timer_closed(uv_handle_t *handle)
{
	on_part_closed(handle->data);
}

void resolver_close(struct resolver *r, void (*closed)(void *arg), void *arg)
{
	r->closing = true;
	r->closed = closed;
	r->arg = arg;
	dns_close(r->dns, on_part_closed, r);
	drop_all(r);
	uv_close((uv_handle_t *)&r->grace_timer, on_timer_closed);
	uv_close((uv_handle_t *)&r->ready_timer, on_timer_closed);
}
