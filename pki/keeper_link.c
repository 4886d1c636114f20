#include "pki/keeper_link.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "pki/keeper_frame.h"

/* A frame is too large for the stacks of some threads. */
struct talk {
	const struct keeper_link *link;
	struct keeper_frame *frame; /* owned */
	CBB body;
	CBS answer;
};

static void begin(struct talk *talk, const struct keeper_link *link,
	enum keeper_kind kind)
{
	talk->link = link;
	talk->frame = pki_new(sizeof(*talk->frame));
	frame_begin(talk->frame, kind, KEEPER_ASKED, &talk->body);
}

static void end(struct talk *talk)
{
	frame_wipe(talk->frame);
	free(talk->frame);
}

static int explain(const struct talk *talk, char *err, size_t err_size)
{
	const struct keeper_frame *frame = talk->frame;

	if (frame->status == KEEPER_LOCKED) {
		(void)pki_fail(err, err_size, "the passphrase of %s does not "
			"open the private key, which was locked with another "
			"one (changed on purpose? \"sallyport ca passphrase\" "
			"locks the keys anew)",
			talk->link->source ? talk->link->source : "the keeper");
		return KEEPER_WRONG_PASSPHRASE;
	}
	return pki_fail(err, err_size, "%.*s", (int)frame->len,
		(const char *)frame->body);
}

/* put asks; ok: all fields went into the question. */
static int put(struct talk *talk, bool ok, char *err, size_t err_size)
{
	uint32_t kind = talk->frame->kind;

	if (!ok)
		CBB_cleanup(&talk->body);
	if (!ok || !frame_end(talk->frame, &talk->body))
		return pki_fail(err, err_size,
			"that is more than the keeper can be asked");
	if (talk->link->ask(talk->link->arg, talk->frame, err, err_size) != 0)
		return -1;
	if (!frame_ok(talk->frame) || talk->frame->kind != kind)
		return pki_fail(err, err_size,
			"the keeper's answer makes no sense");
	if (talk->frame->status != KEEPER_DONE)
		return explain(talk, err, err_size);
	talk->answer = frame_body(talk->frame);
	return 0;
}

static int senseless(char *err, size_t err_size)
{
	return pki_fail(err, err_size, "the keeper's answer makes no sense");
}

/* put_for_one is put where the answer is one field. */
static CRYPTO_BUFFER *put_for_one(struct talk *talk, bool ok, char *err,
	size_t err_size)
{
	CRYPTO_BUFFER *out = NULL;

	if (put(talk, ok, err, err_size) == 0 &&
	    (!frame_get_buffer(&talk->answer, &out) || !out))
		(void)senseless(err, err_size);
	end(talk);
	return out;
}

static bool add_id(CBB *body, const uint8_t key_id[CA_KEY_ID])
{
	return CBB_add_bytes(body, key_id, CA_KEY_ID);
}

static bool add_text(CBB *body, const char *text)
{
	return frame_add(body,
		(struct der){(const uint8_t *)text, strlen(text)});
}

/* --- keys --------------------------------------------------------------- */

int keeper_make_key(const struct keeper_link *link, enum key_kind kind,
	enum key_role role, CRYPTO_BUFFER **locked, CRYPTO_BUFFER **spki,
	char *err, size_t err_size)
{
	struct talk talk;
	int result;

	*locked = *spki = NULL;
	begin(&talk, link, KEEPER_MAKE_KEY);
	result = put(&talk, frame_add_number(&talk.body, kind) &&
			frame_add_number(&talk.body, role), err, err_size);
	if (result == 0 && (!frame_get_buffer(&talk.answer, locked) ||
		!frame_get_buffer(&talk.answer, spki) || !*locked || !*spki))
		result = senseless(err, err_size);
	end(&talk);
	return result;
}

int keeper_hold(const struct keeper_link *link, struct der locked,
	enum key_role role, struct der cert, const char *id,
	struct keeper_held *out, char *err, size_t err_size)
{
	struct talk talk;
	int result;

	memset(out, 0, sizeof(*out));
	begin(&talk, link, KEEPER_HOLD);
	result = put(&talk, frame_add(&talk.body, locked) &&
			frame_add_number(&talk.body, role) &&
			frame_add(&talk.body, cert) &&
			add_text(&talk.body, id), err, err_size);
	if (result == 0 &&
	    (!CBS_copy_bytes(&talk.answer, out->key_id, CA_KEY_ID) ||
		!frame_get_buffer(&talk.answer, &out->relocked)))
		result = senseless(err, err_size);
	end(&talk);
	return result;
}

