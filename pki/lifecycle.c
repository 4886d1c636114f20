#include "pki/lifecycle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/foundation.h"
#include "pki/lifecycle_private.h"
#include "pki/name.h"
#include "pki/store_audit.h"
#include "pki/store_issuing.h"

/* --- sentences ---------------------------------------------------------- */

enum life_outcome life_no(const struct life *life, enum life_outcome outcome,
	const char *format, ...)
{
	va_list args;

	if (life->err_size > 0) {
		va_start(args, format);
		vsnprintf(life->err, life->err_size, format, args);
		va_end(args);
	}
	return outcome;
}

enum life_outcome life_out_of_order(const struct life *life,
	const struct store_ca *row, const char *what)
{
	return life_no(life, LIFE_REFUSED, "%s The CA's state is %s.", what,
		state_word(row->state));
}

/* --- a step ------------------------------------------------------------- */

static enum life_outcome open_estate(const struct life *life,
	struct estate *estate)
{
	if (foundation_open(life->options, estate, life->err,
		    life->err_size) == 0)
		return LIFE_OK;
	return LIFE_FAILED;
}

static struct store_ca *find(struct estate *estate, int64_t id)
{
	struct store_ca *row = estate_find(estate, id);

	return row && row->purpose == STORE_INTERMEDIATE && !row->retired ?
		row : NULL;
}

static enum life_outcome unknown(const struct life *life, int64_t id)
{
	return life_no(life, LIFE_UNKNOWN, "There is no intermediate CA "
		"certificate %lld.", (long long)id);
}

enum life_outcome life_begin(const struct life *life, int64_t id,
	bool built_in, struct estate *estate, struct store_ca **out)
{
	enum life_outcome outcome = open_estate(life, estate);

	if (outcome != LIFE_OK)
		return outcome;
	*out = find(estate, id);
	if (!*out)
		return unknown(life, id);
	if (id == ESTATE_INTERMEDIATE && !built_in)
		return life_no(life, LIFE_BUILT_IN, "This operation is not "
			"applicable for the built-in certificate.");
	return LIFE_OK;
}

int life_tell(const struct life *life, struct estate *estate, int64_t id,
	const char *name, const char *what, const char *detail)
{
	struct store_audit line = {.time = time(NULL), .ca = id};

	snprintf(line.who, sizeof(line.who), "%s", life->who);
	snprintf(line.what, sizeof(line.what), "%s", what);
	snprintf(line.name, sizeof(line.name), "%s", name);
	snprintf(line.detail, sizeof(line.detail), "%s", detail ? detail : "");
	return store_audit_add(estate->store, &line, life->err,
		life->err_size);
}

/* copy gives the row its own references. */
void life_copy(const struct store_ca *row, struct store_ca *out)
{
	CRYPTO_BUFFER *shared[] = {row->key, row->spki, row->csr, row->cert,
		row->chain, row->crl};

	*out = *row;
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		if (shared[i])
			CRYPTO_BUFFER_up_ref(shared[i]);
	}
}

void life_clear(struct store_ca *row)
{
	CRYPTO_BUFFER_free(row->key);
	CRYPTO_BUFFER_free(row->spki);
	CRYPTO_BUFFER_free(row->csr);
	CRYPTO_BUFFER_free(row->cert);
	CRYPTO_BUFFER_free(row->chain);
	CRYPTO_BUFFER_free(row->crl);
	memset(row, 0, sizeof(*row));
}

/* finish commits what was written, and gives the row as it is then. */
enum life_outcome life_finish(const struct life *life,
	struct estate *estate, int64_t id, struct store_ca *out)
{
	const struct store_ca *row;

	if (estate_list(estate, life->err, life->err_size) != 0 ||
	    estate_commit(estate, life->err, life->err_size) != 0)
		return LIFE_FAILED;
	row = estate_find(estate, id);
	if (out && row)
		life_copy(row, out);
	return LIFE_OK;
}

/* save writes the row, its line, and finishes. */
enum life_outcome life_save(const struct life *life, struct estate *estate,
	const struct store_ca *row, const char *what, const char *detail,
	struct store_ca *out)
{
	if (store_save(estate->store, row, life->err, life->err_size) != 0 ||
	    life_tell(life, estate, row->id, row->name, what, detail) != 0)
		return LIFE_FAILED;
	return life_finish(life, estate, row->id, out);
}

