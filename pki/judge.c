#include "pki/judge.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/dertime.h"
#include "pki/name.h"
#include "pki/san.h"
#include "pki/x509.h"

enum {
	CHAIN_MAX = 16,
	CERT_MAX = 64 * 1024,
	REASON = 320,
	SHOWN_NAMES = 3,
};

/* The lower comes first when several things are wrong. */
static const int ranks[VERDICT_COUNT] = {
	[VERDICT_MALFORMED] = 1,
	[VERDICT_SELF_SIGNED] = 2,
	[VERDICT_INCOMPLETE_CHAIN] = 2,
	[VERDICT_UNKNOWN_ISSUER] = 2,
	[VERDICT_INVALID] = 3,
	[VERDICT_WEAK_SIGNATURE] = 4,
	[VERDICT_WEAK_KEY] = 5,
	[VERDICT_WRONG_PURPOSE] = 6,
	[VERDICT_EXPIRED] = 7,
	[VERDICT_NOT_YET_VALID] = 7,
	[VERDICT_NO_SAN] = 8,
	[VERDICT_WRONG_HOST] = 8,
};

/* trial is one case while it is heard. */
struct trial {
	const struct judge_case *asked;
	struct cert leaf;
	X509 *x509;                /* owned: the leaf */
	STACK_OF(X509) *others;    /* owned: what was sent behind it */
	bool issuer_sent;          /* one of the others is called as its issuer */
	size_t unreadable;         /* place of the first that did not parse */
	enum verdict verdict;      /* the worst so far */
	char reason[REASON];
};

X509 *judge_parse(struct der der)
{
	const uint8_t *at = der.at;
	X509 *x509;

	if (der.len == 0 || der.len > CERT_MAX)
		return NULL;
	x509 = d2i_X509(NULL, &at, (long)der.len);
	if (x509 && at != der.at + der.len) {
		X509_free(x509);
		x509 = NULL;
	}
	ERR_clear_error();
	return x509;
}

/* --- findings ----------------------------------------------------------- */

static void find(struct trial *trial, enum verdict verdict,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* find notes what is wrong, unless something worse is known. */
static void find(struct trial *trial, enum verdict verdict,
	const char *format, ...)
{
	va_list args;

	if (trial->verdict != VERDICT_TRUSTED &&
	    ranks[verdict] >= ranks[trial->verdict])
		return;
	trial->verdict = verdict;
	va_start(args, format);
	vsnprintf(trial->reason, sizeof(trial->reason), format, args);
	va_end(args);
}

/* view reads a certificate of the path; *der is freed by the caller. */
static bool view(const X509 *x509, struct cert *out, uint8_t **der)
{
	int len;

	*der = NULL;
	len = i2d_X509((X509 *)(uintptr_t)x509, der);
	return len > 0 &&
		cert_read((struct der){*der, (size_t)len}, out) == 0;
}

static bool is_address(const char *name)
{
	struct san_name read;

	return san_name_read(name, &read) && read.is_address;
}

static void show(const struct san_name *name, char *out, size_t size)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (name->is_address)
		inet_ntop(name->len == 4 ? AF_INET : AF_INET6, name->at, text,
			sizeof(text));
	else
		snprintf(out, size, "%.*s", (int)(name->len > 60 ? 60 :
				name->len), (const char *)name->at);
	if (text[0] != '\0')
		snprintf(out, size, "%s", text);
}

/* list_names writes "a, b, c and 4 more"; false: there are none. */
static bool list_names(struct der san, char *out, size_t size)
{
	CBS in = der_cbs(san), list;
	struct san_name name;
	size_t count = 0, used = 0;

	out[0] = '\0';
	if (!CBS_get_asn1(&in, &list, CBS_ASN1_SEQUENCE))
		return false;
	while (san_next(&list, &name)) {
		if (++count > SHOWN_NAMES)
			continue;
		snprintf(out + used, size - used, count > 1 ? ", " : "");
		used = strlen(out);
		show(&name, out + used, size - used);
		used = strlen(out);
	}
	if (count > SHOWN_NAMES)
		snprintf(out + used, size - used, " and %zu more",
			count - SHOWN_NAMES);
	return count > 0;
}

