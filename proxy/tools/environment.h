/*
 * environment.h - what variables are set to, over those of whoever calls.
 *
 *	environment_make(&env, &aim, environ);
 *	execve(path, argv, environment_over(&env, environ));
 *
 * Nothing that was set is lost: what is a list gets longer, what named a bundle
 * names one that has its certificates too (kit.h makes it), and what a variable was
 * before any of this goes along in SALLYPORT_BEFORE. So doing it twice is doing it
 * once, and environment_undo can take it back.
 *
 * Owns:    the values.
 * Threads: any, but for the environment that is handed in.
 * Errors:  none.
 */
#ifndef PROXY_TOOLS_ENVIRONMENT_H
#define PROXY_TOOLS_ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#define ENVIRONMENT_BEFORE "SALLYPORT_BEFORE"

/* What they point to: borrowed. */
struct environment_aim {
	const char *proxy;  /* http://[user:password@]host:port */
	const char *host;   /* of it, without brackets */
	uint16_t port;
	const char *bundle, *extra, *java_store, *wgetrc, *apt; /* paths */
};

struct environment_row {
	char *name, *value; /* owned; value NULL: not to be set */
};

struct environment {
	struct environment_row *at; /* owned */
	size_t num;
};

void environment_make(struct environment *out,
	const struct environment_aim *aim, char *const *before);

/* environment_make_bare says where the proxy is, as somebody does who has heard of
 * nothing else: nothing by which it is trusted, nor what some need on top to heed that;
 * paths of the aim are not looked at. */
void environment_make_bare(struct environment *out,
	const struct environment_aim *aim, char *const *before);

/* environment_undo is how things were; empty where nothing was changed. */
void environment_undo(struct environment *out, char *const *before);
void environment_clear(struct environment *env);

/* environment_was is what a variable was before any of this; the caller frees it. NULL:
 * not set. */
char *environment_was(char *const *before, const char *name);

/* environment_get is what it is now; borrowed. NULL: not set. */
const char *environment_get(char *const *before, const char *name);

/* environment_over gives all variables, ended by NULL, those of env in place of
 * those before; for execve. Freed by environment_free. */
char **environment_over(const struct environment *env, char *const *before);
void environment_free(char **all);

#endif
