/*
 * certified.h - who a client is by the certificate it showed the proxy.
 *
 * The chain is kept with the connection, so that after a reload it can be held
 * against the users.client-ca then in force: whose CA has gone is a user no more.
 * Time is asked again only with that: a connection may outlive its certificate.
 *
 * Owns:    the name, a share of the chain.
 * Threads: one, its worker's; certified_verify any.
 */
#ifndef PROXY_SESSION_CERTIFIED_H
#define PROXY_SESSION_CERTIFIED_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "pki/trust.h"

struct settings;

/* certified_verify judges a chain, which is NULL where there is none. */
enum verdict certified_verify(const STACK_OF(CRYPTO_BUFFER) *chain,
	const struct trust *trust, char *why, size_t why_size);

struct certified;

/* certified_new is user by ssl's chain, which was verified by those settings. */
struct certified *certified_new(const char *user, const SSL *ssl,
	const struct settings *settings);
void certified_free(struct certified *certified);
const char *certified_user(const struct certified *certified);

/* certified_holds: it is trusted by these settings, too. */
bool certified_holds(struct certified *certified,
	const struct settings *settings);

#endif
