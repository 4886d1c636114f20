#include "proxy/net/stream_private.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	RECORD = 16384,      /* plaintext of one TLS record */
	DIRECT = 4096,       /* plain writes of this size skip the gathering */
};

/* --- the turn ----------------------------------------------------------- */

void stream_mark(struct stream *stream)
{
	if (stream->in_turn)
		return;
	stream->in_turn = true;
	stream->next_turn = stream->loop->turn;
	stream->loop->turn = stream;
}

static void unmark(struct stream *stream)
{
	struct stream **at = &stream->loop->turn;

	if (!stream->in_turn)
		return;
	while (*at != stream)
		at = &(*at)->next_turn;
	*at = stream->next_turn;
	stream->in_turn = false;
}

void stream_tell(struct stream *stream)
{
	stream->event = true;
	stream_mark(stream);
}

void stream_fail(struct stream *stream, enum stream_error error)
{
	if (stream->error == STREAM_FINE)
		stream->error = error;
	stream_tell(stream);
}

/* --- in ----------------------------------------------------------------- */

/* offer hands data to the owner while it wants any, unless it has put something
 * back in front; returns what it ate. */
static size_t offer(struct stream *stream, const uint8_t *data, size_t len)
{
	size_t done = 0, n;

	while (done < len && stream->open && stream->wanted &&
		!buffer_len(&stream->kept)) {
		n = stream->ops->on_data(stream->owner, data + done, len - done);
		done += n;
		if (n == 0)
			break;
	}
	return done;
}

static void deliver(struct stream *stream, const uint8_t *data, size_t len)
{
	bool was_tls = stream->is_tls;
	size_t done = offer(stream, data, len);

	/* what came behind the bytes that made the owner begin TLS is its */
	if (stream->open)
		buffer_add(stream->is_tls && !was_tls ? &stream->raw :
							&stream->kept,
			data + done, len - done);
}

/* decrypt opens records as long as the owner eats what is in them. */
static void decrypt(struct stream *stream)
{
	struct tls_engine *tls = &stream->tls;
	uint8_t *plain = stream->loop->plain;
	enum tls_result result;
	size_t len;

	while (stream->open && stream->wanted && !buffer_len(&stream->kept)) {
		result = tls_engine_read(tls, plain, LOOP_PLAIN_SIZE, &len);
		if (result == TLS_OK) {
			deliver(stream, plain, len);
			continue;
		}
		if (result == TLS_FAILED)
			stream_fail(stream, STREAM_TLS);
		if (result == TLS_CLOSED) {
			stream->ended = true;
			stream_tell(stream);
		}
		break;
	}
}

static void shake(struct stream *stream)
{
	switch (tls_engine_handshake(&stream->tls)) {
	case TLS_OK:
		stream->secure = true;
		stream_tell(stream);
		break;
	case TLS_MORE:
		break;
	case TLS_CLOSED:
	case TLS_FAILED:
		stream_fail(stream, STREAM_TLS);
		break;
	}
	stream_mark(stream); /* what the handshake wants sent */
}

/* tls_in feeds ciphertext to the engine; what it does not take is kept raw. */
static void tls_in(struct stream *stream, const uint8_t *data, size_t len)
{
	size_t left;

	tls_engine_give(&stream->tls, data, len);
	if (!stream->secure && stream->error == STREAM_FINE)
		shake(stream);
	if (stream->secure)
		decrypt(stream);
	if (!stream->open)
		return;
	left = tls_engine_left(&stream->tls);
	if (left > 0 && stream->error == STREAM_FINE && !stream->ended)
		buffer_add(&stream->raw, data + (len - left), left);
	if (buffer_len(&stream->out) > 0)
		stream_mark(stream); /* tickets, key updates, alerts */
}

/* again_kept and again_raw take up what was left lying: plaintext that was not
 * eaten, ciphertext that was not opened. */
static void again_kept(struct stream *stream)
{
	struct buffer mine = stream->kept;

	if (!stream->wanted || !buffer_len(&mine))
		return;
	stream->kept = (struct buffer){0};
	deliver(stream, buffer_at(&mine), buffer_len(&mine));
	buffer_clear(&mine);
}

