#include "pki/leaf.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/dertime.h"
#include "pki/leaf_form.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/x509.h"

enum { DAY = 24 * 3600 };

struct leaf {
	EVP_PKEY *key;             /* borrowed from leafkeys */
	CRYPTO_BUFFER *certs[CA_CHAIN_MAX + 2]; /* owned */
	size_t num_certs;
	struct der san, serial;    /* point into certs[0] */
	time_t not_after;
	uint8_t origin_digest[SHA256_DIGEST_LENGTH];
};

/* draft is what the leaf will say, before it is written. */
struct draft {
	const struct leaf_order *order;
	struct cert origin;        /* whole.len 0: none */
	bool copies_origin;        /* its names and its time */
	time_t from, until;
	CRYPTO_BUFFER *subject, *san; /* owned */
};

/* --- deciding ----------------------------------------------------------- */

static time_t earlier(time_t a, time_t b)
{
	return a < b ? a : b;
}

static time_t later(time_t a, time_t b)
{
	return a > b ? a : b;
}

/* What the issuer is called must not be the leaf's name as well: it would look
 * self-issued. */
static bool subject_fits(const struct draft *draft)
{
	struct der subject = draft->origin.subject;

	return draft->origin.whole.len > 0 && subject.len <= LEAF_SUBJECT_MAX &&
		!der_same(subject, ca_subject(draft->order->ca)) &&
		name_ok(subject);
}

static CRYPTO_BUFFER *write_subject(const struct draft *draft)
{
	CBB cbb;

	if (subject_fits(draft))
		return der_buffer(draft->origin.subject);
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 128) && name_write(&cbb, NULL, draft->order->name))
		return der_finish(&cbb);
	CBB_cleanup(&cbb);
	return NULL;
}

static CRYPTO_BUFFER *write_san(const struct draft *draft)
{
	const char *name = draft->order->name;
	CBB cbb;
	bool ok;

	CBB_zero(&cbb);
	ok = CBB_init(&cbb, 256) && (draft->copies_origin ?
		san_write_copy(&cbb, draft->origin.san, name) :
		san_write_one(&cbb, name));
	if (ok)
		return der_finish(&cbb);
	CBB_cleanup(&cbb);
	return NULL;
}

static int decide_names(struct draft *draft, char *err, size_t err_size)
{
	const struct leaf_order *order = draft->order;

	draft->copies_origin = draft->origin.whole.len > 0 && !order->name_only;
	draft->subject = write_subject(draft);
	draft->san = write_san(draft);
	if (draft->subject && draft->san)
		return 0;
	return pki_fail(err, err_size, "'%s' can't stand in a leaf",
		order->name);
}

/* The whole life is bounded too, since a leaf that starts with its origin may
 * be long on its way: then it starts later. */
static int decide_validity(struct draft *draft, char *err, size_t err_size)
{
	const struct leaf_order *order = draft->order;
	const struct ca *ca = order->ca;
	char title[NAME_TITLE], text[DERTIME_TEXT];
	time_t life = (time_t)order->validity_s;

	name_title(ca_subject(ca), title);
	if (ca_not_before(ca) > order->now || ca_not_after(ca) <= order->now)
		return pki_fail(err, err_size, "the CA '%s' is out of its "
			"time (it ends on %s): no leaf can be signed", title,
			dertime_text(ca_not_after(ca), text));
	draft->from = order->now - DAY;
	draft->until = order->now + earlier(life, LEAF_LONGEST_LIFE - DAY);
	if (draft->copies_origin) {
		draft->from = draft->origin.not_before;
		draft->until = earlier(draft->until, draft->origin.not_after);
	}
	draft->until = earlier(draft->until, ca_not_after(ca));
	draft->from = later(draft->from, ca_not_before(ca));
	draft->from = later(draft->from, draft->until - LEAF_LONGEST_LIFE);
	if (draft->from > draft->until)
		return pki_fail(err, err_size, "the origin's certificate for "
			"%s ended on %s, before the CA '%s' began",
			order->name, dertime_text(draft->until, text), title);
	return 0;
}

