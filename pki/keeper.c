#include "pki/keeper.h"

#include <openssl/evp.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "pki/ca.h"
#include "pki/crl.h"
#include "pki/csr.h"
#include "pki/keeper_frame.h"
#include "pki/keymaker.h"
#include "pki/leaf_form.h"
#include "pki/mint.h"
#include "pki/name.h"
#include "pki/x509.h"

enum {
	DAY = 24 * 3600,
	ISSUING_SPARE_S = 2 * DAY, /* beyond rotation and a leaf's life */
	NAME_SIZE = 96,
	CHANCE_MAX = 16,
};

/* A key, and the CA that it is the key of, where there is one. */
struct held {
	struct held *prev, *next;
	uint8_t id[CA_KEY_ID];
	enum key_role role;
	EVP_PKEY *key;          /* owned, wiped */
	struct ca *ca;          /* owned; NULL: no certificate yet */
	/* When the last issuing CAs under it were made, round and round. */
	time_t issued[KEEPER_SPARE + 1];
	size_t num_issued;
};

struct keeper {
	struct keylock *lock;   /* owned */
	pthread_mutex_t mutex;  /* over what follows */
	struct keeper_rules rules;
	struct held *held;
	size_t num_held;
};

/* One question while it is answered. */
struct question {
	struct keeper *keeper;
	struct keeper_rules rules;
	CBS in;
	char why[512];
	enum keeper_status status; /* of a refusal */
};

struct keeper *keeper_new(struct keylock *lock)
{
	struct keeper *keeper = pki_new(sizeof(*keeper));

	if (pthread_mutex_init(&keeper->mutex, NULL) != 0)
		abort();
	keeper->lock = lock;
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
	pthread_mutex_destroy(&keeper->mutex);
	free(keeper);
}

void keeper_set_rules(struct keeper *keeper, const struct keeper_rules *rules)
{
	pthread_mutex_lock(&keeper->mutex);
	keeper->rules = *rules;
	pthread_mutex_unlock(&keeper->mutex);
}

/* --- refusing ----------------------------------------------------------- */

static CRYPTO_BUFFER *no(struct question *q, const char *why)
{
	snprintf(q->why, sizeof(q->why), "%s", why);
	return NULL;
}

static CRYPTO_BUFFER *senseless(struct question *q)
{
	return no(q, "the keeper can't make sense of the question");
}

/* --- what is held ------------------------------------------------------- */

static struct held *find(struct keeper *keeper, const uint8_t id[CA_KEY_ID])
{
	struct held *held;

	DL_FOREACH(keeper->held, held) {
		if (memcmp(held->id, id, CA_KEY_ID) == 0)
			return held;
	}
	return NULL;
}

/* take is what a question works with, good until let_go: others may replace
 * what is held meanwhile. */
struct grip {
	EVP_PKEY *key;
	struct ca *ca;
	enum key_role role;
};

static bool get_id(CBS *in, uint8_t out[CA_KEY_ID])
{
	return CBS_copy_bytes(in, out, CA_KEY_ID);
}

static bool take(struct question *q, const uint8_t id[CA_KEY_ID],
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
		(void)no(q, "the keeper does not hold that key");
	return held != NULL;
}

static void let_go(struct grip *grip)
{
	EVP_PKEY_free(grip->key);
	ca_unref(grip->ca);
}

/* take_ca is take of a key that has a certificate and one of the roles. */
static bool take_ca(struct question *q, unsigned roles, struct grip *out)
{
	uint8_t id[CA_KEY_ID];

	memset(out, 0, sizeof(*out));
	if (!get_id(&q->in, id)) {
		(void)senseless(q);
		return false;
	}
	if (!take(q, id, out))
		return false;
	if (out->ca && (roles & 1u << out->role))
		return true;
	(void)no(q, out->ca ? "that key is not for that" :
		"there is no certificate for that key");
	return false;
}

enum {
	ROOT = 1u << KEY_ROLE_ROOT,
	INTERMEDIATE = 1u << KEY_ROLE_INTERMEDIATE,
	UNTRUSTED = 1u << KEY_ROLE_UNTRUSTED,
};

/* keep puts it in the place of what was held of this key; how often that one
 * has issued is kept. */
