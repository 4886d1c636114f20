#include "pki/revoke.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "pki/crl.h"
#include "pki/foundation.h"
#include "pki/lifecycle_private.h"
#include "pki/x509.h"

enum { CHANCE = 4 };

/* --- CRLs --------------------------------------------------------------- */

static int sign_crl(const struct life *life, struct estate *estate,
	const struct store_ca *row, const struct ca *ca)
{
	time_t now = time(NULL);
	CRYPTO_BUFFER *crl = estate_renew_crl(estate, row, ca, now,
		now + CRL_LIFE, life->err, life->err_size);

	CRYPTO_BUFFER_free(crl);
	return crl ? 0 : -1;
}

/* room: a CRL is as long as a frame of the keeper's lets it be. */
static enum life_outcome check_room(const struct life *life,
	struct estate *estate, const struct store_ca *row)
{
	struct crl_entry *revoked =
		pki_new(CRL_REVOKED_MAX * sizeof(*revoked));
	size_t num = 0;
	int result = store_revoked(estate->store, row->id, time(NULL),
		revoked, &num, life->err, life->err_size);

	free(revoked);
	if (result != 0)
		return LIFE_FAILED;
	return num < CRL_REVOKED_MAX ? LIFE_OK :
		life_no(life, LIFE_REFUSED, "The CRL of \"%s\" holds %d "
			"certificates, as many as it can: put another CA to "
			"use, and disable this one.", row->name,
			CRL_REVOKED_MAX);
}

/* revoke puts a serial on the CRL of row, and signs that. */
static enum life_outcome revoke(const struct life *life,
	struct estate *estate, struct store_ca *row,
	const struct crl_entry *entry, time_t until)
{
	enum life_outcome outcome = check_room(life, estate, row);
	struct ca *ca;

	if (outcome != LIFE_OK)
		return outcome;
	if (estate_ca(estate, row, &ca, life->err, life->err_size) != 0)
		return LIFE_REFUSED;
	if (!ca_can_sign_crl(ca))
		outcome = life_no(life, LIFE_REFUSED, "The CA \"%s\" may not "
			"sign CRLs (its keyUsage lacks cRLSign): nothing under "
			"it can be revoked. Disable it, and put another to "
			"use.", row->name);
	else if (store_revoke(estate->store, row->id, entry, until, life->err,
			 life->err_size) != 0 ||
		sign_crl(life, estate, row, ca) != 0)
		outcome = LIFE_FAILED;
	ca_unref(ca);
	return outcome;
}

