#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/entry.h"

static char err[1000];
static char seen[4000]; /* what entry_each gave */

/* As it would be written: "*.host:port/path". */
static void write_entry(const struct entry *entry, char *out, size_t size)
{
	char network[NETWORK_TEXT_SIZE];
	char port[10] = "";

	if (entry->host[0] == '\0') {
		network_text(&entry->network, network);
		snprintf(out, size, "%s", network);
		return;
	}
	if (entry->port)
		snprintf(port, sizeof(port), " :%u", entry->port);
	assert_int_equal(entry->path_len, strlen(entry->path));
	snprintf(out, size, "%s%s%s%s%s", entry->below ? "." : "", entry->host,
		port, entry->path_len ? " " : "", entry->path);
}

/* From memory of the exact size, so that a byte too many is seen. */
static int parse(const char *text, size_t len, struct entry *entry)
{
	char *copy = malloc(len ? len : 1);
	int result;

	assert_non_null(copy);
	memcpy(copy, text, len);
	memset(entry, 'x', sizeof(*entry));
	err[0] = '\0';
	result = entry_parse(copy, len, entry, err, sizeof(err));
	free(copy);
	return result;
}

static void is(const char *text, const char *wanted)
{
	struct entry entry;
	char out[3000];

	if (parse(text, strlen(text), &entry) != 0)
		fail_msg("%s", err);
	write_entry(&entry, out, sizeof(out));
	if (strcmp(out, wanted) != 0)
		fail_msg("\"%s\": \"%s\", not \"%s\"", text, out, wanted);
}

static void refuse(const char *text, const char *why)
{
	struct entry entry;

	if (parse(text, strlen(text), &entry) == 0)
		fail_msg("\"%s\" was taken", text);
	if (!strstr(err, why))
		fail_msg("\"%s\": %s", text, err);
}

static void hosts_and_domains(void **state)
{
	(void)state;
	is("example.com", "example.com");
	is("EXAMPLE.Com.", "example.com");
	is(".example.com", ".example.com");
	is("*.example.com", ".example.com");
	is("localhost", "localhost");
	is(".com", ".com");
	is("b\xc3\xbc" "cher.example", "xn--bcher-kva.example");
	is("*.B\xc3\x9c" "CHER.example", ".xn--bcher-kva.example");
	refuse("", "is not a host");
	refuse(".", "is not a host");
	refuse("*.", "is not a host");
	refuse("..example.com", "is not a host");
	refuse("exa mple.com", "blank or a control");
	refuse("example\x01.com", "blank or a control");
	refuse("ex%61mple.com", "is not a host");
	refuse("127.1", "is not a host");
	refuse("a\\b", "is not a host");
}

static void stars_elsewhere(void **state)
{
	(void)state;
	refuse("*", "\"*\"");
	refuse("*example.com", "\"*\"");
	refuse("www.*.com", "\"*\"");
	refuse("*.*.com", "\"*\"");
	refuse("example.com/*", "\"*\"");
	refuse("example.com/a*b", "\"*\"");
	is("example.com/a%2Ab", "example.com /a*b");
}

static void addresses(void **state)
{
	(void)state;
	is("192.0.2.7", "192.0.2.7");
	is("2001:DB8:0::1", "2001:db8::1");
	is("[2001:db8::1]", "2001:db8::1");
	is("::ffff:192.0.2.7", "192.0.2.7");
	is("[::ffff:192.0.2.7]", "192.0.2.7");
	is("192.0.2.7/32", "192.0.2.7");
	is("2001:db8::1/128", "2001:db8::1");
	is("::ffff:192.0.2.7/128", "192.0.2.7");
	refuse(".192.0.2.7", "no hosts below");
	refuse("*.[::1]", "no hosts below");
	refuse("[192.0.2.7]", "is not a host");
	refuse("[::1", "is not a host");
	refuse("[::1]x", "is not a host");
	refuse("fe80::1%eth0", "is not a host");
}

static void networks(void **state)
{
	(void)state;
	is("10.0.0.0/8", "10.0.0.0/8");
	is("0.0.0.0/0", "0.0.0.0/0");
	is("2001:DB8::/32", "2001:db8::/32");
	is("::ffff:10.0.0.0/104", "10.0.0.0/8");
	refuse("10.0.0.1/8", "the network is 10.0.0.0/8");
	refuse("2001:db8::1/32", "the network is 2001:db8::/32");
	refuse("10.0.0.0/33", "is not an address or a network");
	refuse("10.0.0.0/08", "is not an address or a network");
	refuse("10.0.0.0/8:443", "no brackets, port or path");
	refuse("10.0.0.0:443/8", "no brackets, port or path");
	refuse("10.0.0.0/8/admin", "no brackets, port or path");
	refuse("[2001:db8::]/32", "no brackets, port or path");
	refuse(".10.0.0.0/8", "no hosts below");
}

