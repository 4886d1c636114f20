/*
 * setup.h - what commands need before they can begin.
 *
 * Owns:    nothing; what is handed out is the caller's.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_SETUP_H
#define PROXY_CLI_SETUP_H

#include "pki/authority.h"
#include "proxy/cli/options.h"
#include "proxy/config/config.h"

int setup_config(const char *file, struct config **out)
	__attribute__((warn_unused_result));

/* setup_options makes the state folder ready and fills options, which borrow
 * from config and from crl_base. */
int setup_options(const struct config *config, char crl_base[CRL_BASE_SIZE],
	struct authority_options *options) __attribute__((warn_unused_result));

/* setup_view reads the configuration and looks at the CA (authority_look),
 * making nothing; crl_base is what its CRL's URL begins with. What out holds is
 * the caller's to clear where all is fine. */
int setup_view(const char *file, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out) __attribute__((warn_unused_result));

/* setup_failed tells on behalf of the command. */
int setup_failed(const char *what);

#endif
