#include "proxy/portal/html.h"

#include <stdio.h>
#include <string.h>
#include <openssl/base64.h>
#include <openssl/sha.h>

/* Colours have a contrast of 4.5 and more either way (WCAG 2.2, 1.4.3). */
static const char style[] =
	":root{color-scheme:light dark;--page:#fff;--text:#1d2329;"
	"--quiet:#57606a;--box:#f1f3f5;--line:#ccd2d8;--link:#0550ae;"
	"--yes:#1a7f37;--no:#b35900}"
	"@media(prefers-color-scheme:dark){:root{--page:#15191e;"
	"--text:#dde3ea;--quiet:#9aa5b1;--box:#20262d;--line:#3a424b;"
	"--link:#7ab8ff;--yes:#3fb950;--no:#e3933a}}"
	"*{box-sizing:border-box}"
	"body{font:1rem/1.5 system-ui,sans-serif;max-width:46rem;"
	"margin:0 auto;padding:1.5rem 1rem;background:var(--page);"
	"color:var(--text);overflow-wrap:anywhere}"
	"h1{font-size:1.5rem;line-height:1.25;margin:0 0 .75rem}"
	"h2{font-size:1.2rem;margin:2.25rem 0 .5rem}"
	"h3{font-size:1.05rem;margin:1.25rem 0 .4rem}"
	"h4{font-size:1rem;margin:1.25rem 0 .4rem}"
	"h5{font-size:.875rem;margin:1rem 0 .3rem}"
	"p,ul,ol,dl,pre{margin:.5rem 0}ul,ol{padding-left:1.4rem}"
	"a{color:var(--link)}"
	"dt,footer{color:var(--quiet)}dd{margin:0 0 .6rem}"
	"code,pre{font:.875rem/1.5 ui-monospace,monospace;"
	"background:var(--box);border-radius:4px}"
	"code{padding:.1em .3em;box-decoration-break:clone;"
	"-webkit-box-decoration-break:clone}"
	"pre{padding:.6rem .75rem;white-space:pre-wrap;min-height:2.9rem}"
	"@media(scripting:none){pre{user-select:all}}"
	"summary{cursor:pointer;padding:.6rem .25rem}"
	"summary h3{display:inline;font-size:1rem}"
	"details{border-bottom:1px solid var(--line)}"
	"details[open]{padding-bottom:1rem}"
	".status{border-left:4px solid var(--no);background:var(--box);"
	"padding:.6rem .75rem}.status.yes{border-color:var(--yes)}"
	"button{float:right;margin:.45rem .5rem .25rem .75rem;"
	"padding:.15rem .6rem;font:.875rem/1.5 system-ui,sans-serif;"
	"color:var(--text);background:var(--page);"
	"border:1px solid var(--quiet);border-radius:4px;cursor:pointer}"
	".said{position:absolute;width:1px;height:1px;margin:-1px;"
	"overflow:hidden;clip-path:inset(50%)}"
	":focus-visible{outline:2px solid var(--link);outline-offset:2px}"
	"footer{margin-top:2.5rem;font-size:.875rem}";

void html_add(UT_string *out, const char *markup)
{
	utstring_bincpy(out, markup, strlen(markup));
}

void html_text(UT_string *out, const char *text)
{
	for (; *text; text++) {
		switch (*text) {
		case '<':
			html_add(out, "&lt;");
			break;
		case '>':
			html_add(out, "&gt;");
			break;
		case '&':
			html_add(out, "&amp;");
			break;
		case '"':
			html_add(out, "&quot;");
			break;
		default:
			utstring_bincpy(out, text, 1);
		}
	}
}

void html_digest(UT_string *out, const char *digest)
{
	for (; *digest; digest++) {
		utstring_bincpy(out, digest, 1);
		if (*digest == ':')
			html_add(out, "<wbr>");
	}
}

void html_begin(UT_string *out, const char *title)
{
	html_add(out, "<!doctype html>\n<html lang=\"en\"><head>"
		"<meta charset=\"utf-8\"><meta name=\"viewport\" "
		"content=\"width=device-width,initial-scale=1\"><title>");
	html_text(out, title);
	html_add(out, "</title>\n<style>");
	html_add(out, style);
	html_add(out, "</style></head>\n<body>\n");
}

void html_end(UT_string *out)
{
	html_add(out, "<footer>Sallyport, your network's proxy</footer>\n"
		"</body></html>\n");
}

void html_script(UT_string *out, const char *script)
{
	html_add(out, "<script>");
	html_add(out, script);
	html_add(out, "</script>\n");
}

enum { HASH_SIZE = 48 }; /* of 32 bytes in base64 */

static const char *hash(char out[HASH_SIZE], const char *text)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)text, strlen(text), digest);
	(void)EVP_EncodeBlock((uint8_t *)out, digest, sizeof(digest));
	return out;
}

void html_policy(char out[HTML_POLICY_SIZE], const char *script,
	const char *reach)
{
	char by_style[HASH_SIZE], by_script[HASH_SIZE] = "";

	if (script)
		(void)hash(by_script, script);
	snprintf(out, HTML_POLICY_SIZE, "default-src 'none'; "
		"style-src 'sha256-%s'%s%s%s%s%s; base-uri 'none'; "
		"form-action 'none'; frame-ancestors 'none'",
		hash(by_style, style), script ? "; script-src 'sha256-" : "",
		by_script, script ? "'" : "", reach ? "; connect-src " : "",
		reach ? reach : "");
}