static void what_looks_like_a_network(void **state)
{
	(void)state;
	is("10.0.0.1/admin", "10.0.0.1 /admin");
	is("10.0.0.1/8a", "10.0.0.1 /8a");
	is("10.0.0.1/", "10.0.0.1");
	is("https://10.0.0.1/8", "10.0.0.1 /8");
	is("[2001:db8::1]/admin", "2001:db8::1 /admin");
	is("2001:db8::1/admin", "2001:db8::1 /admin");
	is("example.com/8", "example.com /8");
}

static void ports(void **state)
{
	(void)state;
	is("example.com:8443", "example.com :8443");
	is(".example.com:1", ".example.com :1");
	is("192.0.2.7:65535", "192.0.2.7 :65535");
	is("[2001:db8::1]:443", "2001:db8::1 :443");
	is("2001:db8::1:443", "2001:db8::1:443");
	is("example.com:443/a", "example.com :443 /a");
	refuse("example.com:", "has a port that is none");
	refuse("example.com:0", "has a port that is none");
	refuse("example.com:65536", "has a port that is none");
	refuse("example.com:4294967739", "has a port that is none");
	refuse("example.com:99999999999999999999", "has a port that is none");
	refuse("example.com:https", "has a port that is none");
	refuse("example.com:+1", "has a port that is none");
	refuse("[::1]:", "has a port that is none");
	refuse(":443", "is not a host");
}

static void paths(void **state)
{
	(void)state;
	is("github.com/github-copilot", "github.com /github-copilot");
	is("github.com/GitHub%2Dcopilot/", "github.com /github-copilot");
	is("github.com/x/..//.//github-copilot;v=1",
		"github.com /github-copilot");
	is("example.com/", "example.com");
	is("example.com/a/..", "example.com");
	is("example.com/%2F", "example.com");
	is("example.com/@user/a:b", "example.com /@user/a:b");
	refuse("example.com/a?b=c", "query or a fragment");
	refuse("example.com/a#b", "query or a fragment");
	refuse("example.com?b", "query or a fragment");
	refuse("/a", "is not a host");
}

static void longest_path(void **state)
{
	static char text[ENTRY_PATH_MAX + 20];
	struct entry entry;
	size_t host = strlen("a.example");

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "a.example/", host + 1);
	assert_int_equal(parse(text, host + ENTRY_PATH_MAX, &entry), 0);
	assert_int_equal(entry.path_len, ENTRY_PATH_MAX);
	assert_int_equal(parse(text, host + ENTRY_PATH_MAX + 1, &entry), -1);
	assert_non_null(strstr(err, "more than 2048"));
	assert_non_null(strstr(err, "..."));
}

static void schemes(void **state)
{
	(void)state;
	is("https://example.com/a", "example.com /a");
	is("HTTP://*.example.com:80/", ".example.com :80");
	is("wss://example.com", "example.com");
	refuse("ftp://example.com/", "scheme");
	refuse("https://", "is not a host");
	refuse("https:///a", "is not a host");
	refuse("://example.com", "scheme");
	refuse("//example.com", "is not a host");
}

static void users_are_refused_and_not_shown(void **state)
{
	(void)state;
	refuse("https://eve:secret@example.com/", "has a user before it");
	assert_null(strstr(err, "secret"));
	assert_non_null(strstr(err, "@example.com"));
	refuse("eve:secret@example.com", "has a user before it");
	assert_null(strstr(err, "secret"));
	refuse("ftp://eve:se@cret@example.com?", "has a user before it");
	assert_null(strstr(err, "cret@"));
}

static void what_is_wrong_can_be_shown(void **state)
{
	(void)state;
	refuse("a\x1b[31mb\n", "\"a\\x1b[31mb\\x0a\" has");
	refuse("\xc2\x9b" "a/b?", "\"\\xc2\\x9ba/b?\" has");
}

static void on_entry(void *arg, const struct entry *entry)
{
	size_t len = strlen(seen);

	assert_string_equal(arg, "arg");
	if (len > 0)
		seen[len++] = '|';
	write_entry(entry, seen + len, sizeof(seen) - len);
}

