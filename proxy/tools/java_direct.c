#include "proxy/tools/java_direct.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utstring.h>

enum { WORD_SIZE = 256, NAME_SIZE = WORD_SIZE + 2 };

static bool has(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (*list) {
		size_t one = strcspn(list, "|");

		if (one == len && strncmp(list, word, len) == 0)
			return true;
		list += one + (list[one] == '|');
	}
	return false;
}

/* put leaves out what means something to Java's options, or would be all there is. */
static void put(UT_string *out, const char *word)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._*:[]";

	if (word[strspn(word, "*.")] == '\0' ||
	    word[strspn(word, allowed)] != '\0' ||
	    has(utstring_body(out), word))
		return;
	utstring_printf(out, "%s%s", utstring_len(out) > 0 ? "|" : "", word);
}

/* put_network: 10.0.0.0/8 is 10.*; one that ends within an octet is nothing. */
static void put_network(UT_string *out, char *word, char *slash)
{
	char *end, name[NAME_SIZE];
	unsigned long bits = strtoul(slash + 1, &end, 10);
	struct in_addr address;
	int dots = (int)bits / 8;
	size_t len = 0;

	*slash = '\0';
	if (*end != '\0' || end == slash + 1 || bits == 0 || bits > 32 ||
	    bits % 8 != 0 || inet_pton(AF_INET, word, &address) != 1)
		return;
	for (; dots > 0 && word[len]; len++)
		dots -= word[len] == '.';
	snprintf(name, sizeof(name), "%.*s%s", (int)len, word,
		bits < 32 ? "*" : "");
	put(out, name);
}

/* put_host: a name stands for all below it, too; an address for itself. */
static void put_host(UT_string *out, const char *word)
{
	char name[NAME_SIZE];
	struct in6_addr address;

	if (word[0] == '*' && word[1] == '.')
		word++;
	if (inet_pton(AF_INET, word, &address) == 1) {
		put(out, word);
	} else if (inet_pton(AF_INET6, word, &address) == 1) {
		snprintf(name, sizeof(name), "[%s]", word);
		put(out, name);
	} else if (!strpbrk(word, ":[]*")) {
		word += strspn(word, ".");
		put(out, word);
		snprintf(name, sizeof(name), "*.%s", word);
		put(out, name);
	}
}

static void put_word(UT_string *out, char *word)
{
	char *slash = strchr(word, '/');

	if (slash)
		put_network(out, word, slash);
	else
		put_host(out, word);
}

/* is_own: what the list begins with, in no_proxy's words. */
static bool is_own(const char *word)
{
	return strcmp(word, "localhost") == 0 ||
		strcmp(word, "127.0.0.1") == 0 || strcmp(word, "::1") == 0;
}

/* next copies the word of list that *at is before; false: none is left. What is too
 * long to be one is passed over. */
static bool next(const char **at, const char *between, char word[WORD_SIZE])
{
	size_t len = 0;

	do {
		*at += len;
		*at += strspn(*at, between);
		len = strcspn(*at, between);
	} while (len >= WORD_SIZE);
	snprintf(word, WORD_SIZE, "%.*s", (int)len, *at);
	*at += len;
	return len > 0;
}

char *java_direct(const char *before, const char *no_proxy)
{
	char word[WORD_SIZE];
	UT_string out;

	utstring_init(&out);
	utstring_printf(&out, "localhost|127.*|[::1]");
	while (before && next(&before, "|", word))
		put(&out, word);
	while (no_proxy && next(&no_proxy, ", ", word)) {
		if (!is_own(word))
			put_word(&out, word);
	}
	return utstring_body(&out);
}
