#include "proxy/net/dial.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
	NEXT_MS = 250, /* RFC 8305, 5: Connection Attempt Delay */
	HOST_ROOM = 256,
	/* A first, partial answer and the full one may differ. */
	MAX_TARGETS = 2 * RESOLVE_MAX,
};

struct attempt {
	uv_connect_t connect;
	uv_tcp_t *tcp;     /* owned */
	struct dial *dial; /* borrowed */
	union address to;
	struct attempt *prev, *next;
};

/* What went wrong so far; the greater says more about the whole. */
enum trouble {
	TROUBLE_NONE,
	TROUBLE_NOT_ALLOWED,
	TROUBLE_UNREACHABLE,
	TROUBLE_REFUSED,
	TROUBLE_OURS,
	TROUBLE_TIMEOUT,
	TROUBLE_NO_RESOURCES,
};

static const enum dial_status status_of_trouble[] = {
	[TROUBLE_NONE] = DIAL_UNREACHABLE,
	[TROUBLE_NOT_ALLOWED] = DIAL_NOT_ALLOWED,
	[TROUBLE_OURS] = DIAL_OURS,
	[TROUBLE_UNREACHABLE] = DIAL_UNREACHABLE,
	[TROUBLE_REFUSED] = DIAL_REFUSED,
	[TROUBLE_TIMEOUT] = DIAL_TIMEOUT,
	[TROUBLE_NO_RESOURCES] = DIAL_NO_RESOURCES,
};

struct dial {
	uv_loop_t *loop;                 /* borrowed */
	struct resolver *resolver;       /* borrowed */
	const struct own_listeners *own; /* borrowed until over */
	char host[HOST_ROOM];
	uint16_t port;
	bool client_local, configured;
	dial_done *done;
	void *arg;

	struct resolve_waiter waiter;
	bool asking;                 /* more addresses may come */
	union address targets[MAX_TARGETS];
	bool tried[MAX_TARGETS];
	size_t num_targets;
	struct addresses *only;      /* owned; NULL: any */
	sa_family_t last_family;
	struct attempt *attempts;    /* under way; owned */
	enum trouble trouble;        /* the worst so far */
	bool over;
	uv_timer_t next, limit;
	unsigned handles;            /* open handles of libuv */
};

/* --- lifetime: the last handle to close frees ---------------------------- */

static void handle_closed(struct dial *d)
{
	if (--d->handles > 0)
		return;
	free(d->only);
	free(d);
}

static void on_timer_closed(uv_handle_t *handle)
{
	handle_closed(handle->data);
}

static void on_attempt_closed(uv_handle_t *handle)
{
	struct attempt *a = handle->data;
	struct dial *d = a->dial;

	free(a->tcp);
	free(a);
	handle_closed(d);
}

static void attempt_drop(struct attempt *a)
{
	DL_DELETE(a->dial->attempts, a);
	uv_close((uv_handle_t *)a->tcp, on_attempt_closed);
}

/* attempt_take ends the attempt and returns its socket. */
static uv_tcp_t *attempt_take(struct attempt *a)
{
	uv_tcp_t *tcp = a->tcp;

	DL_DELETE(a->dial->attempts, a);
	a->dial->handles--; /* never the last: the timers are open */
	free(a);
	return tcp;
}

static void end(struct dial *d)
{
	struct attempt *a, *next;

	d->over = true;
	resolver_leave(&d->waiter);
	DL_FOREACH_SAFE(d->attempts, a, next)
		attempt_drop(a);
	uv_close((uv_handle_t *)&d->next, on_timer_closed);
	uv_close((uv_handle_t *)&d->limit, on_timer_closed);
}

static void finish(struct dial *d, enum dial_status status, uv_tcp_t *tcp,
	const struct sockaddr *peer)
{
	end(d);
	d->done(d->arg, status, tcp, peer);
}

/* --- attempts ------------------------------------------------------------ */

static void note(struct dial *d, enum trouble trouble)
{
	if (trouble > d->trouble)
		d->trouble = trouble;
}