static int each(const char *line)
{
	size_t len = strlen(line);
	char *copy = malloc(len ? len : 1), arg[] = "arg";
	int result;

	assert_non_null(copy);
	memcpy(copy, line, len);
	seen[0] = err[0] = '\0';
	result = entry_each(copy, len, on_entry, arg, err, sizeof(err));
	free(copy);
	return result;
}

static void line(const char *text, const char *wanted)
{
	if (each(text) != 0)
		fail_msg("%s", err);
	if (strcmp(seen, wanted) != 0)
		fail_msg("\"%s\": \"%s\", not \"%s\"", text, seen, wanted);
}

static void bad_line(const char *text, const char *before, const char *why)
{
	if (each(text) != -1)
		fail_msg("\"%s\" was taken", text);
	if (!strstr(err, why))
		fail_msg("\"%s\": %s", text, err);
	assert_string_equal(seen, before);
}

static void lines_of_entries(void **state)
{
	(void)state;
	line("example.com", "example.com");
	line("  .example.com:443\t", ".example.com :443");
	line("example.com/a\r", "example.com /a");
	line("example.com # why", "example.com");
	line("example.com\t#why", "example.com");
	line("10.0.0.0/8 # ours\r", "10.0.0.0/8");
	line("[::1]:443", "::1 :443");
	bad_line("example.com#why", "", "fragment");
	bad_line("*", "", "\"*\"");
}

static void lines_of_nothing(void **state)
{
	(void)state;
	line("", "");
	line("\r", "");
	line(" \t ", "");
	line("# a.example b.example", "");
	line("  # a.example", "");
	line("! Title: a list", "");
	line("[Adblock Plus 2.0]", "");
	line("##.banner", "");
}

static void lines_of_hosts_files(void **state)
{
	(void)state;
	line("0.0.0.0 a.example", "a.example");
	line("127.0.0.1\tA.example  b.example # two", "a.example|b.example");
	line("::1 a.example", "a.example");
	line(":: a.example", "a.example");
	line("0.0.0.0 192.0.2.7", "192.0.2.7");
	line("127.0.0.1", "127.0.0.1");
	bad_line("192.0.2.1 a.example", "", "sends a name somewhere");
	bad_line("0.0.0.0 a.example b/c d.example", "a.example",
		"\"b/c\" is not a host");
	bad_line("0.0.0.0 .example.com", "", "is not a host");
	bad_line("a.example b.example", "", "more than one word");
	bad_line("10.0.0.0/8 a.example", "", "more than one word");
}

static void names_of_this_machine_are_passed_over(void **state)
{
	(void)state;
	line("127.0.0.1 localhost", "");
	line("127.0.0.1 LocalHost.localdomain local", "");
	line("255.255.255.255 broadcasthost", "");
	line("::1 ip6-localhost ip6-loopback a.example", "a.example");
	line("fe80::1%lo0 localhost", "");
	line("ff02::1 ip6-allnodes", "");
	line("0.0.0.0 0.0.0.0", "");
}

static void lines_of_adblock_lists(void **state)
{
	(void)state;
	line("||example.com^", ".example.com");
	line("||EXAMPLE.com^\r", ".example.com");
	line("||192.0.2.7^", "192.0.2.7");
	bad_line("||example.com^$third-party", "", "options (what is behind $)");
	bad_line("||example.com", "", "AdBlock");
	bad_line("||example.com/ads^", "", "AdBlock");
	bad_line("||*.example.com^", "", "AdBlock");
	bad_line("@@||example.com^", "", "an exception (@@)");
	bad_line("||^", "", "AdBlock");
	bad_line("||", "", "AdBlock");
	bad_line("|", "", "is not a host");
	bad_line("|http://example.com^", "", "scheme");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_domains),
		cmocka_unit_test(stars_elsewhere),
		cmocka_unit_test(addresses),
		cmocka_unit_test(networks),
		cmocka_unit_test(what_looks_like_a_network),
		cmocka_unit_test(ports),
		cmocka_unit_test(paths),
		cmocka_unit_test(longest_path),
		cmocka_unit_test(schemes),
		cmocka_unit_test(users_are_refused_and_not_shown),
		cmocka_unit_test(what_is_wrong_can_be_shown),
		cmocka_unit_test(lines_of_entries),
		cmocka_unit_test(lines_of_nothing),
		cmocka_unit_test(lines_of_hosts_files),
		cmocka_unit_test(names_of_this_machine_are_passed_over),
		cmocka_unit_test(lines_of_adblock_lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