static bool entry_of(const CRYPTO_BUFFER *der, struct crl_entry *out)
{
	struct cert cert;

	if (cert_read(der_of(der), &cert) != 0 || cert.serial.len == 0 ||
	    cert.serial.len > CRL_SERIAL_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	memcpy(out->serial, cert.serial.at, cert.serial.len);
	out->serial_len = (uint8_t)cert.serial.len;
	out->at = time(NULL);
	return true;
}

static void serial_text(const struct crl_entry *entry, char out[48])
{
	for (size_t i = 0; i < entry->serial_len; i++)
		snprintf(out + 2 * i, 3, "%02X", entry->serial[i]);
}

/* --- issuing CAs -------------------------------------------------------- */

static enum life_outcome revoke_one(const struct life *life,
	struct estate *estate, const struct store_issuing *issuing)
{
	struct store_ca *parent = estate_find(estate, issuing->parent);
	struct crl_entry entry;
	enum life_outcome outcome;
	char serial[48] = "";

	if (!parent || parent->retired)
		return life_no(life, LIFE_REFUSED, "The CA that signed it has "
			"been deleted.");
	if (!entry_of(issuing->cert, &entry))
		return life_no(life, LIFE_FAILED, "sallyport.db: the issuing "
			"CA's certificate is damaged");
	outcome = revoke(life, estate, parent, &entry, issuing->ends);
	if (outcome != LIFE_OK)
		return outcome;
	serial_text(&entry, serial);
	if (store_mark_revoked(estate->store, issuing->id, entry.at,
		    life->err, life->err_size) != 0 ||
	    life_tell(life, estate, parent->id, parent->name,
		    "revoke-issuing", serial) != 0)
		return LIFE_FAILED;
	/* its CRL has another number now */
	return estate_list(estate, life->err, life->err_size) == 0 ? LIFE_OK :
								LIFE_FAILED;
}

/* is_called: by its key id or its serial; ':' and blanks do not count. */
static bool is_called(const struct store_issuing *issuing, const char *id)
{
	struct crl_entry entry;
	char plain[64], serial[48] = "";
	size_t len = 0;

	for (; *id && len + 1 < sizeof(plain); id++) {
		if (isxdigit((unsigned char)*id))
			plain[len++] = *id;
	}
	plain[len] = '\0';
	if (!entry_of(issuing->cert, &entry))
		return false;
	serial_text(&entry, serial);
	return len > 0 && (strcasecmp(plain, issuing->key_id) == 0 ||
		strcasecmp(plain, serial) == 0);
}

struct issuings {
	struct store_issuing *list; /* owned */
	size_t num;
};

static enum life_outcome open_issuings(const struct life *life,
	struct estate *estate, struct issuings *out)
{
	memset(out, 0, sizeof(*out));
	if (foundation_open(life->options, estate, life->err,
		    life->err_size) != 0 ||
	    store_issuing_list(estate->store, time(NULL), &out->list,
		    &out->num, life->err, life->err_size) != 0)
		return LIFE_FAILED;
	return LIFE_OK;
}

static enum life_outcome commit(const struct life *life,
	struct estate *estate)
{
	return estate_commit(estate, life->err, life->err_size) == 0 ?
		LIFE_OK : LIFE_FAILED;
}

enum life_outcome revoke_issuing(const struct life *life, const char *id)
{
	struct issuings all;
	struct estate estate;
	enum life_outcome outcome = open_issuings(life, &estate, &all);
	const struct store_issuing *found = NULL;

	for (size_t i = 0; outcome == LIFE_OK && i < all.num; i++) {
		if (is_called(&all.list[i], id))
			found = &all.list[i];
	}
	if (outcome == LIFE_OK && !found)
		outcome = life_no(life, LIFE_UNKNOWN, "There is no issuing CA "
			"with that key id or serial number.");
	else if (outcome == LIFE_OK && found->revoked)
		outcome = life_no(life, LIFE_REFUSED,
			"That issuing CA has been revoked already.");
	if (outcome == LIFE_OK)
		outcome = revoke_one(life, &estate, found);
	if (outcome == LIFE_OK)
		outcome = commit(life, &estate);
	store_issuing_free(all.list, all.num);
	estate_close(&estate);
	return outcome;
}

enum life_outcome revoke_list(const struct life *life,
	struct store_issuing **out, size_t *out_num)
{
	struct estate estate;
	enum life_outcome outcome = LIFE_OK;
	int result = estate_look(life->options, &estate, life->err,
		life->err_size);

	*out = NULL;
	*out_num = 0;
	if (result == 0)
		result = store_issuing_list(estate.store, time(NULL), out,
			out_num, life->err, life->err_size);
	if (result < 0)
		outcome = LIFE_FAILED;
	estate_close(&estate);
	return outcome;
}

/* --- an intermediate ---------------------------------------------------- */

static bool put_past(const struct life *life, struct estate *estate,
	const struct store_ca *row, const struct ca *ca,
	struct store_issuing *past)
{
	past->ends = ca_not_after(ca);
	past->cert = row->cert;
	(void)store_crl_id(row, past->key_id);
	past->crl = estate_make_crl(estate, row, ca, past->made, past->ends,
		life->err, life->err_size);
	return past->crl && store_issuing_next(estate->store, &past->id,
			life->err, life->err_size) == 0 &&
		store_issuing_add(estate->store, past, life->err,
			life->err_size) == 0 &&
		store_mark_revoked(estate->store, past->id, past->made,
			life->err, life->err_size) == 0;
}

/* archive: what the key before has signed still finds its CRL where it was, a
 * last one, which holds as long as its certificate would have. */
static enum life_outcome archive(const struct life *life,
	struct estate *estate, struct store_ca *row)
{
	struct store_issuing past = {.parent = row->parent,
		.made = time(NULL)};
	struct ca *ca;
	bool fine;

	if (estate_ca(estate, row, &ca, life->err, life->err_size) != 0)
		return LIFE_REFUSED;
	fine = put_past(life, estate, row, ca, &past);
	if (fine)
		snprintf(row->crl_id, sizeof(row->crl_id), "%lld-%lld",
			(long long)row->id, (long long)past.id);
	CRYPTO_BUFFER_free(past.crl);
	ca_unref(ca);
	return fine ? LIFE_OK : LIFE_FAILED;
}

/* replace gives the row a new key, a new name and a new certificate. */
static enum life_outcome replace(const struct life *life,
	struct estate *estate, struct store_ca *row, struct store_ca *root)
{
	uint8_t id[CA_KEY_ID], issuer[CA_KEY_ID];
	const struct keeper_link *link = life->options->link;
	struct der none = {NULL, 0};
	char chance[2 * CHANCE + 1];

	make_chance(CHANCE, chance);
	CRYPTO_BUFFER_free(row->key);
	CRYPTO_BUFFER_free(row->spki);
	CRYPTO_BUFFER_free(row->cert);
	row->key = row->spki = row->cert = NULL;
	snprintf(row->name, sizeof(row->name), "Sallyport Intermediate CA %s",
		chance);
	row->key_time = time(NULL);
	if (keeper_make_key(link, KEY_EC_P256, KEY_ROLE_INTERMEDIATE,
		    &row->key, &row->spki, life->err, life->err_size) != 0 ||
	    estate_hold(estate, row, false, id, life->err,
		    life->err_size) != 0 ||
	    estate_hold(estate, root, true, issuer, life->err,
		    life->err_size) != 0)
		return LIFE_FAILED;
	row->cert = keeper_mint(link, id, issuer, chance, none, life->err,
		life->err_size);
	if (!row->cert || store_save(estate->store, row, life->err,
			life->err_size) != 0)
		return LIFE_FAILED;
	/* the CRL of the key before is of no use to anybody */
	return store_set_crl(estate->store, row->id, NULL, row->crl_number, 0,
		life->err, life->err_size) == 0 ? LIFE_OK : LIFE_FAILED;
}

static enum life_outcome revoke_own(const struct life *life,
	struct estate *estate, struct store_ca *row)
{
	struct store_ca *root = estate_find(estate, row->parent);
	struct crl_entry entry;
	struct cert cert;
	char serial[48] = "", name[STORE_NAME];
	enum life_outcome outcome;

	if (!root || cert_read(der_of(row->cert), &cert) != 0 ||
	    !entry_of(row->cert, &entry))
		return life_no(life, LIFE_FAILED, "sallyport.db: the CA's "
			"certificate is damaged");
	outcome = revoke(life, estate, root, &entry, cert.not_after);
	if (outcome != LIFE_OK)
		return outcome;
	serial_text(&entry, serial);
	snprintf(name, sizeof(name), "%s", row->name);
	outcome = archive(life, estate, row);
	if (outcome == LIFE_OK)
		outcome = replace(life, estate, row, root);
	if (outcome == LIFE_OK && life_tell(life, estate, row->id, name,
				    "revoke", serial) != 0)
		outcome = LIFE_FAILED;
	return outcome;
}

enum life_outcome revoke_ca(const struct life *life, int64_t id)
{
	CRYPTO_BUFFER *before = NULL;
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, true, &estate, &row);

	if (outcome == LIFE_OK && row->parent == 0)
		outcome = life_no(life, LIFE_REFUSED, "This certificate was "
			"signed outside, and is its issuer's to revoke. "
			"Disable it here (status DISABLED), after making "
			"another the default.");
	if (outcome == LIFE_OK) {
		before = der_buffer(der_of(row->spki));
		outcome = revoke_own(life, &estate, row);
	}
	if (outcome == LIFE_OK)
		outcome = commit(life, &estate);
	if (outcome == LIFE_OK)
		estate_forget(&estate, before);
	CRYPTO_BUFFER_free(before);
	estate_close(&estate);
	return outcome;
}

