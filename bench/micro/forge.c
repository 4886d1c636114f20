/* A leaf copied from an origin's certificate and signed by a P-256 CA: the issuing
 * CA, whose key is here. */
#include <openssl/sha.h>
#include <unistd.h>

#include "bench/micro/micro.h"
#include "pki/authority.h"
#include "pki/keeper.h"
#include "pki/keeper_link.h"
#include "pki/leaf.h"

static void forge(void *arg)
{
	struct leaf *leaf;
	char err[200];

	must(forge_leaf(arg, &leaf, err, sizeof(err)) == 0, err);
	leaf_free(leaf);
}

/* The origin's certificate is one that was forged before. */
int main(void)
{
	struct authority *authority;
	struct keeper *keeper = keeper_new(keylock_new("bench", 5));
	struct keeper_rules rules = {.rotate_s = 3600, .validity_s = 14 * 24 * 3600};
	struct keeper_link link = {keeper_local, keeper, "the benchmark"};
	struct authority_options options = {.crl_base = "http://crl.test:8080",
		.link = &link};
	const char *why = "";
	struct leaf_order order = {.key_type = LEAF_KEY_P256,
		.name = "www.example.com", .validity_s = 14 * 24 * 3600};
	char state[] = "/tmp/sallyport-micro-XXXXXX", err[200], command[80];
	CRYPTO_BUFFER *const *certs;
	struct leaf *first;

	must(mkdtemp(state) != NULL, "mkdtemp");
	options.state = state;
	keeper_set_rules(keeper, &rules);
	must(authority_open(&options, &authority, err, sizeof(err)) == 0, err);
	order.ca = authority_issuer(authority, NULL, &why);
	must(order.ca != NULL, why);
	order.keys = leafkeys_new();
	order.crl_base = options.crl_base;
	order.now = time(NULL);
	must(forge_leaf(&order, &first, err, sizeof(err)) == 0, err);
	must(leaf_certs(first, &certs) > 0, "no leaf");
	order.origin = (struct der){CRYPTO_BUFFER_data(certs[0]),
		CRYPTO_BUFFER_len(certs[0])};
	micro("forge-leaf", forge, &order);
	snprintf(command, sizeof(command), "rm -rf %s", state);
	return system(command) == 0 ? 0 : 1;
}
