#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority_private.h"
#include "pki/crl.h"
#include "pki/dertime.h"
#include "pki/foundation.h"
#include "pki/pem.h"
#include "pki/x509.h"

enum {
	CRL_BASE_MAX = 200,
	SOON_S = 30 * 24 * 3600, /* an end that is told of beforehand */
	LOOK_S = 24 * 3600,      /* at the least: what grew old by itself */
	RETRY_S = 60,
};

void authority_free(struct authority *authority)
{
	if (!authority)
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

void authority_warn(struct authority *authority, const char *text)
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
	authority_warn(o->authority, text);
}

/* --- CRLs --------------------------------------------------------------- */

void authority_no_later(struct opening *o, time_t when)
{
	if (when < o->authority->due)
		o->authority->due = when;
}

/* renew brings member's CRL up to date: what the row has, while that is fresh
 * (another process may have made it), else a new one. */
static int renew(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	if (row->crl && crl_fresh((time_t)row->crl_time, o->now)) {
		CRYPTO_BUFFER_up_ref(row->crl);
		member->crl = row->crl;
		member->crl_made = (time_t)row->crl_time;
	} else {
		member->crl = estate_renew_crl(&o->estate, row, member->ca,
			o->now, o->now + CRL_LIFE, o->err, o->err_size);
		member->crl_made = o->now;
	}
	authority_no_later(o, member->crl_made + CRL_RENEW);
	return member->crl ? 0 : -1;
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

/* warn_unusable: nothing else signs in its place. */
static void warn_unusable(struct opening *o, const struct member *member,
	bool is_default)
{
	char text[WHY + 2 * STORE_NAME];

	snprintf(text, sizeof(text), is_default ?
			"the default CA '%s' can't be used: %s" :
			"a rule's intermediate-ca '%s' can't be used: %s",
		member->name, member->why);
	authority_warn(o->authority, text);
}

static void take_used(struct opening *o, const struct store_ca *row,
	struct member *member)
{
	if (!row->enabled && !row->is_default)
		snprintf(member->why, sizeof(member->why), "the CA '%s' is "
			"disabled", row->name);
	else if (member->ca)
		authority_need_signer(o, row, member);
	if (member->signer)
		warn_of_end(o, member);
	else
		warn_unusable(o, member, row->is_default);
}

static int add_member(struct opening *o, struct store_ca *row)
{
	struct authority *authority = o->authority;
	struct member *member = &authority->members[authority->num_members++];
	bool used = row->purpose == STORE_INTERMEDIATE &&
		(row->is_default || is_named(o, row->name));

	member->id = row->id;
	snprintf(member->name, sizeof(member->name), "%s", row->name);
	(void)store_crl_id(row, member->crl_id);
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
	if (used)
		take_used(o, row, member);
	else if (member->is_intermediate && member->ca && row->enabled)
		authority_keep_signer(o, member);
	return 0;
}

/* warn_of_root: what clients install is the top of what was brought. */
static void warn_of_root(struct opening *o)
{
	const struct store_ca *row = estate_default(&o->estate);
	char text[WHY + STORE_NAME];
	struct cert cert;

	if (cert_read(estate_top(row), &cert) != 0 || cert_self_issued(&cert))
		return;
	snprintf(text, sizeof(text), "root.pem holds no root, and some clients "
		"trust nothing else: the CA '%s' was brought without the "
		"certificates above it", row->name);
	authority_warn(o->authority, text);
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
	warn_of_root(o);
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
	    foundation_open(options, estate, o->err, o->err_size) != 0 ||
	    foundation_mend(estate, options->crl_base, o->err,
		    o->err_size) != 0 ||
	    store_issuing_prune(estate->store, o->now, o->err,
		    o->err_size) != 0 ||
	    store_num_revoked(estate->store, &authority->revoked, o->err,
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

	o.authority->due = o.now + LOOK_S;
	o.authority->crl_base =
		pki_copy(options->crl_base ? options->crl_base : "");
	result = fill(&o);
	if (o.again)
		o.authority->due = o.now + RETRY_S;
	estate_close(&o.estate);
	*out = result == 0 ? o.authority : NULL;
	if (result != 0)
		authority_free(o.authority);
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
	for (size_t i = 0; i < authority->num_members; i++) {
		const struct member *member = &authority->members[i];

		if (strcmp(member->crl_id, id) != 0)
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

uint64_t authority_revoked(const struct authority *authority)
{
	return authority->revoked;
}

time_t authority_due(const struct authority *authority)
{
	return authority->due;
}

const char *authority_warning(const struct authority *authority, size_t at)
{
	return at < authority->num_warnings ? authority->warnings[at] : NULL;
}