/* --- looking ------------------------------------------------------------ */

/* look opens the estate for who only sees: where there are no CAs yet there is
 * nothing to see, and none are made, which would be others each time. */
static enum life_outcome look(const struct life *life, struct estate *estate)
{
	return estate_look(life->options, estate, life->err,
		       life->err_size) >= 0 ? LIFE_OK : LIFE_FAILED;
}

enum life_outcome life_get(const struct life *life, int64_t id,
	struct store_ca *out)
{
	const struct store_ca *row = NULL;
	struct estate estate;
	enum life_outcome outcome = look(life, &estate);

	if (outcome == LIFE_OK)
		row = find(&estate, id);
	if (row)
		life_copy(row, out);
	else if (outcome == LIFE_OK)
		outcome = unknown(life, id);
	estate_close(&estate);
	return outcome;
}

enum life_outcome life_list(const struct life *life, struct store_ca **out,
	size_t *out_num)
{
	struct estate estate;
	enum life_outcome outcome = look(life, &estate);

	*out = NULL;
	*out_num = 0;
	if (outcome == LIFE_OK) {
		*out = pki_new((estate.num + 1) * sizeof(**out));
		for (size_t i = 0; i < estate.num; i++) {
			const struct store_ca *row = &estate.list[i];

			if (find(&estate, row->id))
				life_copy(row, &(*out)[(*out_num)++]);
		}
	}
	estate_close(&estate);
	return outcome;
}

bool life_usable(const struct store_ca *row)
{
	return row->state == STATE_CERT_READY && row->enabled &&
		!row->retired;
}

/* --- names and such ----------------------------------------------------- */

static enum life_outcome check_name(const struct life *life,
	struct estate *estate, const char *name, int64_t id)
{
	size_t letters;

	if (!name_text_ok(name, &letters) || letters == 0)
		return life_no(life, LIFE_REFUSED, "Certificate name is "
			"required: text without control characters.");
	if (strlen(name) >= STORE_NAME)
		return life_no(life, LIFE_REFUSED, "The certificate name is "
			"too long: at most %d bytes.", STORE_NAME - 1);
	if (store_name_taken(estate->store, name, id))
		return life_no(life, LIFE_TAKEN, "Another certificate has "
			"the name \"%s\".", name);
	return LIFE_OK;
}

static enum life_outcome check_description(const struct life *life,
	const char *text)
{
	if (text && strlen(text) >= STORE_DESCRIPTION)
		return life_no(life, LIFE_REFUSED, "The description is too "
			"long: at most %d bytes.", STORE_DESCRIPTION - 1);
	return LIFE_OK;
}

static enum life_outcome read_status(const struct life *life,
	const char *status, bool *out)
{
	*out = status && strcmp(status, "ENABLED") == 0;
	if (*out || (status && strcmp(status, "DISABLED") == 0))
		return LIFE_OK;
	return life_no(life, LIFE_REFUSED, "Certificate status must be "
		"ENABLED or DISABLED.");
}

static enum life_outcome check_type(const struct life *life,
	const struct life_draft *draft)
{
	if (!draft->type)
		return life_no(life, LIFE_REFUSED,
			"Certificate type is required.");
	if (strcmp(draft->type, "CUSTOM_HSM") == 0)
		return life_no(life, LIFE_REFUSED, "Keys in a hardware "
			"security module are not supported: use CUSTOM_SW.");
	if (strcmp(draft->type, "CUSTOM_SW") != 0)
		return life_no(life, LIFE_REFUSED, "Certificate type must be "
			"CUSTOM_SW.");
	if (draft->region && strcmp(draft->region, "GLOBAL") != 0)
		return life_no(life, LIFE_REFUSED, "Certificates with "
			"software protection can be created only in the GLOBAL "
			"region.");
	return LIFE_OK;
}

/* check_limits: one more, enabled or not, may there be. */
static enum life_outcome check_limits(const struct life *life,
	const struct estate *estate, bool adds, bool enables, int64_t id)
{
	size_t num = 0, enabled = 0;

	for (size_t i = 0; i < estate->num; i++) {
		const struct store_ca *row = &estate->list[i];

		if (row->purpose != STORE_INTERMEDIATE || row->retired ||
		    row->id == ESTATE_INTERMEDIATE || row->id == id)
			continue;
		num++;
		enabled += row->enabled;
	}
	if (adds && life->most > 0 && num >= life->most)
		return life_no(life, LIFE_REFUSED, "There may be at most %zu "
			"custom intermediate CA certificates; delete one "
			"first.", life->most);
	if (enables && life->most_enabled > 0 &&
	    enabled >= life->most_enabled)
		return life_no(life, LIFE_REFUSED, "At most %zu custom "
			"intermediate CA certificate can be enabled at a "
			"time; disable the other first.", life->most_enabled);
	return LIFE_OK;
}