int keeper_forget(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], char *err, size_t err_size)
{
	struct talk talk;
	int result;

	begin(&talk, link, KEEPER_FORGET);
	result = put(&talk, add_id(&talk.body, key_id), err, err_size);
	end(&talk);
	return result;
}

CRYPTO_BUFFER *keeper_request(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], const struct csr_order *order,
	char *err, size_t err_size)
{
	struct talk talk;
	bool ok;

	begin(&talk, link, KEEPER_REQUEST);
	ok = add_id(&talk.body, key_id) &&
		add_text(&talk.body, order->common_name) &&
		add_text(&talk.body, order->organization) &&
		add_text(&talk.body, order->unit) &&
		add_text(&talk.body, order->locality) &&
		add_text(&talk.body, order->province) &&
		add_text(&talk.body, order->country) &&
		frame_add_number(&talk.body, (uint64_t)(order->path_len + 1)) &&
		frame_add_number(&talk.body, order->digest);
	return put_for_one(&talk, ok, err, err_size);
}

/* --- certificates ------------------------------------------------------- */

CRYPTO_BUFFER *keeper_mint(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], const uint8_t issuer[CA_KEY_ID],
	const char *chance, struct der old, char *err, size_t err_size)
{
	struct talk talk;
	bool ok;

	begin(&talk, link, KEEPER_MINT);
	ok = add_id(&talk.body, key_id) && add_id(&talk.body, issuer) &&
		add_text(&talk.body, chance) && frame_add(&talk.body, old);
	return put_for_one(&talk, ok, err, err_size);
}

static EVP_PKEY *parse_key(struct der der)
{
	CBS cbs = der_cbs(der);

	return EVP_parse_private_key(&cbs);
}

static bool read_issued(struct talk *talk, struct keeper_issued *out)
{
	struct der key;

	if (!frame_get_buffer(&talk->answer, &out->cert) || !out->cert ||
	    !frame_get(&talk->answer, &key) ||
	    !frame_get_buffer(&talk->answer, &out->crl))
		return false;
	out->key = parse_key(key);
	return out->key != NULL;
}

int keeper_issue(const struct keeper_link *link,
	const uint8_t key_id[CA_KEY_ID], uint64_t counter,
	struct keeper_issued *out, char *err, size_t err_size)
{
	struct talk talk;
	int result;

	memset(out, 0, sizeof(*out));
	begin(&talk, link, KEEPER_ISSUE);
	result = put(&talk, add_id(&talk.body, key_id) &&
			frame_add_number(&talk.body, counter), err, err_size);
	if (result == 0 && !read_issued(&talk, out)) {
		CRYPTO_BUFFER_free(out->cert);
		CRYPTO_BUFFER_free(out->crl);
		memset(out, 0, sizeof(*out));
		result = senseless(err, err_size);
	}
	end(&talk);
	return result;
}

CRYPTO_BUFFER *keeper_sign_leaf(const struct ca *ca,
	const struct leaf_form *form, char *err, size_t err_size)
{
	struct talk talk;
	bool ok;

	begin(&talk, ca_link(ca), KEEPER_LEAF);
	ok = add_id(&talk.body, ca_key_id(ca)) &&
		frame_add(&talk.body, form->subject) &&
		frame_add(&talk.body, form->san) &&
		frame_add(&talk.body, form->spki) &&
		frame_add_number(&talk.body, (uint64_t)form->from) &&
		frame_add_number(&talk.body, (uint64_t)form->until);
	return put_for_one(&talk, ok, err, err_size);
}

static bool add_revoked(CBB *body, const struct crl_order *order)
{
	for (size_t i = 0; i < order->num_revoked; i++) {
		const struct crl_entry *entry = &order->revoked[i];

		if (!frame_add(body, (struct der){entry->serial,
			    entry->serial_len}) ||
		    !frame_add_number(body, (uint64_t)entry->at))
			return false;
	}
	return true;
}

CRYPTO_BUFFER *keeper_sign_crl(const struct ca *ca,
	const struct crl_order *order, char *err, size_t err_size)
{
	struct talk talk;
	bool ok;

	begin(&talk, ca_link(ca), KEEPER_CRL);
	ok = order->num_revoked <= CRL_REVOKED_MAX &&
		add_id(&talk.body, ca_key_id(ca)) &&
		frame_add_number(&talk.body, order->number) &&
		frame_add_number(&talk.body, (uint64_t)order->until) &&
		add_revoked(&talk.body, order);
	return put_for_one(&talk, ok, err, err_size);
}
