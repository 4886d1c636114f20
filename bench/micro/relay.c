/* What a relay does with 16 KiB: opened on one leg, sealed on the other. */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "bench/micro/micro.h"
#include "proxy/net/buffer.h"
#include "proxy/net/tls_engine.h"

enum { RECORD = 16384 };

/* A connection in memory, what one end says in the other's buffer. */
struct leg {
	struct tls_engine client, server;
	struct buffer from_client, from_server;
};

static struct leg origin_leg, client_leg;
static uint8_t plain[RECORD];

static SSL_CTX *server_tls(void)
{
	SSL_CTX *tls = SSL_CTX_new(TLS_method());
	EC_KEY *ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1);
	EVP_PKEY *key = EVP_PKEY_new();
	X509 *cert = X509_new();

	must(EC_KEY_generate_key(ec) && EVP_PKEY_assign_EC_KEY(key, ec), "key");
	X509_set_version(cert, X509_VERSION_3);
	X509_gmtime_adj(X509_getm_notBefore(cert), 0);
	X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
	X509_set_pubkey(cert, key);
	must(X509_sign(cert, key, EVP_sha256()) > 0, "sign");
	SSL_CTX_use_certificate(tls, cert);
	SSL_CTX_use_PrivateKey(tls, key);
	return tls;
}

/* pour gives one end what the other said, and has it shake hands. */
static void pour(struct buffer *from, struct tls_engine *to)
{
	tls_engine_give(to, buffer_at(from), buffer_len(from));
	must(tls_engine_handshake(to) != TLS_FAILED, to->why);
	buffer_eat(from, buffer_len(from) - tls_engine_left(to));
}

static void connect_leg(struct leg *leg)
{
	SSL *client = SSL_new(SSL_CTX_new(TLS_method()));
	SSL *server = SSL_new(server_tls());

	SSL_set_connect_state(client);
	SSL_set_accept_state(server);
	tls_engine_init(&leg->client, client, &leg->from_client);
	tls_engine_init(&leg->server, server, &leg->from_server);
	for (unsigned i = 0; i < 4; i++) {
		pour(&leg->from_client, &leg->server);
		pour(&leg->from_server, &leg->client);
	}
	must(SSL_is_init_finished(client) && SSL_is_init_finished(server),
		"handshake");
}

/* What is sealed for the client is dropped: nobody opens it. */
static void seal(void *arg)
{
	(void)arg;
	must(tls_engine_write(&client_leg.server, plain, RECORD) == TLS_OK,
		client_leg.server.why);
	buffer_clear(&client_leg.from_server);
}

static void relay(void *arg)
{
	struct buffer *from = &origin_leg.from_server;
	size_t len;

	(void)arg;
	must(tls_engine_write(&origin_leg.server, plain, RECORD) == TLS_OK,
		origin_leg.server.why);
	tls_engine_give(&origin_leg.client, buffer_at(from), buffer_len(from));
	while (tls_engine_read(&origin_leg.client, plain, RECORD, &len) ==
		TLS_OK)
		seal(NULL);
	must(tls_engine_left(&origin_leg.client) == 0, origin_leg.client.why);
	buffer_clear(from);
}

int main(void)
{
	connect_leg(&origin_leg);
	connect_leg(&client_leg);
	micro("record-seal-16k", seal, NULL);
	micro("record-seal-open-seal-16k", relay, NULL);
	return 0;
}
