#include "pki/authority.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/base.h"
#include "pki/crl.h"
#include "pki/dertime.h"
#include "pki/estate.h"
#include "pki/foundation.h"
#include "pki/pem.h"
#include "pki/x509.h"

enum { CRL_BASE_MAX = 200 };

struct member {
	int64_t id;
	struct ca *ca;          /* shared */
	CRYPTO_BUFFER *crl;     /* shared; under the lock; NULL: can't sign */
	time_t crl_made;        /* under the lock */
};

struct authority {
	char *path;             /* owned: of the store */
	char *crl_base;         /* owned */
	char *root_pem;         /* owned */
	struct member *members; /* owned */
	size_t num_members;
	struct ca *issuer, *untrusted; /* borrowed from members */
	pthread_mutex_t lock;
};

void authority_free(struct authority *authority)
{
	if (!authority)
		return;
	for (size_t i = 0; i < authority->num_members; i++) {
		ca_unref(authority->members[i].ca);
		CRYPTO_BUFFER_free(authority->members[i].crl);
	}
	pthread_mutex_destroy(&authority->lock);
	free(authority->members);
	free(authority->root_pem);
	free(authority->crl_base);
	free(authority->path);
	free(authority);
}

/* --- CRLs --------------------------------------------------------------- */

/* renew brings member's CRL up to date: what the row has, while that is fresh
 * (another process may have made it), else a new one with the next number
 * (RFC 5280, 5.2.3), which the row gets too. */
static int renew(struct store *store, const struct store_ca *row, time_t now,
	struct member *member, char *err, size_t err_size)
{
	int64_t number = row->crl_number + 1;
	CRYPTO_BUFFER *crl;

	if (row->crl && crl_fresh((time_t)row->crl_time, now)) {
		CRYPTO_BUFFER_up_ref(row->crl);
		member->crl = row->crl;
		member->crl_made = (time_t)row->crl_time;
		return 0;
	}
	crl = crl_make(member->ca, (uint64_t)number, now);
	if (!crl)
		return pki_fail(err, err_size,
			"the CRL of the CA '%s' can't be signed", row->name);
	if (store_set_crl(store, row->id, crl, number, now, err,
		    err_size) != 0) {
		CRYPTO_BUFFER_free(crl);
		return -1;
	}
	member->crl = crl;
	member->crl_made = now;
	return 0;
}

/* --- opening ------------------------------------------------------------ */

static int add_member(struct authority *authority, struct estate *estate,
	const struct store_ca *row, struct ca *ca, char *err, size_t err_size)
{
	struct member *member = &authority->members[authority->num_members++];

	member->id = row->id;
	member->ca = ca;
	if (row->is_default)
		authority->issuer = ca;
	if (row->purpose == STORE_UNTRUSTED)
		authority->untrusted = ca;
	if (!ca_can_sign_crl(ca))
		return 0;
	return renew(estate->store, row, time(NULL), member, err, err_size);
}

/* A CA that has ended matters only where it has something to do. */
static bool is_needed(const struct store_ca *row)
{
	return row->is_default || row->purpose == STORE_UNTRUSTED;
}

static int explain(const struct store_ca *row, char *err, size_t err_size)
{
	struct cert cert;
	char text[DERTIME_TEXT];

	if (cert_read(der_of(row->cert), &cert) != 0 ||
	    cert.not_after >= time(NULL))
		return -1; /* err says it already */
	return pki_fail(err, err_size, "the CA '%s' has ended on %s: %s",
		row->name, dertime_text(cert.not_after, text),
		row->parent == 0 && row->purpose == STORE_INTERMEDIATE ?
		"bring another with 'sallyport ca import'" :
		"move sallyport.db out of the state folder, and new ones are "
		"made (clients need the new root then)");
}

