#include "proxy/cli/user_ask.h"

#include <openssl/base64.h>
#include <openssl/mem.h>
#include <stdio.h>
#include <string.h>

#include "proxy/cli/root_fetch.h"
#include "proxy/cli/target.h"
#include "proxy/config/mistakes.h"
#include "proxy/portal/portal.h"

enum { WORD_MAX = 2048, CODED_MAX = 4 * (WORD_MAX / 3 + 1) + 1 };

/* --- as the URL has it -------------------------------------------------- */

static int digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c | 0x20) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* decode undoes %XX; what is none stays. False: it is too long. */
static bool decode(const char *at, size_t len, char out[WORD_MAX])
{
	size_t num = 0;

	for (size_t i = 0; i < len; i++) {
		int high = -1, low = -1;

		if (num + 1 >= WORD_MAX)
			return false;
		if (at[i] == '%' && i + 2 < len) {
			high = digit(at[i + 1]);
			low = digit(at[i + 2]);
		}
		if (high >= 0 && low >= 0) {
			out[num++] = (char)(high << 4 | low);
			i += 2;
		} else {
			out[num++] = at[i];
		}
	}
	out[num] = '\0';
	return true;
}

/* credentials of "http://user:password@host:port", "user:password"; "": none. */
static bool credentials(const struct target *target, char out[WORD_MAX])
{
	const char *at = target->url + strlen("http://");
	const char *end = strrchr(at, '@');

	return decode(at, end ? (size_t)(end - at) : 0, out);
}

/* --- the request -------------------------------------------------------- */

static unsigned ask(const struct target *target, const char *who)
{
	char coded[CODED_MAX] = "", request[CODED_MAX + 512];
	unsigned status = 0;
	int len;

	(void)EVP_EncodeBlock((uint8_t *)coded, (const uint8_t *)who,
		strlen(who));
	len = snprintf(request, sizeof(request), "GET http://" MAGIC_HOST
		"/check?user HTTP/1.1\r\nHost: " MAGIC_HOST "\r\nUser-Agent: "
		"sallyport (is a user needed?)\r\nConnection: close\r\n"
		"%s%s%s\r\n",
		who[0] ? "Proxy-Authorization: Basic " : "", coded,
		who[0] ? "\r\n" : "");
	if (len > 0 && (size_t)len < sizeof(request))
		status = root_fetch_status(target->host, target->port,
			request);
	OPENSSL_cleanse(coded, sizeof(coded));
	OPENSSL_cleanse(request, sizeof(request));
	return status;
}

enum user_answer user_taken(const struct target *target)
{
	char who[WORD_MAX];
	unsigned status = credentials(target, who) ? ask(target, who) : 0;

	OPENSSL_cleanse(who, sizeof(who));
	return status == USER_WANTED || status == USER_UNKNOWN ?
		(enum user_answer)status : USER_TAKEN;
}

enum user_answer user_ask(const struct target *target)
{
	enum user_answer answer = user_taken(target);
	char who[WORD_MAX];

	if (answer == USER_UNKNOWN)
		fputs("sallyport: this proxy does not let in who comes from "
			"here (403): " USER_HOW "\n", stderr);
	if (answer == USER_WANTED && credentials(target, who)) {
		if (!who[0])
			fputs("sallyport: this proxy asks for a user: --user "
				"NAME, and the password in "
				"SALLYPORT_PASSWORD\n", stderr);
		who[strcspn(who, ":")] = '\0';
		if (who[0])
			fprintf(stderr, "sallyport: this proxy does not take "
				"that password of the user %s\n",
				shown(who).text);
	}
	OPENSSL_cleanse(who, sizeof(who));
	return answer;
}
