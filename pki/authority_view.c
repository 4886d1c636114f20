#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority.h"
#include "pki/estate.h"
#include "pki/pem.h"
#include "pki/x509.h"

static int describe(const struct estate *estate, struct authority_view *out,
	char *err, size_t err_size)
{
	const struct store_ca *row = estate_default(estate);
	struct cert cert;

	if (!row)
		return pki_fail(err, err_size,
			"sallyport.db: no CA is the default");
	if (cert_read(der_of(row->cert), &cert) != 0)
		return pki_fail(err, err_size, "sallyport.db: the certificate "
			"of the CA '%s' is damaged", row->name);
	CRYPTO_BUFFER_up_ref(row->cert);
	out->cert = row->cert;
	(void)store_crl_id(row, out->id);
	out->signs_crls = cert_may_sign_crls(&cert);
	out->root_pem = pem_of_cert(estate_top(row));
	return 0;
}

int authority_look(const struct authority_options *options,
	struct authority_view *out, char *err, size_t err_size)
{
	struct estate estate = {0};
	int result;

	memset(out, 0, sizeof(*out));
	result = estate_look(options, &estate, err, err_size);
	if (result == 0)
		result = describe(&estate, out, err, err_size);
	else if (result == ESTATE_NONE)
		result = AUTHORITY_NONE;
	estate_close(&estate);
	return result;
}

void authority_view_clear(struct authority_view *view)
{
	CRYPTO_BUFFER_free(view->cert);
	free(view->root_pem);
	memset(view, 0, sizeof(*view));
}