static int add_members(struct authority *authority, struct estate *estate,
	char *err, size_t err_size)
{
	struct ca *ca;

	authority->members = pki_new(estate->num * sizeof(struct member));
	for (size_t i = 0; i < estate->num; i++) {
		const struct store_ca *row = &estate->list[i];

		if (estate_ca(estate, row, &ca, err, err_size) != 0) {
			if (is_needed(row))
				return explain(row, err, err_size);
			continue;
		}
		if (add_member(authority, estate, row, ca, err,
			    err_size) != 0)
			return -1;
	}
	if (!authority->issuer || !authority->untrusted)
		return pki_fail(err, err_size,
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

static int fill(struct authority *authority, struct estate *estate,
	const struct authority_options *options, char *err, size_t err_size)
{
	if (check_crl_base(options->crl_base, err, err_size) != 0 ||
	    estate_open(options, estate, err, err_size) != 0 ||
	    foundation_mend(estate, options->crl_base, err, err_size) != 0 ||
	    add_members(authority, estate, err, err_size) != 0 ||
	    estate_commit(estate, err, err_size) != 0)
		return -1;
	authority->root_pem = pem_of_cert(estate_top(estate_default(estate)));
	return estate_write_root(estate, options->state, err, err_size);
}

static struct authority *make(const struct authority_options *options)
{
	struct authority *authority = pki_new(sizeof(*authority));

	if (pthread_mutex_init(&authority->lock, NULL) != 0)
		abort();
	authority->path = state_path(options->state, STORE_FILE);
	authority->crl_base =
		pki_copy(options->crl_base ? options->crl_base : "");
	return authority;
}

int authority_open(const struct authority_options *options,
	struct authority **out, char *err, size_t err_size)
{
	struct authority *authority = make(options);
	struct estate estate = {0};
	int result = fill(authority, &estate, options, err, err_size);

	estate_close(&estate);
	*out = NULL;
	if (result == 0)
		*out = authority;
	else
		authority_free(authority);
	return result;
}

/* --- only to see -------------------------------------------------------- */

static int describe(const struct estate *estate, struct authority_view *out,
	char *err, size_t err_size)
{
	const struct store_ca *row = estate_default(estate);
	struct cert cert;

	if (!row)
		return pki_fail(err, err_size,
			"sallyport.db: no CA is the default");
	if (cert_read(der_of(row->cert), &cert) != 0)
		return pki_fail(err, err_size, "sallyport.db: the certificate "
			"of the CA '%s' is damaged", row->name);
	CRYPTO_BUFFER_up_ref(row->cert);
	out->cert = row->cert;
	snprintf(out->id, sizeof(out->id), "%lld", (long long)row->id);
	out->signs_crls = cert_may_sign_crls(&cert);
	out->root_pem = pem_of_cert(estate_top(row));
	return 0;
}

static int look(const struct authority_options *options,
	struct estate *estate, struct authority_view *out, char *err,
	size_t err_size)
{
	int result = check_crl_base(options->crl_base, err, err_size);

	if (result == 0)
		result = estate_look(options, estate, err, err_size);
	if (result == ESTATE_NONE)
		return AUTHORITY_NONE;
	return result == 0 ? describe(estate, out, err, err_size) : result;
}

int authority_look(const struct authority_options *options,
	struct authority_view *out, char *err, size_t err_size)
{
	struct estate estate = {0};
	int result;

	memset(out, 0, sizeof(*out));
	result = look(options, &estate, out, err, err_size);
	estate_close(&estate);
	return result;
}

void authority_view_clear(struct authority_view *view)
{
	CRYPTO_BUFFER_free(view->cert);
	free(view->root_pem);
	memset(view, 0, sizeof(*view));
}

/* --- what is asked for -------------------------------------------------- */

struct ca *authority_issuer(const struct authority *authority)
{
	return authority->issuer;
}

struct ca *authority_untrusted(const struct authority *authority)
{
	return authority->untrusted;
}

const char *authority_root_pem(const struct authority *authority)
{
	return authority->root_pem;
}

const char *authority_crl_base(const struct authority *authority)
{
	return authority->crl_base;
}

CRYPTO_BUFFER *authority_crl(struct authority *authority, const char *id)
{
	CRYPTO_BUFFER *crl = NULL;

	pthread_mutex_lock(&authority->lock);
	for (size_t i = 0; i < authority->num_members; i++) {
		if (strcmp(ca_id(authority->members[i].ca), id) == 0)
			crl = authority->members[i].crl;
	}
	if (crl)
		CRYPTO_BUFFER_up_ref(crl);
	pthread_mutex_unlock(&authority->lock);
	return crl;
}

/* --- renewing ----------------------------------------------------------- */

/* renewed is what the members' CRLs become, once all is written. */
static int renew_all(const struct authority *authority, struct estate *estate,
	time_t now, struct member *renewed, char *err, size_t err_size)
{
	if (store_open(authority->path, &estate->store, err, err_size) != 0 ||
	    store_begin(estate->store, err, err_size) != 0 ||
	    estate_list(estate, err, err_size) != 0)
		return -1;
	for (size_t i = 0; i < authority->num_members; i++) {
		const struct member *member = &authority->members[i];
		const struct store_ca *row =
			estate_find(estate, member->id);

		renewed[i].ca = member->ca;
		if (!row || !ca_can_sign_crl(member->ca))
			continue;
		if (renew(estate->store, row, now, &renewed[i], err,
			    err_size) != 0)
			return -1;
	}
	return estate_commit(estate, err, err_size);
}

static void take(struct authority *authority, struct member *renewed)
{
	pthread_mutex_lock(&authority->lock);
	for (size_t i = 0; i < authority->num_members; i++) {
		struct member *member = &authority->members[i];
		CRYPTO_BUFFER *old = member->crl;

		if (!renewed[i].crl)
			continue;
		member->crl = renewed[i].crl;
		member->crl_made = renewed[i].crl_made;
		renewed[i].crl = old;
	}
	pthread_mutex_unlock(&authority->lock);
}

static bool all_fresh(struct authority *authority, time_t now)
{
	bool fresh = true;

	pthread_mutex_lock(&authority->lock);
	for (size_t i = 0; i < authority->num_members; i++) {
		const struct member *member = &authority->members[i];

		if (member->crl && !crl_fresh(member->crl_made, now))
			fresh = false;
	}
	pthread_mutex_unlock(&authority->lock);
	return fresh;
}

int authority_renew_crls(struct authority *authority, time_t now, char *err,
	size_t err_size)
{
	struct estate estate = {0};
	struct member *renewed;
	int result;

	if (all_fresh(authority, now))
		return 0;
	renewed = pki_new(authority->num_members * sizeof(*renewed));
	result = renew_all(authority, &estate, now, renewed, err, err_size);
	if (result == 0)
		take(authority, renewed);
	for (size_t i = 0; i < authority->num_members; i++)
		CRYPTO_BUFFER_free(renewed[i].crl);
	free(renewed);
	estate_close(&estate);
	return result;
}
