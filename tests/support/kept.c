#include "tests/support/kept.h"

#include <stdio.h>
#include <string.h>

#include "pki/import.h"

static struct keeper *keeper;
static struct keylock *lock;
static struct keeper_link link_;

static struct keylock *new_lock(void)
{
	return keylock_new(KEPT_PASSPHRASE, strlen(KEPT_PASSPHRASE));
}

const struct keeper_link *kept_link(void)
{
	if (!keeper) {
		keeper = keeper_new(new_lock());
		link_ = (struct keeper_link){keeper_local, keeper, KEPT_SOURCE};
		kept_rules("http://127.0.0.1:8080");
	}
	return &link_;
}

struct keeper *kept_keeper(void)
{
	(void)kept_link();
	return keeper;
}

struct keylock *kept_lock(void)
{
	if (!lock)
		lock = new_lock();
	return lock;
}

void kept_rules(const char *crl_base)
{
	struct keeper_rules rules = {
		.validity_s = KEPT_VALIDITY_S, .rotate_s = KEPT_ROTATE_S,
	};

	snprintf(rules.crl_base, sizeof(rules.crl_base), "%s", crl_base);
	keeper_set_rules(kept_keeper(), &rules);
}

void kept_end(void)
{
	keeper_free(keeper);
	keylock_free(lock);
	keeper = NULL;
	lock = NULL;
}

int kept_import(const struct authority_options *options,
	const struct import_files *files, char *err, size_t err_size)
{
	struct parcel *parcel;
	int result = import_read(files, &parcel, err, err_size);

	if (result != 0)
		return result;
	result = import_keep(options, parcel, kept_lock(), "the test", err,
		err_size);
	import_free(parcel);
	return result;
}
