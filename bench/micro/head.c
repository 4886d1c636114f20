/* Heads: read, relieved of what is hop-by-hop, written again. */
#include <string.h>

#include "bench/micro/micro.h"
#include "proxy/http/h1_in.h"
#include "proxy/http/h1_out.h"
#include "proxy/http/hop.h"

static const char request[] =
	"GET /assets/app.js?v=3 HTTP/1.1\r\n"
	"Host: www.example.com\r\n"
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 "
	"Firefox/128.0\r\n"
	"Accept: */*\r\n"
	"Accept-Language: en-US,en;q=0.5\r\n"
	"Accept-Encoding: gzip, deflate, br\r\n"
	"Referer: https://www.example.com/\r\n"
	"Cookie: session=0123456789abcdef0123456789abcdef; theme=dark\r\n"
	"Connection: keep-alive\r\n"
	"\r\n";
static const char response[] =
	"HTTP/1.1 200 OK\r\n"
	"Server: nginx\r\n"
	"Date: Sat, 21 Nov 2026 10:00:00 GMT\r\n"
	"Content-Type: application/javascript\r\n"
	"Content-Length: 0\r\n"
	"Last-Modified: Fri, 20 Nov 2026 10:00:00 GMT\r\n"
	"Connection: keep-alive\r\n"
	"ETag: \"5f3e6d2a-400\"\r\n"
	"Accept-Ranges: bytes\r\n"
	"\r\n";

struct both {
	struct h1_in *in;
	const char *text;
	size_t len;
	char out[2048];
};

static void parse(void *arg)
{
	struct both *both = arg;
	const char *at = both->text, *end = at + both->len;

	must(h1_in_next(both->in, &at, end) == H1_HEAD, "no head");
	must(h1_in_next(both->in, &at, end) == H1_END, "no end");
	h1_in_next_message(both->in, false);
}

static void pass_on(void *arg)
{
	struct both *both = arg;
	const char *at = both->text, *end = at + both->len;
	struct head *head;

	must(h1_in_next(both->in, &at, end) == H1_HEAD, "no head");
	head = h1_in_head(both->in);
	if (head_status(head) == 0)
		(void)hop_strip_request(head);
	else
		hop_strip_response(head);
	must(h1_out_head_room(head) <= sizeof(both->out), "no room");
	(void)h1_out_head(both->out, head, H1_NO_BODY, 0, false);
	must(h1_in_next(both->in, &at, end) == H1_END, "no end");
	h1_in_next_message(both->in, false);
}

int main(void)
{
	struct both ask = {h1_in_new(H1_REQUEST, 65536), request,
		sizeof(request) - 1, {0}};
	struct both answer = {h1_in_new(H1_RESPONSE, 65536), response,
		sizeof(response) - 1, {0}};

	micro("head-parse-request", parse, &ask);
	micro("head-parse-response", parse, &answer);
	micro("head-pass-on-request", pass_on, &ask);
	micro("head-pass-on-response", pass_on, &answer);
	h1_in_free(ask.in);
	h1_in_free(answer.in);
	return 0;
}
