#include "pki/authority.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/crl.h"
#include "pki/dertime.h"
#include "pki/estate.h"
#include "pki/foundation.h"
#include "pki/keeper_link.h"
#include "pki/pem.h"
#include "pki/store_issuing.h"
#include "pki/x509.h"

enum {
	CRL_BASE_MAX = 200,
	SOON_S = 30 * 24 * 3600, /* an end that is told of beforehand */
	LOOK_S = 24 * 3600,      /* at the least: what grew old by itself */
	RETRY_S = 60,
	WHY = 512,
};

struct member {
	int64_t id;
	char name[STORE_NAME];
	bool is_intermediate;
	struct ca *ca;           /* owned; NULL: out of use, see why */
	struct ca *signer;       /* owned; of leaves; NULL: it signs none */
	time_t issued;           /* when the signer was made; 0: it is ca */
	uint8_t mark[SHA256_DIGEST_LENGTH]; /* what the signer was made by */
	CRYPTO_BUFFER *crl;      /* owned; NULL: none */
	time_t crl_made;
	char why[WHY];
};

struct authority {
	atomic_uint refs;
	char *crl_base;          /* owned */
	char *root_pem;          /* owned */
	struct member *members;  /* owned */
	size_t num_members;
	struct store_issuing *issuing; /* owned: for their CRLs */
	size_t num_issuing;
	char **warnings;         /* owned */
	size_t num_warnings;
	struct member *chosen, *untrusted; /* borrowed from members */
	time_t due;
};

/* What opening works with. */
struct opening {
	const struct authority_options *options;
	struct authority *authority;
	struct estate estate;
	time_t now;
	bool again;              /* something failed that may go later */
	char *err;
	size_t err_size;
};

struct authority *authority_ref(struct authority *authority)
{
	atomic_fetch_add_explicit(&authority->refs, 1, memory_order_relaxed);
	return authority;
}

void authority_unref(struct authority *authority)
{
	if (!authority || atomic_fetch_sub_explicit(&authority->refs, 1,
				  memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < authority->num_members; i++) {
		ca_unref(authority->members[i].ca);
		ca_unref(authority->members[i].signer);
		CRYPTO_BUFFER_free(authority->members[i].crl);
	}
	for (size_t i = 0; i < authority->num_warnings; i++)
		free(authority->warnings[i]);
	store_issuing_free(authority->issuing, authority->num_issuing);
	free(authority->warnings);
	free(authority->members);
	free(authority->root_pem);
	free(authority->crl_base);
	free(authority);
}

/* --- warnings ----------------------------------------------------------- */

static void warn(struct authority *authority, const char *text)
{
	char **grown = realloc(authority->warnings,
		(authority->num_warnings + 1) * sizeof(*grown));

	if (!grown)
		abort();
	authority->warnings = grown;
	grown[authority->num_warnings++] = pki_copy(text);
}

static void warn_of_end(struct opening *o, const struct member *member)
{
	char text[WHY], when[DERTIME_TEXT];
	time_t end = ca_not_after(member->ca);

	if (end - o->now >= SOON_S)
		return;
	snprintf(text, sizeof(text), "the CA '%s' ends on %s: bring another "
		"before that", member->name, dertime_text(end, when));
	warn(o->authority, text);
}

/* --- CRLs --------------------------------------------------------------- */

static void no_later(struct opening *o, time_t when)
{
	if (when < o->authority->due)
		o->authority->due = when;
}

static int sign_crl(struct opening *o, const struct store_ca *row,
	struct member *member, const struct crl_entry *revoked,
	size_t num_revoked)
{
	int64_t number = row->crl_number + 1;
	struct crl_order order = {
		.number = (uint64_t)number,
		.now = o->now,
		.until = o->now + CRL_LIFE,
		.revoked = revoked,
		.num_revoked = num_revoked,
	};

	if (order.until > ca_not_after(member->ca))
		order.until = ca_not_after(member->ca);
	member->crl = crl_make(member->ca, &order, o->err, o->err_size);
	member->crl_made = o->now;
	if (!member->crl)
		return -1;
	return store_set_crl(o->estate.store, row->id, member->crl, number,
		o->now, o->err, o->err_size);
}

/* renew brings member's CRL up to date: what the row has, while that is fresh
 * (another process may have made it), else a new one with the next number
 * (RFC 5280, 5.2.3), which the row gets too. */
static int renew(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	struct crl_entry *revoked;
	size_t num_revoked;
	int result;

	if (row->crl && crl_fresh((time_t)row->crl_time, o->now)) {
		CRYPTO_BUFFER_up_ref(row->crl);
		member->crl = row->crl;
		member->crl_made = (time_t)row->crl_time;
		no_later(o, member->crl_made + CRL_RENEW);
		return 0;
	}
	revoked = pki_new(CRL_REVOKED_MAX * sizeof(*revoked));
	result = store_revoked(o->estate.store, row->id, o->now, revoked,
		&num_revoked, o->err, o->err_size);
	if (result == 0)
		result = sign_crl(o, row, member, revoked, num_revoked);
	free(revoked);
	no_later(o, o->now + CRL_RENEW);
	return result;
}

/* --- issuing CAs -------------------------------------------------------- */

/* make_mark covers what an issuing CA was made for and by: another of these,
 * and it is made anew. */
static void make_mark(const struct opening *o, const struct member *member,
	uint8_t out[SHA256_DIGEST_LENGTH])
{
	const char *base = o->authority->crl_base;
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, ca_digest(member->ca), SHA256_DIGEST_LENGTH);
	SHA256_Update(&sha, base, strlen(base));
	SHA256_Update(&sha, &o->options->validity_s,
		sizeof(o->options->validity_s));
	SHA256_Update(&sha, &o->options->rotate_s,
		sizeof(o->options->rotate_s));
	SHA256_Final(out, &sha);
}

