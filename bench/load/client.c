#include "bench/load/client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pool.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	VERIFIED = 32,      /* handshakes looked at in full */
	ISSUERS = 4,        /* that those may show */
	READS_AT_ONCE = 16, /* so that many busy clients share the loop */
};

static X509_STORE *store;
static X509_NAME *issuers[ISSUERS];
static unsigned num_issuers, num_verified;

double client_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* --- the socket as a BIO ------------------------------------------------ */

/* bio_read reads ahead: BoringSSL asks for five bytes, then for the rest. */
static int bio_read(BIO *bio, char *out, int cap)
{
	struct client *client = BIO_get_data(bio);
	size_t n = (size_t)cap;
	ssize_t got;

	BIO_clear_retry_flags(bio);
	if (client->in_len == 0) {
		got = recv(client->fd, client->in, sizeof(client->in), 0);
		if (got < 0 && errno == EAGAIN)
			BIO_set_retry_read(bio);
		if (got <= 0)
			return (int)got;
		client->in_at = 0;
		client->in_len = (size_t)got;
	}
	if (n > client->in_len)
		n = client->in_len;
	memcpy(out, client->in + client->in_at, n);
	client->in_at += n;
	client->in_len -= n;
	return (int)n;
}

static int bio_write(BIO *bio, const char *data, int len)
{
	struct client *client = BIO_get_data(bio);
	ssize_t sent = send(client->fd, data, (size_t)len, MSG_NOSIGNAL);

	BIO_clear_retry_flags(bio);
	if (sent < 0 && errno == EAGAIN)
		BIO_set_retry_write(bio);
	return (int)sent;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
	(void)bio;
	(void)number;
	(void)pointer;
	return command == BIO_CTRL_FLUSH;
}

static BIO *bio_new(struct client *client)
{
	static BIO_METHOD *method;
	BIO *bio;

	if (!method) {
		method = BIO_meth_new(0, "socket, read ahead");
		BIO_meth_set_read(method, bio_read);
		BIO_meth_set_write(method, bio_write);
		BIO_meth_set_ctrl(method, bio_ctrl);
	}
	bio = BIO_new(method);
	BIO_set_data(bio, client);
	BIO_set_init(bio, 1);
	return bio;
}

/* --- the server's certificate ------------------------------------------- */

static bool is_known(X509_NAME *issuer)
{
	for (unsigned i = 0; i < num_issuers; i++)
		if (X509_NAME_cmp(issuers[i], issuer) == 0)
			return true;
	return false;
}

static bool verify(const struct client *client, X509 *leaf)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(client->ssl);
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	X509_VERIFY_PARAM *param;
	bool good;

	X509_STORE_CTX_init(context, store, leaf, chain);
	X509_STORE_CTX_set_default(context, "ssl_server");
	param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set1_host(param, client->host, strlen(client->host));
	good = X509_verify_cert(context) == 1;
	X509_STORE_CTX_free(context);
	if (good && !is_known(X509_get_issuer_name(leaf)) &&
		num_issuers < ISSUERS)
		issuers[num_issuers++] =
			X509_NAME_dup(X509_get_issuer_name(leaf));
	return good;
}

static enum ssl_verify_result_t on_verify(SSL *ssl, uint8_t *out_alert)
{
	struct client *client = SSL_get_app_data(ssl);
	X509 *leaf = SSL_get_peer_certificate(ssl);
	bool good = leaf != NULL;

	(void)out_alert;
	if (good && num_verified < VERIFIED) {
		num_verified++;
		good = verify(client, leaf);
	} else if (good && !is_known(X509_get_issuer_name(leaf))) {
		client->tally->wrong_issuer++;
	}
	X509_free(leaf);
	return good ? ssl_verify_ok : ssl_verify_invalid;
}

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	struct client *client = SSL_get_app_data(ssl);

	SSL_SESSION_free(client->session);
	client->session = session;
	return 1; /* it is ours now */
}

