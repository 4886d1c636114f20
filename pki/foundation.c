#include "pki/foundation.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pki/keymaker.h"
#include "pki/mint.h"
#include "pki/tbs.h"
#include "pki/x509.h"

enum {
	DAY = 24 * 3600,
	ROOT_DAYS = 3653,
	INTERMEDIATE_DAYS = 1096,
	MEND_DAYS = 30,
	CHANCE = 4, /* bytes */
	/* one more CA, a short-lived one, comes under the intermediate */
	INTERMEDIATE_PATH_LEN = 1,
};

/* --- laying ------------------------------------------------------------- */

/* plan is a CA that is to be made. */
struct plan {
	int64_t id, parent;
	enum store_purpose purpose;
	const char *what;     /* "Root CA" */
	struct ca *issuer;    /* NULL: itself */
	int path_len;
	time_t from, until;
	const char *crl_base;
	bool is_default;
};

static CRYPTO_BUFFER *mint(const struct plan *plan, EVP_PKEY *key,
	struct der subject)
{
	struct mint_order order = {
		.issuer = plan->issuer,
		.key = key,
		.subject = subject,
		.path_len = plan->path_len,
		.from = plan->from,
		.until = plan->until,
		.crl_base = plan->crl_base,
	};

	return mint_ca(&order);
}

static CRYPTO_BUFFER *chain_of(const struct plan *plan)
{
	return plan->issuer ? der_buffer(ca_cert(plan->issuer)) : NULL;
}

/* build makes key, certificate and row. chance tells this installation's CAs
 * from another's: two of one name and different keys confuse browsers. */
static int build(struct estate *estate, const struct plan *plan,
	const char *chance, char *err, size_t err_size)
{
	EVP_PKEY *key = make_p256_key();
	struct store_ca row = {
		.id = plan->id,
		.parent = plan->parent,
		.purpose = plan->purpose,
		.is_default = plan->is_default,
		.key_type = key_type_name(key),
	};
	CRYPTO_BUFFER *name;
	int result;

	snprintf(row.name, sizeof(row.name), "Sallyport %s %s", plan->what,
		chance);
	name = mint_name(row.name);
	row.cert = mint(plan, key, der_of(name));
	row.key = keeper_lock(estate->keeper, key);
	row.chain = chain_of(plan);
	if (row.cert)
		result = store_add(estate->store, &row, err, err_size);
	else
		result = pki_fail(err, err_size, "'%s' can't be signed",
			row.name);
	CRYPTO_BUFFER_free(name);
	CRYPTO_BUFFER_free(row.cert);
	CRYPTO_BUFFER_free(row.key);
	CRYPTO_BUFFER_free(row.chain);
	EVP_PKEY_free(key);
	return result;
}

static int lay_under_root(struct estate *estate, struct plan *plan,
	const char *chance, char *err, size_t err_size)
{
	int result;

	if (estate_list(estate, err, err_size) != 0 ||
	    estate_ca(estate, estate_find(estate, ESTATE_ROOT), &plan->issuer,
		    err, err_size) != 0)
		return -1;
	result = build(estate, plan, chance, err, err_size);
	ca_unref(plan->issuer);
	return result;
}

/* Backdated a day: clocks differ, and so do time zones set wrong. */
int foundation_lay(struct estate *estate, const char *crl_base, char *err,
	size_t err_size)
{
	time_t now = time(NULL);
	struct plan root = {
		.id = ESTATE_ROOT, .purpose = STORE_ROOT, .what = "Root CA",
		.path_len = -1, .from = now - DAY,
		.until = now + (time_t)ROOT_DAYS * DAY,
	};
	struct plan intermediate = {
		.id = ESTATE_INTERMEDIATE, .parent = ESTATE_ROOT,
		.purpose = STORE_INTERMEDIATE, .what = "Intermediate CA",
		.path_len = INTERMEDIATE_PATH_LEN, .from = now - DAY,
		.until = now + (time_t)INTERMEDIATE_DAYS * DAY,
		.crl_base = crl_base, .is_default = true,
	};
	struct plan untrusted = {
		.id = ESTATE_UNTRUSTED, .purpose = STORE_UNTRUSTED,
		.what = "Untrusted CA", .path_len = 0, .from = now - DAY,
		.until = root.until,
	};
	char chance[2 * CHANCE + 1];

	make_chance(CHANCE, chance);
	if (build(estate, &root, chance, err, err_size) != 0 ||
	    build(estate, &untrusted, chance, err, err_size) != 0)
		return -1;
	return lay_under_root(estate, &intermediate, chance, err, err_size);
}

