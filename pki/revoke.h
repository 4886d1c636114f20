/*
 * revoke.h - taking back what was signed.
 *
 *	an issuing CA          all leaves under it; a new one is made
 *	an intermediate        of ours, under our own root
 *	a site                 the leaves of a long-lived CA one by one; of
 *	                       issuing CAs, the issuing CAs
 *
 * Each writes the CRL that says so at once, with the next number. A leaf that an
 * issuing CA has signed can't be revoked by itself: its CRL was signed once, for
 * all of its life (keeper.h).
 *
 * Threads, errors: as in lifecycle.h.
 */
#ifndef PKI_REVOKE_H
#define PKI_REVOKE_H

#include "pki/lifecycle.h"
#include "pki/store_issuing.h"

/* revoke_issuing revokes the issuing CA with this key id (as in its CRL's URL)
 * or serial number, in hexadecimal. */
enum life_outcome revoke_issuing(const struct life *life, const char *id)
	MUST_CHECK;

/* revoke_ca revokes an intermediate under our own root; another is made in its
 * place where it is the built-in one. One that was signed outside is its owner's
 * to revoke. */
enum life_outcome revoke_ca(const struct life *life, int64_t id) MUST_CHECK;

/* revoke_site revokes all leaves of a site; *out: how many certificates were
 * revoked for it. */
enum life_outcome revoke_site(const struct life *life, const char *site,
	size_t *out) MUST_CHECK;

/* revoke_list gives the issuing CAs that have not ended; freed with
 * store_issuing_free. */
enum life_outcome revoke_list(const struct life *life,
	struct store_issuing **out, size_t *out_num) MUST_CHECK;

#endif
