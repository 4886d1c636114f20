/* truststore_system.c - the store of the system: a folder, and a program that reads it. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/program.h"
#include "proxy/tools/truststore_private.h"

struct system_layout {
	const char *folder;  /* for certificates of one's own */
	const char *end;     /* of their names */
	const char *program; /* makes of them ... */
	const char *file;    /* ... what is trusted */
};

/* The first is taken whose folder and program are there. */
static const struct system_layout layouts[] = {
	{"/usr/local/share/ca-certificates", ".crt", /* Debian, Alpine */
		"update-ca-certificates",
		"/etc/ssl/certs/ca-certificates.crt"},
	{"/etc/pki/ca-trust/source/anchors", ".pem", /* RHEL, Fedora */
		"update-ca-trust",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem"},
	{"/etc/pki/trust/anchors", ".pem", /* SUSE */
		"update-ca-certificates", "/etc/ssl/ca-bundle.pem"},
	{"/etc/ca-certificates/trust-source/anchors", ".pem", /* Arch */
		"update-ca-trust", "/etc/ssl/certs/ca-certificates.crt"},
};

static void find(struct truststores *places, const struct truststore_search *search)
{
	(void)search;
	for (size_t i = 0; i < sizeof(layouts) / sizeof(*layouts); i++) {
		char *program = access(layouts[i].folder, F_OK) == 0 ?
			program_find(layouts[i].program) : NULL;

		if (!program)
			continue;
		free(program);
		truststore_add(places, TRUST_SYSTEM, pki_copy(layouts[i].file),
			pki_copy(layouts[i].folder), &layouts[i]);
		return;
	}
}

static int trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	if (access(store->path, F_OK) != 0 && errno == ENOENT)
		return 0; /* it trusts nobody yet */
	return truststore_file_has(store->path, root_pem, err, err_size);
}

static int update(const struct truststore *store, char *err, size_t err_size)
{
	const char *const argv[] = {store->layout->program, NULL};
	char *said = pki_new(STORE_SAID);
	int result = program_run(argv, NULL, said, STORE_SAID);

	if (result != 0)
		result = program_fail(argv[0], said, err, err_size);
	free(said);
	return result;
}

static int refuse(const struct truststore *store, char *err, size_t err_size)
{
	return pki_fail(err, err_size, "%s is for root: \"sudo sallyport trust "
		"... --for system\"", store->with);
}

static void path_of(const struct truststore *store, const char *mark,
	char out[STORE_PATH])
{
	snprintf(out, STORE_PATH, "%s/%s%s", store->with, mark,
		store->layout->end);
}

static int put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	char path[STORE_PATH];

	if (access(store->with, W_OK) != 0)
		return refuse(store, err, err_size);
	path_of(store, truststore_mark_of(root_pem).text, path);
	if (file_write(path, root_pem, strlen(root_pem), 0644, err,
		    err_size) != 0)
		return -1;
	return update(store, err, err_size);
}

/* is_ours: a file's name that put has given. */
static bool is_ours(const struct truststore *store, const char *name)
{
	size_t len = strlen(name), end = strlen(store->layout->end);

	return len > end && strcmp(name + len - end, store->layout->end) == 0 &&
		truststore_is_mark(name, len - end);
}

/* unlink_ours: those of that mark, or with NULL all. */
static int unlink_ours(const struct truststore *store, const char *mark, char *err,
	size_t err_size)
{
	DIR *dir = opendir(store->with);
	char path[STORE_PATH];
	struct dirent *at;
	int num = 0;

	while (dir && num >= 0 && (at = readdir(dir))) {
		if (!is_ours(store, at->d_name) ||
		    (mark && strncmp(at->d_name, mark, strlen(mark)) != 0))
			continue;
		snprintf(path, sizeof(path), "%s/%s", store->with, at->d_name);
		if (unlink(path) == 0)
			num++;
		else if (errno == EACCES || errno == EPERM)
			num = refuse(store, err, err_size);
		else
			num = pki_fail(err, err_size, "%s: %s", path,
				strerror(errno));
	}
	if (dir)
		closedir(dir);
	return num;
}

static int take_out(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct truststore_mark mark;
	int num;

	if (root_pem)
		mark = truststore_mark_of(root_pem);
	num = unlink_ours(store, root_pem ? mark.text : NULL, err, err_size);
	if (num > 0 && update(store, err, err_size) != 0)
		return -1;
	return num;
}

const struct truststore_ways truststore_system = {find, trusts, put, take_out};
