/*
 * lifecycle.h - an intermediate CA's life, step by step.
 *
 *	create ─► key pair ─► request ─► (signed outside) ─► certificate
 *	       ─► chain, or not ─► finalize ─► default ─► disable, delete
 *
 * Each step is one transaction with its line in the audit trail: whoever dies
 * between two finds the state that the last one left. A step that comes out of
 * its order is refused, and nothing changes. currentState and the rules are
 * those of the vendor's API that people script against (proxy/admin/openapi.json,
 * field by field).
 *
 *	from                        step               to
 *	GENERAL_DONE                make_key           KEYGEN_DONE
 *	KEYGEN_DONE                 take_public_key    PUBKEY_DONE
 *	KEYGEN, PUBKEY, CSRGEN      make_csr           CSRGEN_DONE
 *	CSRGEN, INTCERT, CERTCHAIN  upload_cert        INTCERT_UPLOAD_DONE
 *	INTCERT, CERTCHAIN          upload_chain       CERTCHAIN_UPLOAD_DONE
 *	INTCERT, CERTCHAIN          finalize           CERT_READY
 *
 * CERT_READY is final, but that status may go from ENABLED to DISABLED: that is
 * how an administrator takes a CA out of use. The key and the region never
 * change. The default is neither deleted nor disabled.
 *
 * Threads: any; steps wait for each other (the store's lock).
 * Errors:  an outcome; all but LIFE_OK with a sentence in err.
 */
#ifndef PKI_LIFECYCLE_H
#define PKI_LIFECYCLE_H

#include "pki/csr.h"
#include "pki/keymaker.h"
#include "pki/store_ca.h"

struct authority_options;
struct upload;

enum life_outcome {
	LIFE_OK,
	LIFE_FAILED,    /* the store or the keeper: nothing to do with the step */
	LIFE_UNKNOWN,   /* no such CA */
	LIFE_REFUSED,   /* out of order, or what was given is wrong */
	LIFE_TAKEN,     /* the name is another's */
	LIFE_BUILT_IN,  /* not for the CA that Sallyport made for itself */
};

/* Who does it, and what holds for all steps. */
struct life {
	const struct authority_options *options; /* state, link, validity_s */
	const char *who;              /* for the audit trail */
	/* Rules that name CAs: those can't be deleted. */
	const struct life_rule {
		const char *ca, *rule;
	} *rules;
	size_t num_rules;
	size_t most, most_enabled;    /* CAs of one's own; 0: no limit */
	char *err;
	size_t err_size;
};

/* What a CA is created with, or changed to: NULL is not given. */
struct life_draft {
	const char *name, *type, *region, *status, *description;
};

/* Each of these fills out with the row as it is then, where the outcome is
 * LIFE_OK; life_clear lets go of it. */
enum life_outcome life_get(const struct life *life, int64_t id,
	struct store_ca *out) MUST_CHECK;
enum life_outcome life_create(const struct life *life,
	const struct life_draft *draft, struct store_ca *out) MUST_CHECK;
enum life_outcome life_change(const struct life *life, int64_t id,
	const struct life_draft *draft, struct store_ca *out) MUST_CHECK;
enum life_outcome life_make_key(const struct life *life, int64_t id,
	enum key_kind kind, struct store_ca *out) MUST_CHECK;
enum life_outcome life_take_public_key(const struct life *life, int64_t id,
	struct store_ca *out) MUST_CHECK;

/* bits: what the caller believes an RSA key to have; 0: not said. */
enum life_outcome life_make_csr(const struct life *life, int64_t id,
	const struct csr_order *order, const char *file_name, unsigned bits,
	struct store_ca *out) MUST_CHECK;
enum life_outcome life_upload_cert(const struct life *life, int64_t id,
	const struct upload *upload, struct store_ca *out) MUST_CHECK;
enum life_outcome life_upload_chain(const struct life *life, int64_t id,
	const struct upload *upload, struct store_ca *out) MUST_CHECK;
enum life_outcome life_finalize(const struct life *life, int64_t id,
	struct store_ca *out) MUST_CHECK;
enum life_outcome life_make_default(const struct life *life, int64_t id,
	struct store_ca *out) MUST_CHECK;
enum life_outcome life_delete(const struct life *life, int64_t id) MUST_CHECK;
void life_clear(struct store_ca *row);

/* life_list gives all intermediates that were not deleted, by id; freed with
 * store_list_free. */
enum life_outcome life_list(const struct life *life, struct store_ca **out,
	size_t *out_num) MUST_CHECK;

/* life_usable: finished and enabled. */
bool life_usable(const struct store_ca *row);

#endif
