/*
 * ca_find.h - which CA a word means, and where the API has it.
 *
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_CA_FIND_H
#define PROXY_CLI_CA_FIND_H

#include "proxy/cli/client.h"

#define CA_PATH "/intermediateCaCertificate"
#define CA_PATH_OF_ALL CA_PATH "?pageSize=1000"

/* ca_path writes the path of a call about a CA. word: "/showCsr", or "" for the CA. */
enum { CA_PATH_SIZE = 96 };
void ca_path(const char *word, long long id, char out[CA_PATH_SIZE]);

/* ca_get makes a GET call there. */
int ca_get(struct client *client, const char *word, long long id,
	struct client_reply *out) __attribute__((warn_unused_result));

/* ca_find gives the id of the CA called so, by number or by name. What is one's
 * number and another's name is refused. */
int ca_find(struct client *client, const char *word, long long *out)
	__attribute__((warn_unused_result));

/* ca_look_up is ca_find for who knows what to do where there is none: 0. */
int ca_look_up(struct client *client, const char *word, long long *out)
	__attribute__((warn_unused_result));

/* ca_find_default gives the id of the one that signs where no rule names
 * another. */
int ca_find_default(struct client *client, long long *out)
	__attribute__((warn_unused_result));

/* ca_name_ok: a new CA may be called so; told where not. What commands could
 * take for a number is no name. */
bool ca_name_ok(const char *name);

#endif