static void again_raw(struct stream *stream)
{
	struct buffer mine = stream->raw;
	bool can = stream->secure ? stream->wanted && buffer_len(&mine) :
		stream->begin || buffer_len(&mine);

	if (!stream->open || !stream->is_tls || !can ||
	    buffer_len(&stream->kept) > 0)
		return;
	stream->begin = false;
	stream->raw = (struct buffer){0};
	tls_in(stream, buffer_at(&mine), buffer_len(&mine));
	buffer_clear(&mine);
}

/* --- reading ------------------------------------------------------------ */

/* on_alloc lends no room to what will be spliced; on_read is then called all
 * the same, with UV_ENOBUFS. */
static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
	struct stream *stream = handle->data;

	(void)size;
	*out = uv_buf_init((char *)stream->loop->read,
		stream_may_splice(stream) ? 0 : LOOP_READ_SIZE);
}

static void rearm(struct stream *stream);

/* was_reset: where a reset lies right behind the last bytes, libuv tells of an end
 * (it takes the hangup for one). The socket knows better. */
static bool was_reset(const struct stream *stream)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(stream_fd(stream), SOL_SOCKET, SO_ERROR, &error,
		       &size) == 0 && error != 0;
}

static void on_read(uv_stream_t *handle, ssize_t n, const uv_buf_t *buf)
{
	struct stream *stream = handle->data;

	if (n == 0)
		return;
	stream->active_ms = loop_now(stream->loop);
	if (n == UV_ENOBUFS && stream_may_splice(stream)) {
		stream_splice_in(stream);
	} else if (n == UV_EOF && !was_reset(stream)) {
		stream_hear_end(stream);
	} else if (n < 0) {
		stream_fail(stream, STREAM_RESET);
	} else {
		loop_note_read(stream->loop, (size_t)n);
		stream_came(stream, (size_t)n);
		stream->splicing = n >= STREAM_MUCH;
		if (stream->is_tls)
			tls_in(stream, (uint8_t *)buf->base, (size_t)n);
		else
			deliver(stream, (uint8_t *)buf->base, (size_t)n);
	}
	if (stream->open)
		rearm(stream);
}

/* rearm derives whether to read: always, until something came that nobody
 * ate. So the peer's going away is noticed even while nothing is wanted. */
static void rearm(struct stream *stream)
{
	bool read = !stream->ended && stream->error == STREAM_FINE &&
		!buffer_len(&stream->kept) &&
		(!buffer_len(&stream->raw) || !stream->secure);

	if (read == stream->reading)
		return;
	stream->reading = read;
	if (!read)
		(void)uv_read_stop((uv_stream_t *)stream->tcp);
	else if (uv_read_start((uv_stream_t *)stream->tcp, on_alloc,
			 on_read) != 0)
		stream_fail(stream, STREAM_RESET);
}

void stream_want(struct stream *stream, bool want)
{
	if (stream->wanted == want)
		return;
	stream->wanted = want;
	if (want)
		stream_mark(stream);
}

void stream_unread(struct stream *stream, const void *data, size_t len)
{
	buffer_add(&stream->kept, data, len);
	stream_mark(stream);
}

/* --- out ---------------------------------------------------------------- */

void stream_account(struct stream *stream)
{
	size_t n = stream_queued(stream);

	if (n > STREAM_HIGH)
		stream->full = true;
	else if (n <= STREAM_LOW && stream->full) {
		stream->full = false;
		stream_tell(stream);
	}
}

static bool seal(struct stream *stream, const uint8_t *data, size_t len)
{
	if (tls_engine_write(&stream->tls, data, len) == TLS_OK)
		return true;
	buffer_clear(&stream->plain);
	stream_fail(stream, STREAM_TLS);
	return false;
}

/* encrypt seals what was gathered: whole records while the turn lasts, the
 * rest at its end. */
