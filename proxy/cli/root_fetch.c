#include "proxy/cli/root_fetch.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utstring.h>

#include "pki/base.h"
#include "pki/pem.h"
#include "pki/x509.h"
#include "proxy/cli/listener.h"
#include "proxy/cli/reply.h"
#include "proxy/http/h1_in.h"
#include "proxy/net/address.h"
#include "proxy/net/clock.h"

enum {
	WAIT_MS = 5000,
	HEAD_MAX = 16 * 1024,
	BODY_MAX = 64 * 1024,
	READ = 16 * 1024,
};

/* --- certificates ------------------------------------------------------- */

static bool is_ca(const CRYPTO_BUFFER *buffer)
{
	struct cert cert;

	return cert_read(der_of(buffer), &cert) == 0 && cert.is_ca;
}

/* only is the one certificate of a text; an owned reference, or NULL. */
static CRYPTO_BUFFER *only(const char *text, size_t len)
{
	struct pem *pem = pem_new(text, len);
	CRYPTO_BUFFER *first = NULL, *second = NULL;
	bool good = pem_next_cert(pem, &first) == PEM_CERT;

	if (good && pem_next_cert(pem, &second) != PEM_END) {
		CRYPTO_BUFFER_free(second);
		good = false;
	}
	pem_free(pem);
	if (good)
		return first;
	CRYPTO_BUFFER_free(first);
	return NULL;
}

char *root_read(const char *text, size_t len)
{
	CRYPTO_BUFFER *cert = only(text, len);
	char *pem = NULL;

	if (cert && is_ca(cert))
		pem = pem_of_cert(der_of(cert));
	CRYPTO_BUFFER_free(cert);
	return pem;
}

bool root_same(const char *one, const char *other)
{
	CRYPTO_BUFFER *a = only(one, strlen(one));
	CRYPTO_BUFFER *b = only(other, strlen(other));
	bool same = a && b && der_same(der_of(a), der_of(b));

	CRYPTO_BUFFER_free(a);
	CRYPTO_BUFFER_free(b);
	return same;
}

void root_fingerprint(const char *pem, char out[CERT_FINGERPRINT])
{
	CRYPTO_BUFFER *cert = only(pem, strlen(pem));

	out[0] = '\0';
	if (cert)
		cert_fingerprint(der_of(cert), out);
	CRYPTO_BUFFER_free(cert);
}

/* --- the connection ----------------------------------------------------- */

/* ready waits for a descriptor until end_ms; false: it took too long. */
static bool ready(int fd, short events, int64_t end_ms)
{
	struct pollfd one = {.fd = fd, .events = events};
	int64_t left;
	int num;

	do {
		left = end_ms - clock_ms();
		num = left > 0 ? poll(&one, 1, (int)left) : 0;
	} while (num < 0 && errno == EINTR);
	return num > 0;
}

/* dial: -1 and errno. */
static int dial(const struct addrinfo *to, int64_t end_ms)
{
	int fd = socket(to->ai_family, SOCK_STREAM | SOCK_CLOEXEC |
		SOCK_NONBLOCK, 0), error = 0;
	socklen_t len = sizeof(error);

	if (fd < 0)
		return -1;
	if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
		return fd;
	error = errno;
	if (error == EINPROGRESS) {
		error = ETIMEDOUT;
		if (ready(fd, POLLOUT, end_ms))
			getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len);
	}
	if (error == 0)
		return fd;
	close(fd);
	errno = error;
	return -1;
}

static int dial_any(const char *host, uint16_t port, int64_t end_ms,
	struct root_fetched *out, char *err, size_t err_size)
{
	struct addrinfo hint = {.ai_socktype = SOCK_STREAM}, *all, *at;
	struct sockaddr_storage peer = {0};
	char service[8];
	int fd = -1, result;

	snprintf(service, sizeof(service), "%u", port);
	result = getaddrinfo(host, service, &hint, &all);
	if (result != 0)
		return pki_fail(err, err_size, "%s: %s", host,
			gai_strerror(result));
	for (at = all; at && fd < 0; at = at->ai_next) {
		fd = dial(at, end_ms);
		memcpy(&peer, at->ai_addr, at->ai_addrlen);
	}
	result = errno;
	freeaddrinfo(all);
	out->loopback = address_is_loopback((struct sockaddr *)&peer);
	out->known = fd >= 0 && out->loopback &&
		listener_uid(&peer, &out->listener);
	if (fd < 0)
		(void)pki_fail(err, err_size, "nobody listens there: %s",
			strerror(result));
	return fd;
}

static bool receive(int fd, int64_t end_ms, UT_string *body,
	unsigned *status)
{
	struct h1_in *in = h1_in_new(H1_RESPONSE, HEAD_MAX);
	char data[READ];
	enum reply_is state = REPLY_MORE;

	while (state == REPLY_MORE) {
		ssize_t got = ready(fd, POLLIN, end_ms) ?
			recv(fd, data, sizeof(data), 0) : -1;

		state = got <= 0 ? REPLY_SENSELESS :
			reply_heed(in, data, data + got, body, BODY_MAX,
				status);
	}
	h1_in_free(in);
	return state == REPLY_WHOLE;
}

/* put sends what is small enough to go at once. */
static bool put(int fd, const char *text, size_t len)
{
	return send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static char *ask(int fd, const char *host, uint16_t port, int64_t end_ms)
{
	char request[512];
	int len = snprintf(request, sizeof(request), "GET /ca/root.pem "
		"HTTP/1.1\r\nHost: %s%s%s:%u\r\nConnection: close\r\n\r\n",
		strchr(host, ':') ? "[" : "", host,
		strchr(host, ':') ? "]" : "", port);
	unsigned status = 0;
	UT_string body;
	char *pem = NULL;

	if (len <= 0 || (size_t)len >= sizeof(request) ||
	    !put(fd, request, (size_t)len))
		return NULL;
	utstring_init(&body);
	if (receive(fd, end_ms, &body, &status) && status == 200)
		pem = root_read(utstring_body(&body), utstring_len(&body));
	utstring_done(&body);
	return pem;
}

int root_fetch(const char *host, uint16_t port, struct root_fetched *out,
	char *err, size_t err_size)
{
	int64_t end_ms = clock_ms() + WAIT_MS;
	int fd = dial_any(host, port, end_ms, out, err, err_size);

	out->pem = NULL;
	if (fd < 0)
		return ROOT_FETCH_NOBODY;
	out->pem = ask(fd, host, port, end_ms);
	close(fd);
	if (out->pem)
		return 0;
	snprintf(err, err_size, "what listens there is no Sallyport: it gives "
		"no root certificate at /ca/root.pem");
	return ROOT_FETCH_NOBODY;
}

unsigned root_fetch_status(const char *host, uint16_t port, const char *request)
{
	int64_t end_ms = clock_ms() + WAIT_MS;
	unsigned status = 0;
	struct root_fetched from;
	UT_string body;
	char err[512];
	int fd = dial_any(host, port, end_ms, &from, err, sizeof(err));

	if (fd < 0)
		return 0;
	utstring_init(&body);
	if (put(fd, request, strlen(request)))
		(void)receive(fd, end_ms, &body, &status);
	utstring_done(&body);
	close(fd);
	return status;
}
