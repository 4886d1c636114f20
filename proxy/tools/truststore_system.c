/* truststore_system.c - the store of the system: a folder, and a program that reads it. */

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/bundle.h"
#include "proxy/tools/program.h"
#include "proxy/tools/truststore_private.h"

struct system_layout {
	const char *folder;  /* for certificates of one's own */
	const char *end;     /* of their names */
	const char *program; /* makes of them ... */
	const char *file;    /* ... what is trusted */
	const char *fresh;   /* has it leave nothing of before; NULL: it never does */
};

/* The first is taken whose folder and program are there. */
static const struct system_layout layouts[] = {
	{"/usr/local/share/ca-certificates", ".crt", /* Debian, Alpine */
		"update-ca-certificates",
		"/etc/ssl/certs/ca-certificates.crt", "--fresh"},
	{"/etc/pki/ca-trust/source/anchors", ".pem", /* RHEL, Fedora */
		"update-ca-trust",
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", NULL},
	{"/etc/pki/trust/anchors", ".pem", /* SUSE */
		"update-ca-certificates", "/etc/ssl/ca-bundle.pem",
		"--fresh"},
	{"/etc/ca-certificates/trust-source/anchors", ".pem", /* Arch */
		"update-ca-trust", "/etc/ssl/certs/ca-certificates.crt", NULL},
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
		truststore_add(places, (struct truststore){
			.kind = TRUST_SYSTEM, .path = pki_copy(layouts[i].file),
			.with = pki_copy(layouts[i].folder),
			.layout = &layouts[i]});
		return;
	}
}

static int trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct stat is;

	if (stat(store->path, &is) == 0 ? is.st_size == 0 : errno == ENOENT)
		return 0; /* it trusts nobody */
	return truststore_file_has(store->path, root_pem, NULL, err, err_size);
}

static int update(const struct truststore *store, const char *how, char *err,
	size_t err_size)
{
	const char *const argv[] = {store->layout->program, how, NULL};
	char *said = pki_new(STORE_SAID);
	int result = program_run(argv, NULL, said, STORE_SAID);

	if (result != 0)
		result = program_fail(argv[0], said, err, err_size);
	free(said);
	return result;
}

/* update_anew: without it Debian's leaves links to what is no more, and tells what is
 * made of its store only of what has changed. Not all that go by its name know it. */
static int update_anew(const struct truststore *store, char *err, size_t err_size)
{
	const char *fresh = store->layout->fresh;

	if (fresh && update(store, fresh, err, err_size) == 0)
		return 0;
	return update(store, NULL, err, err_size);
}

static int refuse(const struct truststore *store, char *err, size_t err_size)
{
	(void)pki_fail(err, err_size, "it is made of the certificates in %s, "
		"and you may not write there", store->with);
	return TRUSTSTORE_NOT_LET;
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
	return update(store, NULL, err, err_size);
}

int truststore_system_anew(const char *root_pem, char *err, size_t err_size)
{
	struct truststores places = {NULL, 0};
	int result = -1;

	find(&places, NULL);
	if (places.num == 0)
		(void)pki_fail(err, err_size, "it is made of the system's store, "
			"and what makes it is not here");
	else if (trusts(&places.at[0], root_pem, err, err_size) != 1)
		(void)pki_fail(err, err_size, "it is made of the system's "
			"store, which does not have it either: --for system");
	else
		result = update_anew(&places.at[0], err, err_size);
	truststores_clear(&places);
	return result;
}

static bool ends_so(const struct truststore *store, const char *name, size_t *out_len)
{
	size_t len = strlen(name), end = strlen(store->layout->end);

	*out_len = len > end ? len - end : 0;
	return len > end && strcmp(name + len - end, store->layout->end) == 0;
}

/* is_read: Debian's program takes those of such names alone, others' all. */
static bool is_read(const struct truststore *store, const char *name, const char *path)
{
	struct stat is;
	size_t len;

	return stat(path, &is) == 0 && S_ISREG(is.st_mode) &&
		(strcmp(store->layout->end, ".crt") != 0 ||
			ends_so(store, name, &len));
}

/* is_alone: a file has no more than that, no key, nor what is not read as a certificate
 * here and may be elsewhere (BEGIN TRUSTED CERTIFICATE). */
static bool is_alone(const char *path)
{
	static const char begin[] = "-----BEGIN ";
	char ignored[STORE_PATH + 256], *data;
	const char *first;
	struct stat is;
	size_t len;
	bool alone;

	if (file_read_regular(path, BUNDLE_FILE_MAX, &is, &data, &len, ignored,
		    sizeof(ignored)) != 0)
		return false;
	first = strstr(data, begin);
	alone = !first || !strstr(first + 1, begin);
	free(data);
	return alone;
}

/* is_ours: a file that has the root, or without one whose name put has given. -1: it has
 * others', too. */
static int is_ours(const struct truststore *store, const char *name,
	const char *path, const char *root_pem, char *err, size_t err_size)
{
	size_t len, num;

	if (!root_pem)
		return ends_so(store, name, &len) &&
			truststore_is_mark(name, len);
	if (!is_read(store, name, path) ||
	    truststore_file_has(path, root_pem, &num, err, err_size) != 1)
		return 0;
	return num == 1 && is_alone(path) ? 1 : pki_fail(err, err_size, "%s has "
		"it among others: take it out of that file, and then run %s",
		path, store->layout->program);
}

static int unlink_one(const struct truststore *store, const char *path, char *err,
	size_t err_size)
{
	if (unlink(path) == 0)
		return 1;
	if (errno == EACCES || errno == EPERM)
		return refuse(store, err, err_size);
	return pki_fail(err, err_size, "%s: %s", path, strerror(errno));
}

/* unlink_ours: how many there were. */
static int unlink_ours(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	DIR *dir = opendir(store->with);
	char path[STORE_PATH];
	struct dirent *at;
	int num = 0, one = 0;

	while (dir && one >= 0 && (at = readdir(dir))) {
		if (at->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", store->with, at->d_name);
		one = is_ours(store, at->d_name, path, root_pem, err, err_size);
		if (one > 0)
			one = unlink_one(store, path, err, err_size);
		num += one > 0;
	}
	if (dir)
		closedir(dir);
	return one < 0 ? one : num;
}

/* is_behind: the folder has changed since the store was made of it, as where that was
 * stopped. Whose the file was that is gone, nothing tells by then. */
static bool is_behind(const struct truststore *store)
{
	struct stat folder, file;

	if (stat(store->with, &folder) != 0 || stat(store->path, &file) != 0 ||
	    access(store->with, W_OK) != 0)
		return false;
	return folder.st_mtim.tv_sec != file.st_mtim.tv_sec ?
		folder.st_mtim.tv_sec > file.st_mtim.tv_sec :
		folder.st_mtim.tv_nsec > file.st_mtim.tv_nsec;
}

/* take_out has the store made anew as well where somebody, or we, have taken the file
 * away, and left it at that. */
static int take_out(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	int num = unlink_ours(store, root_pem, err, err_size);
	bool there = num == 0 && root_pem &&
		trusts(store, root_pem, err, err_size) == 1;

	if (num < 0 || (num == 0 && !there && (root_pem || !is_behind(store))))
		return num;
	if (access(store->with, W_OK) != 0)
		return refuse(store, err, err_size);
	if (update_anew(store, err, err_size) != 0)
		return TRUSTSTORE_FAILED;
	return num + there;
}

const struct truststore_ways truststore_system = {find, trusts, put, take_out};