static const struct member *find_before(const struct opening *o, int64_t id)
{
	const struct authority *before = o->options->before;

	for (size_t i = 0; before && i < before->num_members; i++) {
		if (before->members[i].id == id)
			return &before->members[i];
	}
	return NULL;
}

static bool is_revoked(const struct opening *o, const struct ca *signer)
{
	for (size_t i = 0; i < o->authority->num_issuing; i++) {
		const struct store_issuing *row = &o->authority->issuing[i];

		if (strcmp(row->key_id, ca_id(signer)) == 0)
			return row->revoked != 0;
	}
	return true; /* the store does not know it: another state folder */
}

static void take_signer(struct opening *o, struct member *member,
	const struct member *from)
{
	member->signer = ca_ref(from->signer);
	member->issued = from->issued;
	if (o->options->rotate_s > 0)
		no_later(o, member->issued + (time_t)o->options->rotate_s);
}

/* reuse takes the issuing CA that there was, while that is good; at_need: even
 * where its time to be replaced has come. */
static bool reuse(struct opening *o, struct member *member, bool at_need)
{
	const struct member *from = find_before(o, member->id);
	time_t rotate = (time_t)o->options->rotate_s;

	if (!from || !from->signer || from->issued == 0 ||
	    is_revoked(o, from->signer) ||
	    ca_not_after(from->signer) <= o->now)
		return false;
	if (!at_need && (memcmp(from->mark, member->mark,
			sizeof(member->mark)) != 0 ||
		(rotate > 0 && o->now - from->issued >= rotate)))
		return false;
	take_signer(o, member, from);
	if (at_need)
		memset(member->mark, 0, sizeof(member->mark));
	return true;
}

/* The chain under an issuing CA: the member's certificate and its chain. */
static int make_signer(struct opening *o, const struct store_ca *row,
	struct member *member, const struct store_issuing *issued,
	EVP_PKEY *key)
{
	struct der chain[CA_CHAIN_MAX], above[CA_CHAIN_MAX];
	size_t num_above;

	if (!estate_chain(row, above, &num_above) ||
	    num_above >= CA_CHAIN_MAX)
		return pki_fail(o->err, o->err_size, "sallyport.db: the chain "
			"of the CA '%s' is damaged", row->name);
	chain[0] = der_of(row->cert);
	memcpy(chain + 1, above, num_above * sizeof(*above));
	return ca_new(der_of(issued->cert), key, chain, num_above + 1,
		issued->key_id, &member->signer, o->err, o->err_size);
}

