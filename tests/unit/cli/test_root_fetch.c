#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/root_fetch.h"
#include "tests/support/lab.h"

static int make_certs(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	lab_make_root("other", "ec", LAB_CA_EXT);
	lab_make("leaf", "ec", "/CN=leaf", "root", "sha256", LAB_LEAF_EXT);
	lab_run("cat root.pem other.pem >two.pem");
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static char *read_root(const char *file)
{
	size_t len;
	char *text = lab_read(file, &len), *pem = root_read(text, len);

	free(text);
	return pem;
}

static void takes_one_ca(void **state)
{
	char *root = read_root("root.pem"), *other = read_root("other.pem");

	(void)state;
	assert_non_null(root);
	assert_true(root_same(root, root));
	assert_false(root_same(root, other));
	assert_null(read_root("two.pem"));
	assert_null(read_root("leaf.pem"));
	assert_null(read_root("root.key"));
	assert_null(root_read("", 0));
	free(root);
	free(other);
}

static void fingerprint_is_openssls(void **state)
{
	char *root = read_root("root.pem"), text[CERT_FINGERPRINT];

	(void)state;
	root_fingerprint(root, text);
	assert_int_equal(strlen(text), 95);
	lab_run("openssl x509 -noout -fingerprint -sha256 -in root.pem");
	assert_non_null(strstr(lab_said(), text));
	root_fingerprint("nothing", text);
	assert_string_equal(text, "");
	free(root);
}

/* Somebody who gives one answer. */
struct server {
	int fd;
	uint16_t port;
	const char *answer;
	size_t len;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct server *server = arg;
	int fd = accept(server->fd, NULL, NULL);
	char request[1024];

	(void)!read(fd, request, sizeof(request));
	(void)!write(fd, server->answer, server->len);
	close(fd);
	return NULL;
}

static void start(struct server *server, const char *answer, size_t len)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);

	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&at, size), 0);
	assert_int_equal(listen(server->fd, 1), 0);
	getsockname(server->fd, (struct sockaddr *)&at, &size);
	server->port = ntohs(at.sin_port);
	server->answer = answer;
	server->len = len;
	assert_int_equal(pthread_create(&server->thread, NULL, serve, server),
		0);
}

static int ask(const char *answer, size_t len, struct root_fetched *out)
{
	struct server server;
	char err[512];
	int result;

	start(&server, answer, len);
	result = root_fetch("127.0.0.1", server.port, out, err, sizeof(err));
	pthread_join(server.thread, NULL);
	close(server.fd);
	return result;
}

static void believes_a_root_alone(void **state)
{
	char *root = read_root("root.pem"), *answer = calloc(1, 200000);
	struct root_fetched fetched;
	int len;

	(void)state;
	len = snprintf(answer, 200000, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n"
		"\r\n%s", strlen(root), root);
	assert_int_equal(ask(answer, (size_t)len, &fetched), 0);
	assert_true(fetched.loopback);
	assert_string_equal(fetched.pem, root);
	free(fetched.pem);
	/* Broken off, of another status, of another kind, or without end. */
	for (size_t cut = 0; cut < (size_t)len; cut += 101)
		assert_int_equal(ask(answer, cut, &fetched),
			ROOT_FETCH_NOBODY);
	answer[9] = '4';
	assert_int_equal(ask(answer, (size_t)len, &fetched),
		ROOT_FETCH_NOBODY);
	assert_int_equal(ask("SSH-2.0-x\r\n", 11, &fetched),
		ROOT_FETCH_NOBODY);
	len = snprintf(answer, 200000, "HTTP/1.1 200 OK\r\nContent-Length: 150000"
		"\r\n\r\n%s", root);
	memset(answer + len, '\n', 199000 - (size_t)len);
	assert_int_equal(ask(answer, 199000, &fetched), ROOT_FETCH_NOBODY);
	free(root);
	free(answer);
}

static void nobody_is_there(void **state)
{
	struct root_fetched fetched;
	char err[512];

	(void)state;
	assert_int_equal(root_fetch("127.0.0.1", 1, &fetched, err,
		sizeof(err)), ROOT_FETCH_NOBODY);
	assert_non_null(strstr(err, "nobody listens there"));
	assert_null(fetched.pem);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_ca),
		cmocka_unit_test(fingerprint_is_openssls),
		cmocka_unit_test(believes_a_root_alone),
		cmocka_unit_test(nobody_is_there),
	};

	return cmocka_run_group_tests(tests, make_certs, end);
}