static int decide(const struct leaf_order *order, struct draft *draft,
	char *err, size_t err_size)
{
	draft->order = order;
	if (order->origin.at &&
	    cert_read(order->origin, &draft->origin) != 0)
		return pki_fail(err, err_size,
			"the certificate of %s can't be parsed", order->name);
	if (decide_names(draft, err, err_size) != 0)
		return -1;
	return decide_validity(draft, err, err_size);
}

static CRYPTO_BUFFER *sign(const struct draft *draft, char *err,
	size_t err_size)
{
	const struct leaf_order *order = draft->order;
	struct leaf_form form = {
		.subject = der_of(draft->subject),
		.san = der_of(draft->san),
		.spki = leafkeys_spki(order->keys, order->key_type),
		.from = draft->from,
		.until = draft->until,
		.crl_base = order->crl_base,
	};

	return leaf_form_sign(order->ca, &form, err, err_size);
}

/* --- the leaf ----------------------------------------------------------- */

static void add_chain(struct leaf *leaf, const struct ca *ca)
{
	CRYPTO_BUFFER *const *sent;
	size_t num_sent = ca_sent(ca, &sent);

	for (size_t i = 0; i < num_sent; i++) {
		CRYPTO_BUFFER_up_ref(sent[i]);
		leaf->certs[leaf->num_certs++] = sent[i];
	}
}

static struct leaf *make(const struct draft *draft, CRYPTO_BUFFER *der)
{
	const struct leaf_order *order = draft->order;
	struct leaf *leaf = pki_new(sizeof(*leaf));
	struct cert cert;

	leaf->key = leafkeys_key(order->keys, order->key_type);
	leaf->certs[leaf->num_certs++] = der;
	add_chain(leaf, order->ca);
	if (cert_read(der_of(der), &cert) != 0)
		abort(); /* we have just written it */
	leaf->san = cert.san;
	leaf->serial = cert.serial;
	leaf->not_after = draft->until;
	if (order->origin.at)
		SHA256(order->origin.at, order->origin.len,
			leaf->origin_digest);
	return leaf;
}

int forge_leaf(const struct leaf_order *order, struct leaf **out, char *err,
	size_t err_size)
{
	struct draft draft = {0};
	CRYPTO_BUFFER *der = NULL;

	*out = NULL;
	if (decide(order, &draft, err, err_size) == 0)
		der = sign(&draft, err, err_size);
	if (der)
		*out = make(&draft, der);
	CRYPTO_BUFFER_free(draft.subject);
	CRYPTO_BUFFER_free(draft.san);
	return der ? 0 : -1;
}

void leaf_free(struct leaf *leaf)
{
	if (!leaf)
		return;
	for (size_t i = 0; i < leaf->num_certs; i++)
		CRYPTO_BUFFER_free(leaf->certs[i]);
	free(leaf);
}

size_t leaf_certs(const struct leaf *leaf, CRYPTO_BUFFER *const **out)
{
	*out = leaf->certs;
	return leaf->num_certs;
}

EVP_PKEY *leaf_key(const struct leaf *leaf)
{
	return leaf->key;
}

time_t leaf_not_after(const struct leaf *leaf)
{
	return leaf->not_after;
}

struct der leaf_serial(const struct leaf *leaf)
{
	return leaf->serial;
}

const uint8_t *leaf_origin_digest(const struct leaf *leaf)
{
	return leaf->origin_digest;
}

/* The chain is the CA's, shared by all its leaves. */
size_t leaf_size(const struct leaf *leaf)
{
	const size_t of_buffer = 64;

	return sizeof(*leaf) + of_buffer + CRYPTO_BUFFER_len(leaf->certs[0]);
}

bool leaf_covers(const struct leaf *leaf, const char *name)
{
	return san_covers(leaf->san, name);
}
