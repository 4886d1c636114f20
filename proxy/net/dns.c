#include "proxy/net/dns.h"

#include <ares.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
	TRY_MS = 2000,
	TRIES = 2,
	TICK_MS = 100, /* how often c-ares looks at its timeouts */
};

struct watch { /* one socket of c-ares */
	uv_poll_t poll;
	struct dns *dns; /* borrowed */
	int fd;
	struct watch *prev, *next;
};

/* Two channels: where the hosts file knows a name, even for one family only,
 * the servers must not be asked for the other. */
struct dns {
	uv_loop_t *loop;                  /* borrowed */
	struct ares_channeldata *hosts;   /* owned: the hosts file */
	struct ares_channeldata *servers; /* owned */
	uv_timer_t tick;
	struct watch *watches;            /* owned */
	unsigned num_out;                 /* questions out */
	unsigned handles;                 /* open handles of libuv */
	bool closing;
	void (*closed)(void *arg);
	void *arg;
};

static void *new_zeroed(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

/* --- answers ------------------------------------------------------------- */

static enum resolve_status status_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return RESOLVE_OK;
	case ARES_ENODATA:
	case ARES_ENOTFOUND:
	case ARES_EBADNAME:
	case ARES_ENONAME:
		return RESOLVE_NO_NAME;
	case ARES_ETIMEOUT:
		return RESOLVE_TIMEOUT;
	default:
		return RESOLVE_FAILED;
	}
}

static void take_node(struct half *half, const struct ares_addrinfo_node *node)
{
	const struct sockaddr_in *v4 = (const void *)node->ai_addr;
	const struct sockaddr_in6 *v6 = (const void *)node->ai_addr;

	if (half->num == RESOLVE_MAX)
		return;
	if (node->ai_family == AF_INET)
		memcpy(half->ips[half->num++].at, &v4->sin_addr, 4);
	else
		memcpy(half->ips[half->num++].at, &v6->sin6_addr, 16);
}

static unsigned lower(unsigned ttl_s, int other_s)
{
	if (other_s < 0) /* RFC 2181, 8: taken for 0 */
		return 0;
	return (unsigned)other_s < ttl_s ? (unsigned)other_s : ttl_s;
}

/* An answer ends with the first of its records to end, the aliases on the way
 * included. */
static void take_answer(struct half *half, int family,
	const struct ares_addrinfo *answer)
{
	const struct ares_addrinfo_cname *alias;
	const struct ares_addrinfo_node *node;

	half->num = 0;
	half->ttl_s = UINT32_MAX;
	for (alias = answer->cnames; alias; alias = alias->next)
		half->ttl_s = lower(half->ttl_s, alias->ttl);
	for (node = answer->nodes; node; node = node->ai_next) {
		if (node->ai_family != family)
			continue;
		half->ttl_s = lower(half->ttl_s, node->ai_ttl);
		take_node(half, node);
	}
	half->status = half->num ? RESOLVE_OK : RESOLVE_NO_NAME;
}

static void on_answer(void *arg, int status, int timeouts,
	struct ares_addrinfo *answer)
{
	struct query *query = arg;
	struct dns *dns = query->dns;

	(void)timeouts;
	if (!dns->closing) {
		if (--dns->num_out == 0)
			(void)uv_timer_stop(&dns->tick);
		query->out = false;
		query->half.status = status_of(status);
		if (status == ARES_SUCCESS && answer)
			take_answer(&query->half, query->family, answer);
		query->answered(query);
	}
	if (answer)
		ares_freeaddrinfo(answer);
}

/* --- sockets and clock --------------------------------------------------- */

static void on_handle_closed(struct dns *dns)
{
	if (--dns->handles > 0)
		return;
	if (dns->closed)
		dns->closed(dns->arg);
	free(dns);
}

static void on_tick_closed(uv_handle_t *handle)
{
	on_handle_closed(handle->data);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	struct dns *dns = watch->dns;

	free(watch);
	on_handle_closed(dns);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	int fd = watch->fd;
	bool in = status < 0 || (events & UV_READABLE);
	bool out = status < 0 || (events & UV_WRITABLE);

	ares_process_fd(watch->dns->servers, in ? fd : ARES_SOCKET_BAD,
		out ? fd : ARES_SOCKET_BAD);
}

static struct watch *watch_new(struct dns *dns, int fd)
{
	struct watch *watch = new_zeroed(sizeof(*watch));

	watch->dns = dns;
	watch->fd = fd;
	watch->poll.data = watch;
	if (uv_poll_init(dns->loop, &watch->poll, fd) != 0) {
		free(watch); /* the question will time out */
		return NULL;
	}
	dns->handles++;
	DL_APPEND(dns->watches, watch);
	return watch;
}

/* on_socket: c-ares wants these events of fd; none when it is about to close
 * it, so that the watch must let go of it at once, as uv_close does. */
