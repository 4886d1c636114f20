/* authority_ends.c - when CAs and their CRLs end, for who watches that. */
#include <string.h>

#include "pki/authority_private.h"
#include "pki/crl.h"
#include "pki/pem.h"
#include "pki/x509.h"

static const char *kind_of(const struct authority *authority,
	const struct member *member)
{
	if (member == authority->untrusted)
		return "untrusted";
	return member->is_intermediate ? "intermediate" : "root";
}

bool authority_end(const struct authority *authority, size_t at,
	struct authority_end *out)
{
	const struct member *member;

	memset(out, 0, sizeof(*out));
	if (at >= authority->num_members)
		return false;
	member = &authority->members[at];
	out->name = member->name;
	out->kind = kind_of(authority, member);
	if (!member->ca)
		return true;
	out->ca = ca_not_after(member->ca);
	if (member->signer && member->signer != member->ca)
		out->issuing = ca_not_after(member->signer);
	if (member->crl)
		out->crl = member->crl_made + CRL_LIFE;
	return true;
}

time_t authority_root_end(const struct authority *authority)
{
	struct pem *pem = pem_new(authority->root_pem,
		strlen(authority->root_pem));
	CRYPTO_BUFFER *buffer;
	struct cert cert;
	time_t end = 0;

	if (pem_next_cert(pem, &buffer) == PEM_CERT) {
		if (cert_read((struct der){CRYPTO_BUFFER_data(buffer),
				CRYPTO_BUFFER_len(buffer)}, &cert) == 0)
			end = cert.not_after;
		CRYPTO_BUFFER_free(buffer);
	}
	pem_free(pem);
	return end;
}
