/*
 * cert_json.h - what stands in a certificate or a request, as the API shows it.
 *
 * Certificates come from CAs of every make: a field that can't be read is left
 * out, and one that can is shown whatever bytes it has (put.h).
 *
 * Threads: any. Nothing is left of BoringSSL's error queue.
 */
#ifndef PROXY_ADMIN_CERT_JSON_H
#define PROXY_ADMIN_CERT_JSON_H

#include <jansson.h>

#include "pki/store_ca.h"

/* Of the row's certificate or its request, which it must have; owned. NULL: it
 * can't be parsed. */
json_t *cert_json(const struct store_ca *row);
json_t *cert_json_csr(const struct store_ca *row);

#endif