/* --- a site ------------------------------------------------------------- */

static const struct store_issuing *find_issuing(const struct issuings *all,
	int64_t id)
{
	for (size_t i = 0; i < all->num; i++) {
		if (all->list[i].id == id)
			return &all->list[i];
	}
	return NULL;
}

static bool seen_before(const struct store_leaf *list, size_t at)
{
	for (size_t i = 0; i < at; i++) {
		if (list[i].issuing == list[at].issuing)
			return true;
	}
	return false;
}

static enum life_outcome revoke_leaf(const struct life *life,
	struct estate *estate, const struct store_leaf *leaf)
{
	struct store_ca *row = estate_find(estate, leaf->ca);
	struct crl_entry entry = leaf->entry;
	enum life_outcome outcome;

	if (!row || row->retired)
		return LIFE_OK; /* nobody is left to say so */
	if (entry.serial_len == 0)
		return life_no(life, LIFE_REFUSED, "The CA \"%s\" has signed "
			"for more sites than were noted: what it has signed "
			"can't be revoked by its site. Disable it, and put "
			"another to use.", row->name);
	entry.at = time(NULL);
	outcome = revoke(life, estate, row, &entry, leaf->ends);
	if (outcome == LIFE_OK && estate_list(estate, life->err,
				    life->err_size) != 0)
		outcome = LIFE_FAILED;
	return outcome;
}