SSL_CTX *client_tls(const char *trust)
{
	static const uint8_t alpn[] = "\x08http/1.1";
	SSL_CTX *tls = SSL_CTX_new(TLS_method());

	store = X509_STORE_new();
	if (!tls || !store || !X509_STORE_load_locations(store, trust, NULL))
		return NULL;
	SSL_CTX_set_min_proto_version(tls, TLS1_2_VERSION);
	SSL_CTX_set1_curves_list(tls, "X25519:P-256");
	SSL_CTX_set_alpn_protos(tls, alpn, sizeof(alpn) - 1);
	SSL_CTX_set_custom_verify(tls, SSL_VERIFY_PEER, on_verify);
	SSL_CTX_set_session_cache_mode(tls,
		SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(tls, on_session);
	return tls;
}

/* --- steps -------------------------------------------------------------- */

static void fail(struct client *client, const char *what)
{
	struct tally *tally = client->tally;
	const char *why = ERR_reason_error_string(ERR_peek_error());

	tally->failed++;
	if (!tally->first_failure[0])
		snprintf(tally->first_failure, sizeof(tally->first_failure),
			"%s: %s %s", client->host, what, why ? why : "");
	ERR_clear_error();
	client_drop(client);
}

static void await(struct client *client, unsigned interest)
{
	struct epoll_event event = {.events = interest, .data.ptr = client};

	if (client->interest == interest)
		return;
	epoll_ctl(client->plan->epoll,
		client->interest ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, client->fd,
		&event);
	client->interest = interest;
}

static void begin_tls(struct client *client)
{
	BIO *bio = bio_new(client);

	client->ssl = SSL_new(client->plan->tls);
	SSL_set_bio(client->ssl, bio, bio);
	SSL_set_app_data(client->ssl, client);
	SSL_set_tlsext_host_name(client->ssl, client->host);
	if (client->plan->resume && client->session)
		SSL_set_session(client->ssl, client->session);
	SSL_set_connect_state(client->ssl);
	client->stage = SHAKING;
}

static bool dialled(struct client *client)
{
	const struct plan *plan = client->plan;
	socklen_t size = sizeof(int);
	int error = 0, n;
	char ask[400];

	getsockopt(client->fd, SOL_SOCKET, SO_ERROR, &error, &size);
	if (error) {
		fail(client, strerror(error));
		return false;
	}
	if (!plan->connect) {
		begin_tls(client);
		return true;
	}
	n = snprintf(ask, sizeof(ask),
		"CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\n\r\n", client->host,
		plan->port, client->host, plan->port);
	if (send(client->fd, ask, (size_t)n, MSG_NOSIGNAL) != n) {
		fail(client, "CONNECT not taken");
		return false;
	}
	client->stage = ASKED_TUNNEL;
	await(client, EPOLLIN);
	return false;
}

/* tunnel_there reads the answer to CONNECT. */
static bool tunnel_there(struct client *client)
{
	size_t room = sizeof(client->head) - 1 - client->head_len;
	ssize_t n = recv(client->fd, client->head + client->head_len, room, 0);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		fail(client, "closed after CONNECT");
		return false;
	}
	client->head_len += (size_t)n;
	client->head[client->head_len] = '\0';
	if (!strstr(client->head, "\r\n\r\n"))
		return false;
	if (strncmp(client->head + 8, " 200", 4) != 0) {
		fail(client, "CONNECT refused");
		return false;
	}
	begin_tls(client);
	return true;
}

static bool shake(struct client *client)
{
	struct tally *tally = client->tally;
	int result = SSL_do_handshake(client->ssl);

	if (result != 1) {
		if (SSL_get_error(client->ssl, result) == SSL_ERROR_WANT_READ)
			await(client, EPOLLIN);
		else
			fail(client, "handshake");
		return false;
	}
	if (tally->counting) {
		tally->handshakes++;
		tally->resumed += SSL_session_reused(client->ssl) ? 1 : 0;
	}
	return true;
}

void client_ask(struct client *client)
{
	const struct plan *plan = client->plan;
	char ask[400];
	int n = snprintf(ask, sizeof(ask),
		"GET %s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: load\r\n"
		"Accept: */*\r\n\r\n", plan->path, client->host, plan->port);

	client->asked_s = client_now();
	client->head_len = 0;
	if (SSL_write(client->ssl, ask, n) != n) {
		fail(client, "request not taken");
		return;
	}
	client->stage = HEAD;
	await(client, EPOLLIN);
}