static void find_wrong_name(struct trial *trial)
{
	char names[220];

	if (list_names(trial->leaf.san, names, sizeof(names)))
		find(trial, VERDICT_WRONG_HOST,
			"the certificate is for %s, not for this name "
			"(RFC 9525, 6)", names);
	else
		find(trial, VERDICT_NO_SAN, "the certificate names no host in "
			"its subject alternative names (RFC 9525, 6)");
}

static bool is_client(const struct trial *trial)
{
	return !trial->asked->name;
}

static const char *sender(const struct trial *trial)
{
	return is_client(trial) ? "client" : "origin";
}

static void find_self_signed(struct trial *trial)
{
	char title[NAME_TITLE];

	find(trial, VERDICT_SELF_SIGNED, "the certificate '%s' is signed by "
		"nobody but itself (RFC 5280, 6.1)",
		name_title(trial->leaf.subject, title));
}

/* BoringSSL calls a leaf self-signed only when its key usage lets it sign
 * certificates; that it names itself as its issuer is enough here.
 *
 * It tells a missing intermediate from an unknown CA no more than a client
 * can. Public CAs say in the leaf where their certificate is to be had (AIA);
 * who sends such a leaf alone has most likely forgotten the rest. */
static void find_no_issuer(struct trial *trial, const X509 *at)
{
	char title[NAME_TITLE] = "(no name)", issuer[NAME_TITLE] = "(no name)";
	struct cert cert;
	uint8_t *der = NULL;
	bool incomplete = trial->leaf.has_ca_issuers && !trial->issuer_sent;

	if (at && view(at, &cert, &der)) {
		name_title(cert.subject, title);
		name_title(cert.issuer, issuer);
	}
	OPENSSL_free(der);
	if (cert_self_issued(&trial->leaf))
		find_self_signed(trial);
	else if (trial->unreadable > 0)
		find(trial, VERDICT_MALFORMED, "certificate %zu of the chain "
			"can't be parsed", trial->unreadable);
	else if (incomplete)
		find(trial, VERDICT_INCOMPLETE_CHAIN, "the %s sent its own "
			"certificate alone, without that of its issuer '%s' "
			"(RFC 8446, 4.4.2)", sender(trial), issuer);
	else
		find(trial, VERDICT_UNKNOWN_ISSUER, "the chain ends at '%s', "
			"issued by '%s', which is not trusted here (RFC 5280, "
			"6.1)", title, issuer);
}

static void find_time(struct trial *trial, enum verdict verdict, const X509 *at)
{
	char title[NAME_TITLE], text[DERTIME_TEXT];
	struct cert cert;
	uint8_t *der;

	if (!view(at, &cert, &der))
		find(trial, verdict, "a certificate of the chain is out of "
			"its time (RFC 5280, 4.1.2.5)");
	else if (verdict == VERDICT_EXPIRED)
		find(trial, verdict, "'%s' ended on %s (RFC 5280, 4.1.2.5)",
			name_title(cert.subject, title),
			dertime_text(cert.not_after, text));
	else
		find(trial, verdict, "'%s' is not valid before %s (RFC 5280, "
			"4.1.2.5)", name_title(cert.subject, title),
			dertime_text(cert.not_before, text));
	OPENSSL_free(der);
}

/* A library may refuse a weak hash by failing the signature. */
static void find_signature(struct trial *trial, const X509 *at)
{
	char title[NAME_TITLE] = "(no name)";
	enum verdict verdict = VERDICT_INVALID;
	struct cert cert;
	uint8_t *der = NULL;

	if (at && view(at, &cert, &der)) {
		name_title(cert.subject, title);
		if (cert_weak_signature(&cert))
			verdict = VERDICT_WEAK_SIGNATURE;
	}
	OPENSSL_free(der);
	find(trial, verdict, verdict == VERDICT_INVALID ?
		"the signature on '%s' is wrong (RFC 5280, 6.1.3)" :
		"'%s' is signed over a broken hash (SHA-1 or MD5; RFC 9155)",
		title);
}