/* describe fills in what the certificate says. */
static int describe_issued(struct opening *o, struct store_issuing *out)
{
	uint8_t id[KEY_ID_SIZE];
	struct cert cert;

	if (cert_read(der_of(out->cert), &cert) != 0 ||
	    !spki_identifier(cert.spki, id))
		return pki_fail(o->err, o->err_size,
			"the keeper's certificate makes no sense");
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(out->key_id + 2 * i, 3, "%02x", id[i]);
	out->made = o->now;
	out->ends = cert.not_after;
	return 0;
}

static void list_issued(struct authority *authority,
	const struct store_issuing *issued)
{
	struct store_issuing *row;

	authority->issuing = realloc(authority->issuing,
		(authority->num_issuing + 1) * sizeof(*authority->issuing));
	if (!authority->issuing)
		abort();
	row = &authority->issuing[authority->num_issuing++];
	*row = *issued;
	CRYPTO_BUFFER_up_ref(row->cert);
	if (row->crl)
		CRYPTO_BUFFER_up_ref(row->crl);
}

static int put_issued(struct opening *o, const struct store_ca *row,
	struct member *member, struct store_issuing *issued, EVP_PKEY *key)
{
	if (describe_issued(o, issued) != 0 ||
	    make_signer(o, row, member, issued, key) != 0 ||
	    store_issuing_add(o->estate.store, issued, o->err,
		    o->err_size) != 0)
		return -1;
	list_issued(o->authority, issued);
	member->issued = o->now;
	if (o->options->rotate_s > 0)
		no_later(o, o->now + (time_t)o->options->rotate_s);
	return 0;
}

static int issue(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	struct store_issuing issued = {.parent = row->id};
	struct keeper_issued made;
	int result;

	if (store_issuing_next(o->estate.store, &issued.id, o->err,
		    o->err_size) != 0 ||
	    keeper_issue(o->options->link, ca_key_id(member->ca),
		    (uint64_t)issued.id, &made, o->err, o->err_size) != 0)
		return -1;
	issued.cert = made.cert;
	issued.crl = made.crl;
	result = put_issued(o, row, member, &issued, made.key);
	CRYPTO_BUFFER_free(made.cert);
	CRYPTO_BUFFER_free(made.crl);
	EVP_PKEY_free(made.key);
	return result;
}

/* need_signer gives the member what signs its leaves. An issuing CA that can't
 * be replaced yet goes on; where there is none, the member is out of use. */
static void need_signer(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	char text[WHY + 64];

	if (ca_path_len(member->ca) == 0) {
		member->signer = ca_ref(member->ca);
		return;
	}
	make_mark(o, member, member->mark);
	if (reuse(o, member, false) || issue(o, row, member) == 0)
		return;
	o->again = true;
	snprintf(text, sizeof(text), "no new issuing CA under '%s': %s",
		member->name, o->err);
	warn(o->authority, text);
	if (!reuse(o, member, true))
		snprintf(member->why, sizeof(member->why), "%s", o->err);
}

/* --- opening ------------------------------------------------------------ */

static bool is_named(const struct opening *o, const char *name)
{
	for (size_t i = 0; i < o->options->num_names; i++) {
		if (strcmp(o->options->names[i], name) == 0)
			return true;
	}
	return false;
}

