#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority_private.h"
#include "pki/keeper_link.h"
#include "pki/store_audit.h"
#include "pki/x509.h"

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
		authority_no_later(o, member->issued + (time_t)o->options->rotate_s);
}

/* reuse takes the issuing CA that there was, while that is good; at_need: even
 * where its time to be replaced has come. */
static bool reuse(struct opening *o, struct member *member, bool at_need)
{
	const struct member *from = find_before(o, member->id);
	time_t rotate = (time_t)o->options->rotate_s;

	if (!from || !from->signer || from->issued == 0 ||
	    is_revoked(o, from->signer) ||
	    ca_not_before(from->signer) > o->now || /* the clock was wrong */
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
	der_hex((struct der){id, sizeof(id)}, out->key_id);
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

/* tell_issued: nobody asked for it, and it is in the audit trail all the same. */
static int tell_issued(struct opening *o, const struct store_ca *row,
	const struct store_issuing *issued)
{
	struct store_audit line = {.time = o->now, .who = "sallyport",
		.what = "issue", .ca = row->id};

	snprintf(line.name, sizeof(line.name), "%s", row->name);
	snprintf(line.detail, sizeof(line.detail), "key id %s",
		issued->key_id);
	return store_audit_add(o->estate.store, &line, o->err, o->err_size);
}

static int put_issued(struct opening *o, const struct store_ca *row,
	struct member *member, struct store_issuing *issued, EVP_PKEY *key)
{
	if (describe_issued(o, issued) != 0 ||
	    make_signer(o, row, member, issued, key) != 0 ||
	    store_issuing_add(o->estate.store, issued, o->err,
		    o->err_size) != 0 || tell_issued(o, row, issued) != 0)
		return -1;
	list_issued(o->authority, issued);
	member->issued = o->now;
	if (o->options->rotate_s > 0)
		authority_no_later(o, o->now + (time_t)o->options->rotate_s);
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

void authority_keep_signer(struct opening *o, struct member *member)
{
	if (ca_path_len(member->ca) == 0)
		return;
	make_mark(o, member, member->mark);
	(void)reuse(o, member, false);
}

void authority_need_signer(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	char text[WHY + 64 + STORE_NAME];

	if (ca_path_len(member->ca) == 0) {
		member->signer = ca_ref(member->ca);
		return;
	}
	make_mark(o, member, member->mark);
	if (reuse(o, member, false) || issue(o, row, member) == 0)
		return;
	o->again = true;
	snprintf(member->why, sizeof(member->why), "%s", o->err);
	if (!reuse(o, member, true))
		return;
	snprintf(text, sizeof(text), "no new issuing CA under '%s': %s",
		member->name, member->why);
	authority_warn(o->authority, text);
	member->why[0] = '\0';
}