/* --- mending ------------------------------------------------------------ */

static bool same_crl_point(const struct cert *cert, const char *crl_base,
	int64_t issuer)
{
	CRYPTO_BUFFER *wanted = NULL;
	char id[32];
	bool same;
	CBB cbb;

	if (!crl_base || crl_base[0] == '\0')
		return true;
	snprintf(id, sizeof(id), "%lld", (long long)issuer);
	CBB_zero(&cbb);
	if (CBB_init(&cbb, 128) && tbs_crl_point_value(&cbb, crl_base, id))
		wanted = der_finish(&cbb);
	else
		CBB_cleanup(&cbb);
	same = wanted && der_same(der_of(wanted), cert->crl_points);
	CRYPTO_BUFFER_free(wanted);
	return same;
}

/* An end that can't be put off is no reason: the root's is the last. */
static bool is_worn(const struct cert *cert, const struct plan *plan)
{
	time_t soon = time(NULL) + (time_t)MEND_DAYS * DAY;

	if (cert->not_after < soon && plan->until > cert->not_after)
		return true;
	return plan->parent != 0 &&
		!same_crl_point(cert, plan->crl_base, plan->parent);
}

static int sign_anew(struct estate *estate, const struct plan *plan,
	const struct store_ca *row, struct der subject, char *err,
	size_t err_size)
{
	CRYPTO_BUFFER *chain, *cert;
	EVP_PKEY *key;
	int result;

	if (estate_key(estate, row, &key, err, err_size) != 0)
		return -1;
	cert = mint(plan, key, subject);
	chain = chain_of(plan);
	if (cert)
		result = store_set_cert(estate->store, plan->id, cert, chain,
			err, err_size);
	else
		result = pki_fail(err, err_size,
			"'%s' can't be signed anew", row->name);
	EVP_PKEY_free(key);
	CRYPTO_BUFFER_free(cert);
	CRYPTO_BUFFER_free(chain);
	return result;
}

static int mend(struct estate *estate, struct plan *plan, char *err,
	size_t err_size)
{
	const struct store_ca *row = estate_find(estate, plan->id);
	struct cert cert;
	int result;

	if (!row || cert_read(der_of(row->cert), &cert) != 0 ||
	    !is_worn(&cert, plan))
		return 0;
	if (plan->parent != 0 &&
	    estate_ca(estate, estate_find(estate, plan->parent),
		    &plan->issuer, err, err_size) != 0)
		return -1;
	result = sign_anew(estate, plan, row, cert.subject, err, err_size);
	ca_unref(plan->issuer);
	if (result != 0)
		return -1;
	return estate_list(estate, err, err_size);
}

/* A root out of its time signs nothing; whoever still needs it says so. */
static int mend_intermediate(struct estate *estate, const char *crl_base,
	char *err, size_t err_size)
{
	const struct store_ca *row = estate_find(estate, ESTATE_ROOT);
	time_t now = time(NULL);
	struct plan plan = {
		.id = ESTATE_INTERMEDIATE, .parent = ESTATE_ROOT,
		.path_len = INTERMEDIATE_PATH_LEN, .crl_base = crl_base,
		.from = now - DAY,
		.until = now + (time_t)INTERMEDIATE_DAYS * DAY,
	};
	struct cert root;

	if (!row || cert_read(der_of(row->cert), &root) != 0 ||
	    root.not_before > now || root.not_after < now)
		return 0;
	if (plan.until > root.not_after)
		plan.until = root.not_after;
	if (plan.from < root.not_before)
		plan.from = root.not_before;
	return mend(estate, &plan, err, err_size);
}

int foundation_mend(struct estate *estate, const char *crl_base, char *err,
	size_t err_size)
{
	struct plan untrusted = {
		.id = ESTATE_UNTRUSTED, .path_len = 0,
		.from = time(NULL) - DAY,
		.until = time(NULL) + (time_t)ROOT_DAYS * DAY,
	};

	if (mend(estate, &untrusted, err, err_size) != 0)
		return -1;
	return mend_intermediate(estate, crl_base, err, err_size);
}
