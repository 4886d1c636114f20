/*
 * ca_request.h - a CA's request on its way to whoever signs it.
 *
 * Owns:    nothing. Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_CA_REQUEST_H
#define PROXY_CLI_CA_REQUEST_H

#include "proxy/cli/client.h"

enum { CA_REQUEST_FILE = 160 };

/* ca_request_file names a file after the CA, of letters, digits and dashes, none
 * of which begins it. ending: ".csr". */
void ca_request_file(const char *name, long long id, const char *ending,
	char out[CA_REQUEST_FILE]);

/* ca_request_write writes request and extensions (.csr, .ext) into the folder
 * that the command was called in, and shows how they are signed. */
int ca_request_write(struct client *client, const char *name, long long id)
	__attribute__((warn_unused_result));

/* ca_request_note warns where the certificate got path length 0, though the
 * request asks for more. */
int ca_request_note(struct client *client, long long id)
	__attribute__((warn_unused_result));

#endif
