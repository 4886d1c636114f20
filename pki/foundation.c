#include "pki/foundation.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "pki/keymaker.h"
#include "pki/tbs.h"
#include "pki/x509.h"

enum {
	DAY = 24 * 3600,
	MEND_DAYS = 30,
	CHANCE = 4, /* bytes */
};

/* --- laying ------------------------------------------------------------- */

/* stone is a CA that is to be made. */
struct stone {
	int64_t id, parent;
	enum store_purpose purpose;
	enum key_role role;
	const char *what, *type;
	bool is_default;
};

/* In the order in which they are laid: what signs comes first. */
static const struct stone stones[] = {
	{.id = ESTATE_ROOT, .purpose = STORE_ROOT, .role = KEY_ROLE_ROOT,
		.what = "Root CA"},
	{.id = ESTATE_UNTRUSTED, .purpose = STORE_UNTRUSTED,
		.role = KEY_ROLE_UNTRUSTED, .what = "Untrusted CA"},
	{.id = ESTATE_INTERMEDIATE, .parent = ESTATE_ROOT,
		.purpose = STORE_INTERMEDIATE, .role = KEY_ROLE_INTERMEDIATE,
		.what = "Intermediate CA", .type = "ZSCALER",
		.is_default = true},
};

enum { NUM_STONES = sizeof(stones) / sizeof(*stones) };

static int begin_row(const struct keeper_link *link, const struct stone *stone,
	const char *chance, struct store_ca *out, char *err, size_t err_size)
{
	*out = (struct store_ca){
		.id = stone->id,
		.parent = stone->parent,
		.purpose = stone->purpose,
		.is_default = stone->is_default,
		.enabled = true,
		.state = STATE_CERT_READY,
		.key_time = time(NULL),
	};
	snprintf(out->name, sizeof(out->name), "Sallyport %s %s", stone->what,
		chance);
	snprintf(out->type, sizeof(out->type), "%s",
		stone->type ? stone->type : "");
	snprintf(out->key_type, sizeof(out->key_type), "%s",
		key_kind_name(KEY_EC_P256));
	return keeper_make_key(link, KEY_EC_P256, stone->role, &out->key,
		&out->spki, err, err_size);
}

/* mint has the row's certificate signed, by the row above it or by itself. */
static int mint(struct estate *estate, struct store_ca *row,
	struct store_ca *above, const char *chance, char *err, size_t err_size)
{
	uint8_t id[CA_KEY_ID], issuer[CA_KEY_ID];
	struct der none = {NULL, 0};
	CRYPTO_BUFFER *cert;

	if (estate_hold(estate, row, false, id, err, err_size) != 0)
		return -1;
	if (above &&
	    estate_hold(estate, above, true, issuer, err, err_size) != 0)
		return -1;
	cert = keeper_mint(estate->link, id, above ? issuer : id, chance,
		row->cert ? der_of(row->cert) : none, err, err_size);
	if (!cert)
		return -1;
	CRYPTO_BUFFER_free(row->cert);
	row->cert = cert;
	CRYPTO_BUFFER_free(row->chain);
	row->chain = above ? der_buffer(der_of(above->cert)) : NULL;
	return 0;
}

/* lay makes key, certificate and row. chance tells this installation's CAs from
 * another's: two of one name and different keys confuse browsers. */
static int lay(struct estate *estate, const struct stone *stone,
	const char *chance, char *err, size_t err_size)
{
	struct store_ca *above = stone->parent ?
		estate_find(estate, stone->parent) : NULL;
	struct store_ca row;
	int result;

	result = begin_row(estate->link, stone, chance, &row, err, err_size);
	if (result == 0)
		result = mint(estate, &row, above, chance, err, err_size);
	if (result == 0)
		result = store_add(estate->store, &row, err, err_size);
	CRYPTO_BUFFER_free(row.cert);
	CRYPTO_BUFFER_free(row.key);
	CRYPTO_BUFFER_free(row.spki);
	CRYPTO_BUFFER_free(row.chain);
	if (result != 0)
		return -1;
	return estate_list(estate, err, err_size);
}

static int lay_all(struct estate *estate, char *err, size_t err_size)
{
	char chance[2 * CHANCE + 1];

	make_chance(CHANCE, chance);
	for (size_t i = 0; i < NUM_STONES; i++) {
		if (lay(estate, &stones[i], chance, err, err_size) != 0)
			return -1;
	}
	return 0;
}

int foundation_open(const struct authority_options *options,
	struct estate *out, char *err, size_t err_size)
{
	int result = estate_open(options, out, err, err_size);

	if (result != 0 || out->num > 0)
		return result;
	if (!out->link)
		return pki_fail(err, err_size, "there is no CA yet: \"sallyport "
			"run\" makes one at its first start");
	return lay_all(out, err, err_size);
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

/* is_worn: above is NULL or the certificate over it. An end that can't be put
 * off is no reason: the root's is the last. */
static bool is_worn(const struct store_ca *row, const struct cert *cert,
	const struct cert *above, const char *crl_base)
{
	time_t soon = time(NULL) + (time_t)MEND_DAYS * DAY;

	if (cert->not_after < soon &&
	    (!above || above->not_after > cert->not_after))
		return true;
	return above && !same_crl_point(cert, crl_base, row->parent);
}

/* A root out of its time signs nothing; whoever still needs it says so. */
static bool may_sign(const struct cert *cert)
{
	time_t now = time(NULL);

	return cert->not_before <= now && cert->not_after >= now;
}

static int mend(struct estate *estate, int64_t id, const char *crl_base,
	char *err, size_t err_size)
{
	struct store_ca *row = estate_find(estate, id), *above = NULL;
	struct cert cert, over;

	if (!row || row->retired || cert_read(der_of(row->cert), &cert) != 0)
		return 0;
	if (row->parent) {
		above = estate_find(estate, row->parent);
		if (!above || cert_read(der_of(above->cert), &over) != 0 ||
		    !may_sign(&over))
			return 0;
	}
	if (!is_worn(row, &cert, above ? &over : NULL, crl_base))
		return 0;
	if (mint(estate, row, above, "", err, err_size) != 0 ||
	    store_save(estate->store, row, err, err_size) != 0)
		return -1;
	return estate_list(estate, err, err_size);
}

int foundation_mend(struct estate *estate, const char *crl_base, char *err,
	size_t err_size)
{
	if (mend(estate, ESTATE_UNTRUSTED, NULL, err, err_size) != 0)
		return -1;
	return mend(estate, ESTATE_INTERMEDIATE, crl_base, err, err_size);
}