static enum trouble trouble_of(int error, sa_family_t family)
{
	switch (error) {
	case ECONNREFUSED:
	case ECONNRESET:
		return TROUBLE_REFUSED;
	case ETIMEDOUT:
		return TROUBLE_TIMEOUT;
	case EADDRNOTAVAIL:
		/* no port left; but a system without IPv6 says so of ::1 */
		return family == AF_INET6 ? TROUBLE_UNREACHABLE
			: TROUBLE_NO_RESOURCES;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
	case EAGAIN:
		return TROUBLE_NO_RESOURCES;
	default:
		return TROUBLE_UNREACHABLE;
	}
}

/* A connection to a port of this machine where nobody listens may by chance
 * leave from that very port, and TCP then joins it with itself. */
static bool is_to_itself(const struct attempt *a)
{
	union address local = {0};
	int len = sizeof(local);

	return uv_tcp_getsockname(a->tcp, &local.any, &len) == 0
		&& address_equal(&local.any, &a->to.any);
}

static void go_on(struct dial *d);

static void on_connected(uv_connect_t *connect, int status)
{
	struct attempt *a = connect->data;
	struct dial *d = a->dial;
	union address to = a->to;

	if (status == UV_ECANCELED) /* dropped */
		return;
	if (status == 0 && !is_to_itself(a)) {
		finish(d, DIAL_OK, attempt_take(a), &to.any);
		return;
	}
	attempt_drop(a);
	note(d, trouble_of(status ? -status : ECONNREFUSED,
		to.any.sa_family));
	go_on(d);
}

static struct attempt *attempt_new(struct dial *d, const union address *to)
{
	struct attempt *a = calloc(1, sizeof(*a));

	if (!a || !(a->tcp = calloc(1, sizeof(*a->tcp))) ||
		uv_tcp_init(d->loop, a->tcp) != 0)
		abort();
	a->dial = d;
	a->to = *to;
	a->tcp->data = a->connect.data = a;
	d->handles++;
	DL_APPEND(d->attempts, a);
	return a;
}

/* attempt_start begins one; false when it has failed already. */
static bool attempt_start(struct dial *d, const union address *to)
{
	struct attempt *a = attempt_new(d, to);
	int error = uv_tcp_connect(&a->connect, a->tcp, &to->any, on_connected);

	if (error == 0)
		return true;
	attempt_drop(a);
	note(d, trouble_of(-error, to->any.sa_family));
	return false;
}

/* --- which, and when ----------------------------------------------------- */

/* pick returns the next target: of the other family than the last where there
 * is one (RFC 8305, 4). */
static const union address *pick(struct dial *d)
{
	size_t best = MAX_TARGETS;

	for (size_t i = 0; i < d->num_targets; i++) {
		if (d->tried[i])
			continue;
		if (best == MAX_TARGETS)
			best = i;
		if (d->targets[i].any.sa_family != d->last_family) {
			best = i;
			break;
		}
	}
	if (best == MAX_TARGETS)
		return NULL;
	d->tried[best] = true;
	d->last_family = d->targets[best].any.sa_family;
	return &d->targets[best];
}

static bool is_allowed(struct dial *d, const union address *to)
{
	switch (address_check(d->own, &to->any, d->client_local,
			d->configured)) {
	case ADDRESS_FINE:
		return true;
	case ADDRESS_OURS:
		note(d, TROUBLE_OURS);
		return false;
	case ADDRESS_NOT_ALLOWED:
		break;
	}
	note(d, TROUBLE_NOT_ALLOWED);
	return false;
}

static void on_next(uv_timer_t *timer)
{
	go_on(timer->data);
}

/* go_on starts the next attempt that starts, or ends the dial when nothing is
 * left to wait for. */
static void go_on(struct dial *d)
{
	const union address *to;

	(void)uv_timer_stop(&d->next);
	while ((to = pick(d))) {
		if (is_allowed(d, to) && attempt_start(d, to)) {
			(void)uv_timer_start(&d->next, on_next, NEXT_MS, 0);
			return;
		}
	}
	if (!d->attempts && !d->asking)
		finish(d, status_of_trouble[d->trouble], NULL, NULL);
}

static union address with_port(const struct sockaddr *address, uint16_t port)
{
	union address to = {0};

