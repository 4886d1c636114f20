#include "pki/keeper_frame.h"

#include <openssl/mem.h>
#include <stdlib.h>
#include <string.h>

void frame_begin(struct keeper_frame *frame, enum keeper_kind kind,
	enum keeper_status status, CBB *body)
{
	frame_wipe(frame);
	frame->version = KEEPER_VERSION;
	frame->kind = kind;
	frame->status = status;
	if (!CBB_init_fixed(body, frame->body, sizeof(frame->body)))
		abort();
}

bool frame_end(struct keeper_frame *frame, CBB *body)
{
	uint8_t *at;
	size_t len;

	if (!CBB_finish(body, &at, &len)) {
		CBB_cleanup(body);
		return false;
	}
	frame->len = (uint32_t)len;
	return true;
}

bool frame_ok(const struct keeper_frame *frame)
{
	return frame->version == KEEPER_VERSION &&
		frame->len <= sizeof(frame->body);
}

CBS frame_body(const struct keeper_frame *frame)
{
	return der_cbs((struct der){frame->body, frame->len});
}

bool frame_add(CBB *body, struct der field)
{
	CBB cbb;

	return field.len <= UINT16_MAX &&
		CBB_add_u16_length_prefixed(body, &cbb) &&
		CBB_add_bytes(&cbb, field.at, field.len) && CBB_flush(body);
}

bool frame_add_number(CBB *body, uint64_t number)
{
	return CBB_add_u64(body, number);
}

bool frame_get(CBS *body, struct der *out)
{
	CBS cbs;

	if (!CBS_get_u16_length_prefixed(body, &cbs))
		return false;
	*out = der_rest(&cbs);
	return true;
}

bool frame_get_number(CBS *body, uint64_t *out)
{
	return CBS_get_u64(body, out);
}

bool frame_get_buffer(CBS *body, CRYPTO_BUFFER **out)
{
	struct der field;

	*out = NULL;
	if (!frame_get(body, &field))
		return false;
	if (field.len > 0)
		*out = der_buffer(field);
	return true;
}

bool frame_get_text(CBS *body, char *out, size_t size)
{
	struct der field;

	if (!frame_get(body, &field) || field.len >= size ||
	    (field.len > 0 && memchr(field.at, '\0', field.len)))
		return false;
	if (field.len > 0)
		memcpy(out, field.at, field.len);
	out[field.len] = '\0';
	return true;
}

void frame_refuse(struct keeper_frame *frame, enum keeper_status status,
	const char *sentence)
{
	size_t len = strlen(sentence);
	uint32_t kind = frame->kind;

	if (len > sizeof(frame->body))
		len = sizeof(frame->body);
	frame_wipe(frame);
	frame->version = KEEPER_VERSION;
	frame->kind = kind;
	frame->status = status;
	frame->len = (uint32_t)len;
	memcpy(frame->body, sentence, len);
}

void frame_wipe(struct keeper_frame *frame)
{
	OPENSSL_cleanse(frame, sizeof(*frame));
}