/* --- create and change -------------------------------------------------- */

static enum life_outcome fill_new(const struct life *life,
	struct estate *estate, const struct life_draft *draft,
	struct store_ca *row)
{
	enum life_outcome outcome = check_type(life, draft);

	if (outcome == LIFE_OK)
		outcome = check_name(life, estate,
			draft->name ? draft->name : "", 0);
	if (outcome == LIFE_OK)
		outcome = check_description(life, draft->description);
	if (outcome == LIFE_OK)
		outcome = read_status(life,
			draft->status ? draft->status : "ENABLED",
			&row->enabled);
	if (outcome == LIFE_OK)
		outcome = check_limits(life, estate, true, row->enabled, 0);
	if (outcome != LIFE_OK)
		return outcome;
	row->purpose = STORE_INTERMEDIATE;
	row->state = STATE_GENERAL_DONE;
	snprintf(row->name, sizeof(row->name), "%s", draft->name);
	snprintf(row->description, sizeof(row->description), "%s",
		draft->description ? draft->description : "");
	return LIFE_OK;
}

enum life_outcome life_create(const struct life *life,
	const struct life_draft *draft, struct store_ca *out)
{
	struct estate estate;
	struct store_ca row = {0};
	enum life_outcome outcome = open_estate(life, &estate);

	if (outcome == LIFE_OK)
		outcome = fill_new(life, &estate, draft, &row);
	if (outcome == LIFE_OK &&
	    (store_add(estate.store, &row, life->err, life->err_size) != 0 ||
		life_tell(life, &estate, row.id, row.name, "create",
			NULL) != 0))
		outcome = LIFE_FAILED;
	if (outcome == LIFE_OK)
		outcome = life_finish(life, &estate, row.id, out);
	estate_close(&estate);
	return outcome;
}

static bool differs(const char *given, const char *is)
{
	return given && strcmp(given, is) != 0;
}

/* Whoever sends a whole object back, changed or not, means its changes. */
static enum life_outcome check_fixed(const struct life *life,
	const struct store_ca *row, const struct life_draft *draft)
{
	if (differs(draft->region, row->region))
		return life_no(life, LIFE_REFUSED, "The region can't be "
			"changed after the certificate is created.");
	if (differs(draft->type, row->type))
		return life_no(life, LIFE_REFUSED, "The type can't be "
			"changed after the certificate is created.");
	if (row->state == STATE_CERT_READY &&
	    (differs(draft->name, row->name) ||
		differs(draft->description, row->description)))
		return life_no(life, LIFE_REFUSED, "The certificate is "
			"finalized (CERT_READY): only its status can be "
			"changed, from ENABLED to DISABLED.");
	return LIFE_OK;
}

static enum life_outcome change_status(const struct life *life,
	struct estate *estate, struct store_ca *row, const char *status)
{
	enum life_outcome outcome;
	bool enabled;

	if (!status)
		return LIFE_OK;
	outcome = read_status(life, status, &enabled);
	if (outcome != LIFE_OK || enabled == row->enabled)
		return outcome;
	if (enabled && row->state == STATE_CERT_READY)
		return life_no(life, LIFE_REFUSED, "A finalized certificate "
			"(CERT_READY) that was disabled can't be enabled "
			"again: create another.");
	if (!enabled && row->is_default)
		return life_no(life, LIFE_REFUSED, "The default intermediate "
			"certificate cannot be disabled: make another the "
			"default first.");
	if (enabled)
		outcome = check_limits(life, estate, false, true, row->id);
	if (outcome == LIFE_OK)
		row->enabled = enabled;
	return outcome;
}

