#include "proxy/core/desk_tls.h"

#include <openssl/sha.h>
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
	SPARE_S = 60,           /* a leaf that ends sooner is not shown */
	SHOWN_MAX = 8,
};

/* A leaf that was made, and by what: as long as that stays, it is shown. */
struct shown_leaf {
	struct leaf *leaf;      /* owned; NULL: none */
	uint8_t mark[SHA256_DIGEST_LENGTH];
	uint64_t turn;          /* of its last use */
};

struct desk_tls {
	const struct desk_host *host;   /* borrowed */
	const struct leafkeys *keys;    /* borrowed */
	SSL_CTX *ctx;                   /* owned */
	int self_index;
	struct shown_leaf shown[SHOWN_MAX];
	uint64_t turn;
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

static struct leaf *forge(const struct desk_tls *tls,
	const struct authority *authority, struct ca *ca, const char *name)
{
	char err[256];
	struct leaf_order order = {
		.ca = ca,
		.keys = tls->keys,
		.key_type = LEAF_KEY_P256,
		.name = name,
		.name_only = true,
		.crl_base = authority_crl_base(authority),
		.now = time(NULL),
		.validity_s = LIFE_S,
	};
	struct leaf *leaf;

	return forge_leaf(&order, &leaf, err, sizeof(err)) == 0 ? leaf : NULL;
}

static void mark_of(const struct authority *authority, const struct ca *ca,
	const char *name, uint8_t out[SHA256_DIGEST_LENGTH])
{
	const char *base = authority_crl_base(authority);
	uint64_t revoked = authority_revoked(authority);
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, ca_digest(ca), SHA256_DIGEST_LENGTH);
	SHA256_Update(&sha, &revoked, sizeof(revoked));
	SHA256_Update(&sha, base, strlen(base) + 1);
	SHA256_Update(&sha, name, strlen(name));
	SHA256_Final(out, &sha);
}

/* place is where the leaf with that mark is, or is to be. */
static struct shown_leaf *place(struct desk_tls *tls,
	const uint8_t mark[SHA256_DIGEST_LENGTH])
{
	struct shown_leaf *oldest = &tls->shown[0];

	for (size_t i = 0; i < SHOWN_MAX; i++) {
		struct shown_leaf *shown = &tls->shown[i];

		if (memcmp(shown->mark, mark, sizeof(shown->mark)) == 0)
			return shown;
		if (shown->turn < oldest->turn)
			oldest = shown;
	}
	return oldest;
}

/* need gives the leaf for that name, borrowed. Where the keeper has the key, the
 * loop waits for its signature; so what was made is kept. */
static const struct leaf *need(struct desk_tls *tls,
	const struct authority *authority, const char *name)
{
	const char *why;
	struct ca *ca = authority_issuer(authority, NULL, &why);
	uint8_t mark[SHA256_DIGEST_LENGTH];
	struct shown_leaf *shown;

	if (!ca)
		return NULL;
	mark_of(authority, ca, name, mark);
	shown = place(tls, mark);
	shown->turn = ++tls->turn;
	if (shown->leaf && memcmp(shown->mark, mark, sizeof(mark)) == 0 &&
	    leaf_not_after(shown->leaf) > time(NULL) + SPARE_S)
		return shown->leaf;
	leaf_free(shown->leaf);
	shown->leaf = forge(tls, authority, ca, name);
	memcpy(shown->mark, mark, sizeof(mark));
	return shown->leaf;
}

static int on_cert(SSL *ssl, void *arg)
{
	struct desk_tls *tls = arg;
	const char *self = SSL_get_ex_data(ssl, tls->self_index);
	struct snapshot *snapshot = tls->host->snapshot(tls->host->arg);
	CRYPTO_BUFFER *const *certs;
	const struct leaf *leaf;
	char name[NAME];
	size_t num;

	which(ssl, self ? self : "", name);
	leaf = need(tls, snapshot->authority, name);
	snapshot_unref(snapshot);
	if (!leaf)
		return 0;
	num = leaf_certs(leaf, &certs);
	return SSL_set_chain_and_key(ssl, certs, num, leaf_key(leaf), NULL);
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
	for (size_t i = 0; i < SHOWN_MAX; i++)
		leaf_free(tls->shown[i].leaf);
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
