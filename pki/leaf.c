#include "pki/leaf.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/dertime.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/tbs.h"
#include "pki/x509.h"

enum {
	DAY = 24 * 3600,
	SUBJECT_MAX = 4096,    /* bytes of an origin's subject that we copy */
	LONGEST_LIFE = 397 * DAY, /* browsers refuse what lives longer */
};

struct leaf {
	struct ca *ca;             /* shared */
	EVP_PKEY *key;             /* borrowed from leafkeys */
	CRYPTO_BUFFER *certs[CA_CHAIN_MAX + 2]; /* owned */
	size_t num_certs;
	struct der san;            /* points into certs[0] */
	time_t not_after;
	uint8_t origin_digest[SHA256_DIGEST_LENGTH];
};

/* draft is what the leaf will say, before it is written. */
struct draft {
	const struct leaf_order *order;
	struct cert origin;        /* whole.len 0: none */
	bool copies_subject, empty_subject;
	bool copies_origin;        /* its names and its time */
	time_t from, until;
	uint8_t ski[KEY_ID_SIZE];
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

	return draft->origin.whole.len > 0 && subject.len <= SUBJECT_MAX &&
		!der_same(subject, ca_subject(draft->order->ca)) &&
		name_ok(subject);
}

static void decide_names(struct draft *draft)
{
	const struct leaf_order *order = draft->order;

	draft->copies_subject = subject_fits(draft);
	draft->empty_subject = draft->copies_subject ?
		name_empty(draft->origin.subject) :
		strlen(order->name) > NAME_CN_MAX;
	draft->copies_origin = draft->origin.whole.len > 0 && !order->name_only;
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
	draft->until = order->now + earlier(life, LONGEST_LIFE - DAY);
	if (draft->copies_origin) {
		draft->from = draft->origin.not_before;
		draft->until = earlier(draft->until, draft->origin.not_after);
	}
	draft->until = earlier(draft->until, ca_not_after(ca));
	draft->from = later(draft->from, ca_not_before(ca));
	draft->from = later(draft->from, draft->until - LONGEST_LIFE);
	if (draft->from > draft->until)
		return pki_fail(err, err_size, "the origin's certificate for "
			"%s ended on %s, before the CA '%s' began",
			order->name, dertime_text(draft->until, text), title);
	return 0;
}

static int decide(const struct leaf_order *order, struct draft *draft,
	char *err, size_t err_size)
{
	struct der spki = leafkeys_spki(order->keys, order->key_type);

	memset(draft, 0, sizeof(*draft));
	draft->order = order;
	if (order->origin.at &&
	    cert_read(order->origin, &draft->origin) != 0)
		return pki_fail(err, err_size,
			"the certificate of %s can't be parsed", order->name);
	if (!spki_identifier(spki, draft->ski))
		return pki_fail(err, err_size, "no key for the leaf");
	decide_names(draft);
	return decide_validity(draft, err, err_size);
}

/* --- writing ------------------------------------------------------------ */

static bool write_subject(CBB *out, const struct draft *draft)
{
	if (draft->copies_subject)
		return tbs_der(out, draft->origin.subject);
	return name_write(out, NULL, draft->order->name);
}

/* RFC 5280, 4.2.1.6: critical where the subject is empty. */
static bool write_san(CBB *out, const struct draft *draft)
{
	CBB ext, value;
	const char *name = draft->order->name;

	if (!tbs_open_san(out, draft->empty_subject, &ext, &value))
		return false;
	if (draft->copies_origin) {
		if (!san_write_copy(&value, draft->origin.san, name))
			return false;
	} else if (!san_write_one(&value, name)) {
		return false;
	}
	return CBB_flush(out);
}

/* RFC 5280, 4.2.1.3, RFC 8446, 4.4.2.2: an RSA key may also be asked to take
 * the premaster secret of TLS 1.2. */
static unsigned usage_of(enum leaf_key_type type)
{
	if (type == LEAF_KEY_RSA2048)
		return KEY_USAGE_DIGITAL_SIGNATURE |
			KEY_USAGE_KEY_ENCIPHERMENT;
	return KEY_USAGE_DIGITAL_SIGNATURE;
}

/* A CA that may not sign CRLs has none to point at. */
static bool write_crl_point(CBB *out, const struct leaf_order *order)
{
	return !ca_can_sign_crl(order->ca) ||
		tbs_crl_point(out, order->crl_base, ca_id(order->ca));
}

static bool write_extensions(CBB *out, const struct draft *draft)
{
	const struct leaf_order *order = draft->order;
	struct der ski = {draft->ski, sizeof(draft->ski)};
	CBB wrapped, list;

	return tbs_open_extensions(out, 3, &wrapped, &list) &&
		tbs_not_ca(&list) &&
		tbs_key_usage(&list, usage_of(order->key_type)) &&
		tbs_server_auth(&list) && tbs_ski(&list, ski) &&
		tbs_aki(&list, ca_ski(order->ca)) &&
		write_crl_point(&list, order) && write_san(&list, draft) &&
		CBB_flush(out);
}

static bool write_tbs(CBB *out, const struct draft *draft)
{
	const struct leaf_order *order = draft->order;
	CBB tbs;

	return CBB_add_asn1(out, &tbs, CBS_ASN1_SEQUENCE) &&
		tbs_version(&tbs) && tbs_serial(&tbs) &&
		tbs_algorithm(&tbs, ca_key(order->ca)) &&
		tbs_der(&tbs, ca_subject(order->ca)) &&
		tbs_validity(&tbs, draft->from, draft->until) &&
		write_subject(&tbs, draft) &&
		tbs_der(&tbs, leafkeys_spki(order->keys, order->key_type)) &&
		write_extensions(&tbs, draft) && CBB_flush(out);
}

static CRYPTO_BUFFER *sign(const struct draft *draft)
{
	CBB cbb;

	CBB_zero(&cbb);
	if (!CBB_init(&cbb, 1024) || !write_tbs(&cbb, draft)) {
		CBB_cleanup(&cbb);
		return NULL;
	}
	return tbs_sign(&cbb, ca_key(draft->order->ca));
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

	leaf->ca = ca_ref(order->ca);
	leaf->key = leafkeys_key(order->keys, order->key_type);
	leaf->certs[leaf->num_certs++] = der;
	add_chain(leaf, order->ca);
	if (cert_read(der_of(der), &cert) != 0)
		abort(); /* we have just written it */
	leaf->san = cert.san;
	leaf->not_after = draft->until;
	if (order->origin.at)
		SHA256(order->origin.at, order->origin.len,
			leaf->origin_digest);
	return leaf;
}

int forge_leaf(const struct leaf_order *order, struct leaf **out, char *err,
	size_t err_size)
{
	struct draft draft;
	CRYPTO_BUFFER *der;

	*out = NULL;
	if (decide(order, &draft, err, err_size) != 0)
		return -1;
	der = sign(&draft);
	if (!der)
		return pki_fail(err, err_size,
			"the leaf for '%s' could not be written or signed",
			order->name);
	*out = make(&draft, der);
	return 0;
}

void leaf_free(struct leaf *leaf)
{
	if (!leaf)
		return;
	for (size_t i = 0; i < leaf->num_certs; i++)
		CRYPTO_BUFFER_free(leaf->certs[i]);
	ca_unref(leaf->ca);
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
