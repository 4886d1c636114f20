/*
 * url.h - request targets and authorities, taken apart.
 *
 * RFC 9112, 3.2: absolute-form "http://host:port/path", authority-form
 * "host:port" (CONNECT), origin-form "/path", asterisk-form "*". Hosts are
 * normalized (policy/host.h does that: this file gives the raw host to the
 * caller). No user information is allowed, no white space, no fragment.
 *
 * Threads: any. Errors: -1.
 */
#ifndef PROXY_HTTP_URL_H
#define PROXY_HTTP_URL_H

#include <stdint.h>

#include "proxy/http/message.h"

enum url_form {
	URL_BAD = -1,
	URL_ORIGIN,   /* /path?query */
	URL_ABSOLUTE, /* scheme://host[:port][/path] */
	URL_ASTERISK, /* * */
};

struct url {
	enum url_form form;
	struct slice scheme; /* as written; compare without case */
	struct slice host;   /* as written; an IPv6 address without brackets */
	uint16_t port;       /* 0: not given */
	struct slice
		path; /* from the first slash or question mark on; may be empty */
};

/* url_parse_target takes a request target apart (not CONNECT's). */
int url_parse_target(struct slice target, struct url *out)
	__attribute__((warn_unused_result));

/* url_parse_authority takes "host:port", "host", "[::1]:443" apart: CONNECT
 * targets and Host fields. Port 0 when there is none; port 0, over 65535,
 * empty or with anything but digits is bad; an empty host is bad. */
int url_parse_authority(struct slice authority, struct slice *out_host,
	uint16_t *out_port) __attribute__((warn_unused_result));

#endif
