#include "proxy/session/client_failure.h"

#include <openssl/ssl.h>

enum { HANDSHAKE = 22, CERTIFICATE = 11 };

static void on_message(int is_write, int version, int type, const void *data,
	size_t len, SSL *ssl, void *arg)
{
	struct client_tls_end *end = arg;

	(void)version;
	(void)ssl;
	if (is_write && type == HANDSHAKE && len > 0 &&
	    *(const uint8_t *)data == CERTIFICATE)
		end->shown = true;
}

void client_failure_watch(SSL *ssl, struct client_tls_end *end)
{
	SSL_set_msg_callback(ssl, on_message);
	SSL_set_msg_callback_arg(ssl, end);
}

/* of_code: what BoringSSL says that is not the peer's alert. */
static enum client_failure of_code(int code)
{
	switch (code) {
	case SSL_R_NO_SHARED_CIPHER:
	case SSL_R_NO_SHARED_GROUP:
	case SSL_R_NO_COMMON_SIGNATURE_ALGORITHMS:
	case SSL_R_NO_CIPHERS_SPECIFIED:
		return CLIENT_FAILURE_NO_CIPHER;
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_VERSION_NUMBER:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_INAPPROPRIATE_FALLBACK:
		return CLIENT_FAILURE_NO_VERSION;
	default:
		return CLIENT_FAILURE_MALFORMED;
	}
}

void client_failure_find(const struct stream *client, bool timed_out,
	struct client_tls_end *end)
{
	if (client->error == STREAM_TLS && client->tls.alert >= 0) {
		end->failure = CLIENT_FAILURE_ALERT;
		end->alert = tls_alert_name(client->tls.alert);
	} else if (client->error == STREAM_TLS) {
		end->failure = of_code(client->tls.code);
	} else if (client->error == STREAM_RESET) {
		end->failure = CLIENT_FAILURE_RESET;
	} else {
		end->failure = timed_out ? CLIENT_FAILURE_TIMEOUT :
					   CLIENT_FAILURE_CLOSED;
	}
}
