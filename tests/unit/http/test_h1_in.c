/* test_h1_in.c - every case whole, byte by byte, and cut at every place. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/h1_events.h"

struct test_case {
	const char *data;
	size_t len;
	const char *expected;
};

#define CASE(text, expected) \
	{ \
		text, sizeof text - 1, expected \
	}
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define GET "GET / HTTP/1.1\r\nHost: a\r\n"
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define CHUNKED_HEAD \
	"POST / 1.1 {Host=a,Transfer-Encoding=chunked} chunked keep; "
#define OK "HTTP/1.1 200 OK\r\n"
#define EMPTY_GET "GET / 1.1 {Host=a} none keep; end; "

static const struct test_case good_requests[] = {
	CASE("", "eof more"),
	CASE(GET "\r\n", EMPTY_GET "eof more"),
	CASE("\r\n" GET "\r\n", EMPTY_GET "eof more"),
	CASE("\r\n\r\n\r\n\r\n" GET "\r\n", EMPTY_GET "eof more"),
	CASE("\r\n", "eof more"),
	CASE(GET "\r\n" GET "\r\n", EMPTY_GET EMPTY_GET "eof more"),
	CASE("GET http://a:80/x?y HTTP/1.1\r\nhOST: \t a:80 \t\r\nE:\r\n"
	     "F: \r\nx: a b,\xe4\r\n\r\n",
		"GET http://a:80/x?y 1.1 {hOST=a:80,E=,F=,x=a b,\xe4} none "
		"keep; end; eof more"),
	CASE("GET /\xc3\xa4?\x80\xff HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /\xc3\xa4?\x80\xff 1.1 {Host=a} none keep; end; eof more"),
	CASE("GET \xe4 HTTP/1.1\r\nHost: a\r\n\r\n", "fail bad-syntax"),
	CASE("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
		"OPTIONS * 1.1 {Host=a} none keep; end; eof more"),
	CASE("M-SEARCH /\"<>[]\\^`{|} HTTP/1.1\r\nHost: [::1]:80\r\n\r\n",
		"M-SEARCH /\"<>[]\\^`{|} 1.1 {Host=[::1]:80} none keep; end; "
		"eof more"),
	CASE(POST "Content-Length: 5\r\n\r\nhello" GET "\r\n",
		"POST / 1.1 {Host=a,Content-Length=5} length 5 keep; "
		"[hello]; end; " EMPTY_GET "eof more"),
	CASE(POST "Content-Length: 0\r\n\r\n" GET "\r\n",
		"POST / 1.1 {Host=a,Content-Length=0} length 0 keep; "
		"end; " EMPTY_GET "eof more"),
	CASE(POST "Content-Length: 00005 \r\n\r\nhello",
		"POST / 1.1 {Host=a,Content-Length=00005} length 5 keep; "
		"[hello]; end; eof more"),
	CASE(POST "Content-Length: 9223372036854775799\r\n\r\n",
		"POST / 1.1 {Host=a,Content-Length=9223372036854775799} "
		"length 9223372036854775799 keep; fail truncated"),
	CASE(GET "Connection: foo, Close\r\n\r\n",
		"GET / 1.1 {Host=a,Connection=foo, Close} none close; end; "
		"eof more"),
};

static const struct test_case old_requests[] = {
	CASE("GET / HTTP/1.0\r\n\r\n",
		"GET / 1.0 {} none close; end; eof more"),
	CASE("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n" GET "\r\n",
		"GET / 1.0 {Connection=Keep-Alive} none keep; end; " EMPTY_GET
		"eof more"),
	CASE("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
		"GET / 1.0 {Connection=keep-alive, close} none close; end; "
		"eof more"),
	CASE("POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx",
		"POST / 1.0 {Content-Length=1} length 1 close; [x]; end; "
		"eof more"),
	CASE("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"fail bad-framing"),
	CASE("GET /\r\n", "fail bad-version"),
	CASE("GET / HTTP/0.9\r\nHost: a\r\n\r\n", "fail bad-version"),
	CASE("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "fail bad-version"),
	CASE("GET / HTTP/2.0\r\nHost: a\r\n\r\n", "fail bad-version"),
	CASE("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "fail bad-version"),
	CASE("PRI * HTTP/1.1\r\nHost: a\r\n\r\n", "fail unknown-method"),
};

static const struct test_case start_lines[] = {
	CASE("GET / http/1.1\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.10\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/11\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1 \r\n", "fail bad-syntax"),
	CASE("GET / HTTP/ 1.1\r\n", "fail bad-syntax"),
	CASE("GET / ICE/1.0\r\n", "fail bad-syntax"),
	CASE("SOURCE / ICE/1.0\r\n", "fail bad-syntax"),
	CASE("get / HTTP/1.1\r\n", "fail unknown-method"),
	CASE("GETX / HTTP/1.1\r\n", "fail unknown-method"),
	CASE("SETUP / HTTP/1.1\r\n", "fail unknown-method"),
	CASE("FOO /\r\n", "fail bad-syntax"),
	CASE("GET\r\n", "fail bad-syntax"),
	CASE("G(T / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE(" GET / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("\tGET / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("\nGET / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("\rGET / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("\r\n\r\n\r\n\r\n\r\n" GET "\r\n", "fail bad-syntax"),
	CASE("GET  / HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET /  HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET / a HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET\t/ HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET /\ta HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET /\x7f HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET /\x01 HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET /\0 HTTP/1.1\r\n", "fail bad-syntax"),
	CASE("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\nHost: a\n\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\rHost: a\r\r", "fail truncated"),
	CASE("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "fail bad-syntax"),
	CASE("\x16\x03\x01\x02\x00\x01", "fail bad-syntax"),
	CASE("SSH-2.0-x\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\n", "fail truncated"),
	CASE("G", "fail truncated"),
};

static const struct test_case bad_fields[] = {
	CASE("GET / HTTP/1.1\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost:\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A : b\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A\t: b\r\n\r\n", "fail bad-syntax"),
	CASE(GET " A: b\r\n\r\n", "fail bad-syntax"),
	CASE(GET "\tA: b\r\n\r\n", "fail bad-syntax"),
	CASE("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\r\n c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A:\r\n\tc\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\r\n \r\n\r\n", "fail bad-syntax"),
	CASE(GET "A b: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET ": c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A\x80: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A(: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A\": c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A\0: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\0c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\x01\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\x0b\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\x7f\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\rc\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\rB: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\r\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\nB: c\r\n\r\n", "fail bad-syntax"),
	CASE(GET "A: b\r\n\n", "fail bad-syntax"),
	CASE(GET "\r\r\n", "fail bad-syntax"),
};

static const struct test_case framing[] = {
	CASE(POST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
		  "0\r\n\r\n",
		"fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
		  "0\r\n\r\n",
		"fail bad-framing"),
	CASE(POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
		"fail bad-framing"),
	CASE(POST "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"fail bad-framing"),
	CASE(POST "Content-Length: 5, 5\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length: +5\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length: -5\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length: 0x5\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length: 5 5\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length: 5;\r\n\r\nhello", "fail bad-framing"),
	CASE(POST "Content-Length:\r\n\r\n", "fail bad-framing"),
	CASE(POST "Content-Length: 9223372036854775808\r\n\r\n",
		"fail bad-framing"),
	CASE(POST "Content-Length: 18446744073709551621\r\n\r\nhello",
		"fail bad-framing"),
	CASE(POST "Content_Length: 5\r\n\r\n",
		"POST / 1.1 {Host=a,Content_Length=5} none keep; end; "
		"eof more"),
	CASE(POST "Content-Length : 5\r\n\r\nhello", "fail bad-syntax"),
	CASE(POST "Transfer-Encoding : chunked\r\n\r\n", "fail bad-syntax"),
	CASE(POST "Transfer-Encoding: xchunked\r\n\r\n", "fail unknown-coding"),
	CASE(POST "Transfer-Encoding: identity\r\n\r\n", "fail unknown-coding"),
	CASE(POST "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"fail unknown-coding"),
	CASE(POST "Transfer-Encoding: chunked, gzip\r\n\r\n",
		"fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked, chunked\r\n\r\n",
		"fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"
		  "\r\n",
		"fail bad-framing"),
	CASE(POST "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n"
		  "\r\n",
		"fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked;q=1\r\n\r\n", "fail bad-framing"),
	CASE(POST "Transfer-Encoding: \"chunked\"\r\n\r\n", "fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked,\r\n\r\n", "fail bad-framing"),
	CASE(POST "Transfer-Encoding: ,chunked\r\n\r\n", "fail bad-framing"),
	CASE(POST "Transfer-Encoding:\r\n\r\n", "fail bad-framing"),
	CASE(POST "Transfer-Encoding: chunked\x0b\r\n\r\n", "fail bad-syntax"),
	CASE(POST "Transfer-Encoding: \x0b"
		  "chunked\r\n\r\n",
		"fail bad-syntax"),
	CASE(POST "Transfer-Encoding:\r\n chunked\r\n\r\n", "fail bad-syntax"),
	CASE(POST "Transfer-Encoding:   Chunked \r\n\r\n0\r\n\r\n",
		"POST / 1.1 {Host=a,Transfer-Encoding=Chunked} chunked keep; "
		"end; eof more"),
};

static const struct test_case chunks[] = {
	CASE(CHUNKED "5\r\nhello\r\n0\r\n\r\n" GET "\r\n",
		CHUNKED_HEAD "[hello]; end; " EMPTY_GET "eof more"),
	CASE(CHUNKED "5\r\nhello\r\n00A;x\r\n0123456789\r\n000\r\n\r\n",
		CHUNKED_HEAD "[hello0123456789]; end; eof more"),
	CASE(CHUNKED "1;a=\"b;c\";d=e; f\r\nx\r\n0\r\n\r\n",
		CHUNKED_HEAD "[x]; end; eof more"),
	CASE(CHUNKED "1;a=b;c\r\nx\r\n0;d=e\r\n\r\n",
		CHUNKED_HEAD "[x]; end; eof more"),
	CASE(CHUNKED "0\r\nT: 1\r\nU:  2 \r\n\r\n" GET "\r\n",
		CHUNKED_HEAD "end {T=1,U=2}; " EMPTY_GET "eof more"),
	CASE(CHUNKED "0\r\nT: 1\r\n 2\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\n T: 1\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\nT : 1\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\nT: 1\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\nT: a\rb\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\nT: a\0b\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\n: a\r\n\r\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\nContent-Length: 5\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "0\r\n\n", CHUNKED_HEAD "fail bad-syntax"),
	CASE(CHUNKED "0\r\n", CHUNKED_HEAD "fail truncated"),
	CASE(CHUNKED "0\r\n\r", CHUNKED_HEAD "fail truncated"),
	CASE(CHUNKED "5\r\nhel", CHUNKED_HEAD "[hel]; fail truncated"),
	CASE(CHUNKED "0x5\r\nhello\r\n0\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "-5\r\nhello\r\n0\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "+5\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED " 5\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5 \r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5 ;a\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5\rhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5;a\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5;a\rb\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5;a=\0\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED ";a\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "g\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5\0\r\nhello\r\n", CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "5\r\nhello0\r\n\r\n",
		CHUNKED_HEAD "[hello]; fail bad-framing"),
	CASE(CHUNKED "5\r\nhello\n0\r\n\r\n",
		CHUNKED_HEAD "[hello]; fail bad-framing"),
	CASE(CHUNKED "5\r\nhello\r0\r\n\r\n",
		CHUNKED_HEAD "[hello]; fail bad-framing"),
	CASE(CHUNKED "5\r\nhello!\r\n",
		CHUNKED_HEAD "[hello]; fail bad-framing"),
	CASE(CHUNKED "ffffffffffffffff1\r\nhello",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "10000000000000005\r\nhello\r\n",
		CHUNKED_HEAD "fail bad-framing"),
	CASE(CHUNKED "ffffffffffffffff\r\nhello",
		CHUNKED_HEAD "[hello]; fail truncated"),
	CASE(CHUNKED "00000000000000000000000000005\r\nhello\r\n0\r\n\r\n",
		CHUNKED_HEAD "[hello]; end; eof more"),
};

/* CONNECT and upgrades: the parser stops at the head, llhttp's own idea of
 * them never shows. */