static int explain(struct opening *o, const struct store_ca *row)
{
	char text[DERTIME_TEXT];
	struct cert cert;

	if (cert_read(der_of(row->cert), &cert) != 0 ||
	    cert.not_after >= o->now)
		return -1; /* err says it already */
	return pki_fail(o->err, o->err_size, "the CA '%s' has ended on %s: %s",
		row->name, dertime_text(cert.not_after, text),
		row->parent == 0 && row->purpose == STORE_INTERMEDIATE ?
		"make another the default ('sallyport ca default'), or bring "
		"one with 'sallyport ca setup' or 'ca import'" :
		"move sallyport.db out of the state folder, and new ones are "
		"made (clients need the new root then)");
}

/* A CA that can't be used matters only where it has something to do. */
static int take_ca(struct opening *o, struct store_ca *row,
	struct member *member)
{
	bool needed = row->is_default || row->purpose == STORE_UNTRUSTED;

	if (estate_ca(&o->estate, row, &member->ca, o->err,
		    o->err_size) == 0) {
		if (row->purpose == STORE_UNTRUSTED)
			member->signer = ca_ref(member->ca);
		return ca_can_sign_crl(member->ca) ? renew(o, row, member) : 0;
	}
	(void)explain(o, row);
	if (needed)
		return -1;
	snprintf(member->why, sizeof(member->why), "%s", o->err);
	return 0;
}

static int take_used(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	char text[WHY + 2 * STORE_NAME];

	if (!row->enabled && !row->is_default)
		snprintf(member->why, sizeof(member->why), "the CA '%s' is "
			"disabled", row->name);
	else if (member->ca)
		need_signer(o, row, member);
	if (member->signer) {
		warn_of_end(o, member);
		return 0;
	}
	if (row->is_default)
		return pki_fail(o->err, o->err_size, "%s", member->why);
	snprintf(text, sizeof(text), "a rule's intermediate-ca '%s' can't be "
		"used: %s", row->name, member->why);
	warn(o->authority, text);
	return 0;
}

static int add_member(struct opening *o, struct store_ca *row)
{
	struct authority *authority = o->authority;
	struct member *member = &authority->members[authority->num_members++];
	bool used = row->purpose == STORE_INTERMEDIATE &&
		(row->is_default || is_named(o, row->name));

	member->id = row->id;
	snprintf(member->name, sizeof(member->name), "%s", row->name);
	member->is_intermediate = row->purpose == STORE_INTERMEDIATE &&
		!row->retired;
	if (row->retired) {
		if (row->crl)
			CRYPTO_BUFFER_up_ref(row->crl);
		member->crl = row->crl;
		member->name[0] = '\0';
		return 0;
	}
	if (row->is_default)
		authority->chosen = member;
	if (row->purpose == STORE_UNTRUSTED)
		authority->untrusted = member;
	if (!row->cert || row->state != STATE_CERT_READY)
		snprintf(member->why, sizeof(member->why), "the CA '%s' is "
			"not finished: its state is %s", row->name,
			state_word(row->state));
	else if (take_ca(o, row, member) != 0)
		return -1;
	return used ? take_used(o, row, member) : 0;
}

static int add_members(struct opening *o)
{
	struct authority *authority = o->authority;
	struct estate *estate = &o->estate;

	authority->members = pki_new((estate->num + 1) *
		sizeof(struct member));
	for (size_t i = 0; i < estate->num; i++) {
		if (add_member(o, &estate->list[i]) != 0)
			return -1;
	}
	if (!authority->chosen || !authority->untrusted)
		return pki_fail(o->err, o->err_size,
			"sallyport.db: no CA is the default");
	return 0;
}

/* The base goes into every certificate as an IA5String. */
static int check_crl_base(const char *base, char *err, size_t err_size)
{
	size_t len = base ? strlen(base) : 0;

	if (len > CRL_BASE_MAX)
		return pki_fail(err, err_size, "issuing.crl-url: longer than "
			"%d bytes", CRL_BASE_MAX);
	for (size_t i = 0; i < len; i++) {
		if (base[i] <= ' ' || base[i] > '~')
			return pki_fail(err, err_size, "issuing.crl-url: only "
				"printable ASCII can stand in a URL");
	}
	return 0;
}

