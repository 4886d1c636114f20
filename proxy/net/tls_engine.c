#include "proxy/net/tls_engine.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- the BIO ------------------------------------------------------------ */

static int bio_read(BIO *bio, char *out, int cap)
{
	struct tls_engine *tls = BIO_get_data(bio);
	size_t n = (size_t)cap;

	BIO_clear_retry_flags(bio);
	if (tls->in_len == 0) {
		BIO_set_retry_read(bio);
		return -1;
	}
	if (n > tls->in_len)
		n = tls->in_len;
	memcpy(out, tls->in, n);
	tls->in += n;
	tls->in_len -= n;
	return (int)n;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct tls_engine *tls = BIO_get_data(bio);

	BIO_clear_retry_flags(bio);
	buffer_add(tls->out, data, (size_t)len);
	return len;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static void make_method(void)
{
	method = BIO_meth_new(0, "memory lent");
	if (!method || !BIO_meth_set_read(method, bio_read) ||
	    !BIO_meth_set_write(method, bio_write) ||
	    !BIO_meth_set_ctrl(method, bio_ctrl))
		abort();
}

/* --- the engine --------------------------------------------------------- */

void tls_engine_init(struct tls_engine *tls, SSL *ssl, struct buffer *out)
{
	BIO *bio;

	pthread_once(&method_once, make_method);
	bio = BIO_new(method);
	if (!bio)
		abort();
	*tls = (struct tls_engine){.ssl = ssl, .out = out, .alert = -1};
	BIO_set_data(bio, tls);
	BIO_set_init(bio, 1);
	SSL_set_bio(ssl, bio, bio);
}

void tls_engine_clear(struct tls_engine *tls)
{
	SSL_free(tls->ssl);
	*tls = (struct tls_engine){.alert = -1};
}

void tls_engine_give(struct tls_engine *tls, const uint8_t *in, size_t len)
{
	tls->in = tls->lent = in;
	tls->in_len = len;
}

size_t tls_engine_left(struct tls_engine *tls)
{
	size_t left = tls->in_len;

	tls->in = tls->lent = NULL;
	tls->in_len = 0;
	return left;
}

/* clear_alert finds a fatal alert among the records lent that are not
 * encrypted. OpenSSL's clients send theirs so when they refuse a TLS 1.3
 * server's certificate; BoringSSL expects it encrypted and calls it broken. */
static int clear_alert(const struct tls_engine *tls)
{
	const uint8_t *at = tls->lent, *end = tls->in + tls->in_len;
	size_t len;

	while (at && end - at >= 7) {
		len = (size_t)at[3] << 8 | at[4];
		if (at[0] == 21 && len == 2 && at[5] == 2)
			return at[6];
		if (at[0] != 20 || len != 1) /* change_cipher_spec */
			return -1;
		at += 5 + len;
	}
	return -1;
}

static int queued_alert(uint32_t error)
{
	int reason = ERR_GET_REASON(error);

	if (ERR_GET_LIB(error) != ERR_LIB_SSL ||
	    reason < SSL_AD_REASON_OFFSET ||
	    reason >= SSL_AD_REASON_OFFSET + 256)
		return -1;
	return reason - SSL_AD_REASON_OFFSET;
}

/* note_failure keeps why: the peer's alert, in the error queue (BoringSSL's
 * reason codes from 1000 on) or in the clear, or else what the queue says. */
static enum tls_result note_failure(struct tls_engine *tls)
{
	uint32_t error = (uint32_t)ERR_peek_error();
	const char *text = ERR_reason_error_string(error);

	tls->failed = true;
	tls->alert = queued_alert(error);
	tls->code = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) :
							 0;
	if (tls->alert < 0 && !SSL_is_init_finished(tls->ssl))
		tls->alert = clear_alert(tls);
	if (tls->alert >= 0)
		snprintf(tls->why, sizeof(tls->why), "the peer says: %s",
			SSL_alert_desc_string_long(tls->alert));
	else
		snprintf(tls->why, sizeof(tls->why), "%s",
			text ? text : "TLS failed");
	ERR_clear_error();
	return TLS_FAILED;
}