static const struct test_case switches[] = {
	CASE("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n\x16\x03\x01",
		"CONNECT a:443 1.1 {Host=a:443} none keep; end; 3 left"),
	CASE("CONNECT [::1]:443 HTTP/1.0\r\n\r\nGET ",
		"CONNECT [::1]:443 1.0 {} none close; end; 4 left"),
	CASE("CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\nx",
		"CONNECT a:443 1.1 {Host=a,Content-Length=0} none keep; end; "
		"1 left"),
	CASE("CONNECT a:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
		"fail bad-framing"),
	CASE("CONNECT a:443 HTTP/1.1\r\nHost: a\r\n"
	     "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"fail bad-framing"),
	CASE(GET "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n" GET "\r\n",
		"GET / 1.1 {Host=a,Connection=Upgrade,Upgrade=websocket} none "
		"keep; end; " EMPTY_GET "eof more"),
	CASE(POST "Connection: Upgrade\r\nUpgrade: h2c\r\n"
		  "Content-Length: 2\r\n\r\nhi" GET "\r\n",
		"POST / 1.1 {Host=a,Connection=Upgrade,Upgrade=h2c,"
		"Content-Length=2} length 2 keep; [hi]; end; " EMPTY_GET
		"eof more"),
	CASE(POST "Connection: Upgrade\r\nUpgrade: h2c\r\n"
		  "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n" GET
		  "\r\n",
		"POST / 1.1 {Host=a,Connection=Upgrade,Upgrade=h2c,"
		"Transfer-Encoding=chunked} chunked keep; [hi]; end; " EMPTY_GET
		"eof more"),
};

static const struct test_case responses[] = {
	CASE(OK "Content-Length: 2\r\n\r\nhi" OK "Content-Length: 0\r\n\r\n",
		"200 1.1 OK {Content-Length=2} length 2 keep; [hi]; end; "
		"200 1.1 OK {Content-Length=0} length 0 keep; end; eof more"),
	CASE(OK "\r\nhello\r\n",
		"200 1.1 OK {} until-close close; [hello\r\n]; end; eof end"),
	CASE(OK "\r\n", "200 1.1 OK {} until-close close; end; eof end"),
	CASE("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nx",
		"200 1.0 OK {Connection=keep-alive} until-close close; [x]; "
		"end; eof end"),
	CASE("HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n"
	     "Content-Length: 1\r\n\r\nx",
		"200 1.0 OK {Connection=keep-alive,Content-Length=1} length 1 "
		"keep; [x]; end; eof more"),
	CASE("HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx",
		"200 1.0 OK {Content-Length=1} length 1 close; [x]; end; "
		"eof more"),
	CASE(OK "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: "
		"b\r\n\r\n",
		"200 1.1 OK {Transfer-Encoding=chunked} chunked keep; [hi]; "
		"end {A=b}; eof more"),
	CASE("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n",
		"200 1.1 {Content-Length=0} length 0 keep; end; eof more"),
	CASE("HTTP/1.1 404 Nicht g\xe4nzlich  da \r\nContent-Length: 0\r\n\r\n",
		"404 1.1 Nicht g\xe4nzlich  da  {Content-Length=0} length 0 "
		"keep; end; eof more"),
	CASE("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early\r\nLink: x\r\n"
	     "\r\n" OK "Content-Length: 1\r\n\r\nx",
		"100 1.1 Continue {} none keep; end; 103 1.1 Early {Link=x} "
		"none keep; end; 200 1.1 OK {Content-Length=1} length 1 keep; "
		"[x]; end; eof more"),
	CASE("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n"
	     "Connection: Upgrade\r\n\r\n\x81\x05",
		"101 1.1 Switching {Upgrade=websocket,Connection=Upgrade} none "
		"keep; end; 2 left"),
	CASE("HTTP/1.1 204 No\r\n\r\n" OK "Content-Length: 0\r\n\r\n",
		"204 1.1 No {} none keep; end; 200 1.1 OK {Content-Length=0} "
		"length 0 keep; end; eof more"),
	CASE("HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n",
		"204 1.1 No {Content-Length=0} none keep; end; eof more"),
	CASE("HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n",
		"204 1.1 No {Content-Length=5} none close; end; eof more"),
	CASE("HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n",
		"204 1.1 No {Transfer-Encoding=chunked} none close; end; "
		"eof more"),
	CASE("HTTP/1.1 304 Not\r\nContent-Length: 5\r\n\r\n" OK
	     "Content-Length: 0\r\n\r\n",
		"304 1.1 Not {Content-Length=5} none keep; end; "
		"200 1.1 OK {Content-Length=0} length 0 keep; end; eof more"),
	CASE("HTTP/1.1 304 Not\r\n\r\n",
		"304 1.1 Not {} none keep; end; eof more"),
	CASE("HTTP/1.1 426 Up\r\nUpgrade: h2c\r\nConnection: upgrade\r\n"
	     "Content-Length: 1\r\n\r\nx",
		"426 1.1 Up {Upgrade=h2c,Connection=upgrade,Content-Length=1} "
		"length 1 keep; [x]; end; eof more"),
};

static const struct test_case bad_responses[] = {
	CASE(OK "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
		"fail bad-framing"),
	CASE(OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"fail bad-framing"),
	CASE(OK "Content-Length: 5, 5\r\n\r\n", "fail bad-framing"),
	CASE(OK "Transfer-Encoding: gzip\r\n\r\n", "fail unknown-coding"),
	CASE(OK "Transfer-Encoding: gzip, chunked\r\n\r\n",
		"fail unknown-coding"),
	CASE(OK "Transfer-Encoding: chunked, chunked\r\n\r\n",
		"fail bad-framing"),
	CASE("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
		"fail bad-framing"),
	CASE("HTTP/1.1 204 No\r\nContent-Length: x\r\n\r\n",
		"fail bad-framing"),
	CASE(OK "A: b\r\n c\r\n\r\n", "fail bad-syntax"),
	CASE(OK "A : b\r\n\r\n", "fail bad-syntax"),
	CASE(OK "A: b\rc\r\n\r\n", "fail bad-syntax"),
	CASE(OK "A: b\n\r\n", "fail bad-syntax"),
	CASE("\r\n" OK "\r\n", "fail bad-syntax"),
	CASE(" " OK "\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 200 O\0K\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 200 O\rK\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 200 O\x01K\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 20 OK\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 2000 OK\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1 020 OK\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1  200 OK\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.1\r\n\r\n", "fail bad-syntax"),
	CASE("HTTP/1.2 200 OK\r\n\r\n", "fail bad-version"),
	CASE("HTTP/2.0 200 OK\r\n\r\n", "fail bad-version"),
	CASE("ICY 200 OK\r\n\r\n", "fail bad-syntax"),
	CASE("<html>", "fail bad-syntax"),
	CASE(OK "Content-Length: 3\r\n\r\nhi",
		"200 1.1 OK {Content-Length=3} length 3 keep; [hi]; "
		"fail truncated"),
	CASE("HTTP/1.1 2", "fail truncated"),
};

static const struct test_case to_head[] = {
	CASE(OK "Content-Length: 5\r\n\r\n" OK "\r\n" OK
		"Transfer-Encoding: chunked\r\n\r\n",
		"200 1.1 OK {Content-Length=5} none keep; end; "
		"200 1.1 OK {} none keep; end; "
		"200 1.1 OK {Transfer-Encoding=chunked} none keep; end; "
		"eof more"),
	CASE(OK "Content-Length: 5, 5\r\n\r\n", "fail bad-framing"),
};

static size_t piece_whole(void *arg, size_t left)
{
	(void)arg;
	return left;
}

static size_t piece_byte(void *arg, size_t left)
{
	(void)arg;
	(void)left;
	return 1;
}

static size_t piece_cut(void *arg, size_t left)
{
	size_t *first = arg, size = *first;

	*first = 0;
	return size > 0 && size < left ? size : left;
}

static void expect(const struct h1_run *run, const struct test_case *c,
	h1_piece piece, void *arg)
{
	UT_string log;

	utstring_init(&log);
	h1_run(run, c->data, c->len, piece, arg, &log);
	/* cmocka compares strings up to a NUL only, the cases have none. */
	assert_string_equal(utstring_body(&log), c->expected);
	utstring_done(&log);
}

static void expect_all(
	const struct h1_run *run, const struct test_case *c, size_t num)
{
	for (; num > 0; num--, c++) {
		expect(run, c, piece_whole, NULL);
		expect(run, c, piece_byte, NULL);
		for (size_t i = 1; i < c->len; i++) {
			size_t cut = i;

			expect(run, c, piece_cut, &cut);
		}
	}
}

#define EXPECT_ALL(run, cases) \
	expect_all(run, cases, sizeof cases / sizeof cases[0])

static void test_requests(void **state)
{
	const struct h1_run run = {.kind = H1_REQUEST};

	(void)state;
	EXPECT_ALL(&run, good_requests);
	EXPECT_ALL(&run, old_requests);
	EXPECT_ALL(&run, start_lines);
	EXPECT_ALL(&run, bad_fields);
}

static void test_framing(void **state)
{
	const struct h1_run run = {.kind = H1_REQUEST};

	(void)state;
	EXPECT_ALL(&run, framing);
	EXPECT_ALL(&run, chunks);
	EXPECT_ALL(&run, switches);
}

static void test_responses(void **state)
{
	const struct h1_run run = {.kind = H1_RESPONSE};
	const struct h1_run head_run = {.kind = H1_RESPONSE, .to_head = true};

	(void)state;
	EXPECT_ALL(&run, responses);
	EXPECT_ALL(&run, bad_responses);
	EXPECT_ALL(&head_run, to_head);
}

/* The limit counts to the byte, for the head and for the trailers. */
static void test_limits(void **state)
{
	static const struct test_case fits =
		CASE(GET "\r\n", EMPTY_GET "eof more");
	static const struct test_case over = CASE(GET "\r\n", "fail too-large");
	static const struct test_case line =
		CASE("GET /aaaaaaaaaaaaaaaaaaaaaa", "fail too-large");
	static const struct test_case other =
		CASE("(((((((((((((((((((((((((((", "fail bad-syntax");
	static const struct test_case trailers =
		CASE("HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
		     "A: bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\r\n\r\n",
			"200 1.1 {Transfer-Encoding=chunked} chunked keep; "
			"fail too-large");
	struct h1_run run = {.kind = H1_REQUEST};

	(void)state;
	run.max_head = fits.len;
	expect_all(&run, &fits, 1);
	run.max_head = over.len - 1;
	expect_all(&run, &over, 1);
	run.max_head = 20;
	expect_all(&run, &line, 1);
	expect_all(&run, &other, 1);
	run.kind = H1_RESPONSE;
	run.max_head = 46;
	expect_all(&run, &trailers, 1);
}

static void repeat(UT_string *s, const char *text, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		h1_log(s, text);
}

static void expect_flood(const char *before, const char *text, unsigned times,
	const char *after, const char *expected)
{
	const struct h1_run run = {.kind = H1_REQUEST};
	UT_string s;
	struct test_case c;

	utstring_init(&s);
	h1_log(&s, before);
	repeat(&s, text, times);
	h1_log(&s, after);
	c = (struct test_case){utstring_body(&s), utstring_len(&s), expected};
	expect(&run, &c, piece_whole, NULL);
	expect(&run, &c, piece_byte, NULL);
	utstring_done(&s);
}

#define X_16 "xxxxxxxxxxxxxxxx"
#define X_64 X_16 X_16 X_16 X_16
#define NAME_63 X_16 X_16 X_16 "xxxxxxxxxxxxxxx"

static void test_floods(void **state)
{
	(void)state;
	expect_flood(GET, "a: b\r\n", 1000, "\r\n", "fail too-large");
	expect_flood(GET "a: ", "b", 65536, "\r\n\r\n", "fail too-large");
	expect_flood("", "A", 70000, "", "fail too-large");
	expect_flood(
		GET "Connection: ", "a,", 600, "\r\n\r\n", "fail too-large");
	expect_flood(CHUNKED "1;", "a", 4095, "\r\nx\r\n0\r\n\r\n",
		CHUNKED_HEAD "[x]; end; eof more");
	expect_flood(CHUNKED "1;", "a", 4096, "\r\nx\r\n0\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing");
	expect_flood(CHUNKED, "0", 5000, "\r\n\r\n",
		CHUNKED_HEAD "fail bad-framing");
	expect_flood(CHUNKED, "1;" NAME_63 "\r\nx\r\n", 64, "0\r\n\r\n",
		CHUNKED_HEAD "[" X_64 "]; end; eof more");
	expect_flood(CHUNKED, "1;" NAME_63 "\r\nx\r\n", 65, "0\r\n\r\n",
		CHUNKED_HEAD "[" X_64 "]; fail bad-framing");
}

/* The caller's view: nothing is eaten beyond an event, idle tells the truth,
 * the end is told again when asked again, and failure sticks. */
static void test_pull(void **state)
{
	static const char data[] = GET "\r\nrest";
	struct h1_in *in = h1_in_new(H1_REQUEST, 1000);
	const char *at = data, *end = data + sizeof data - 1;

	(void)state;
	assert_true(h1_in_idle(in));
	assert_int_equal(h1_in_next(in, &at, at + 1), H1_MORE);
	assert_false(h1_in_idle(in));
	assert_int_equal(h1_in_next(in, &at, end), H1_HEAD);
	assert_string_equal(at, "rest");
	assert_int_equal(h1_in_next(in, &at, end), H1_END);
	assert_int_equal(h1_in_next(in, &at, end), H1_END);
	assert_string_equal(at, "rest");
	assert_true(h1_in_idle(in));
	h1_in_next_message(in, false);
	assert_true(h1_in_idle(in));
	assert_int_equal(h1_in_next(in, &at, end), H1_MORE);
	assert_int_equal(h1_in_eof(in), H1_FAILED);
	assert_int_equal(h1_in_error(in), H1_TRUNCATED);
	assert_int_equal(h1_in_next(in, &at, end), H1_FAILED);
	assert_int_equal(h1_in_error(in), H1_TRUNCATED);
	assert_true(strlen(h1_in_why(in)) > 0);
	h1_in_free(in);
}

/* The head is told before the end, though no byte is between them: when the
 * connection ends there, the message is whole all the same. */
static void test_eof_after_head(void **state)
{
	static const char data[] = GET "\r\n";
	struct h1_in *in = h1_in_new(H1_REQUEST, 1000);
	const char *at = data;

	(void)state;
	assert_int_equal(h1_in_next(in, &at, data + sizeof data - 1), H1_HEAD);
	assert_int_equal(h1_in_eof(in), H1_END);
	assert_int_equal(h1_in_eof(in), H1_MORE);
	h1_in_free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_framing),
		cmocka_unit_test(test_responses),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_pull),
		cmocka_unit_test(test_eof_after_head),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