static bool keep(struct question *q, struct held *held)
{
	struct keeper *keeper = q->keeper;
	struct held *old;
	bool room;

	pthread_mutex_lock(&keeper->mutex);
	old = find(keeper, held->id);
	if (old) {
		memcpy(held->issued, old->issued, sizeof(held->issued));
		held->num_issued = old->num_issued;
		DL_DELETE(keeper->held, old);
		keeper->num_held--;
	}
	room = keeper->num_held < KEEPER_KEYS_MAX;
	if (room) {
		DL_APPEND(keeper->held, held);
		keeper->num_held++;
	}
	pthread_mutex_unlock(&keeper->mutex);
	if (old)
		held_free(old);
	if (!room)
		(void)no(q, "the keeper holds as many keys as it may");
	return room;
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
		return senseless(q);
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
		return senseless(q);
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
static bool one(CBB *out, CRYPTO_BUFFER *made)
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

	if (!get_id(&q->in, id) || !read_request(&q->in, &order))
		return senseless(q);
	if (!take(q, id, &grip))
		return false;
	if (grip.role == KEY_ROLE_INTERMEDIATE)
		made = csr_make(&order, grip.key, q->why, sizeof(q->why));
	else
		(void)no(q, "that key is not for that");
	let_go(&grip);
	return one(out, made);
}

/* --- certificates of CAs ------------------------------------------------ */

/* fit_into: nothing outlives what signed it. */
static void fit_into(struct mint_order *order, const struct ca *issuer)
{
	if (order->from < ca_not_before(issuer))
		order->from = ca_not_before(issuer);
	if (order->until > ca_not_after(issuer))
		order->until = ca_not_after(issuer);
}

/* --- the foundation's certificates -------------------------------------- */

/* What the foundation's CAs are: a name, a length of life, who signs. */
static const struct plan {
	const char *what;
	int path_len;
	int days;
	enum key_role issuer;
} plans[] = {
	[KEY_ROLE_ROOT] = {"Root CA", -1, 3653, KEY_ROLE_ROOT},
	/* one more CA, a short-lived one, comes under it */
	[KEY_ROLE_INTERMEDIATE] = {"Intermediate CA", 1, 1096, KEY_ROLE_ROOT},
	[KEY_ROLE_UNTRUSTED] = {"Untrusted CA", 0, 3653, KEY_ROLE_UNTRUSTED},
};

struct mint {
	uint8_t id[CA_KEY_ID], issuer[CA_KEY_ID];
	char chance[CHANCE_MAX + 1];
	struct der old;         /* the certificate to replace; empty: none */
};

static bool read_mint(CBS *in, struct mint *out)
{
	return get_id(in, out->id) && get_id(in, out->issuer) &&
		frame_get_text(in, out->chance, sizeof(out->chance)) &&
		strspn(out->chance, "0123456789abcdef") ==
			strlen(out->chance) &&
		frame_get(in, &out->old) && CBS_len(in) == 0;
}

/* old_name is the subject of a certificate that was this key's. */
static CRYPTO_BUFFER *old_name(struct question *q, struct der old,
	const EVP_PKEY *key)
{
	struct cert cert;
	EVP_PKEY *public;
	bool same;

	if (cert_read(old, &cert) != 0 || !name_ok(cert.subject))
		return no(q, "the certificate to replace can't be parsed");
	public = cert_key(&cert);
	same = public && EVP_PKEY_cmp(public, key) == 1;
	EVP_PKEY_free(public);
	return same ? der_buffer(cert.subject) :
		      no(q, "the certificate to replace is not that key's");
}

static CRYPTO_BUFFER *mint_named(struct question *q, const struct grip *grip,
	const struct mint *mint)
{
	char text[NAME_SIZE];

	if (mint->old.len > 0)
		return old_name(q, mint->old, grip->key);
	snprintf(text, sizeof(text), "Sallyport %s %s",
		plans[grip->role].what, mint->chance);
	return mint_name(text);
}

/* Backdated a day: clocks differ, and so do time zones set wrong. */
static CRYPTO_BUFFER *sign_mint(struct question *q, const struct grip *grip,
	const struct ca *issuer, struct der name)
{
	const struct plan *plan = &plans[grip->role];
	time_t now = time(NULL);
	struct mint_order order = {
		.issuer = issuer,
		.key = grip->key,
		.subject = name,
		.path_len = plan->path_len,
		.from = now - DAY,
		.until = now + (time_t)plan->days * DAY,
		.crl_base = issuer ? q->rules.crl_base : NULL,
	};
	CRYPTO_BUFFER *made;

	if (issuer)
		fit_into(&order, issuer);
	made = mint_ca(&order);
	return made ? made : no(q, "the certificate can't be signed");
}

static CRYPTO_BUFFER *mint_for(struct question *q, const struct grip *grip,
	const struct ca *issuer, const struct mint *mint)
{
	CRYPTO_BUFFER *name = mint_named(q, grip, mint), *made = NULL;

	if (name)
		made = sign_mint(q, grip, issuer, der_of(name));
	CRYPTO_BUFFER_free(name);
	return made;
}

