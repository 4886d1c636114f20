/* test_hop.c */

#include "tests/unit/http/http_test.h"

#include "proxy/http/hop.h"

struct test_case {
	const char *fields, *expected;
};

static const struct test_case requests[] = {
	{"Host: a\nAccept: b", "Host=a,Accept=b"},
	{"Host: a\nConnection: close\nKeep-Alive: 1\nX: y", "Host=a,X=y"},
	{"Connection: X-One, x-two\nX-One: 1\nX-Three: 3\nX-TWO: 2\n"
	 "Connection: x-four\nX-Four: 4",
		"X-Three=3"},
	{"X-One: 1\nconnection: ,X-ONE,", ""},
	{"Connection: Host, Content-Length, Content-Type, Authorization, "
	 "Cookie, Sec-WebSocket-Key, Origin\nHost: a\nContent-Length: 1\n"
	 "Content-Type: t\nAuthorization: z\nCookie: c\n"
	 "Sec-WebSocket-Key: k\nOrigin: o",
		"Host=a,Content-Length=1,Content-Type=t,Authorization=z,"
		"Cookie=c,Sec-WebSocket-Key=k,Origin=o"},
	{"Proxy-Connection: x\nProxy-Authorization: y\nPROXY-Foo: z\nProxy: p",
		"Proxy=p"},
	{"TE: gzip, trailers;q=1", ""},
	{"TE: gzip, Trailers\nConnection: TE", "TE=trailers,Connection=TE"},
	{"Trailer: X\nTransfer-Encoding: chunked\nUpgrade: h2c\n"
	 "HTTP2-Settings: AAA\nConnection: Upgrade, HTTP2-Settings",
		"Trailer=X"},
	{"Connection: trailer\nTrailer: X", ""},
	{"Via: 1.1 x\nX-Forwarded-For: y", "Via=1.1 x,X-Forwarded-For=y"},
};

static void test_request(void **state)
{
	char text[400];

	(void)state;
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct head *head = head_new();

		head_set_request(head, BYTES("GET"), BYTES("/"), 1);
		add_fields(head, requests[i].fields);
		assert_false(hop_strip_request(head));
		assert_string_equal(fields_of(head, text, sizeof text),
			requests[i].expected);
		head_free(head);
	}
}

static void expect_upgrade(
	struct slice method, unsigned minor, const char *fields, bool passes)
{
	struct head *head = head_new();
	char text[400];

	head_set_request(head, method, BYTES("/"), minor);
	add_fields(head, fields);
	assert_int_equal(hop_strip_request(head), passes);
	assert_string_equal(fields_of(head, text, sizeof text),
		passes ? "Sec-WebSocket-Key=k,Connection=Upgrade,Upgrade="
			 "websocket" :
			 "Sec-WebSocket-Key=k");
	head_free(head);
}

static void test_websocket(void **state)
{
	static const char good[] =
		"Connection: keep-alive, upgrade\n"
		"Upgrade: h2c, WebSocket\nSec-WebSocket-Key: k\nTE: trailers";
	static const char other[] = "Connection: upgrade\nUpgrade: h2c\n"
				    "Sec-WebSocket-Key: k";
	static const char not_named[] =
		"Connection: keep-alive\n"
		"Upgrade: websocket\nSec-WebSocket-Key: k";

	(void)state;
	expect_upgrade(BYTES("GET"), 1, good, true);
	expect_upgrade(BYTES("GET"), 1, other, false);
	expect_upgrade(BYTES("GET"), 1, not_named, false);
	expect_upgrade(BYTES("GET"), 0,
		"Connection: upgrade\n"
		"Upgrade: websocket\nSec-WebSocket-Key: k",
		false);
	expect_upgrade(BYTES("POST"), 1,
		"Connection: upgrade\n"
		"Upgrade: websocket\nSec-WebSocket-Key: k",
		false);
}

static void expect_response(
	unsigned status, const char *fields, const char *expected)
{
	struct head *head = head_new();
	char text[400];

	head_set_response(head, status, BYTES(""), 1);
	add_fields(head, fields);
	hop_strip_response(head);
	assert_string_equal(fields_of(head, text, sizeof text), expected);
	head_free(head);
}

static void test_response(void **state)
{
	static const char upgrade[] =
		"Connection: Upgrade, X\n"
		"Upgrade: websocket\nX: y\nSec-WebSocket-Accept: k";

	(void)state;
	expect_response(200,
		"Connection: Set-Cookie, X\nSet-Cookie: a\nX: y\n"
		"Proxy-Authenticate: Basic\nProxy-Status: s\nKeep-Alive: 5\n"
		"Transfer-Encoding: chunked\nTrailer: T\nDate: d",
		"Set-Cookie=a,Trailer=T,Date=d");
	expect_response(101, upgrade,
		"Sec-WebSocket-Accept=k,"
		"Upgrade=websocket,Connection=Upgrade");
	expect_response(200, upgrade, "Sec-WebSocket-Accept=k");
	expect_response(101, "Connection: Upgrade", "");
}

/* More names than h1_in lets in: the fields go or stay, nothing breaks. */
static void test_long_connection(void **state)
{
	struct head *head = head_new();
	char list[1500];

	(void)state;
	memset(list, 'a', sizeof list);
	list[sizeof list - 1] = '\0';
	head_set_request(head, BYTES("GET"), BYTES("/"), 1);
	for (unsigned i = 0; i < 500; i++)
		head_add_text(head, "Connection", "X-One");
	head_add_text(head, "Connection", list);
	head_add_text(head, "X-One", "1");
	assert_false(hop_strip_request(head));
	assert_int_equal(head_num_fields(head), 0);
	head_free(head);
}

static void test_trailers(void **state)
{
	struct head *head = head_new();
	char text[200];

	(void)state;
	add_fields(head,
		"Grpc-Status: 0\nHost: a\nContent-Length: 1\n"
		"content-md5: x\nTransfer-Encoding: chunked\nCookie: c\n"
		"Set-Cookie: c\nAuthorization: z\nProxy-Foo: y\nConnection: X\n"
		"X: kept\nTE: trailers\nUpgrade: h2c\nTrailer: X\nIf-Match: m\n"
		"ETag: e\nWWW-Authenticate: w");
	hop_strip_trailers(head);
	assert_string_equal(fields_of(head, text, sizeof text),
		"Grpc-Status=0,X=kept,ETag=e");
	head_free(head);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_request),
		cmocka_unit_test(test_websocket),
		cmocka_unit_test(test_response),
		cmocka_unit_test(test_long_connection),
		cmocka_unit_test(test_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
