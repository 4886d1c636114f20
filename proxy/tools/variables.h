/*
 * variables.h - variables.def, as a table.
 *
 * Threads: any; nothing changes.
 */
#ifndef PROXY_TOOLS_VARIABLES_H
#define PROXY_TOOLS_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

enum variable_kind {
	VARIABLE_PROXY,    /* http://[user:password@]host:port */
	VARIABLE_NO_PROXY, /* this machine, and what was there before */
	VARIABLE_BUNDLE,   /* a PEM file that takes the place of others */
	VARIABLE_ROOT,     /* a PEM file that comes on top of others */
	VARIABLE_ONE,      /* "1" */
	VARIABLE_JAVA,     /* options: a trust store, the proxy */
	VARIABLE_JAVA_TOO, /* options, with nothing said of these: only where some are */
	VARIABLE_GIT,      /* how many settings others that go with it have */
	VARIABLE_WGETRC,   /* a file that says where the bundle is */
	VARIABLE_APT,      /* likewise */
};

struct variable {
	const char *name;
	enum variable_kind kind;
	const char *whom;
};

const struct variable *variables_all(size_t *out_num);

/* variables_is_file: the value is the path of a PEM file, or of a folder of such. */
bool variables_is_file(enum variable_kind kind);

/* variables_folders are those that name folders of certificates, a colon between, and
 * are left as they are; ended by NULL. */
extern const char *const variables_folders[];

#endif
