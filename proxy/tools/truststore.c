#include "proxy/tools/truststore.h"

#include <openssl/sha.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/bundle.h"
#include "proxy/tools/truststore_private.h"

enum { STORES_MAX = 500 };

static const struct {
	const char *name;
	const struct truststore_ways *ways;
} kinds[] = {
	[TRUST_SYSTEM] = {"system", &truststore_system},
	[TRUST_NSS] = {"nss", &truststore_nss},
	[TRUST_JAVA] = {"java", &truststore_java},
};

const char *truststore_kind_name(enum truststore_kind kind)
{
	return kinds[kind].name;
}

/* --- finding them ------------------------------------------------------- */

void truststore_add(struct truststores *places, struct truststore store)
{
	struct truststore *more = places->num < STORES_MAX ? realloc(places->at,
		(places->num + 1) * sizeof(*more)) : NULL;

	if (!more) {
		free(store.path);
		free(store.with);
		return;
	}
	places->at = more;
	places->at[places->num++] = store;
}

bool truststore_home_is_anothers(const struct truststore_search *search)
{
	return search->home && truststore_is_anothers(search->home);
}

void truststores_find(struct truststores *out, const struct truststore_search *search)
{
	struct truststore_search safe = *search;

	*out = (struct truststores){NULL, 0};
	if (truststore_home_is_anothers(search))
		safe.home = NULL;
	for (size_t i = 0; i < TRUST_KINDS; i++) {
		if (search->kinds[i] || (i == TRUST_JAVA && search->made &&
					       search->kinds[TRUST_SYSTEM]))
			kinds[i].ways->find(out, &safe);
	}
}

void truststores_clear(struct truststores *places)
{
	for (size_t i = 0; i < places->num; i++) {
		free(places->at[i].path);
		free(places->at[i].with);
	}
	free(places->at);
	*places = (struct truststores){NULL, 0};
}

/* --- what is in them ---------------------------------------------------- */

struct truststore_mark truststore_mark_of(const char *root_pem)
{
	struct bundle *bundle = bundle_new();
	uint8_t sum[SHA256_DIGEST_LENGTH] = {0};
	struct truststore_mark mark;

	if (bundle_add_pem(bundle, root_pem, strlen(root_pem)) > 0)
		SHA256(bundle_at(bundle, 0).at, bundle_at(bundle, 0).len, sum);
	bundle_free(bundle);
	memcpy(mark.text, STORE_MARK, sizeof(STORE_MARK));
	der_hex((struct der){sum, MARK_BYTES}, mark.text + sizeof(STORE_MARK) - 1);
	return mark;
}

bool truststore_is_mark(const char *name, size_t len)
{
	const size_t head = sizeof(STORE_MARK) - 1;

	return len == head + 2 * MARK_BYTES &&
		strncmp(name, STORE_MARK, head) == 0 &&
		strspn(name + head, "0123456789abcdef") >= 2 * MARK_BYTES;
}

int truststore_place(const struct bundle *all, const char *root_pem)
{
	struct bundle *root = bundle_new();
	int place = -1;

	if (bundle_add_pem(root, root_pem, strlen(root_pem)) > 0) {
		for (size_t i = 0; i < bundle_num(all) && place < 0; i++)
			place = der_same(bundle_at(all, i), bundle_at(root, 0)) ?
				(int)i : -1;
	}
	bundle_free(root);
	return place;
}

bool truststore_pem_is(const char *text, const char *root_pem)
{
	struct bundle *all = bundle_new();
	bool is;

	(void)bundle_add_pem(all, text, strlen(text));
	is = truststore_place(all, root_pem) == 0;
	bundle_free(all);
	return is;
}

bool truststore_is_anothers(const char *path)
{
	struct stat is;

	return stat(path, &is) == 0 && is.st_uid != 0 &&
		is.st_uid != geteuid();
}

int truststore_file_has(const char *path, const char *root_pem, size_t *out_num,
	char *err, size_t err_size)
{
	struct bundle *all = bundle_new();
	int result = bundle_add_file(all, path, NULL, err, err_size);
	bool found = truststore_place(all, root_pem) >= 0;

	if (out_num)
		*out_num = bundle_num(all);
	bundle_free(all);
	return found ? 1 : result == 0 ? 0 : -1;
}

int truststore_trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	return kinds[store->kind].ways->trusts(store, root_pem, err, err_size);
}

/* truststore_put looks again: programs end well that did nothing. */
int truststore_put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	int result = kinds[store->kind].ways->put(store, root_pem, err,
		err_size);

	if (result != 0)
		return result;
	switch (truststore_trusts(store, root_pem, err, err_size)) {
	case 1:
		return 0;
	case 0:
		return pki_fail(err, err_size, store->made ?
			"the system's store has it, of which this is made, "
			"and making it anew has not brought it here: what does "
			"so needs Java to be in PATH" :
			"it was put in, and is not there");
	default:
		return -1;
	}
}

/* truststore_remove looks again, too: a root may be there twice, and what others make
 * stores of may have it. */
int truststore_remove(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	int num = kinds[store->kind].ways->remove(store, root_pem, err,
		err_size);

	if (num < 0 || !root_pem)
		return num;
	switch (truststore_trusts(store, root_pem, err, err_size)) {
	case 1:
		return pki_fail(err, err_size, num > 0 ?
			"it was taken out, and is there still: by another "
			"name, or another file" :
			"it is there, by a name or a file that isn't to be "
			"found: who has put it in has to take it out");
	case 0:
		return num;
	default:
		return TRUSTSTORE_FAILED;
	}
}
