#include "pki/keeper.h"

#include <openssl/evp.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "pki/csr.h"
#include "pki/keeper_private.h"
#include "pki/keymaker.h"
#include "pki/tbs.h"
#include "pki/x509.h"

struct keeper *keeper_new(struct keylock *lock)
{
	struct keeper *keeper = pki_new(sizeof(*keeper));

	if (pthread_mutex_init(&keeper->mutex, NULL) != 0)
		abort();
	keeper->lock = lock;
	keeper->own_tally = pki_new(sizeof(*keeper->own_tally));
	keeper->tally = keeper->own_tally;
	return keeper;
}

static void held_free(struct held *held)
{
	ca_unref(held->ca);
	EVP_PKEY_free(held->key); /* which wipes it */
	free(held);
}

void keeper_free(struct keeper *keeper)
{
	struct held *held, *next;

	if (!keeper)
		return;
	DL_FOREACH_SAFE(keeper->held, held, next)
		held_free(held);
	keylock_free(keeper->lock);
	free(keeper->own_tally);
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
}

void keeper_set_tally(struct keeper *keeper, struct tally *tally)
{
	free(keeper->own_tally);
	keeper->own_tally = NULL;
	keeper->tally = tally;
}

void keeper_set_rules(struct keeper *keeper, const struct keeper_rules *rules)
{
	pthread_mutex_lock(&keeper->mutex);
	keeper->rules = *rules;
	pthread_mutex_unlock(&keeper->mutex);
}

/* --- refusing ----------------------------------------------------------- */

CRYPTO_BUFFER *keeper_no(struct question *q, const char *why)
{
	snprintf(q->why, sizeof(q->why), "%s", why);
	return NULL;
}

CRYPTO_BUFFER *keeper_senseless(struct question *q)
{
	return keeper_no(q, "the keeper can't make sense of the question");
}

/* --- what is held ------------------------------------------------------- */

/* find is for who holds keeper->mutex. */
static struct held *find(struct keeper *keeper, const uint8_t id[CA_KEY_ID])
{
	struct held *held;

	DL_FOREACH(keeper->held, held) {
		if (memcmp(held->id, id, CA_KEY_ID) == 0)
			return held;
	}
	return NULL;
}

bool keeper_get_id(CBS *in, uint8_t out[CA_KEY_ID])
{
	return CBS_copy_bytes(in, out, CA_KEY_ID);
}

bool keeper_take(struct question *q, const uint8_t id[CA_KEY_ID],
	struct grip *out)
{
	struct held *held;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&q->keeper->mutex);
	held = find(q->keeper, id);
	if (held) {
		EVP_PKEY_up_ref(held->key);
		out->key = held->key;
		out->ca = held->ca ? ca_ref(held->ca) : NULL;
		out->role = held->role;
	}
	pthread_mutex_unlock(&q->keeper->mutex);
	if (!held)
		(void)keeper_no(q, "the keeper does not hold that key");
	return held != NULL;
}

void keeper_let_go(struct grip *grip)
{
	EVP_PKEY_free(grip->key);
	ca_unref(grip->ca);
}

/* take_ca is take of a key that has a certificate and one of the roles. */
bool keeper_take_ca(struct question *q, unsigned roles, struct grip *out)
{
	uint8_t id[CA_KEY_ID];

	memset(out, 0, sizeof(*out));
	if (!keeper_get_id(&q->in, id)) {
		(void)keeper_senseless(q);
		return false;
	}
	if (!keeper_take(q, id, out))
		return false;
	if (out->ca && (roles & 1u << out->role))
		return true;
	(void)keeper_no(q, out->ca ? "that key is not for that" :
		"there is no certificate for that key");
	return false;
}

/* take_out gives what is held of this key, which is held no more. */
static struct held *take_out(struct keeper *keeper,
	const uint8_t id[CA_KEY_ID])
{
	struct held *held = find(keeper, id);

	if (held) {
		DL_DELETE(keeper->held, held);
		keeper->num_held--;
	}
	return held;
}

/* take_out_idle: a key without a certificate has made its request, and is there
 * again when it is needed. */
static struct held *take_out_idle(struct keeper *keeper)
{
	struct held *held;

