/*
 * tiny_dns.h - a name server for tests, on the test's own loop.
 *
 * It answers from a table of rows, over UDP and TCP on one port of 127.0.0.1,
 * as late, as wrong or as silent as the row says, and counts what it is asked.
 * Included by the one test program that uses it.
 */
#ifndef TESTS_SUPPORT_TINY_DNS_H
#define TESTS_SUPPORT_TINY_DNS_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <uv.h>

enum { TINY_ANSWER_MAX = 16384, TINY_A = 1, TINY_CNAME = 5, TINY_AAAA = 28 };

struct tiny_row {
	const char *name;  /* "*": any other */
	const char *v4;    /* "a b c"; NULL: none */
	const char *v6;
	const char *v4_later; /* instead of v4 from the second time on */
	uint32_t ttl;
	const char *alias; /* a CNAME comes first ... */
	uint32_t alias_ttl;
	unsigned late4_ms, late6_ms;
	int rcode;         /* 2 SERVFAIL, 3 NXDOMAIN */
	bool silent, silent6;
	bool by_tcp;       /* over UDP: truncated */
	unsigned asked4, asked6, asked_tcp; /* counted */
};

struct tiny_dns {
	uv_loop_t *loop;
	uv_udp_t udp;
	uv_tcp_t tcp;
	struct tiny_row *rows; /* ends with a name of NULL */
	char servers[32];      /* "127.0.0.1:port" */
	bool closing;
};

struct tiny_late { /* an answer on its way */
	uv_timer_t timer;
	struct tiny_dns *dns;
	struct sockaddr_in to;
	size_t len;
	uint8_t bytes[TINY_ANSWER_MAX];
};

struct tiny_conn {
	uv_tcp_t tcp;
	struct tiny_dns *dns;
	size_t num_in;
	uint8_t in[514];
	uint8_t out[2 + TINY_ANSWER_MAX];
};

static inline void tiny_check(bool fine, const char *what)
{
	if (!fine) {
		(void)fprintf(stderr, "tiny_dns: %s\n", what);
		abort();
	}
}

static inline struct tiny_row *tiny_find(struct tiny_dns *dns, const char *name)
{
	struct tiny_row *row;

	for (row = dns->rows; row->name; row++)
		if (strcmp(row->name, "*") == 0
				|| strcasecmp(row->name, name) == 0)
			return row;
	return NULL;
}

/* tiny_name reads the name of the question; returns the bytes it takes. */
static inline size_t tiny_name(const uint8_t *at, size_t len, char out[256])
{
	size_t i = 0, n = 0;

	while (i < len && at[i]) {
		size_t label = at[i++];

		tiny_check(i + label < len && n + label + 1 < 256, "bad name");
		memcpy(out + n, at + i, label);
		n += label;
		out[n++] = '.';
		i += label;
	}
	out[n ? n - 1 : 0] = '\0';
	return i + 1;
}

static inline size_t tiny_put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)(v >> 8);
	at[1] = (uint8_t)v;
	return 2;
}

static inline size_t tiny_put_name(uint8_t *at, const char *name)
{
	size_t n = 0, label;

	for (; *name; name += label + (name[label] == '.')) {
		label = strcspn(name, ".");
		at[n++] = (uint8_t)label;
		memcpy(at + n, name, label);
		n += label;
	}
	at[n++] = 0;
	return n;
}

/* tiny_record writes a record whose owner is at offset owner. */
static inline size_t tiny_record(uint8_t *at, size_t owner, unsigned type,
	uint32_t ttl, const uint8_t *data, size_t len)
{
	size_t n = tiny_put16(at, 0xc000u | (unsigned)owner);

	n += tiny_put16(at + n, type);
	n += tiny_put16(at + n, 1);
	n += tiny_put16(at + n, ttl >> 16);
	n += tiny_put16(at + n, ttl & 0xffff);
	n += tiny_put16(at + n, (unsigned)len);
	memcpy(at + n, data, len);
	return n + len;
}