static void encrypt(struct stream *stream, bool all)
{
	size_t n;

	while ((n = buffer_len(&stream->plain)) > 0) {
		if (n < RECORD && !all)
			return;
		if (n > RECORD)
			n = RECORD;
		if (!seal(stream, buffer_at(&stream->plain), n))
			return;
		buffer_eat(&stream->plain, n);
	}
}

static void on_written(uv_write_t *write, int status);

/* send_now gives the socket what it takes at once. -1: it broke. */
static int send_now(struct stream *stream, const uint8_t *data, size_t len,
	size_t *out_sent)
{
	uv_buf_t buf = uv_buf_init((char *)(uintptr_t)data, (unsigned)len);
	int n = uv_try_write((uv_stream_t *)stream->tcp, &buf, 1);

	*out_sent = 0;
	if (n == UV_EAGAIN)
		return 0;
	if (n < 0)
		return -1;
	stream_went(stream, (size_t)n);
	stream->active_ms = loop_now(stream->loop);
	*out_sent = (size_t)n;
	return 0;
}

/* stream_deafen: the peer takes no more. What it has said may still be there
 * to read, an early answer for one, so the error is reading's to find. */
void stream_deafen(struct stream *stream)
{
	buffer_clear(&stream->out);
	buffer_clear(&stream->plain);
	stream->deaf = true;
	stream_tell(stream);
}

/* queue_rest leaves the output to libuv, which writes when the socket can. */
static void queue_rest(struct stream *stream)
{
	uv_buf_t buf;

	stream->inflight = stream->out;
	stream->out = (struct buffer){0};
	buf = uv_buf_init((char *)(uintptr_t)buffer_at(&stream->inflight),
		(unsigned)buffer_len(&stream->inflight));
	if (uv_write(&stream->write, (uv_stream_t *)stream->tcp, &buf, 1,
		    on_written) != 0) {
		buffer_clear(&stream->inflight);
		stream_deafen(stream);
		return;
	}
	stream->writing = true;
}

/* wind_up: all we have to say is said or queued. In TLS, close_notify is queued
 * behind it; FIN follows once that is with the kernel, see finish. */
static void wind_up(struct stream *stream)
{
	if (!stream->shutdown_asked || stream->may_finish)
		return;
	if (stream->is_tls && stream->secure)
		tls_engine_close(&stream->tls);
	stream->may_finish = true;
}

static void flush(struct stream *stream)
{
	size_t sent;

	if (stream->deaf)
		buffer_clear(&stream->out);
	if (stream->secure && stream->error == STREAM_FINE)
		encrypt(stream, true);
	if (!buffer_len(&stream->plain))
		wind_up(stream);
	if (stream->writing || !buffer_len(&stream->out))
		return;
	if (send_now(stream, buffer_at(&stream->out),
		    buffer_len(&stream->out), &sent) != 0) {
		stream_deafen(stream);
		return;
	}
	buffer_eat(&stream->out, sent);
	if (buffer_len(&stream->out) > 0)
		queue_rest(stream);
}

/* finish says FIN once everything before it is with the kernel. */
static void finish(struct stream *stream)
{
	if (!stream->may_finish || stream->finished || !stream->open ||
	    stream->writing || buffer_len(&stream->out) > 0)
		return;
	stream->finished = true;
	if (shutdown(stream_fd(stream), SHUT_WR) != 0)
		stream_deafen(stream);
	stream_tell(stream);
}

static void on_written(uv_write_t *write, int status)
{
	struct stream *stream = write->data;

	stream->writing = false;
	if (!stream->open)
		return;
	if (status == 0) {
		stream_went(stream, buffer_len(&stream->inflight));
		stream->active_ms = loop_now(stream->loop);
	}
	buffer_clear(&stream->inflight);
	if (status != 0)
		stream_deafen(stream);
	stream_account(stream);
	stream_tell(stream);
}

static bool takes(const struct stream *stream)
{
	return stream->open && stream->error == STREAM_FINE && !stream->deaf &&
		!stream->shutdown_asked;
}

static struct buffer *gathered(struct stream *stream)
{
	return stream->is_tls ? &stream->plain : &stream->out;
}

char *stream_room(struct stream *stream, size_t len)
{
	return (char *)buffer_reserve(gathered(stream), len);
}