	DL_FOREACH(keeper->held, held) {
		if (!held->ca)
			return take_out(keeper, held->id);
	}
	return NULL;
}

/* keep puts it in the place of what was held of this key. */
static bool keep(struct question *q, struct held *held)
{
	struct keeper *keeper = q->keeper;
	struct held *old;
	bool room;

	pthread_mutex_lock(&keeper->mutex);
	old = take_out(keeper, held->id);
	if (keeper->num_held == KEEPER_KEYS_MAX)
		old = take_out_idle(keeper);
	room = keeper->num_held < KEEPER_KEYS_MAX;
	if (room) {
		DL_APPEND(keeper->held, held);
		keeper->num_held++;
	}
	pthread_mutex_unlock(&keeper->mutex);
	if (old)
		held_free(old);
	if (!room)
		(void)keeper_no(q, "the keeper holds as many keys as it may");
	return room;
}

static bool answer_forget(struct question *q, CBB *out)
{
	uint8_t id[CA_KEY_ID];
	struct held *held;

	(void)out;
	if (!keeper_get_id(&q->in, id) || CBS_len(&q->in) != 0)
		return keeper_senseless(q);
	pthread_mutex_lock(&q->keeper->mutex);
	held = take_out(q->keeper, id);
	pthread_mutex_unlock(&q->keeper->mutex);
	if (held)
		held_free(held);
	return true;
}

/* --- keys --------------------------------------------------------------- */

static bool right_role(uint64_t role)
{
	return role >= KEY_ROLE_ROOT && role <= KEY_ROLE_UNTRUSTED;
}

static bool answer_make_key(struct question *q, CBB *out)
{
	CRYPTO_BUFFER *locked, *spki;
	uint64_t kind, role;
	EVP_PKEY *key;
	bool ok;

	if (!frame_get_number(&q->in, &kind) || kind >= NUM_KEY_KINDS ||
	    !frame_get_number(&q->in, &role) || !right_role(role) ||
	    CBS_len(&q->in) != 0)
		return keeper_senseless(q);
	key = make_key((enum key_kind)kind);
	locked = keylock_lock(q->keeper->lock, key, (enum key_role)role);
	spki = key_spki(key);
	ok = frame_add(out, der_of(locked)) && frame_add(out, der_of(spki));
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(spki);
	return ok;
}

struct hold {
	struct der locked, cert;
	uint64_t role;          /* for a key that was locked without one */
	char id[CA_ID_MAX + 1];
};

static bool read_hold(CBS *in, struct hold *out)
{
	return frame_get(in, &out->locked) &&
		frame_get_number(in, &out->role) && right_role(out->role) &&
		frame_get(in, &out->cert) &&
		frame_get_text(in, out->id, sizeof(out->id)) &&
		CBS_len(in) == 0;
}

static struct held *open_held(struct question *q, const struct hold *hold)
{
	struct held *held = pki_new(sizeof(*held));
	CRYPTO_BUFFER *spki;

	held->key = keylock_unlock(q->keeper->lock, hold->locked, &held->role);
	if (!held->key) {
		q->status = KEEPER_LOCKED;
		held_free(held);
		return NULL;
	}
	if (held->role == KEY_ROLE_NONE)
		held->role = (enum key_role)hold->role;
	if (!tbs_key_fits(held->key)) {
		(void)keeper_no(q, "a key of that kind can't sign here");
		held_free(held);
		return NULL;
	}
	spki = key_spki(held->key);
	if (!spki_identifier(der_of(spki), held->id))
		abort(); /* it is one of ours */
	CRYPTO_BUFFER_free(spki);
	if (hold->cert.len == 0 ||
	    ca_new(hold->cert, held->key, NULL, 0, hold->id, &held->ca,
		    q->why, sizeof(q->why)) == 0)
		return held;
	held_free(held);
	return NULL;
}

static bool answer_hold(struct question *q, CBB *out)
{
	CRYPTO_BUFFER *again = NULL;
	struct held *held;
	struct hold hold;
	bool ok;

	if (!read_hold(&q->in, &hold))
		return keeper_senseless(q);
	held = open_held(q, &hold);
	if (!held)
		return false;
	if (!keylock_is_current(hold.locked))
		again = keylock_lock(q->keeper->lock, held->key, held->role);
	ok = CBB_add_bytes(out, held->id, CA_KEY_ID) &&
		frame_add(out, again ? der_of(again) : (struct der){NULL, 0});
	CRYPTO_BUFFER_free(again);
	if (ok && keep(q, held))
		return true;
	held_free(held);
	return false;
}