static CRYPTO_BUFFER *mint_under(struct question *q, const struct grip *grip,
	const struct mint *mint)
{
	CRYPTO_BUFFER *made = NULL;
	struct grip issuer;

	if (!take(q, mint->issuer, &issuer))
		return NULL;
	if (issuer.role == plans[grip->role].issuer && issuer.ca)
		made = mint_for(q, grip, issuer.ca, mint);
	else
		(void)no(q, "that key is not for that");
	let_go(&issuer);
	return made;
}

static bool answer_mint(struct question *q, CBB *out)
{
	CRYPTO_BUFFER *made;
	struct grip grip;
	struct mint mint;

	if (!read_mint(&q->in, &mint))
		return senseless(q);
	if (!take(q, mint.id, &grip))
		return false;
	if (plans[grip.role].issuer == grip.role)
		made = mint_for(q, &grip, NULL, &mint);
	else
		made = mint_under(q, &grip, &mint);
	let_go(&grip);
	return one(out, made);
}

/* --- issuing CAs -------------------------------------------------------- */

/* may_issue: one a rotation, and a few more for restarts and revocations. */
static bool may_issue(struct question *q, const uint8_t id[CA_KEY_ID],
	time_t now)
{
	enum { MOST = KEEPER_SPARE + 1 };
	struct held *held;
	time_t *oldest;
	bool may = false;

	pthread_mutex_lock(&q->keeper->mutex);
	held = find(q->keeper, id);
	if (held) {
		oldest = &held->issued[held->num_issued % MOST];
		may = held->num_issued < MOST ||
			now - *oldest >= (time_t)q->rules.rotate_s;
		if (may) {
			*oldest = now;
			held->num_issued++;
		}
	}
	pthread_mutex_unlock(&q->keeper->mutex);
	if (!may)
		(void)no(q, "as many issuing CAs as may be have been made "
			"under that CA in one issuing.rotate; the next one has "
			"to wait");
	return may;
}

/* "2026-11-21.3 (t)": the day, the counter, and the mark of a short life. */
static CRYPTO_BUFFER *issuing_name(const struct ca *ca, uint64_t counter,
	time_t now)
{
	CRYPTO_BUFFER *name = NULL;
	char text[48];
	struct tm day;
	CBB cbb;

	gmtime_r(&now, &day);
	snprintf(text, sizeof(text), "%04d-%02d-%02d.%u (t)",
		day.tm_year + 1900, day.tm_mon + 1, day.tm_mday,
		(unsigned)(counter % 1000000));
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 256) && name_under(&cbb, ca_subject(ca), text))
		name = der_finish(&cbb);
	else
		CBB_cleanup(&cbb);
	return name;
}

static CRYPTO_BUFFER *sign_issuing(struct question *q, const struct ca *ca,
	EVP_PKEY *key, uint64_t counter)
{
	time_t now = time(NULL);
	CRYPTO_BUFFER *name = issuing_name(ca, counter, now), *made = NULL;
	struct mint_order order = {
		.issuer = ca,
		.key = key,
		.path_len = 0,
		.from = now - DAY,
		.until = now + (time_t)(q->rules.rotate_s +
				q->rules.validity_s) + ISSUING_SPARE_S,
		.crl_base = q->rules.crl_base,
	};

	fit_into(&order, ca);
	if (name) {
		order.subject = der_of(name);
		made = mint_ca(&order);
	}
	CRYPTO_BUFFER_free(name);
	return made ? made : no(q, "the issuing CA can't be signed");
}

/* first_crl is its only one: it holds until the CA ends, so that nothing is
 * owed once the key is gone. */
static CRYPTO_BUFFER *first_crl(struct question *q, CRYPTO_BUFFER *cert,
	EVP_PKEY *key)
{
	struct crl_order order = {.number = 1, .now = time(NULL)};
	CRYPTO_BUFFER *crl = NULL;
	struct ca *ca;

	if (ca_new(der_of(cert), key, NULL, 0, "0", &ca, q->why,
		    sizeof(q->why)) != 0)
		return NULL;
	order.until = ca_not_after(ca);
	crl = crl_make(ca, &order, q->why, sizeof(q->why));
	ca_unref(ca);
	return crl;
}

static bool add_key(CBB *out, const EVP_PKEY *key)
{
	CBB field;

	return CBB_add_u16_length_prefixed(out, &field) &&
		EVP_marshal_private_key(&field, key) && CBB_flush(out);
}

