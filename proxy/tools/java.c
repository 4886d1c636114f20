#include "proxy/tools/java.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <utstring.h>

#include "proxy/tools/java_direct.h"
#include "proxy/tools/jks.h"

enum { PATH_SIZE = 4096 };

/* What we set, and so take away where it is set already. */
static const char *const ours[] = {
	"http.proxyHost", "http.proxyPort", "https.proxyHost",
	"https.proxyPort", "http.nonProxyHosts",
	"aether.connector.http.useSystemProperties",
	"aether.transport.apache.useSystemProperties",
	"javax.net.ssl.trustStore", "javax.net.ssl.trustStorePassword",
	"javax.net.ssl.trustStoreType", /* these three, with a store alone */
};

/* --- options, taken apart ----------------------------------------------- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' ||
		c == '\v';
}

/* next copies the option that begins at *at, without quotes, and goes behind it;
 * *out_raw and *out_len: as it stood. NULL: no more. */
static char *next(const char **at, const char **out_raw, size_t *out_len)
{
	const char *c = *at;
	char quote = 0;
	UT_string text;

	while (is_blank(*c))
		c++;
	if (*c == '\0')
		return NULL;
	*out_raw = c;
	utstring_init(&text);
	for (; *c && (quote || !is_blank(*c)); c++) {
		if (quote ? *c == quote : *c == '"' || *c == '\'')
			quote = quote ? 0 : *c;
		else
			utstring_bincpy(&text, c, 1);
	}
	*out_len = (size_t)(c - *out_raw);
	*at = c;
	return utstring_body(&text);
}

/* value_of is the value where option is -Dproperty=value; borrowed. */
static const char *value_of(const char *option, const char *property)
{
	size_t len = strlen(property);

	if (strncmp(option, "-D", 2) == 0 &&
	    strncmp(option + 2, property, len) == 0 && option[2 + len] == '=')
		return option + 2 + len + 1;
	return NULL;
}

char *java_option(const char *options, const char *property)
{
	char *option, *found = NULL;
	const char *raw, *value;
	size_t len;

	while (options && (option = next(&options, &raw, &len))) {
		value = value_of(option, property);
		if (value) {
			free(found);
			found = strdup(value);
		}
		free(option);
	}
	return found;
}

/* --- and put together --------------------------------------------------- */

static bool is_ours(const char *option, bool store)
{
	size_t num = sizeof(ours) / sizeof(*ours) - (store ? 0 : 3);

	for (size_t i = 0; i < num; i++) {
		if (value_of(option, ours[i]))
			return true;
	}
	return false;
}

static void keep_others(UT_string *out, const char *before, bool store)
{
	const char *raw;
	char *option;
	size_t len;

	while (before && (option = next(&before, &raw, &len))) {
		if (!is_ours(option, store)) {
			utstring_bincpy(out, raw, len);
			utstring_bincpy(out, " ", 1);
		}
		free(option);
	}
}

/* put_path: what has a meaning goes between quotes, and a quote between the other
 * kind. */
static void put_path(UT_string *out, const char *path)
{
	size_t len;

	for (; *path; path += len) {
		char quote = *path == '"' ? '\'' : '"';

		len = strcspn(path, " \t\n\r\f\v\"'");
		if (len > 0) {
			utstring_bincpy(out, path, len);
			continue;
		}
		len = 1;
		utstring_printf(out, "%c%c%c", quote, *path, quote);
	}
}

static void put_store(UT_string *out, const char *store)
{
	utstring_printf(out, "-Djavax.net.ssl.trustStore=");
	put_path(out, store);
	utstring_printf(out, " -Djavax.net.ssl.trustStoreType=JKS "
		"-Djavax.net.ssl.trustStorePassword=" JKS_PASSWORD " ");
}

char *java_without(const char *options)
{
	bool any = false;
	const char *at = options, *raw;
	char *option;
	size_t len;
	UT_string out;

	while ((option = next(&at, &raw, &len))) {
		any |= is_ours(option, true);
		free(option);
	}
	if (!any)
		return NULL;
	utstring_init(&out);
	keep_others(&out, options, true);
	return utstring_body(&out);
}

/* Maven has its own HTTP from 3.9 on, which heeds none of that unless told to (Maven
 * Resolver, "Configuration Options": the first up to 1.9, the second from 2.0). */
#define MAVEN "-Daether.connector.http.useSystemProperties=true " \
	"-Daether.transport.apache.useSystemProperties=true"

/* direct_of is what shall go past the proxy, and what did. */
static char *direct_of(const char *before, const struct java_aim *aim)
{
	char *own = java_option(before, "http.nonProxyHosts"), *direct;
	UT_string past;

	utstring_init(&past);
	utstring_printf(&past, "%s|%s", own ? own : "",
		aim->past ? aim->past : "");
	direct = java_direct(utstring_body(&past), aim->direct);
	utstring_done(&past);
	free(own);
	return direct;
}

char *java_options(const char *before, const struct java_aim *aim)
{
	char *direct = direct_of(before, aim);
	UT_string out;

	utstring_init(&out);
	keep_others(&out, before, aim->store != NULL);
	if (aim->store)
		put_store(&out, aim->store);
	utstring_printf(&out, "-Dhttp.proxyHost=%s -Dhttp.proxyPort=%u "
		"-Dhttps.proxyHost=%s -Dhttps.proxyPort=%u "
		"-Dhttp.nonProxyHosts=%s " MAVEN, aim->host, aim->port, aim->host,
		aim->port, direct);
	free(direct);
	return utstring_body(&out);
}

/* --- its own roots ------------------------------------------------------ */

static char *roots_in(const char *home)
{
	static const char *const places[] = {
		"lib/security/cacerts", "jre/lib/security/cacerts"};
	char path[PATH_SIZE + 32];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", home,
			    places[i]) < sizeof(path) && access(path, R_OK) == 0)
			return strdup(path);
	}
	return NULL;
}

/* roots_of: HOME/bin/java, behind what links there may be. */
static char *roots_of(const char *java)
{
	char *real = realpath(java, NULL), *roots = NULL;

	for (int i = 0; real && i < 2; i++) {
		char *slash = strrchr(real, '/');

		if (slash)
			*slash = '\0';
	}
	if (real)
		roots = roots_in(real);
	free(real);
	return roots;
}

char *java_roots(const char *home, const char *path)
{
	char java[PATH_SIZE];

	if (home && home[0])
		return roots_in(home);
	while (path && *path) {
		size_t len = strcspn(path, ":");

		if (len > 0 && (size_t)snprintf(java, sizeof(java),
			    "%.*s/java", (int)len, path) < sizeof(java) &&
		    access(java, X_OK) == 0)
			return roots_of(java);
		path += len + (path[len] == ':');
	}
	return NULL;
}