/* --- requests ----------------------------------------------------------- */

static bool read_request(CBS *in, struct csr_order *out)
{
	uint64_t path_len, digest;

	memset(out, 0, sizeof(*out));
	if (!frame_get_text(in, out->common_name, CSR_TEXT) ||
	    !frame_get_text(in, out->organization, CSR_TEXT) ||
	    !frame_get_text(in, out->unit, CSR_TEXT) ||
	    !frame_get_text(in, out->locality, CSR_TEXT) ||
	    !frame_get_text(in, out->province, CSR_TEXT) ||
	    !frame_get_text(in, out->country, CSR_TEXT) ||
	    !frame_get_number(in, &path_len) ||
	    path_len > CA_PATH_LEN_MAX + 1 ||
	    !frame_get_number(in, &digest) || digest > CSR_SHA384)
		return false;
	out->path_len = (int)path_len - 1;
	out->digest = (enum csr_digest)digest;
	return CBS_len(in) == 0;
}

/* one puts what was made, and lets go of it, into the answer. */
bool keeper_one(CBB *out, CRYPTO_BUFFER *made)
{
	bool ok = made && frame_add(out, der_of(made));

	CRYPTO_BUFFER_free(made);
	return ok;
}

static bool answer_request(struct question *q, CBB *out)
{
	CRYPTO_BUFFER *made = NULL;
	struct csr_order order;
	uint8_t id[CA_KEY_ID];
	struct grip grip;

	if (!keeper_get_id(&q->in, id) || !read_request(&q->in, &order))
		return keeper_senseless(q);
	if (!keeper_take(q, id, &grip))
		return false;
	if (grip.role == KEY_ROLE_INTERMEDIATE)
		made = csr_make(&order, grip.key, q->why, sizeof(q->why));
	else
		(void)keeper_no(q, "that key is not for that");
	keeper_let_go(&grip);
	return keeper_one(out, made);
}

/* --- answering ---------------------------------------------------------- */

static bool (*const answers[])(struct question *, CBB *) = {
	[KEEPER_MAKE_KEY] = answer_make_key,
	[KEEPER_HOLD] = answer_hold,
	[KEEPER_REQUEST] = answer_request,
	[KEEPER_MINT] = keeper_answer_mint,
	[KEEPER_ISSUE] = keeper_answer_issue,
	[KEEPER_LEAF] = keeper_answer_leaf,
	[KEEPER_CRL] = keeper_answer_crl,
	[KEEPER_FORGET] = answer_forget,
};

enum { NUM_ANSWERS = sizeof(answers) / sizeof(*answers) };

static bool answer(struct question *q, const struct keeper_frame *frame,
	struct keeper_frame *out)
{
	enum keeper_kind kind = (enum keeper_kind)frame->kind;
	CBB body;

	frame_begin(out, kind, KEEPER_DONE, &body);
	q->in = frame_body(frame);
	if (answers[kind](q, &body))
		return frame_end(out, &body);
	CBB_cleanup(&body);
	return false;
}

void keeper_answer(struct keeper *keeper, struct keeper_frame *frame)
{
	struct question q = {.keeper = keeper, .status = KEEPER_REFUSED};
	struct keeper_frame *out = pki_new(sizeof(*out));

	pthread_mutex_lock(&keeper->mutex);
	q.rules = keeper->rules;
	pthread_mutex_unlock(&keeper->mutex);
	if (!frame_ok(frame) || frame->status != KEEPER_ASKED ||
	    frame->kind >= NUM_ANSWERS || !answers[frame->kind])
		frame_refuse(frame, KEEPER_REFUSED,
			"the keeper does not know that question");
	else if (answer(&q, frame, out))
		*frame = *out;
	else
		frame_refuse(frame, q.status, q.why);
	frame_wipe(out);
	free(out);
}

int keeper_local(void *arg, struct keeper_frame *frame, char *err,
	size_t err_size)
{
	(void)err;
	(void)err_size;
	keeper_answer(arg, frame);
	return 0;
}