static bool issue(struct question *q, const struct ca *ca, uint64_t counter,
	CBB *out)
{
	EVP_PKEY *key = make_p256_key();
	CRYPTO_BUFFER *cert = sign_issuing(q, ca, key, counter);
	CRYPTO_BUFFER *crl = cert ? first_crl(q, cert, key) : NULL;
	bool ok = crl && frame_add(out, der_of(cert)) && add_key(out, key) &&
		frame_add(out, der_of(crl));

	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(crl);
	EVP_PKEY_free(key);
	return ok;
}

static bool answer_issue(struct question *q, CBB *out)
{
	struct grip grip;
	uint64_t counter;
	bool ok = false;

	if (!take_ca(q, INTERMEDIATE, &grip))
		goto out;
	if (!frame_get_number(&q->in, &counter) || CBS_len(&q->in) != 0)
		ok = senseless(q);
	else if (ca_path_len(grip.ca) == 0)
		ok = no(q, "its path length allows for no CA under it");
	else if (may_issue(q, ca_key_id(grip.ca), time(NULL)))
		ok = issue(q, grip.ca, counter, out);
out:
	let_go(&grip);
	return ok;
}

/* --- leaves and CRLs ---------------------------------------------------- */

static bool read_leaf(CBS *in, struct leaf_form *out)
{
	uint64_t from, until;

	if (!frame_get(in, &out->subject) || !frame_get(in, &out->san) ||
	    !frame_get(in, &out->spki) || !frame_get_number(in, &from) ||
	    !frame_get_number(in, &until) || CBS_len(in) != 0)
		return false;
	out->from = (time_t)from;
	out->until = (time_t)until;
	return true;
}

/* A CA that may have others under it signs no leaves: those do. */
static bool answer_leaf(struct question *q, CBB *out)
{
	struct leaf_form form = {.crl_base = q->rules.crl_base};
	CRYPTO_BUFFER *made = NULL;
	struct grip grip;

	if (!take_ca(q, INTERMEDIATE | UNTRUSTED, &grip))
		goto out;
	if (!read_leaf(&q->in, &form))
		(void)senseless(q);
	else if (ca_path_len(grip.ca) != 0)
		(void)no(q, "that CA signs no leaves: an issuing CA under it "
			"does");
	else if (leaf_form_check(grip.ca, &form, time(NULL),
			 (unsigned)q->rules.validity_s, q->why,
			 sizeof(q->why)) == 0)
		made = leaf_form_sign(grip.ca, &form, q->why, sizeof(q->why));
out:
	let_go(&grip);
	return one(out, made);
}

static bool read_revoked(CBS *in, struct crl_entry *list, size_t *num)
{
	struct der serial;
	uint64_t at;

	for (*num = 0; CBS_len(in) > 0; (*num)++) {
		if (*num == CRL_REVOKED_MAX || !frame_get(in, &serial) ||
		    serial.len == 0 || serial.len > CRL_SERIAL_MAX ||
		    !frame_get_number(in, &at))
			return false;
		memcpy(list[*num].serial, serial.at, serial.len);
		list[*num].serial_len = (uint8_t)serial.len;
		list[*num].at = (time_t)at;
	}
	return true;
}

static bool answer_crl(struct question *q, CBB *out)
{
	struct crl_entry *list = pki_new(CRL_REVOKED_MAX * sizeof(*list));
	struct crl_order order = {.now = time(NULL), .revoked = list};
	CRYPTO_BUFFER *made = NULL;
	uint64_t until;
	struct grip grip;

	if (!take_ca(q, ROOT | INTERMEDIATE | UNTRUSTED, &grip))
		goto out;
	if (!frame_get_number(&q->in, &order.number) ||
	    !frame_get_number(&q->in, &until) ||
	    !read_revoked(&q->in, list, &order.num_revoked)) {
		(void)senseless(q);
		goto out;
	}
	order.until = (time_t)until;
	if (order.until < order.now || order.until > ca_not_after(grip.ca))
		(void)no(q, "a CRL that does not end while its CA is good");
	else
		made = crl_make(grip.ca, &order, q->why, sizeof(q->why));
out:
	let_go(&grip);
	free(list);
	return one(out, made);
}

/* --- answering ---------------------------------------------------------- */

static bool (*const answers[])(struct question *, CBB *) = {
	[KEEPER_MAKE_KEY] = answer_make_key,
	[KEEPER_HOLD] = answer_hold,
	[KEEPER_REQUEST] = answer_request,
	[KEEPER_MINT] = answer_mint,
	[KEEPER_ISSUE] = answer_issue,
	[KEEPER_LEAF] = answer_leaf,
	[KEEPER_CRL] = answer_crl,
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