static inline size_t tiny_addresses(uint8_t *at, size_t owner, unsigned type,
	const struct tiny_row *row, const char *list, unsigned *num)
{
	uint8_t data[16];
	char one[64];
	size_t n = 0, len;

	for (; list && *list; list += len + (list[len] == ' ')) {
		len = strcspn(list, " ");
		(void)snprintf(one, sizeof(one), "%.*s", (int)len, list);
		tiny_check(inet_pton(type == TINY_A ? AF_INET : AF_INET6, one,
			data) == 1, one);
		n += tiny_record(at + n, owner, type, row->ttl, data,
			type == TINY_A ? 4 : 16);
		(*num)++;
	}
	return n;
}

static inline const char *tiny_list(struct tiny_row *row, unsigned type)
{
	if (type == TINY_AAAA)
		return row->v6;
	return row->v4_later && row->asked4 > 1 ? row->v4_later : row->v4;
}

/* tiny_answer makes the answer to in; 0: none. */
static inline size_t tiny_answer(struct tiny_dns *dns, const uint8_t *in,
	size_t len, bool tcp, uint8_t *out, unsigned *late_ms)
{
	uint8_t alias[256];
	char name[256];
	struct tiny_row *row;
	size_t n, owner = 12, end;
	unsigned type, num = 0, flags;

	tiny_check(len >= 17, "short question");
	end = 12 + tiny_name(in + 12, len - 12, name) + 4;
	type = in[end - 3];
	row = tiny_find(dns, name);
	if (!row)
		return 0;
	row->asked4 += type == TINY_A && !tcp;
	row->asked6 += type == TINY_AAAA && !tcp;
	row->asked_tcp += tcp;
	if (row->silent || (row->silent6 && type == TINY_AAAA))
		return 0;
	*late_ms = type == TINY_A ? row->late4_ms : row->late6_ms;
	flags = 0x8180u | (unsigned)row->rcode;
	memcpy(out, in, end);
	n = end;
	if (row->by_tcp && !tcp) {
		flags |= 0x0200; /* TC */
	} else if (!row->rcode) {
		if (row->alias) {
			size_t alias_len = tiny_put_name(alias, row->alias);

			owner = n + 12;
			n += tiny_record(out + n, 12, TINY_CNAME,
				row->alias_ttl, alias, alias_len);
			num++;
		}
		n += tiny_addresses(out + n, owner, type, row,
			tiny_list(row, type), &num);
	}
	(void)tiny_put16(out + 2, flags);
	(void)tiny_put16(out + 4, 1);
	(void)tiny_put16(out + 6, num);
	(void)tiny_put16(out + 8, 0);
	(void)tiny_put16(out + 10, 0);
	return n;
}

static inline void tiny_free(uv_handle_t *handle)
{
	free(handle->data);
}

static inline void tiny_send(uv_timer_t *timer)
{
	struct tiny_late *late = timer->data;
	uv_buf_t buf = uv_buf_init((char *)late->bytes, (unsigned)late->len);

	if (!late->dns->closing)
		(void)uv_udp_try_send(&late->dns->udp, &buf, 1,
			(struct sockaddr *)&late->to);
	uv_close((uv_handle_t *)timer, tiny_free);
}

static inline void tiny_room(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	static char room[65536];

	(void)handle;
	(void)size;
	*buf = uv_buf_init(room, sizeof(room));
}

static inline void tiny_on_udp(uv_udp_t *udp, ssize_t len, const uv_buf_t *buf,
	const struct sockaddr *from, unsigned flags)
{
	struct tiny_late *late;
	unsigned late_ms = 0;

	(void)flags;
	if (len <= 0 || !from)
		return;
	late = calloc(1, sizeof(*late));
	tiny_check(late != NULL, "memory");
	late->dns = udp->data;
	memcpy(&late->to, from, sizeof(late->to));
	late->len = tiny_answer(udp->data, (uint8_t *)buf->base, (size_t)len,
		false, late->bytes, &late_ms);
	if (late->len == 0) {
		free(late);
		return;
	}
	(void)uv_timer_init(udp->loop, &late->timer);
	late->timer.data = late;
	(void)uv_timer_start(&late->timer, tiny_send, late_ms, 0);
	uv_unref((uv_handle_t *)&late->timer);
}