	memcpy(&to, address, address_len(address));
	if (to.any.sa_family == AF_INET6)
		to.in6.sin6_port = htons(port);
	else
		to.in4.sin_port = htons(port);
	return to;
}

/* is_wanted: among those that were decided on. */
static bool is_wanted(const struct dial *d, const union address *to)
{
	for (size_t i = 0; d->only && i < d->only->num; i++) {
		union address one = with_port(
			(const struct sockaddr *)&d->only->at[i], d->port);

		if (address_equal(&one.any, &to->any))
			return true;
	}
	return !d->only;
}

static void add_target(struct dial *d, const struct sockaddr *address)
{
	union address to = with_port(address, d->port);

	if (!is_wanted(d, &to)) {
		note(d, TROUBLE_NOT_ALLOWED);
		return;
	}
	for (size_t i = 0; i < d->num_targets; i++)
		if (address_equal(&d->targets[i].any, &to.any))
			return;
	if (d->num_targets < MAX_TARGETS)
		d->targets[d->num_targets++] = to;
}

static const enum dial_status status_of_name[] = {
	[RESOLVE_OK] = DIAL_UNREACHABLE,
	[RESOLVE_NO_NAME] = DIAL_NO_NAME,
	[RESOLVE_FAILED] = DIAL_DNS_FAILED,
	[RESOLVE_TIMEOUT] = DIAL_DNS_TIMEOUT,
};

static void on_resolved(struct resolve_waiter *waiter,
	enum resolve_status status, const struct addresses *addresses)
{
	struct dial *d = (void *)((char *)waiter
		- offsetof(struct dial, waiter));

	d->asking = false;
	if (status != RESOLVE_OK && d->num_targets == 0) {
		finish(d, status_of_name[status], NULL, NULL);
		return;
	}
	for (size_t i = 0; status == RESOLVE_OK && i < addresses->num; i++)
		add_target(d, (const struct sockaddr *)&addresses->at[i]);
	if (status == RESOLVE_OK && addresses->partial) {
		d->asking = true;
		resolver_ask(d->resolver, d->host, true, waiter);
	}
	/* While an attempt has its 250 ms, what came late waits its turn. */
	if (!uv_is_active((uv_handle_t *)&d->next))
		go_on(d);
}

static void on_limit(uv_timer_t *timer)
{
	struct dial *d = timer->data;

	if (d->num_targets == 0) {
		finish(d, DIAL_DNS_TIMEOUT, NULL, NULL);
		return;
	}
	note(d, TROUBLE_TIMEOUT);
	finish(d, status_of_trouble[d->trouble], NULL, NULL);
}

/* --- the face ------------------------------------------------------------ */

static struct dial *dial_new(uv_loop_t *loop, const struct dial_order *order)
{
	struct dial *d = calloc(1, sizeof(*d));

	if (!d)
		abort();
	d->loop = loop;
	(void)snprintf(d->host, sizeof(d->host), "%s", order->host);
	d->port = order->port;
	d->own = order->own;
	d->client_local = order->client_local;
	d->configured = order->configured;
	if (order->only) {
		d->only = malloc(sizeof(*d->only));
		if (!d->only)
			abort();
		*d->only = *order->only;
	}
	d->last_family = AF_INET; /* so that IPv6 comes first */
	(void)uv_timer_init(loop, &d->next);
	(void)uv_timer_init(loop, &d->limit);
	d->next.data = d->limit.data = d;
	d->handles = 2;
	return d;
}

struct dial *dial_start(uv_loop_t *loop, struct resolver *resolver,
	const struct dial_order *order, dial_done *done, void *arg)
{
	struct dial *d = dial_new(loop, order);

	d->resolver = resolver;
	d->done = done;
	d->arg = arg;
	d->waiter.resolved = on_resolved;
	(void)uv_timer_start(&d->limit, on_limit, order->timeout_ms, 0);
	if (order->address) {
		add_target(d, order->address);
		(void)uv_timer_start(&d->next, on_next, 0, 0);
	} else {
		d->asking = true;
		resolver_ask(resolver, d->host, false, &d->waiter);
	}
	return d;
}

void dial_cancel(struct dial *d)
{
	if (!d->over)
		end(d);
}
