/*
 * kept.h - a keeper of private keys in the test's own process.
 *
 * There is one a program, with one passphrase, so that its cost is paid once
 * whatever the number of state folders.
 */
#ifndef TESTS_SUPPORT_KEPT_H
#define TESTS_SUPPORT_KEPT_H

#include "pki/keeper.h"
#include "pki/keeper_link.h"

enum { KEPT_VALIDITY_S = 14 * 24 * 3600, KEPT_ROTATE_S = 24 * 3600 };

#define KEPT_PASSPHRASE "correct horse"
#define KEPT_SOURCE "the test"

/* kept_link asks it; made when it is first asked for, freed by kept_end. */
const struct keeper_link *kept_link(void);
struct keeper *kept_keeper(void);
void kept_end(void);

/* kept_lock opens what it has locked; freed by kept_end. */
struct keylock *kept_lock(void);

/* kept_rules sets the usual rules, with this crl_base. */
void kept_rules(const char *crl_base);

/* kept_import brings a CA that exists, as `ca import` does. */
struct authority_options;
struct import_files;
int kept_import(const struct authority_options *options,
	const struct import_files *files, char *err, size_t err_size);

#endif
