/*
 * client.h - the API as the commands use it: of a running proxy, by its control
 * socket; or by itself, where none runs.
 *
 *	struct client *client;
 *	client_open(config, false, &client);
 *	client_call(client, "GET", "/intermediateCaCertificate", NULL, &reply);
 *
 * Owns:    the connection, or the keeper and the lock on the state folder.
 * Threads: the main one.
 * Errors:  OPTIONS_FINE, or what the program shall exit with; already told.
 */
#ifndef PROXY_CLI_CLIENT_H
#define PROXY_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct client;
struct config;

struct client_reply {
	unsigned status;
	char *body;         /* owned, NUL-ended */
	size_t len;
	json_t *json;       /* owned; NULL: it is none */
};

/* client_open: config is borrowed. signs: a private key will be needed, where no
 * proxy runs. */
int client_open(const struct config *config, bool signs, struct client **out)
	__attribute__((warn_unused_result));
void client_close(struct client *client);

/* client_dial reaches the running proxy, *out NULL where none runs. */
int client_dial(const struct config *config, struct client **out)
	__attribute__((warn_unused_result));

/* client_running: it is a running proxy. */
bool client_running(const struct client *client);

/* client_path is a path with a word behind it that may be anybody's: but for the
 * unreserved characters (RFC 3986, 2.3) it goes as %XX. The caller's to free. */
char *client_path(const char *before, const char *word);

/* client_call makes a call; path begins behind /api/v1. body may be NULL. A
 * status that is no success is told, with the API's sentence; it is 0 where
 * nobody answers. out is to be cleared whatever the result. */
struct client_body {
	const char *type;
	const char *at;
	size_t len;
};
int client_call(struct client *client, const char *method, const char *path,
	const struct client_body *body, struct client_reply *out)
	__attribute__((warn_unused_result));
void client_reply_clear(struct client_reply *reply);

/* client_refused: what was asked for is wrong (4xx), and another word may do. */
bool client_refused(const struct client_reply *reply);

/* client_json is client_call with a JSON object, which it takes; NULL: {}. */
int client_json(struct client *client, const char *method, const char *path,
	json_t *object, struct client_reply *out)
	__attribute__((warn_unused_result));

/* client_upload is client_call with a file's bytes as the part fileUpload. */
int client_upload(struct client *client, const char *path,
	const char *file_name, const char *data, size_t len,
	struct client_reply *out) __attribute__((warn_unused_result));

#endif