void stream_filled(struct stream *stream, size_t len)
{
	if (!takes(stream))
		return;
	buffer_commit(gathered(stream), len);
	stream_mark(stream);
	stream_account(stream);
}

void stream_write(struct stream *stream, const void *data, size_t len)
{
	const uint8_t *at = data;
	size_t sent = 0;

	if (!takes(stream) || len == 0)
		return;
	stream_mark(stream);
	if (stream->is_tls) {
		/* whole records need no gathering */
		while (stream->secure && len >= RECORD &&
			!buffer_len(&stream->plain)) {
			if (!seal(stream, at, RECORD))
				return;
			at += RECORD;
			len -= RECORD;
		}
		buffer_add(&stream->plain, at, len);
		if (stream->secure)
			encrypt(stream, false);
	} else {
		if (len >= DIRECT && !stream->writing &&
		    !buffer_len(&stream->out) &&
		    send_now(stream, at, len, &sent) != 0) {
			stream_deafen(stream);
			return;
		}
		buffer_add(&stream->out, at + sent, len - sent);
	}
	stream_account(stream);
}

void stream_shutdown(struct stream *stream)
{
	if (!stream->open || stream->shutdown_asked)
		return;
	stream->shutdown_asked = true;
	stream_mark(stream);
}

void stream_turn(struct stream *stream)
{
	bool event;

	if (!stream->open)
		return;
	again_kept(stream);
	again_raw(stream);
	if (!stream->open)
		return;
	flush(stream);
	finish(stream);
	stream_account(stream);
	rearm(stream);
	event = stream->event;
	stream->event = false;
	if (event)
		stream->ops->on_event(stream->owner);
}

/* --- life --------------------------------------------------------------- */

void stream_adopt(struct stream *stream, struct loop *loop, uv_tcp_t *tcp,
	const struct stream_ops *ops, void *owner)
{
	*stream = (struct stream){
		.loop = loop, .ops = ops, .owner = owner, .tcp = tcp};
	tcp->data = stream->write.data = stream;
	stream->open = true;
	stream->active_ms = loop_now(loop);
	(void)uv_tcp_nodelay(tcp, 1);
	stream_mark(stream); /* to start reading */
}

void stream_open(struct stream *stream, struct loop *loop, int fd,
	const struct stream_ops *ops, void *owner)
{
	uv_tcp_t *tcp = malloc(sizeof(*tcp));
	bool opened;

	if (!tcp || uv_tcp_init(&loop->uv, tcp) != 0)
		abort(); /* without a socket to make, it can't fail */
	opened = uv_tcp_open(tcp, fd) == 0;
	if (!opened)
		(void)close(fd);
	stream_adopt(stream, loop, tcp, ops, owner);
	if (!opened)
		stream_fail(stream, STREAM_RESET);
}

void stream_tls(struct stream *stream, SSL *ssl, const void *raw, size_t len)
{
	struct buffer kept = stream->kept;

	stream->kept = (struct buffer){0};
	tls_engine_init(&stream->tls, ssl, &stream->out);
	stream->is_tls = true;
	buffer_add(&stream->raw, raw, len);
	buffer_add(&stream->raw, buffer_at(&kept), buffer_len(&kept));
	buffer_clear(&kept);
	stream->begin = true;
	stream_mark(stream); /* the handshake begins at the end of the turn */
}

static void on_close(uv_handle_t *handle)
{
	struct stream *stream = handle->data;

	free(handle);
	buffer_clear(&stream->raw);
	buffer_clear(&stream->kept);
	buffer_clear(&stream->plain);
	buffer_clear(&stream->out);
	buffer_clear(&stream->inflight);
	if (stream->is_tls)
		tls_engine_clear(&stream->tls);
	stream->ops->on_closed(stream->owner);
}

void stream_close(struct stream *stream)
{
	if (!stream->open)
		return;
	stream->open = false;
	stream->wanted = false;
	unmark(stream);
	stream_part(stream);
	stream_unpair(stream);
	uv_close((uv_handle_t *)stream->tcp, on_close);
}
