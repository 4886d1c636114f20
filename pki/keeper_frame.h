/*
 * keeper_frame.h - what goes between the keeper and those who ask it.
 *
 * One question, one answer, each a frame of the same size: the kind, what came
 * of it, and a body of fields with their lengths before them. An answer that is
 * not DONE holds a sentence instead.
 *
 * Threads: one frame, one thread.
 */
#ifndef PKI_KEEPER_FRAME_H
#define PKI_KEEPER_FRAME_H

#include <stdint.h>

#include "pki/base.h"

enum {
	KEEPER_VERSION = 1,
	KEEPER_FRAME = 32 * 1024,
	KEEPER_BODY = KEEPER_FRAME - 16,
};

enum keeper_kind {
	/* question: fields            answer: fields */
	KEEPER_MAKE_KEY = 1, /* kind, role            locked key, SPKI */
	KEEPER_HOLD,     /* locked key, role, cert, id   key id, locked anew */
	KEEPER_REQUEST,  /* key id, csr_order            CSR */
	KEEPER_MINT,     /* key id, issuer's, chance, old certificate  certificate */
	KEEPER_ISSUE,    /* key id, counter              certificate, key, CRL */
	KEEPER_LEAF,     /* key id, leaf_form            certificate */
	KEEPER_CRL,      /* key id, crl_order            CRL */
	KEEPER_FORGET,   /* key id                       - */
};

enum keeper_status {
	KEEPER_ASKED,
	KEEPER_DONE,
	KEEPER_REFUSED,
	KEEPER_LOCKED,   /* the passphrase does not open the key */
};

struct keeper_frame {
	uint32_t version;
	uint32_t kind;       /* enum keeper_kind */
	uint32_t status;     /* enum keeper_status */
	uint32_t len;        /* of body that counts; the rest is zero */
	uint8_t body[KEEPER_BODY];
};

_Static_assert(sizeof(struct keeper_frame) == KEEPER_FRAME, "a frame");

/* frame_begin empties frame and opens its body for writing; frame_end closes
 * it. False: what was written does not go in. */
void frame_begin(struct keeper_frame *frame, enum keeper_kind kind,
	enum keeper_status status, CBB *body);
bool frame_end(struct keeper_frame *frame, CBB *body) MUST_CHECK;

/* frame_ok: a frame that came is of this version, and its length is right. */
bool frame_ok(const struct keeper_frame *frame);

/* frame_body opens a frame that came. */
CBS frame_body(const struct keeper_frame *frame);

/* A field of bytes, 65,535 at most; a number. */
bool frame_add(CBB *body, struct der field) MUST_CHECK;
bool frame_add_number(CBB *body, uint64_t number) MUST_CHECK;
bool frame_get(CBS *body, struct der *out) MUST_CHECK;
bool frame_get_number(CBS *body, uint64_t *out) MUST_CHECK;

/* frame_get_buffer copies a field; NULL where it is empty. */
bool frame_get_buffer(CBS *body, CRYPTO_BUFFER **out) MUST_CHECK;

/* frame_get_text copies a field of at most size - 1 bytes and no NUL. */
bool frame_get_text(CBS *body, char *out, size_t size) MUST_CHECK;

/* frame_refuse makes frame an answer with a sentence. */
void frame_refuse(struct keeper_frame *frame, enum keeper_status status,
	const char *sentence);

void frame_wipe(struct keeper_frame *frame);

#endif
