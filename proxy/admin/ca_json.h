/*
 * ca_json.h - a CA as the API shows it (CA-API.md, "The object").
 *
 * What a CA does not have yet is left out; nothing else is ever added. The
 * objects are owned by the caller.
 *
 * Threads: any.
 */
#ifndef PROXY_ADMIN_CA_JSON_H
#define PROXY_ADMIN_CA_JSON_H

#include <jansson.h>

#include "pki/store_ca.h"
#include "pki/store_issuing.h"

json_t *ca_json(const struct store_ca *row);

/* ca_json_lite: without public key, times and file names. */
json_t *ca_json_lite(const struct store_ca *row);

/* ca_json_ready: what a rule needs to name it. */
json_t *ca_json_ready(const struct store_ca *row);

/* ca_json_key is the answer of the key pair's making. */
json_t *ca_json_key(const struct store_ca *row);

/* ca_json_issuing: one of the short-lived CAs; NULL: its row is damaged. */
json_t *ca_json_issuing(const struct store_issuing *row);

#endif
