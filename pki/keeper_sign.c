#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/crl.h"
#include "pki/keeper_private.h"
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

/* --- certificates of CAs ------------------------------------------------ */

/* count_one counts what is signed with that key; false: as many as may be
 * have been in per_s. The wall clock may be set back. */
static bool count_one(struct question *q, const uint8_t id[CA_KEY_ID],
	int64_t per_s)
{
	struct timespec now;
	bool may;

	clock_gettime(CLOCK_BOOTTIME, &now);
	pthread_mutex_lock(&q->keeper->mutex);
	may = tally_add(q->keeper->tally, id, now.tv_sec, per_s);
	pthread_mutex_unlock(&q->keeper->mutex);
	return may;
}

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
	return keeper_get_id(in, out->id) && keeper_get_id(in, out->issuer) &&
		frame_get_text(in, out->chance, sizeof(out->chance)) &&
		strspn(out->chance, "0123456789abcdef") ==
			strlen(out->chance) &&
		frame_get(in, &out->old) && CBS_len(in) == 0;
}

/* read_old reads the certificate that is to be replaced: it was this key's, and
 * signer has signed it. */
static bool read_old(struct question *q, const struct mint *mint,
	const struct grip *grip, EVP_PKEY *signer, struct cert *out)
{
	EVP_PKEY *public;
	bool same;

	if (cert_read(mint->old, out) != 0 || !name_ok(out->subject)) {
		(void)keeper_no(q, "the certificate to replace can't be parsed");
		return false;
	}
	public = cert_key(out);
	same = public && EVP_PKEY_cmp(public, grip->key) == 1;
	EVP_PKEY_free(public);
	if (same && cert_signed_by(out, signer))
		return true;
	(void)keeper_no(q, "the certificate to replace is not that key's");
	return false;
}

static CRYPTO_BUFFER *new_name(const struct grip *grip,
	const struct mint *mint)
{
	char text[NAME_SIZE];

	snprintf(text, sizeof(text), "Sallyport %s %s",
		plans[grip->role].what, mint->chance);
	return mint_name(text);
}

/* Backdated a day: clocks differ, and so do time zones set wrong. What replaces
 * another begins when that did: the clock may have been wrong just now. */
static CRYPTO_BUFFER *sign_mint(struct question *q, const struct grip *grip,
	const struct ca *issuer, struct der name, const struct cert *old)
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

	if (old && old->not_before < order.from)
		order.from = old->not_before;
	if (issuer)
		fit_into(&order, issuer);
	made = mint_ca(&order);
	return made ? made : keeper_no(q, "the certificate can't be signed");
}

/* mint_for: signer is the key of issuer, which is NULL for one that signs
 * itself. */
static CRYPTO_BUFFER *mint_for(struct question *q, const struct grip *grip,
	const struct ca *issuer, EVP_PKEY *signer, const struct mint *mint)
{
	CRYPTO_BUFFER *name, *made;
	struct cert old;

	if (mint->old.len > 0)
		return read_old(q, mint, grip, signer, &old) ?
			sign_mint(q, grip, issuer, old.subject, &old) : NULL;
	name = new_name(grip, mint);
	made = name ? sign_mint(q, grip, issuer, der_of(name), NULL) : NULL;
	CRYPTO_BUFFER_free(name);
	return made;
}

/* may_mint: the foundation is laid once, and mended every few years. */
static bool may_mint(struct question *q, const uint8_t issuer[CA_KEY_ID])
{
	return count_one(q, issuer, DAY) ||
		keeper_no(q, "as many intermediates as may be have been made in "
			"one day");
}

static CRYPTO_BUFFER *mint_under(struct question *q, const struct grip *grip,
	const struct mint *mint)
{
	CRYPTO_BUFFER *made = NULL;
	struct grip issuer;

	if (!keeper_take(q, mint->issuer, &issuer))
		return NULL;
	if (issuer.role != plans[grip->role].issuer || !issuer.ca)
		(void)keeper_no(q, "that key is not for that");
	else if (may_mint(q, mint->issuer))
		made = mint_for(q, grip, issuer.ca, issuer.key, mint);
	keeper_let_go(&issuer);
	return made;
}

bool keeper_answer_mint(struct question *q, CBB *out)
{
	CRYPTO_BUFFER *made;
	struct grip grip;
	struct mint mint;

	if (!read_mint(&q->in, &mint))
		return keeper_senseless(q);
	if (!keeper_take(q, mint.id, &grip))
		return false;
	if (plans[grip.role].issuer == grip.role)
		made = mint_for(q, &grip, NULL, grip.key, &mint);
	else
		made = mint_under(q, &grip, &mint);
	keeper_let_go(&grip);
	return keeper_one(out, made);
}

