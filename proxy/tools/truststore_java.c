/* truststore_java.c - the cacerts of each Java, by its own keytool. */

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/java.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/program.h"
#include "proxy/tools/truststore_private.h"

/* Where systems, and those who install several, have them. */
static const char *const homes[] = {
	"/usr/lib/jvm/*", "/usr/lib64/jvm/*", "/usr/java/*", "/opt/java*",
	"/opt/java/*", "/opt/jdk*",
};
static const char *const below_home[] = {
	".sdkman/candidates/java/*", ".jdks/*", ".asdf/installs/java/*",
	".local/share/mise/installs/java/*", ".jabba/jdk/*",
};

/* What is made of the system's store, and would be lost when that is made anew. */
static const char *const made[] = {
	"/etc/ssl/certs/", "/etc/pki/ca-trust/", "/etc/pki/java/",
	"/etc/ca-certificates/", "/var/lib/ca-certificates/",
};

/* --- finding them ------------------------------------------------------- */

static bool is_made(const char *path)
{
	for (size_t i = 0; i < sizeof(made) / sizeof(*made); i++) {
		if (strncmp(path, made[i], strlen(made[i])) == 0)
			return true;
	}
	return false;
}

/* keytool_of: the Java's own, as others may not know the form of its store. */
static char *keytool_of(const char *home)
{
	char path[STORE_PATH];

	for (int i = 0; home && i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%sbin/keytool", home,
			i == 0 ? "" : "jre/");
		if (access(path, X_OK) == 0)
			return pki_copy(path);
	}
	return pki_copy("keytool");
}

/* add takes over roots, once however many Javas share it. */
static void add(struct truststores *places, const char *home, char *roots)
{
	char *real = roots ? realpath(roots, NULL) : NULL;

	free(roots);
	for (size_t i = 0; real && i < places->num; i++) {
		if (places->at[i].kind == TRUST_JAVA &&
		    strcmp(places->at[i].path, real) == 0) {
			free(real);
			return;
		}
	}
	if (real)
		truststore_add(places, TRUST_JAVA, real,
			is_made(real) ? NULL : keytool_of(home), NULL);
}

static void find_in(struct truststores *places, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++)
		add(places, found.gl_pathv[i],
			java_roots(found.gl_pathv[i], NULL));
	globfree(&found);
}

static void find_all(struct truststores *places, const struct truststore_search *search)
{
	char pattern[STORE_PATH];

	if (search->java_home)
		add(places, search->java_home,
			java_roots(search->java_home, NULL));
	add(places, NULL, java_roots(NULL, search->path));
	for (size_t i = 0; i < sizeof(homes) / sizeof(*homes); i++)
		find_in(places, homes[i]);
	for (size_t i = 0; search->home &&
		i < sizeof(below_home) / sizeof(*below_home); i++) {
		snprintf(pattern, sizeof(pattern), "%s/%s", search->home,
			below_home[i]);
		find_in(places, pattern);
	}
}

static void find(struct truststores *places, const struct truststore_search *search)
{
	char *roots;

	if (!search->java) {
		find_all(places, search);
		return;
	}
	roots = java_roots(search->java, NULL);
	if (roots)
		add(places, search->java, roots);
	else
		truststore_add(places, TRUST_JAVA, pki_copy(search->java),
			keytool_of(NULL), NULL);
}

/* --- keytool ------------------------------------------------------------ */

static int trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	return truststore_file_has(store->path, root_pem, err, err_size);
}

/* say_why: keytool says "keytool error: ..." on a line somewhere. */
static int say_why(const struct truststore *store, const char *said, char *err,
	size_t err_size)
{
	const char *at = strstr(said, "rror: ");
	char *there = program_find(store->with);

	if (!there)
		return pki_fail(err, err_size, "needs keytool, which comes with "
			"Java");
	free(there);
	return program_fail("keytool", at ? at + 6 : said, err, err_size);
}

static int refuse(const struct truststore *store, char *err, size_t err_size)
{
	if (!store->with)
		return pki_fail(err, err_size, "is made from the system's store: "
			"\"sudo sallyport trust ... --for system\"");
	return pki_fail(err, err_size, "is not for you to write: \"sudo "
		"sallyport trust ... --for java\"");
}

static int put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct truststore_mark mark = truststore_mark_of(root_pem);
	const char *const argv[] = {store->with, "-importcert", "-noprompt",
		"-alias", mark.text, "-keystore", store->path, "-storepass",
		JKS_PASSWORD, NULL};
	char *said;
	int result;

	if (!store->with || access(store->path, W_OK) != 0)
		return refuse(store, err, err_size);
	said = pki_new(STORE_SAID);
	result = program_run(argv, root_pem, said, STORE_SAID);
	if (result != 0)
		result = say_why(store, said, err, err_size);
	free(said);
	return result;
}

static int take_one(const struct truststore *store, const char *alias, char *err,
	size_t err_size)
{
	const char *const argv[] = {store->with, "-delete", "-alias", alias,
		"-keystore", store->path, "-storepass", JKS_PASSWORD, NULL};
	char *said = pki_new(STORE_SAID);
	int result = program_run(argv, NULL, said, STORE_SAID);

	if (result != 0)
		result = say_why(store, said, err, err_size);
	free(said);
	return result;
}

/* take_listed: each entry is a line that begins with its alias and a comma. */
static int take_listed(const struct truststore *store, char *said,
	const char *root_pem, char *err, size_t err_size)
{
	struct truststore_mark mark = {""};
	int num = 0;

	if (root_pem)
		mark = truststore_mark_of(root_pem);
	for (size_t len; *said && num >= 0 && num < STORE_NAMES_MAX;
		said += len) {
		size_t name = strcspn(said, ",\n");

		len = strcspn(said, "\n") + 1;
		if (said[len - 1] == '\0')
			len--;
		if (said[name] != ',' || !truststore_is_mark(said, name) ||
		    (root_pem && strncmp(said, mark.text, name) != 0))
			continue;
		said[name] = '\0';
		num = access(store->path, W_OK) != 0 ?
			refuse(store, err, err_size) :
			take_one(store, said, err, err_size) == 0 ? num + 1 : -1;
	}
	return num;
}

static int take_out(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	const char *const argv[] = {store->with, "-list", "-keystore",
		store->path, "-storepass", JKS_PASSWORD, NULL};
	char *said;
	int num;

	if (!store->with)
		return 0; /* the system's has put it there, and takes it out */
	said = pki_new(STORE_SAID);
	if (program_run(argv, NULL, said, STORE_SAID) != 0)
		num = say_why(store, said, err, err_size);
	else
		num = take_listed(store, said, root_pem, err, err_size);
	free(said);
	return num;
}

const struct truststore_ways truststore_java = {find, trusts, put, take_out};