static enum life_outcome change(const struct life *life,
	struct estate *estate, struct store_ca *row,
	const struct life_draft *draft)
{
	enum life_outcome outcome = check_fixed(life, row, draft);

	if (outcome == LIFE_OK && draft->name)
		outcome = check_name(life, estate, draft->name, row->id);
	if (outcome == LIFE_OK)
		outcome = check_description(life, draft->description);
	if (outcome == LIFE_OK)
		outcome = change_status(life, estate, row, draft->status);
	if (outcome != LIFE_OK)
		return outcome;
	if (draft->name)
		snprintf(row->name, sizeof(row->name), "%s", draft->name);
	if (draft->description)
		snprintf(row->description, sizeof(row->description), "%s",
			draft->description);
	return LIFE_OK;
}

/* What a row was before it was changed. */
struct before {
	char name[STORE_NAME];
	bool enabled;
};

static enum life_outcome save_change(const struct life *life,
	struct estate *estate, const struct store_ca *row,
	const struct before *before, struct store_ca *out)
{
	bool renamed = strcmp(before->name, row->name) != 0;
	char detail[STORE_NAME + 32];

	snprintf(detail, sizeof(detail), "%s%s%s",
		before->enabled == row->enabled ? "" :
		row->enabled ? "enabled " : "disabled ",
		renamed ? "was called " : "", renamed ? before->name : "");
	return life_save(life, estate, row, before->enabled && !row->enabled ?
			"disable" : "change", detail, out);
}

enum life_outcome life_change(const struct life *life, int64_t id,
	const struct life_draft *draft, struct store_ca *out)
{
	struct store_ca *row;
	struct estate estate;
	struct before before = {.enabled = false};
	enum life_outcome outcome = life_begin(life, id, false, &estate, &row);

	if (outcome == LIFE_OK) {
		before.enabled = row->enabled;
		snprintf(before.name, sizeof(before.name), "%s", row->name);
		outcome = change(life, &estate, row, draft);
	}
	if (outcome == LIFE_OK)
		outcome = save_change(life, &estate, row, &before, out);
	estate_close(&estate);
	return outcome;
}

/* --- deleting ----------------------------------------------------------- */

static enum life_outcome may_delete(const struct life *life,
	const struct store_ca *row)
{
	if (row->is_default)
		return life_no(life, LIFE_REFUSED, "The default intermediate "
			"certificate cannot be deleted.");
	if (row->id == ESTATE_INTERMEDIATE)
		return life_no(life, LIFE_BUILT_IN, "This operation is not "
			"applicable for the built-in certificate.");
	for (size_t i = 0; i < life->num_rules; i++) {
		if (strcmp(life->rules[i].ca, row->name) == 0)
			return life_no(life, LIFE_REFUSED, "The rule \"%s\" "
				"names this certificate (intermediate-ca): "
				"change the rule first.",
				life->rules[i].rule);
	}
	return LIFE_OK;
}

/* last_crl: what is served once the key is gone must hold until everything that
 * the key has signed is over. */
static enum life_outcome last_crl(const struct life *life,
	struct estate *estate, struct store_ca *row)
{
	CRYPTO_BUFFER *crl = NULL;
	struct ca *ca;
	bool may;

	if (row->state != STATE_CERT_READY || row->crl_number == 0)
		return LIFE_OK; /* it has signed nothing */
	if (estate_ca(estate, row, &ca, life->err, life->err_size) != 0)
		return LIFE_OK; /* it has ended */
	may = ca_can_sign_crl(ca);
	if (may)
		crl = estate_renew_crl(estate, row, ca, time(NULL),
			ca_not_after(ca), life->err, life->err_size);
	ca_unref(ca);
	CRYPTO_BUFFER_free(crl);
	return crl || !may ? LIFE_OK : LIFE_FAILED;
}

enum life_outcome life_delete(const struct life *life, int64_t id)
{
	struct store_ca *row;
	struct estate estate;
	enum life_outcome outcome = life_begin(life, id, true, &estate, &row);

	if (outcome == LIFE_OK)
		outcome = may_delete(life, row);
	if (outcome == LIFE_OK)
		outcome = last_crl(life, &estate, row);
	if (outcome == LIFE_OK &&
	    (life_tell(life, &estate, id, row->name, "delete", NULL) != 0 ||
		store_retire(estate.store, id, time(NULL), life->err,
			life->err_size) != 0))
		outcome = LIFE_FAILED;
	if (outcome == LIFE_OK)
		outcome = life_finish(life, &estate, id, NULL);
	if (outcome == LIFE_OK)
		estate_forget(&estate, estate_find(&estate, id)->spki);
	estate_close(&estate);
	return outcome;
}