static void answered(struct client *client)
{
	struct tally *tally = client->tally;
	double now = client_now();

	client->stage = RESTING;
	if (tally->counting) {
		tally->requests++;
		histogram_add(&tally->request_times, now - client->asked_s);
		if (!client->asked_before)
			histogram_add(&tally->fresh_times,
				now - client->dialled_s);
	}
	client->asked_before = true;
}

/* head_there: the head has its end, and says 200 and how long the body is. */
static bool head_there(struct client *client)
{
	char *end, *length;
	size_t rest;

	client->head[client->head_len] = '\0';
	end = strstr(client->head, "\r\n\r\n");
	if (!end)
		return false;
	rest = client->head_len - (size_t)(end + 4 - client->head);
	length = strcasestr(client->head, "\r\ncontent-length:");
	if (strncmp(client->head + 8, " 200", 4) != 0 || !length ||
		length > end) {
		fail(client, "an answer that is no 200");
		return false;
	}
	client->left = strtoull(length + 17, NULL, 10);
	if (rest > client->left) {
		fail(client, "more than the answer");
		return false;
	}
	client->left -= rest;
	if (client->tally->counting)
		client->tally->body_bytes += rest;
	client->stage = BODY;
	return true;
}

static void got(struct client *client, size_t n)
{
	if (client->tally->counting)
		client->tally->body_bytes += n;
	if (client->stage == RESTING || n > client->left)
		fail(client, "more than the answer");
	else
		client->left -= n;
}

/* read_some: false once there is no more to read, or no client. */
static bool read_some(struct client *client)
{
	static char body[256 * 1024];
	bool head = client->stage == HEAD;
	char *at = head ? client->head + client->head_len : body;
	size_t cap = head ? sizeof(client->head) - 1 - client->head_len :
			    sizeof(body);
	int n = SSL_read(client->ssl, at, (int)cap);

	if (n <= 0) {
		if (SSL_get_error(client->ssl, n) == SSL_ERROR_WANT_READ)
			return false;
		if (client->stage == RESTING) {
			client->tally->lost_at_rest++;
			client_drop(client);
			return false;
		}
		fail(client, "closed before the answer's end");
		return false;
	}
	if (head) {
		client->head_len += (size_t)n;
		if (!head_there(client)) {
			if (client->head_len == sizeof(client->head) - 1)
				fail(client, "a long head");
			return client->stage == HEAD;
		}
	} else {
		got(client, (size_t)n);
	}
	if (client->stage == BODY && client->left == 0)
		answered(client);
	return client->stage == HEAD || client->stage == BODY;
}

void client_step(struct client *client)
{
	unsigned reads = 0;

	if (client->stage == DIALLING && !dialled(client))
		return;
	if (client->stage == ASKED_TUNNEL && !tunnel_there(client))
		return;
	if (client->stage == SHAKING) {
		if (shake(client))
			client_ask(client);
		return;
	}
	/* what was read ahead will not wake us: go on to its end */
	while (read_some(client) &&
		(++reads < READS_AT_ONCE || client->in_len > 0))
		;
}

/* --- life --------------------------------------------------------------- */

void client_init(struct client *client, const struct plan *plan,
	struct tally *tally)
{
	client->plan = plan;
	client->tally = tally;
	client->stage = GONE;
	client->fd = -1;
	client->ssl = NULL;
	client->session = NULL;
	client->in_len = 0;
}

void client_dial(struct client *client, unsigned site)
{
	const struct plan *plan = client->plan;
	int one = 1;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(client->host, sizeof(client->host), plan->host, site);
#pragma GCC diagnostic pop
	client->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (client->fd < 0) {
		fail(client, "no socket");
		return;
	}
	setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	client->dialled_s = client_now();
	client->interest = 0;
	client->asked_before = false;
	client->head_len = client->in_len = 0;
	client->stage = DIALLING;
	if (connect(client->fd, (const struct sockaddr *)&plan->to,
		    sizeof(plan->to)) != 0 &&
		errno != EINPROGRESS) {
		fail(client, "no connection");
		return;
	}
	await(client, EPOLLOUT);
}

void client_drop(struct client *client)
{
	if (client->ssl) {
		SSL_set_quiet_shutdown(client->ssl, 1);
		SSL_shutdown(client->ssl);
		SSL_free(client->ssl);
	}
	client->ssl = NULL;
	if (client->fd >= 0)
		close(client->fd);
	client->fd = -1;
	client->stage = GONE;
}