static void find_other(struct trial *trial, enum verdict verdict, int code,
	const X509 *at)
{
	char title[NAME_TITLE] = "(no name)";
	struct cert cert;
	uint8_t *der = NULL;

	if (at && view(at, &cert, &der))
		name_title(cert.subject, title);
	OPENSSL_free(der);
	find(trial, verdict, "'%s': %s (RFC 5280, 6.1)", title,
		X509_verify_cert_error_string(code));
}

/* BoringSSL takes clientAuth, but not anyExtendedKeyUsage (RFC 5280, 4.2.1.12),
 * for a client's. What else it looks at for that purpose is the key usage. */
static void find_purpose(struct trial *trial, int code, const X509 *at)
{
	struct cert cert;
	uint8_t *der = NULL;
	bool fine = is_client(trial) && at && view(at, &cert, &der) &&
		cert.eku_client && (cert.is_ca || !cert.has_key_usage ||
			(cert.key_usage & KEY_USAGE_DIGITAL_SIGNATURE) != 0);

	OPENSSL_free(der);
	if (!fine)
		find_other(trial, VERDICT_WRONG_PURPOSE, code, at);
}

/* --- what BoringSSL finds ----------------------------------------------- */

static void note(struct trial *trial, int code, const X509 *at)
{
	switch (code) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		find_self_signed(trial);
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_CERT_UNTRUSTED:
		find_no_issuer(trial, at);
		break;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
	case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
		find_signature(trial, at);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
		find_time(trial, VERDICT_EXPIRED, at);
		break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		find_time(trial, VERDICT_NOT_YET_VALID, at);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		find_purpose(trial, code, at);
		break;
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		find_wrong_name(trial);
		break;
	default:
		find_other(trial, VERDICT_INVALID, code, at);
	}
}

static int trial_index;
static pthread_once_t trial_index_once = PTHREAD_ONCE_INIT;

static void make_trial_index(void)
{
	trial_index = X509_STORE_CTX_get_ex_new_index(0, NULL, NULL, NULL,
		NULL);
	if (trial_index < 0)
		abort();
}

/* Going on after an error is what lets the most useful one be chosen; that
 * BoringSSL then says "verified" counts for nothing. */
static int on_checked(int ok, X509_STORE_CTX *ctx)
{
	struct trial *trial = X509_STORE_CTX_get_ex_data(ctx, trial_index);

	if (!ok)
		note(trial, X509_STORE_CTX_get_error(ctx),
			X509_STORE_CTX_get_current_cert(ctx));
	return 1;
}

/* PARTIAL_CHAIN: who names an intermediate in origin.trust, or users.client-ca,
 * means it. */
