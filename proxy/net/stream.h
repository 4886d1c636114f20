/*
 * stream.h - a byte stream over TCP, plain or in TLS, with backpressure.
 *
 * Who uses a stream need not know which it is. It says what it wants, and is
 * told facts:
 *
 *	on_data   here are bytes; eat what you can and return how many. What is
 *	          left is kept and offered again once stream_want says so.
 *	on_event  something changed: handshake over, end of input, an error,
 *	          output drained. Look at the fields.
 *	on_closed the last callback, after stream_close.
 *
 * No callback is ever called from inside a call of this header. What is
 * written is gathered during the turn of the loop and goes out once at its
 * end: head and body leave in one record, one system call. Reading goes on as
 * long as what came is eaten; bytes that nobody wants stop it, so that a
 * connection at rest costs no system calls and a slow reader stops its sender.
 *
 *	            on_data                           stream_write
 *	  kept ◄─── decrypt ◄─── raw ◄── socket ◄── out ◄── encrypt ◄── plain
 *
 * Owns:    socket, TLS state, buffers; all gone after on_closed.
 * Threads: one, the loop's.
 */
#ifndef PROXY_NET_STREAM_H
#define PROXY_NET_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "proxy/net/buffer.h"
#include "proxy/net/count.h"
#include "proxy/net/loop.h"
#include "proxy/net/tls_engine.h"

enum {
	STREAM_HIGH = 128 * 1024, /* queued output: stream_full above this */
	STREAM_LOW = 32 * 1024,   /* ... until it is down to this */
};

enum stream_error {
	STREAM_FINE,
	STREAM_RESET, /* the connection broke */
	STREAM_TLS,   /* handshake or record; see tls.why and tls.alert */
};

struct stream_ops {
	size_t (*on_data)(void *owner, const uint8_t *data, size_t len);
	void (*on_event)(void *owner);
	void (*on_closed)(void *owner);
};

struct stream { /* zeroed: not open */
	/* Facts, to be read by the owner. */
	bool open;           /* from stream_open until stream_close */
	bool secure;         /* the TLS handshake is over */
	bool truncated;      /* TLS ended without close_notify */
	enum stream_error error;
	uint64_t bytes_in, bytes_out; /* of the socket */
	uint64_t active_ms;  /* when bytes last moved */
	struct tls_engine tls;

	/* To be set by the owner, once it is open. */
	struct traffic *traffic; /* borrowed: counts its bytes, too; or NULL */

	/* Private. */
	struct loop *loop;
	const struct stream_ops *ops;
	void *owner;
	uv_tcp_t *tcp;
	uv_write_t write;
	struct buffer raw, kept, plain, out, inflight;
	struct stream *next_turn, *mate, *twin;
	bool in_turn, wanted, reading, ended, is_tls, begin, full;
	bool writing, shutdown_asked, may_finish, finished, event, deaf, splicing;
	bool cut, alone;
};

/* stream_open takes over a connected, non-blocking socket. Nothing is wanted
 * yet. */
void stream_open(struct stream *stream, struct loop *loop, int fd,
	const struct stream_ops *ops, void *owner);

/* stream_adopt does so with one that is a handle already, on the heap; it is
 * the stream's now. */
void stream_adopt(struct stream *stream, struct loop *loop, uv_tcp_t *tcp,
	const struct stream_ops *ops, void *owner);

/* stream_tls begins TLS; ssl is taken, its role is set. raw bytes that came
 * already (a ClientHello that was peeked at) are read first. The handshake runs
 * by itself; secure or error tell how it went. */
void stream_tls(struct stream *stream, SSL *ssl, const void *raw, size_t len);

/* stream_unread puts bytes that were eaten back in front of everything not yet
 * offered, of what came plain or in TLS; while nothing offered is left. */
void stream_unread(struct stream *stream, const void *data, size_t len);

/* stream_want says whether on_data may be called. */
void stream_want(struct stream *stream, bool want);

/* stream_ended: the peer will send no more, and all it sent has been eaten. */
bool stream_ended(const struct stream *stream);

/* stream_is_quiet: it has neither ended nor failed, and nothing has come that
 * was not eaten; nor does anything lie with the kernel, the end included, that
 * the loop has not told of yet. */
bool stream_is_quiet(const struct stream *stream);

/* stream_broken: an error, or nothing more goes in either direction and the peer
 * has not taken all it was given. */
bool stream_broken(const struct stream *stream);

/* stream_deaf: the peer takes no more; what is written is dropped. What it said
 * before may still come. */
bool stream_deaf(const struct stream *stream);

/* stream_has_data: something has come that was offered and not eaten. */
bool stream_has_data(const struct stream *stream);

/* stream_write adds data to the output; it is copied. */
void stream_write(struct stream *stream, const void *data, size_t len);

/* stream_room lends room for len bytes behind the output, to be written there
 * at once; stream_filled says how many were. */
char *stream_room(struct stream *stream, size_t len);
void stream_filled(struct stream *stream, size_t len);

/* stream_join: what comes on one of two plain streams is for the other, unseen.
 * Much of it is then moved by splice(2) and not shown to on_data, while the
 * owners want it; the fields tell of it all the same. Both must want it for
 * good: no stream is joined twice. It ends when either is closed. */
void stream_join(struct stream *a, struct stream *b);

/* stream_full: more is queued than should be; on_event tells when no more. */
bool stream_full(const struct stream *stream);
bool stream_flushed(const struct stream *stream); /* nothing is queued */

/* stream_shutdown ends our direction after what is queued: close_notify, FIN. */
void stream_shutdown(struct stream *stream);

/* stream_reset makes the close that follows a reset: the peer must not take
 * what it got for the whole. */
void stream_reset(struct stream *stream);

/* stream_pair: the two are the ends of one pair of sockets, which knows no
 * resets: what stream_reset says of one, the other hears when it has read all
 * that came before. */
void stream_pair(struct stream *a, struct stream *b);

/* stream_alone: the other end of its pair has been closed; what that had sent
 * may still come. on_event tells. */
bool stream_alone(const struct stream *stream);

/* stream_refuse takes no more from the other end of a pair, which is deaf from
 * then on. */
void stream_refuse(struct stream *stream);

/* stream_close closes at once, dropping what is queued; on_closed comes later,
 * on_data and on_event no more. */
void stream_close(struct stream *stream);

/* stream_turn is for loop.c. */
void stream_turn(struct stream *stream);

#endif
