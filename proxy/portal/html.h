/*
 * html.h - the frame of our pages, and text that stays text within it.
 *
 * A page has one style, inline, and one script at most; both are named to the
 * browser by their hash, and nothing else may be loaded or run: it must stay
 * what it is even on the name of another site.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_HTML_H
#define PROXY_PORTAL_HTML_H

#include <utstring.h>

/* html_add writes markup of our own, html_text what may come from anybody; that
 * may stand in an attribute's double quotes, and in XML. */
void html_add(UT_string *out, const char *markup);
void html_text(UT_string *out, const char *text);

/* html_digest writes one in hexadecimal, which may break behind each colon. */
void html_digest(UT_string *out, const char *digest);

void html_begin(UT_string *out, const char *title);
void html_end(UT_string *out);

/* html_script is between the two; policy must have been made of the same. */
void html_script(UT_string *out, const char *script);

/* html_policy writes the page's Content-Security-Policy. script may be NULL;
 * reach is the one place that it may ask for, NULL: none. */
enum { HTML_POLICY_SIZE = 512 };
void html_policy(char out[HTML_POLICY_SIZE], const char *script,
	const char *reach);

#endif