static bool set_rules(X509_STORE_CTX *ctx, const struct judge_case *asked)
{
	X509_VERIFY_PARAM *param;

	if (!X509_STORE_CTX_set_default(ctx, asked->name ? "ssl_server" :
			"ssl_client"))
		return false;
	param = X509_STORE_CTX_get0_param(ctx);
	X509_VERIFY_PARAM_set_flags(param,
		X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_time(param, asked->now);
	if (!asked->name)
		return true;
	X509_VERIFY_PARAM_set_hostflags(param,
		X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS |
		X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	if (is_address(asked->name))
		return X509_VERIFY_PARAM_set1_ip_asc(param, asked->name);
	return asked->name[0] != '\0' && X509_VERIFY_PARAM_set1_host(param,
		asked->name, strlen(asked->name));
}

/* --- what we look at ourselves ------------------------------------------ */

static void check_strength(struct trial *trial, const struct cert *cert)
{
	char title[NAME_TITLE];
	EVP_PKEY *key = cert_key(cert);

	name_title(cert->subject, title);
	if (cert_weak_signature(cert))
		find(trial, VERDICT_WEAK_SIGNATURE, "'%s' is signed over a "
			"broken hash (SHA-1 or MD5; RFC 9155)", title);
	if (!key)
		find(trial, VERDICT_INVALID, "the key of '%s' can't be used",
			title);
	else if (key_weak(key))
		find(trial, VERDICT_WEAK_KEY, "the key of '%s' is too short: "
			"%d bits", title, EVP_PKEY_bits(key));
	EVP_PKEY_free(key);
}

/* The anchor is trusted as it is: neither its signature nor its key counts. */
static void check_path(struct trial *trial, const STACK_OF(X509) *path,
	time_t *until)
{
	size_t num = path ? sk_X509_num(path) : 0;

	for (size_t i = 0; i < num; i++) {
		struct cert cert;
		uint8_t *der;
		bool read = view(sk_X509_value(path, i), &cert, &der);
		bool anchor = i + 1 == num;

		if (!read && !anchor)
			find(trial, VERDICT_MALFORMED, "certificate %zu of "
				"the path can't be parsed", i + 1);
		if (read && !anchor)
			check_strength(trial, &cert);
		if (read && (i == 0 || cert.not_after < *until))
			*until = cert.not_after;
		OPENSSL_free(der);
	}
	if (trial->leaf.is_ca && num > 1)
		find(trial, VERDICT_WRONG_PURPOSE, "the certificate shown is "
			"a CA's (basicConstraints CA:TRUE), not that of %s",
			is_client(trial) ? "a client" : "a server");
}

/* --- the trial ---------------------------------------------------------- */

static void hear(struct trial *trial, X509_STORE_CTX *ctx, time_t *until)
{
	const struct judge_case *asked = trial->asked;
	int result;

	pthread_once(&trial_index_once, make_trial_index);
	if (!X509_STORE_CTX_init(ctx, asked->store, trial->x509,
		    trial->others) ||
	    !X509_STORE_CTX_set_ex_data(ctx, trial_index, trial))
		abort();
	if (!set_rules(ctx, asked)) {
		find(trial, VERDICT_INVALID, "no name to verify for");
		return;
	}
	X509_STORE_CTX_set_verify_cb(ctx, on_checked);
	result = X509_verify_cert(ctx);
	check_path(trial, X509_STORE_CTX_get0_chain(ctx), until);
	if (result != 1)
		find_other(trial, VERDICT_INVALID,
			X509_STORE_CTX_get_error(ctx), trial->x509);
}

static void add_other(struct trial *trial, struct der der, size_t place)
{
	struct cert cert;
	X509 *x509 = judge_parse(der);

	if (!x509) {
		if (trial->unreadable == 0)
			trial->unreadable = place;
		return;
	}
	if (cert_read(der, &cert) == 0 &&
	    der_same(cert.subject, trial->leaf.issuer))
		trial->issuer_sent = true;
	if (!sk_X509_push(trial->others, x509))
		abort();
}

static bool take_chain(struct trial *trial)
{
	const struct judge_case *asked = trial->asked;

	if (asked->num_chain == 0 || asked->num_chain > CHAIN_MAX) {
		find(trial, VERDICT_MALFORMED, "a chain of %zu certificates "
			"(1 to %d can be judged)", asked->num_chain,
			CHAIN_MAX);
		return false;
	}
	trial->x509 = judge_parse(asked->chain[0]);
	if (!trial->x509 || cert_read(asked->chain[0], &trial->leaf) != 0) {
		find(trial, VERDICT_MALFORMED,
			"the certificate can't be parsed");
		return false;
	}
	trial->others = sk_X509_new_null();
	if (!trial->others)
		abort();
	for (size_t i = 1; i < asked->num_chain; i++)
		add_other(trial, asked->chain[i], i + 1);
	return true;
}

static void clear(struct trial *trial)
{
	sk_X509_pop_free(trial->others, X509_free);
	X509_free(trial->x509);
	ERR_clear_error();
}

enum verdict judge(const struct judge_case *asked, time_t *out_until,
	char *err, size_t err_size)
{
	struct trial trial = {.asked = asked, .verdict = VERDICT_TRUSTED};
	time_t until = 0;

	if (take_chain(&trial)) {
		X509_STORE_CTX *ctx = X509_STORE_CTX_new();

		if (!ctx)
			abort();
		hear(&trial, ctx, &until);
		X509_STORE_CTX_free(ctx);
	}
	clear(&trial);
	if (trial.verdict == VERDICT_TRUSTED)
		*out_until = until;
	else if (err && err_size > 0)
		snprintf(err, err_size, "%s%s%s",
			asked->name ? asked->name : "",
			asked->name ? ": " : "", trial.reason);
	return trial.verdict;
}
