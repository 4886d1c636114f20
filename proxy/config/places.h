/*
 * places.h - addresses, ports and connect-to entries as they are written.
 *
 * Threads: any. Errors: -1 with a sentence in err.
 */
#ifndef PROXY_CONFIG_PLACES_H
#define PROXY_CONFIG_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proxy/config/config.h"

/* place_endpoint reads "127.0.0.1:8080" or "[::1]:8080". Where no port is
 * given default_port is taken; 0: one must be given. */
int place_endpoint(const char *text, uint16_t default_port,
	struct endpoint *out, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* place_is_wildcard: 0.0.0.0 or [::]. */
bool place_is_wildcard(const struct endpoint *endpoint);
uint16_t place_port(const struct endpoint *endpoint);

/* place_connect_to reads "host:port:to-host:to-port". */
int place_connect_to(const char *text, struct connect_to *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

/* place_ports reads "443" or "8000-8100". */
int place_ports(const char *text, uint16_t *out_first, uint16_t *out_last,
	char *err, size_t err_size) __attribute__((warn_unused_result));

enum { CRL_URL_MAX = 200 };

/* place_crl_url holds what every CDP shall begin with against RFC 3986 and
 * against what a client can fetch without having the CRL first. */
int place_crl_url(const char *url, char *err, size_t err_size)
	__attribute__((warn_unused_result));

enum { ISOLATE_MAX = 1024 };

/* place_isolate holds where an isolation service is against RFC 3986; "{url}" must
 * be in it once, behind the host: a URL must not say which service it is. */
int place_isolate(const char *url, char *err, size_t err_size)
	__attribute__((warn_unused_result));

/* place_isolation is the host, normalized, and port of one that is fine. */
void place_isolation(const char *url, char host[HOST_SIZE], uint16_t *port);

#endif
