/* step_routes.c - an intermediate CA's way from a draft to a certificate: its
 * key, its request, what comes back for it. */

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "pki/estate.h"
#include "pki/upload.h"
#include "proxy/admin/ca_json.h"
#include "proxy/admin/call.h"
#include "proxy/admin/cert_json.h"
#include "proxy/admin/multipart.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"
#include "proxy/config/nearest.h"

enum { KEY_BITS_MAX = 65536, FILE_NAME = 2 * STORE_FILE_NAME };

/* --- the key ------------------------------------------------------------ */

static bool read_kind(struct call *call, const json_t *body,
	enum key_kind *out)
{
	const char *words[NUM_KEY_KINDS], *word = "", *meant;

	*out = KEY_RSA_2K; /* as the vendor's clients expect */
	if (!call_text(call, body, "keyType", &word))
		return false;
	if (word[0] == '\0' || key_kind_named(word, out))
		return true;
	for (int i = 0; i < (int)NUM_KEY_KINDS; i++)
		words[i] = key_kind_name((enum key_kind)i);
	meant = nearest(word, words, NUM_KEY_KINDS);
	call_fail(call, FAULT_INPUT, "The keyType must be RSA_2K, RSA_3K, "
		"RSA_4K, EC_P256 or EC_P384.%s%s%s", meant ?
			" Did you mean " : "", meant ? meant : "",
		meant ? "?" : "");
	return false;
}

void rest_make_key(struct call *call)
{
	json_t *body = call_body(call);
	struct store_ca row;
	enum key_kind kind;

	if (body && read_kind(call, body, &kind) &&
	    call_went(call, life_make_key(&call->life, call->id, kind,
		    &row))) {
		call_json(call, ca_json_key(&row));
		life_clear(&row);
	}
	json_decref(body);
}

/* see fills row, which life_clear clears; what is not for the built-in CA is
 * refused for it. */
static bool see(struct call *call, bool built_in, struct store_ca *row)
{
	if (!call_went(call, life_get(&call->life, call->id, row)))
		return false;
	if (built_in || row->id != ESTATE_INTERMEDIATE)
		return true;
	life_clear(row);
	call_fail(call, FAULT_BUILT_IN, "This operation is not applicable for "
		"the built-in certificate.");
	return false;
}

/* Taking the public key is a step of the CA's life. Who may only read gets the
 * key all the same, and whoever asks for the head alone has not taken it. */
static bool take_public_key(struct call *call, struct store_ca *row)
{
	if (call->caller.may_write && slice_is(call->request->method, "GET"))
		return call_went(call, life_take_public_key(&call->life,
			call->id, row));
	if (!see(call, false, row))
		return false;
	if (row->spki)
		return true;
	life_clear(row);
	call_fail(call, FAULT_INPUT, "There is no public key: generate the "
		"key pair first.");
	return false;
}

void rest_public_key(struct call *call)
{
	char name[STORE_NAME + 16];
	struct store_ca row;

	if (!take_public_key(call, &row))
		return;
	snprintf(name, sizeof(name), "%s-PublicKey.pem", row.name);
	call_pem(call, "PUBLIC KEY", der_of(row.spki), name);
	life_clear(&row);
}

void rest_attestation(struct call *call)
{
	struct store_ca row;

	if (!see(call, false, &row))
		return;
	life_clear(&row);
	call_fail(call, FAULT_INPUT, "The key is protected by software: there "
		"is no attestation of a hardware security module.");
}

/* --- the request -------------------------------------------------------- */

/* Who reads the order says what is too long for a request; here it is only kept
 * from being taken for something shorter. */
static void keep_text(const char *text, char out[CSR_TEXT])
{
	size_t len = strlen(text);

	memcpy(out, text, len < CSR_TEXT ? len + 1 : CSR_TEXT);
}

static bool read_texts(struct call *call, const json_t *body,
	struct csr_order *out)
{
	const struct {
		const char *key;
		char *out;
	} texts[] = {
		{"commName", out->common_name},
		{"orgName", out->organization},
		{"deptName", out->unit},
		{"city", out->locality},
		{"state", out->province},
		{"country", out->country},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		static const char prefix[] = "COUNTRY_";
		const char *text = "";

		if (!call_text(call, body, texts[i].key, &text))
			return false;
		if (texts[i].out == out->country &&
		    strncmp(text, prefix, sizeof(prefix) - 1) == 0)
			text += sizeof(prefix) - 1;
		keep_text(text, texts[i].out);
	}
	return true;
}

static bool read_digest(struct call *call, const json_t *body,
	enum csr_digest *out)
{
	const char *word = "";

	*out = CSR_SHA256;
	if (!call_text(call, body, "signatureAlgorithm", &word))
		return false;
	if (word[0] == '\0' || strcmp(word, "SHA256") == 0)
		return true;
	*out = CSR_SHA384;
	if (strcmp(word, "SHA384") == 0)
		return true;
	call_fail(call, FAULT_INPUT, "The signatureAlgorithm must be SHA256 "
		"or SHA384.");
	return false;
}

