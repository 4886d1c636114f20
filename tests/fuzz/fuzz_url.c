/*
 * fuzz_url.c - targets and authorities from any bytes.
 *
 * The parts lie within the input, hold none of the bytes that part them, and
 * put together again are read the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/http/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void check_within(struct slice part, struct slice whole)
{
	must(part.len == 0 ||
		(part.at >= whole.at &&
			part.at + part.len <= whole.at + whole.len));
}

static void check_host(struct slice host)
{
	must(host.len > 0);
	for (size_t i = 0; i < host.len; i++) {
		must(host.at[i] != '\0');
		must(!strchr("/?#@[]\\% \t\r\n,", host.at[i]));
	}
}

static void check_again(struct slice host, uint16_t port)
{
	size_t size = host.len + 16;
	char *text = malloc(size);
	struct slice again;
	uint16_t port_again;
	int len;

	must(text != NULL);
	len = snprintf(text, size,
		memchr(host.at, ':', host.len) ? "[%.*s]" : "%.*s",
		(int)host.len, host.at);
	must(len > 0);
	if (port != 0)
		len += snprintf(text + len, size - (size_t)len, ":%u", port);
	must(url_parse_authority((struct slice){text, (size_t)len}, &again,
		     &port_again) == 0);
	must(port == port_again && again.len == host.len);
	must(memcmp(again.at, host.at, host.len) == 0);
	free(text);
}

static void check_authority(struct slice authority)
{
	struct slice host;
	uint16_t port;

	if (url_parse_authority(authority, &host, &port) < 0)
		return;
	check_within(host, authority);
	check_host(host);
	check_again(host, port);
}

static void check_target(struct slice target)
{
	struct url url;

	if (url_parse_target(target, &url) < 0) {
		must(url.form == URL_BAD);
		return;
	}
	must(url.form != URL_BAD);
	must(url.form != URL_ORIGIN || url.path.len == target.len);
	check_within(url.path, target);
	must(url.path.len == 0 ||
		url.path.at + url.path.len == target.at + target.len);
	must(url.path.len == 0 || url.path.at[0] == '/' ||
		url.path.at[0] == '?');
	if (url.form != URL_ABSOLUTE)
		return;
	check_within(url.scheme, target);
	check_within(url.host, target);
	check_host(url.host);
	check_again(url.host, url.port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice input = {(const char *)data, size};

	check_target(input);
	check_authority(input);
	return 0;
}