static enum life_outcome revoke_leaves(const struct life *life,
	struct estate *estate, const struct issuings *all,
	const struct store_leaf *list, size_t num, size_t *out)
{
	enum life_outcome outcome = LIFE_OK;

	for (size_t i = 0; i < num && outcome == LIFE_OK; i++) {
		const struct store_issuing *issuing =
			find_issuing(all, list[i].issuing);

		if (list[i].issuing == 0) {
			outcome = revoke_leaf(life, estate, &list[i]);
			(*out)++;
		} else if (issuing && !issuing->revoked &&
			!seen_before(list, i)) {
			outcome = revoke_one(life, estate, issuing);
			(*out)++;
		}
	}
	return outcome;
}

enum life_outcome revoke_site(const struct life *life, const char *site,
	size_t *out)
{
	struct store_leaf *leaves = NULL;
	struct issuings all;
	struct estate estate;
	size_t num = 0;
	enum life_outcome outcome = open_issuings(life, &estate, &all);

	*out = 0;
	if (outcome == LIFE_OK && store_leaf_find(estate.store, site,
			time(NULL), &leaves, &num, life->err,
			life->err_size) != 0)
		outcome = LIFE_FAILED;
	if (outcome == LIFE_OK)
		outcome = revoke_leaves(life, &estate, &all, leaves, num, out);
	if (outcome == LIFE_OK && *out == 0)
		outcome = life_no(life, LIFE_UNKNOWN, "No certificate for "
			"\"%s\" that is still good has been signed here, or "
			"it has been revoked already.", site);
	if (outcome == LIFE_OK && life_tell(life, &estate, 0, "",
			"revoke-site", site) != 0)
		outcome = LIFE_FAILED;
	if (outcome == LIFE_OK)
		outcome = commit(life, &estate);
	free(leaves);
	store_issuing_free(all.list, all.num);
	estate_close(&estate);
	return outcome;
}