struct wish {
	struct csr_order order;
	const char *file_name;  /* borrowed from the body; NULL: none */
	int64_t bits;           /* 0: not said */
};

static bool read_wish(struct call *call, const json_t *body, struct wish *out)
{
	int64_t path_len = 1;   /* the vendor's, for keys in software */

	memset(out, 0, sizeof(*out));
	if (!read_texts(call, body, &out->order) ||
	    !read_digest(call, body, &out->order.digest) ||
	    !call_number(call, body, "pathLengthConstraint", 0,
		    CA_PATH_LEN_MAX, &path_len) ||
	    !call_number(call, body, "keySize", 0, KEY_BITS_MAX,
		    &out->bits) ||
	    !call_text(call, body, "csrFileName", &out->file_name))
		return false;
	out->order.path_len = (int)path_len;
	if (out->file_name && out->file_name[0] == '\0')
		out->file_name = NULL;
	return true;
}

void rest_make_csr(struct call *call)
{
	json_t *body = call_body(call);
	struct store_ca row;
	struct wish wish;

	if (body && read_wish(call, body, &wish) &&
	    call_went(call, life_make_csr(&call->life, call->id, &wish.order,
		    wish.file_name, (unsigned)wish.bits, &row))) {
		json_t *object = json_object();

		put_number(object, "certId", row.id);
		put_time(object, "csrGenerationTime", row.csr_time);
		call_json(call, object);
		life_clear(&row);
	}
	json_decref(body);
}

static bool see_csr(struct call *call, struct store_ca *row)
{
	if (!see(call, false, row))
		return false;
	if (row->csr)
		return true;
	life_clear(row);
	call_fail(call, FAULT_INPUT, "No CSR found: generate it first.");
	return false;
}

void rest_csr(struct call *call)
{
	char name[STORE_NAME + 16];
	struct store_ca row;

	if (!see_csr(call, &row))
		return;
	if (row.csr_file[0])
		snprintf(name, sizeof(name), "%s", row.csr_file);
	else
		snprintf(name, sizeof(name), "%s.csr", row.name);
	call_pem(call, PEM_STRING_X509_REQ, der_of(row.csr), name);
	life_clear(&row);
}

static void show(struct call *call, json_t *shown)
{
	if (shown)
		call_json(call, shown);
	else
		call_fail(call, FAULT_OURS, "sallyport.db: what it has for "
			"this certificate can't be parsed.");
}

void rest_show_csr(struct call *call)
{
	struct store_ca row;

	if (!see_csr(call, &row))
		return;
	show(call, cert_json_csr(&row));
	life_clear(&row);
}

/* --- what comes back ---------------------------------------------------- */

/* name_upload: an invalid name stays invalid, though only its beginning is kept
 * and NUL would be its end. */
static void name_upload(const struct multipart_file *file,
	char out[FILE_NAME])
{
	slice_text(file->name, out, FILE_NAME);
	if (file->name.len > 0 && memchr(file->name.at, '\0', file->name.len))
		snprintf(out, FILE_NAME, "?");
}

typedef enum life_outcome take_upload(const struct life *life, int64_t id,
	const struct upload *upload, struct store_ca *out);

/* find_file: false, there is none, or no CA that it could be for. */
static bool find_file(struct call *call, struct multipart_file *out)
{
	struct store_ca row;
	int found;

	if (!see(call, false, &row))
		return false;
	life_clear(&row);
	found = multipart_find(call->request->content_type,
		call->request->body, "fileUpload", out, call->err,
		sizeof(call->err));
	if (found == MULTIPART_OTHER)
		call_nothing(call, 415);
	else if (found != 0)
		call_fail(call, FAULT_INPUT, "%s", call->err);
	return found == 0;
}

static void upload(struct call *call, take_upload *take)
{
	struct multipart_file file;
	char name[FILE_NAME];
	struct upload given;
	struct store_ca row;

	if (!find_file(call, &file))
		return;
	name_upload(&file, name);
	given = (struct upload){.text = file.bytes.at, .len = file.bytes.len,
		.file_name = file.has_name ? name : NULL};
	if (!call_went(call, take(&call->life, call->id, &given, &row)))
		return;
	call_json(call, ca_json(&row));
	life_clear(&row);
}

void rest_upload_cert(struct call *call)
{
	upload(call, life_upload_cert);
}

void rest_upload_chain(struct call *call)
{
	upload(call, life_upload_chain);
}

void rest_show_cert(struct call *call)
{
	struct store_ca row;

	if (!see(call, true, &row))
		return;
	if (row.cert)
		show(call, cert_json(&row));
	else
		call_fail(call, FAULT_INPUT, "There is no certificate yet: "
			"upload the one that was signed for the request.");
	life_clear(&row);
}

void rest_finalize(struct call *call)
{
	struct store_ca row;

	if (!call_went(call, life_finalize(&call->life, call->id, &row)))
		return;
	if (call_changed(call))
		call_json(call, ca_json(&row));
	life_clear(&row);
}