static void on_socket(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns *dns = arg;
	struct watch *watch;
	int events = (readable ? UV_READABLE : 0)
		| (writable ? UV_WRITABLE : 0);

	DL_SEARCH_SCALAR(dns->watches, watch, fd, fd);
	if (!watch && events)
		watch = watch_new(dns, fd);
	if (!watch)
		return;
	if (events) {
		(void)uv_poll_start(&watch->poll, events, on_poll);
		return;
	}
	DL_DELETE(dns->watches, watch);
	uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static void on_tick(uv_timer_t *timer)
{
	struct dns *dns = timer->data;

	ares_process_fd(dns->servers, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

/* --- asking -------------------------------------------------------------- */

static struct ares_addrinfo_hints hints_for(int family)
{
	struct ares_addrinfo_hints hints = {0};

	hints.ai_family = family;
	hints.ai_socktype = SOCK_STREAM;
	/* IPv4 stays as the server ordered it, which is how load is spread;
	 * RFC 6724 is there to tell IPv6's kinds of addresses apart. */
	if (family != AF_INET6)
		hints.ai_flags = ARES_AI_NOSORT;
	return hints;
}

void dns_ask(struct dns *dns, const char *name, int family,
	struct query *query)
{
	struct ares_addrinfo_hints hints = hints_for(family);
	char fqdn[NAME_SIZE + 1];

	/* With a dot at its end c-ares takes a name as it is; without, one that
	 * does not exist would be tried below the search domains too. */
	(void)snprintf(fqdn, sizeof(fqdn), "%s%s", name,
		strchr(name, '.') ? "." : "");
	query->dns = dns;
	query->family = family;
	query->out = true;
	if (dns->num_out++ == 0)
		(void)uv_timer_start(&dns->tick, on_tick, TICK_MS, TICK_MS);
	ares_getaddrinfo(dns->servers, fqdn, NULL, &hints, on_answer, query);
}

struct found {
	struct half *v6, *v4;
	bool any;
};

static void on_hosts(void *arg, int status, int timeouts,
	struct ares_addrinfo *answer)
{
	struct found *found = arg;

	(void)timeouts;
	if (status == ARES_SUCCESS && answer) {
		take_answer(found->v6, AF_INET6, answer);
		take_answer(found->v4, AF_INET, answer);
		found->any = found->v6->num || found->v4->num;
	}
	if (answer)
		ares_freeaddrinfo(answer);
}

/* A channel that has only a file to look in answers before it returns. */
bool dns_hosts(struct dns *dns, const char *name, struct half *v6,
	struct half *v4)
{
	struct ares_addrinfo_hints hints = hints_for(AF_UNSPEC);
	struct found found = { v6, v4, false };

	ares_getaddrinfo(dns->hosts, name, NULL, &hints, on_hosts, &found);
	return found.any;
}

/* --- beginning and end --------------------------------------------------- */

#ifdef ARES_OPT_MAXTIMEOUTMS
/* c-ares doubles the time with every round. */
static void limit_tries(struct ares_options *options, int *mask)
{
	options->maxtimeout = TRY_MS;
	*mask |= ARES_OPT_MAXTIMEOUTMS;
}
#else
static void limit_tries(struct ares_options *options, int *mask)
{
	(void)options;
	(void)mask;
}
#endif

#ifdef ARES_OPT_QUERY_CACHE
/* What is kept, and for how long, is decided by names.c. */
static void limit_cache(struct ares_options *options, int *mask)
{
	options->qcache_max_ttl = 0;
	*mask |= ARES_OPT_QUERY_CACHE;
}
#else
static void limit_cache(struct ares_options *options, int *mask)
{
	(void)options;
	(void)mask;
}
#endif

static int open_channel(struct dns *dns, char *lookups,
	struct ares_channeldata **out)
{
	struct ares_options options = {0};
	int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
		| ARES_OPT_ROTATE | ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;

	options.flags = ARES_FLAG_EDNS;
	options.timeout = TRY_MS;
	options.tries = TRIES;
	options.lookups = lookups;
	options.sock_state_cb = on_socket;
	options.sock_state_cb_data = dns;
	limit_tries(&options, &mask);
	limit_cache(&options, &mask);
	return ares_init_options(out, &options, mask);
}

static int open_channels(struct dns *dns, const char *servers)
{
	char file[] = "f", ask[] = "b";
	int status = open_channel(dns, file, &dns->hosts);

	if (status == ARES_SUCCESS)
		status = open_channel(dns, ask, &dns->servers);
	if (status == ARES_SUCCESS && servers)
		status = ares_set_servers_ports_csv(dns->servers, servers);
	return status;
}

static void close_channels(struct dns *dns)
{
	if (dns->servers)
		ares_destroy(dns->servers);
	if (dns->hosts)
		ares_destroy(dns->hosts);
}

static void init_library(void)
{
	(void)ares_library_init(ARES_LIB_INIT_ALL);
}

int dns_new(uv_loop_t *loop, const char *servers, struct dns **out, char *err,
	size_t err_size)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	struct dns *dns = new_zeroed(sizeof(*dns));
	int status;

	(void)pthread_once(&once, init_library);
	dns->loop = loop;
	status = open_channels(dns, servers);
	if (status != ARES_SUCCESS) {
		(void)snprintf(err, err_size,
			"cannot ask name servers (%s): %s",
			servers ? servers : "the system's",
			ares_strerror(status));
		close_channels(dns);
		free(dns);
		return -1;
	}
	(void)uv_timer_init(loop, &dns->tick);
	dns->tick.data = dns;
	dns->handles = 1;
	*out = dns;
	return 0;
}

void dns_close(struct dns *dns, void (*closed)(void *arg), void *arg)
{
	dns->closing = true;
	dns->closed = closed;
	dns->arg = arg;
	close_channels(dns); /* ends every question; see on_answer */
	uv_close((uv_handle_t *)&dns->tick, on_tick_closed);
}
