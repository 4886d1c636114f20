/* The ClientHello of BoringSSL's client, read whole. */
#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "bench/micro/micro.h"
#include "proxy/net/hello.h"

static const uint8_t *raw;
static size_t raw_len;

static void read_hello(void *arg)
{
	must(hello_read(raw, raw_len, arg) == HELLO_WHOLE, "hello_read");
}

int main(void)
{
	static const uint8_t alpn[] = "\x02h2\x08http/1.1";
	static struct hello hello;
	SSL_CTX *tls = SSL_CTX_new(TLS_with_buffers_method());
	SSL *ssl = SSL_new(tls);
	BIO *sent = BIO_new(BIO_s_mem());

	SSL_set_bio(ssl, BIO_new(BIO_s_mem()), sent);
	SSL_set_tlsext_host_name(ssl, "www.example.com");
	SSL_set_alpn_protos(ssl, alpn, sizeof(alpn) - 1);
	SSL_set_connect_state(ssl);
	(void)SSL_do_handshake(ssl);
	must(BIO_mem_contents(sent, &raw, &raw_len), "no hello");
	micro("hello-read", read_hello, &hello);
	return 0;
}
