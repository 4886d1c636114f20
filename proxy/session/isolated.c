#include "proxy/session/isolated.h"

#include <ctype.h>
#include <string.h>
#include <utstring.h>

static void put_encoded(UT_string *out, const char *text)
{
	static const char hex[] = "0123456789ABCDEF";

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x80 && (isalnum(c) || strchr("-._~", c)))
			utstring_bincpy(out, text, 1);
		else
			utstring_printf(out, "%%%c%c", hex[c >> 4],
				hex[c & 15]);
	}
}

char *isolated_url(const char *template, const char *url)
{
	static const char mark[] = "{url}";
	const char *at = template, *next;
	UT_string out;

	utstring_init(&out);
	while ((next = strstr(at, mark)) != NULL) {
		utstring_bincpy(&out, at, (size_t)(next - at));
		put_encoded(&out, url);
		at = next + sizeof(mark) - 1;
	}
	utstring_bincpy(&out, at, strlen(at));
	return utstring_body(&out);
}