/* tiny_one answers the first question that is whole; false: there is none. */
static inline bool tiny_one(struct tiny_conn *c)
{
	size_t len = ((size_t)c->in[0] << 8 | c->in[1]) + 2, n;
	unsigned late_ms;
	uv_buf_t out;

	if (c->num_in < 2 || c->num_in < len)
		return false;
	n = tiny_answer(c->dns, c->in + 2, len - 2, true, c->out + 2, &late_ms);
	n += tiny_put16(c->out, (unsigned)n);
	out = uv_buf_init((char *)c->out, (unsigned)n);
	tiny_check(uv_try_write((uv_stream_t *)&c->tcp, &out, 1) == (int)n,
		"write");
	c->num_in -= len;
	memmove(c->in, c->in + len, c->num_in);
	return true;
}

static inline void tiny_on_tcp(uv_stream_t *stream, ssize_t len,
	const uv_buf_t *buf)
{
	struct tiny_conn *c = stream->data;

	if (len < 0) {
		uv_close((uv_handle_t *)stream, tiny_free);
		return;
	}
	tiny_check(c->num_in + (size_t)len <= sizeof(c->in), "long question");
	memcpy(c->in + c->num_in, buf->base, (size_t)len);
	c->num_in += (size_t)len;
	while (tiny_one(c))
		continue;
}

static inline void tiny_on_connection(uv_stream_t *server, int status)
{
	struct tiny_conn *c = calloc(1, sizeof(*c));

	tiny_check(c && status == 0, "connection");
	c->dns = server->data;
	(void)uv_tcp_init(server->loop, &c->tcp);
	c->tcp.data = c;
	tiny_check(uv_accept(server, (uv_stream_t *)&c->tcp) == 0, "accept");
	(void)uv_read_start((uv_stream_t *)&c->tcp, tiny_room, tiny_on_tcp);
	uv_unref((uv_handle_t *)&c->tcp);
}

/* tiny_bind: a port that is free for both. */
static inline bool tiny_bind(struct tiny_dns *dns)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	int len = sizeof(at);

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	(void)uv_udp_init(dns->loop, &dns->udp);
	(void)uv_tcp_init(dns->loop, &dns->tcp);
	dns->udp.data = dns->tcp.data = dns;
	tiny_check(uv_udp_bind(&dns->udp, (struct sockaddr *)&at, 0) == 0
		&& uv_udp_getsockname(&dns->udp, (struct sockaddr *)&at, &len)
		== 0, "bind");
	(void)snprintf(dns->servers, sizeof(dns->servers), "127.0.0.1:%u",
		ntohs(at.sin_port));
	return uv_tcp_bind(&dns->tcp, (struct sockaddr *)&at, 0) == 0
		&& uv_listen((uv_stream_t *)&dns->tcp, 16, tiny_on_connection)
		== 0;
}

static inline void tiny_close(struct tiny_dns *dns)
{
	dns->closing = true;
	uv_close((uv_handle_t *)&dns->udp, NULL);
	uv_close((uv_handle_t *)&dns->tcp, NULL);
}

/* tiny_open: the server does not keep the loop alive. */
static inline void tiny_open(struct tiny_dns *dns, uv_loop_t *loop,
	struct tiny_row *rows)
{
	*dns = (struct tiny_dns){ .loop = loop, .rows = rows };
	while (!tiny_bind(dns)) {
		tiny_close(dns);
		(void)uv_run(loop, UV_RUN_NOWAIT);
		dns->closing = false;
	}
	(void)uv_udp_recv_start(&dns->udp, tiny_room, tiny_on_udp);
	uv_unref((uv_handle_t *)&dns->udp);
	uv_unref((uv_handle_t *)&dns->tcp);
}

/* tiny_sweep closes what tiny_close leaves: answers on their way, connections.
 * To be called with uv_walk, after tiny_close. */
static inline void tiny_sweep(uv_handle_t *handle, void *arg)
{
	struct tiny_dns *dns = arg;

	(void)dns;
	if (!uv_is_closing(handle) && handle->data)
		uv_close(handle, tiny_free);
}

#endif
