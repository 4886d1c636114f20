/*
 * ca_text.h - a CA in words, for people.
 *
 * Owns: nothing. Threads: the main one.
 */
#ifndef PROXY_CLI_CA_TEXT_H
#define PROXY_CLI_CA_TEXT_H

#include <stdio.h>

struct authority_view;

/* ca_text_print writes subject, issuer, serial, validity, key type, SHA-256
 * fingerprint, id and the URL of the CRL or that there is none, a line each.
 * -1: the certificate does not parse; nothing is written. */
int ca_text_print(const struct authority_view *view, const char *crl_base,
	FILE *out) __attribute__((warn_unused_result));

/* ca_text_imported tells what has been imported, and which root clients must
 * trust; on errors, that its top is no root. -1: does not parse. */
int ca_text_imported(const struct authority_view *view, FILE *out,
	FILE *errors) __attribute__((warn_unused_result));

#endif
