/*
 * codec.h - one side of an exchange, apart from its wire form.
 *
 * An exchange pulls events from two codecs and gives each what the other said:
 * head, pieces of body, trailers, end. HTTP/1 (h1_side.h) is one codec; what
 * talks to it does not know its wire form.
 *
 * Threads: one.
 */
#ifndef PROXY_SESSION_CODEC_H
#define PROXY_SESSION_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/http/message.h"
#include "proxy/report/reason.h"

enum codec_event {
	CODEC_MORE,   /* nothing before more bytes come */
	CODEC_HEAD,   /* codec_ops.head */
	CODEC_BODY,   /* codec_ops.body: eat it now */
	CODEC_END,    /* codec_ops.trailers */
	CODEC_CLOSED, /* the peer ended between messages */
	CODEC_FAILED, /* codec_ops.failure says why; nothing more will come */
};

enum body_kind { BODY_NONE, BODY_LENGTH, BODY_UNKNOWN };

/* How the body that follows a head is bounded. */
struct body_plan {
	enum body_kind kind;
	uint64_t length;  /* with BODY_LENGTH */
	bool keep_length; /* no body, but the head's length field is meant */
};

struct codec {
	const struct codec_ops *ops;
};

struct codec_ops {
	/* What came. */
	enum codec_event (*next)(struct codec *codec);
	struct head *(*head)(struct codec *codec);
	struct body_plan (*plan)(struct codec *codec);
	struct slice (*body)(struct codec *codec);
	const struct head *(*trailers)(struct codec *codec);
	enum reason (*failure)(struct codec *codec, const char **out_why);
	/* whether, by what was read, the connection may carry another */
	bool (*lasts)(struct codec *codec);
	/* a message has begun, and its end has not been read */
	bool (*under_way)(struct codec *codec);
	/* nothing has come that was not read */
	bool (*drained)(struct codec *codec);
	/* makes ready for the next; to_head: it answers a HEAD */
	void (*next_message)(struct codec *codec, bool to_head);

	/* What goes. last: no other message follows on this connection. */
	void (*send_head)(struct codec *codec, struct head *head,
		const struct body_plan *plan, bool last);
	void (*send_body)(struct codec *codec, struct slice piece);
	void (*send_end)(struct codec *codec, const struct head *trailers);
	bool (*full)(struct codec *codec);
};

#endif