static int fill(struct opening *o)
{
	const struct authority_options *options = o->options;
	struct estate *estate = &o->estate;
	struct authority *authority = o->authority;

	if (check_crl_base(options->crl_base, o->err, o->err_size) != 0 ||
	    estate_open(options, estate, o->err, o->err_size) != 0 ||
	    foundation_mend(estate, options->crl_base, o->err,
		    o->err_size) != 0 ||
	    store_issuing_prune(estate->store, o->now, o->err,
		    o->err_size) != 0 ||
	    store_issuing_list(estate->store, o->now, &authority->issuing,
		    &authority->num_issuing, o->err, o->err_size) != 0 ||
	    add_members(o) != 0 ||
	    estate_commit(estate, o->err, o->err_size) != 0)
		return -1;
	authority->root_pem =
		pem_of_cert(estate_top(estate_default(estate)));
	return estate_write_root(estate, options->state, o->err, o->err_size);
}

int authority_open(const struct authority_options *options,
	struct authority **out, char *err, size_t err_size)
{
	struct opening o = {
		.options = options,
		.authority = pki_new(sizeof(struct authority)),
		.now = time(NULL),
		.err = err,
		.err_size = err_size,
	};
	int result;

	atomic_init(&o.authority->refs, 1);
	o.authority->due = o.now + LOOK_S;
	o.authority->crl_base =
		pki_copy(options->crl_base ? options->crl_base : "");
	result = fill(&o);
	if (o.again)
		o.authority->due = o.now + RETRY_S;
	estate_close(&o.estate);
	*out = result == 0 ? o.authority : NULL;
	if (result != 0)
		authority_unref(o.authority);
	return result;
}

/* --- what is asked for -------------------------------------------------- */

static const struct member *named(const struct authority *authority,
	const char *name)
{
	for (size_t i = 0; i < authority->num_members; i++) {
		if (strcmp(authority->members[i].name, name) == 0)
			return &authority->members[i];
	}
	return NULL;
}

struct ca *authority_issuer(const struct authority *authority,
	const char *name, const char **why)
{
	const struct member *member = authority->chosen;

	*why = "there is no such CA";
	if (name && name[0] != '\0')
		member = named(authority, name);
	if (!member || !member->is_intermediate)
		return NULL;
	*why = member->why[0] ? member->why :
		"no rule has named it since the CAs were last looked at";
	return member->signer;
}

bool authority_knows(const struct authority *authority, const char *name)
{
	const struct member *member = named(authority, name);

	return member && member->is_intermediate;
}

struct ca *authority_untrusted(const struct authority *authority)
{
	return authority->untrusted->signer;
}

const char *authority_root_pem(const struct authority *authority)
{
	return authority->root_pem;
}

const char *authority_crl_base(const struct authority *authority)
{
	return authority->crl_base;
}

static CRYPTO_BUFFER *crl_of_member(const struct authority *authority,
	const char *id, time_t *until)
{
	char text[32];

	for (size_t i = 0; i < authority->num_members; i++) {
		const struct member *member = &authority->members[i];

		snprintf(text, sizeof(text), "%lld", (long long)member->id);
		if (strcmp(text, id) != 0)
			continue;
		if (member->ca)
			*until = member->crl_made + CRL_RENEW;
		return member->crl;
	}
	return NULL;
}

CRYPTO_BUFFER *authority_crl(const struct authority *authority,
	const char *id, time_t *until)
{
	CRYPTO_BUFFER *crl;

	*until = 0;
	crl = crl_of_member(authority, id, until);
	for (size_t i = 0; !crl && i < authority->num_issuing; i++) {
		if (strcmp(authority->issuing[i].key_id, id) == 0)
			crl = authority->issuing[i].crl;
	}
	if (crl)
		CRYPTO_BUFFER_up_ref(crl);
	return crl;
}

time_t authority_due(const struct authority *authority)
{
	return authority->due;
}

const char *authority_warning(const struct authority *authority, size_t at)
{
	return at < authority->num_warnings ? authority->warnings[at] : NULL;
}