/* --- issuing CAs -------------------------------------------------------- */

/* may_issue: one a rotation, and a few more. */
static bool may_issue(struct question *q, const uint8_t id[CA_KEY_ID])
{
	return count_one(q, id, (int64_t)q->rules.rotate_s) ||
		keeper_no(q, "as many issuing CAs as may be have been made under "
			"that CA in one issuing.rotate; the next one has to "
			"wait");
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
	return made ? made : keeper_no(q, "the issuing CA can't be signed");
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

bool keeper_answer_issue(struct question *q, CBB *out)
{
	struct grip grip;
	uint64_t counter;
	bool ok = false;

	if (!keeper_take_ca(q, INTERMEDIATE, &grip))
		goto out;
	if (!frame_get_number(&q->in, &counter) || CBS_len(&q->in) != 0)
		ok = keeper_senseless(q);
	else if (ca_path_len(grip.ca) == 0)
		ok = keeper_no(q, "its path length allows for no CA under it");
	else if (may_issue(q, ca_key_id(grip.ca)))
		ok = issue(q, grip.ca, counter, out);
out:
	keeper_let_go(&grip);
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
bool keeper_answer_leaf(struct question *q, CBB *out)
{
	struct leaf_form form = {.crl_base = q->rules.crl_base};
	CRYPTO_BUFFER *made = NULL;
	struct grip grip;

	if (!keeper_take_ca(q, INTERMEDIATE | UNTRUSTED, &grip))
		goto out;
	if (!read_leaf(&q->in, &form))
		(void)keeper_senseless(q);
	else if (ca_path_len(grip.ca) != 0)
		(void)keeper_no(q, "that CA signs no leaves: an issuing CA under it "
			"does");
	else if (leaf_form_check(grip.ca, &form, time(NULL),
			 (unsigned)q->rules.validity_s, q->why,
			 sizeof(q->why)) == 0)
		made = leaf_form_sign(grip.ca, &form, q->why, sizeof(q->why));
out:
	keeper_let_go(&grip);
	return keeper_one(out, made);
}

/* right_serial: the content of an INTEGER, with no octet too many (X.690,
 * 8.3.2). */
static bool right_serial(struct der serial)
{
	if (serial.len == 0 || serial.len > CRL_SERIAL_MAX)
		return false;
	return serial.len == 1 || (serial.at[0] == 0 ? serial.at[1] >= 0x80 :
		serial.at[0] != 0xff || serial.at[1] < 0x80);
}

static bool read_revoked(CBS *in, struct crl_entry *list, size_t *num)
{
	struct der serial;
	uint64_t at;

	for (*num = 0; CBS_len(in) > 0; (*num)++) {
		if (*num == CRL_REVOKED_MAX || !frame_get(in, &serial) ||
		    !right_serial(serial) ||
		    !frame_get_number(in, &at))
			return false;
		memcpy(list[*num].serial, serial.at, serial.len);
		list[*num].serial_len = (uint8_t)serial.len;
		list[*num].at = (time_t)at;
	}
	return true;
}

bool keeper_answer_crl(struct question *q, CBB *out)
{
	struct crl_entry *list = pki_new(CRL_REVOKED_MAX * sizeof(*list));
	struct crl_order order = {.now = time(NULL), .revoked = list};
	CRYPTO_BUFFER *made = NULL;
	uint64_t until;
	struct grip grip;

	if (!keeper_take_ca(q, ROOT | INTERMEDIATE | UNTRUSTED, &grip))
		goto out;
	if (!frame_get_number(&q->in, &order.number) ||
	    !frame_get_number(&q->in, &until) ||
	    !read_revoked(&q->in, list, &order.num_revoked)) {
		(void)keeper_senseless(q);
		goto out;
	}
	order.until = (time_t)until;
	if (order.number > CRL_NUMBER_MAX)
		(void)keeper_no(q, "a CRL with a number that none can follow");
	else if (order.until < order.now || order.until > ca_not_after(grip.ca))
		(void)keeper_no(q, "a CRL that does not end while its CA is good");
	else
		made = crl_make(grip.ca, &order, q->why, sizeof(q->why));
out:
	keeper_let_go(&grip);
	free(list);
	return keeper_one(out, made);
}
