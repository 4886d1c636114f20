/*
 * setup.h - what commands need before they can begin.
 *
 * Owns:    nothing; what is handed out is the caller's.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_SETUP_H
#define PROXY_CLI_SETUP_H

#include <stdbool.h>

#include "pki/authority.h"
#include "pki/keeper_link.h"
#include "proxy/cli/options.h"
#include "proxy/config/config.h"

struct keeper;
struct passphrase;

/* setup_config reads the configuration of a proxy that somebody else may run. */
int setup_config(const char *file, struct config **out)
	__attribute__((warn_unused_result));

/* What a command needs that works on the CAs itself, with no proxy running. */
struct setup {
	char crl_base[CRL_BASE_SIZE];
	struct authority_options options;  /* borrows from all of this */
	struct keeper_link link;
	struct passphrase *passphrase;     /* owned */
	struct keeper *keeper;             /* owned */
	char state[4096];                  /* the folder, as it is reached */
	char who[64];                      /* for the audit trail */
};

/* setup_open makes the state folder ready, finds the passphrase and becomes the
 * folder's owner; out borrows from config, and is cleared by setup_close
 * whatever the result. */
int setup_open(const struct config *config, struct setup *out)
	__attribute__((warn_unused_result));

/* setup_open_anew is setup_open for who brings another passphrase: keys.secret may
 * be made, though there are keys. */
int setup_open_anew(const struct config *config, struct setup *out)
	__attribute__((warn_unused_result));

/* setup_has_no_ca: the state folder is not there, or as it was made: no proxy has
 * begun, and no CA was imported. */
bool setup_has_no_ca(const struct config *config);

/* setup_open_to_look is setup_open for who only reads what is there: without a
 * passphrase, nothing is made. */
int setup_open_to_look(const struct config *config, struct setup *out)
	__attribute__((warn_unused_result));
void setup_close(struct setup *setup);

/* setup_view reads the configuration and looks at the CA (authority_look),
 * making nothing; crl_base is what its CRL's URL begins with. What out holds is
 * the caller's to clear where all is fine. */
int setup_view(const char *file, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out) __attribute__((warn_unused_result));

/* setup_open_file is open(2), of mode 0644, as whom the command was called: its
 * files are theirs, whomever it acts as for the state folder. -1 and errno. */
int setup_open_file(const char *path, int flags);

/* setup_failed tells on behalf of the command. */
int setup_failed(const char *what);

#endif
