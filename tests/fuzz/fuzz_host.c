/*
 * fuzz_host.c - host_normalize on any bytes.
 *
 * What it lets through keeps the promises of host.h: one spelling, which is
 * its own; of the bytes that a host may have; an address if and only if it
 * says so.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static bool is_address(const char *host)
{
	struct in6_addr address;

	return inet_pton(AF_INET, host, &address) == 1 ||
		inet_pton(AF_INET6, host, &address) == 1;
}

static void check_name(const char *host)
{
	size_t len = strlen(host);

	must(len >= 1 && len <= 253);
	must(strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == len);
	must(host[0] != '.' && host[len - 1] != '.' && !strstr(host, ".."));
	for (const char *at = host; *at; at += strspn(at, ".")) {
		must(strcspn(at, ".") <= 63);
		at += strcspn(at, ".");
	}
}

/* No resolver may take a name for an address: inet_aton knows them all. */
static void check_kind(enum host_kind kind, const char *host)
{
	struct in_addr address;

	must(is_address(host) == (kind == HOST_ADDRESS));
	if (kind == HOST_NAME) {
		check_name(host);
		must(inet_aton(host, &address) == 0);
	} else {
		must(strncmp(host, "::ffff:", 7) != 0 || !strchr(host, '.'));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char host[HOST_SIZE], again[HOST_SIZE];
	enum host_kind kind;

	memset(host, 'x', sizeof(host));
	kind = host_normalize((const char *)data, size, host);
	must(memchr(host, '\0', sizeof(host)) != NULL);
	if (kind == HOST_BAD) {
		must(host[0] == '\0');
		return 0;
	}
	must(kind == HOST_NAME || kind == HOST_ADDRESS);
	check_kind(kind, host);
	must(host_normalize(host, strlen(host), again) == kind);
	must(strcmp(host, again) == 0);
	return 0;
}
