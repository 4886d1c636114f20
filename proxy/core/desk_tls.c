#include "proxy/core/desk_tls.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/authority.h"
#include "pki/leaf.h"
#include "proxy/admin/hosts.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/desk.h"

enum {
	NAME = 256,
	LIFE_S = 24 * 3600,
};

struct desk_tls {
	const struct desk_host *host;   /* borrowed */
	const struct leafkeys *keys;    /* borrowed */
	SSL_CTX *ctx;                   /* owned */
	int self_index;
};

/* which is the name that the certificate is to be for. */
static void which(SSL *ssl, const char *self, char out[NAME])
{
	const char *asked = SSL_get_servername(ssl,
		TLSEXT_NAMETYPE_host_name);
	struct slice name = {asked, asked ? strlen(asked) : 0};

	if (asked && hosts_know(name, self) && hosts_name(name, out, NAME))
		return;
	if (!hosts_name((struct slice){self, strlen(self)}, out, NAME))
		out[0] = '\0';
}

static struct leaf *forge(struct desk_tls *tls,
	const struct snapshot *snapshot, const char *name)
{
	const char *why;
	char err[256];
	struct leaf_order order = {
		.ca = authority_issuer(snapshot->authority, NULL, &why),
		.keys = tls->keys,
		.key_type = LEAF_KEY_P256,
		.name = name,
		.name_only = true,
		.crl_base = authority_crl_base(snapshot->authority),
		.now = time(NULL),
		.validity_s = LIFE_S,
	};
	struct leaf *leaf;

	if (!order.ca || forge_leaf(&order, &leaf, err, sizeof(err)) != 0)
		return NULL;
	return leaf;
}

/* on_cert: a signature a connection; administrators are few. */
static int on_cert(SSL *ssl, void *arg)
{
	struct desk_tls *tls = arg;
	const char *self = SSL_get_ex_data(ssl, tls->self_index);
	struct snapshot *snapshot = tls->host->snapshot(tls->host->arg);
	CRYPTO_BUFFER *const *certs;
	struct leaf *leaf;
	char name[NAME];
	size_t num;
	int fine = 0;

	which(ssl, self ? self : "", name);
	leaf = forge(tls, snapshot, name);
	snapshot_unref(snapshot);
	if (!leaf)
		return 0;
	num = leaf_certs(leaf, &certs);
	fine = SSL_set_chain_and_key(ssl, certs, num, leaf_key(leaf), NULL);
	leaf_free(leaf);
	return fine;
}

static void free_self(void *parent, void *data, CRYPTO_EX_DATA *ad, int index,
	long argl, void *argp)
{
	(void)parent;
	(void)ad;
	(void)index;
	(void)argl;
	(void)argp;
	free(data);
}

struct desk_tls *desk_tls_new(const struct desk_host *host,
	const struct leafkeys *keys)
{
	struct desk_tls *tls = calloc(1, sizeof(*tls));

	if (!tls)
		abort();
	tls->host = host;
	tls->keys = keys;
	tls->ctx = SSL_CTX_new(TLS_with_buffers_method());
	tls->self_index = SSL_get_ex_new_index(0, NULL, NULL, NULL,
		free_self);
	if (!tls->ctx || tls->self_index < 0 ||
	    !SSL_CTX_set_min_proto_version(tls->ctx, TLS1_2_VERSION) ||
	    !SSL_CTX_set1_curves_list(tls->ctx, "X25519:P-256:P-384"))
		abort();
	SSL_CTX_set_session_cache_mode(tls->ctx, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(tls->ctx, SSL_OP_NO_TICKET);
	SSL_CTX_set_cert_cb(tls->ctx, on_cert, tls);
	return tls;
}

void desk_tls_free(struct desk_tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->ctx);
	free(tls);
}

SSL *desk_tls_new_ssl(struct desk_tls *tls, const char *self)
{
	SSL *ssl = SSL_new(tls->ctx);
	char *copy = strdup(self);

	if (!ssl || !copy || !SSL_set_ex_data(ssl, tls->self_index, copy))
		abort();
	SSL_set_accept_state(ssl);
	return ssl;
}
