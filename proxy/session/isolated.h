/*
 * isolated.h - where a rule that isolates sends a browser.
 *
 * Threads: any.
 */
#ifndef PROXY_SESSION_ISOLATED_H
#define PROXY_SESSION_ISOLATED_H

/* isolated_url fills template in, the caller's: what stands for {url} is url, encoded
 * whole (RFC 3986, 2.1), so that it is one value there. */
char *isolated_url(const char *template, const char *url);

#endif