const char *tls_alert_name(int alert)
{
	static const struct {
		int alert;
		const char *name;
	} known[] = {
		{0, "close_notify"}, {10, "unexpected_message"},
		{20, "bad_record_mac"}, {21, "decryption_failed"},
		{22, "record_overflow"}, {30, "decompression_failure"},
		{40, "handshake_failure"}, {41, "no_certificate"},
		{42, "bad_certificate"}, {43, "unsupported_certificate"},
		{44, "certificate_revoked"}, {45, "certificate_expired"},
		{46, "certificate_unknown"}, {47, "illegal_parameter"},
		{48, "unknown_ca"}, {49, "access_denied"},
		{50, "decode_error"}, {51, "decrypt_error"},
		{60, "export_restriction"}, {70, "protocol_version"},
		{71, "insufficient_security"}, {80, "internal_error"},
		{86, "inappropriate_fallback"}, {90, "user_canceled"},
		{100, "no_renegotiation"}, {109, "missing_extension"},
		{110, "unsupported_extension"},
		{111, "certificate_unobtainable"}, {112, "unrecognized_name"},
		{113, "bad_certificate_status_response"},
		{114, "bad_certificate_hash_value"},
		{115, "unknown_psk_identity"}, {116, "certificate_required"},
		{120, "no_application_protocol"}, {121, "ech_required"},
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (known[i].alert == alert)
			return known[i].name;
	return "unknown";
}

/* outcome translates a call's result; it must follow the call at once, before
 * anything touches the BIO, else WANT_READ can read as SYSCALL. */
static enum tls_result outcome(struct tls_engine *tls, int result)
{
	switch (SSL_get_error(tls->ssl, result)) {
	case SSL_ERROR_NONE:
		return TLS_OK;
	case SSL_ERROR_WANT_READ:
		return TLS_MORE;
	case SSL_ERROR_ZERO_RETURN:
		return TLS_CLOSED;
	default:
		return note_failure(tls);
	}
}

/* forget_errors empties the thread's queue, or SSL_get_error takes what lies in
 * it for this call's. It is empty but after a failure: look before the sweep. */
static void forget_errors(void)
{
	if (ERR_peek_error() != 0)
		ERR_clear_error();
}

enum tls_result tls_engine_handshake(struct tls_engine *tls)
{
	if (tls->failed)
		return TLS_FAILED;
	forget_errors();
	return outcome(tls, SSL_do_handshake(tls->ssl));
}

enum tls_result tls_engine_read(struct tls_engine *tls, uint8_t *out,
	size_t cap, size_t *out_len)
{
	enum tls_result result;
	int n;

	*out_len = 0;
	if (tls->failed)
		return TLS_FAILED;
	forget_errors();
	n = SSL_read(tls->ssl, out, (int)cap);
	result = outcome(tls, n);
	if (result == TLS_OK)
		*out_len = (size_t)n;
	return result;
}

enum tls_result tls_engine_write(struct tls_engine *tls, const uint8_t *data,
	size_t len)
{
	enum tls_result result;
	size_t done = 0;
	int n;

	if (tls->failed)
		return TLS_FAILED;
	forget_errors();
	while (done < len) {
		n = SSL_write(tls->ssl, data + done, (int)(len - done));
		result = outcome(tls, n);
		if (result != TLS_OK)
			return result == TLS_FAILED ? result : note_failure(tls);
		done += (size_t)n;
	}
	return TLS_OK;
}

void tls_engine_close(struct tls_engine *tls)
{
	if (tls->failed || !SSL_is_init_finished(tls->ssl))
		return;
	forget_errors();
	(void)SSL_shutdown(tls->ssl);
	forget_errors();
}
