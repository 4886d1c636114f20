/* truststore_java.c - the cacerts of each Java, by its own keytool. */

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/bundle.h"
#include "proxy/tools/java.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/program.h"
#include "proxy/tools/truststore_private.h"

enum { LIST_SIZE = 4 << 20, KEYTOOL_WORDS = 16 };

#define ALIAS "Alias name: "

/* Where systems, and those who install several, have them. */
static const char *const homes[] = {
	"/usr/lib/jvm/*", "/usr/lib64/jvm/*", "/usr/java/*", "/opt/java*",
	"/opt/java/*", "/opt/jdk*",
};
static const char *const below_home[] = {
	".sdkman/candidates/java/*", ".jdks/*", ".asdf/installs/java/*",
	".local/share/mise/installs/java/*", ".jabba/jdk/*",
};

/* What is made of the system's store: what is put in there by hand would be lost when
 * that is made anew. */
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

/* any_keytool: that of PATH, or of a Java that is in nobody's. */
static char *any_keytool(void)
{
	char pattern[STORE_PATH], *path = program_find("keytool");
	glob_t found;

	for (size_t i = 0; !path && i < sizeof(homes) / sizeof(*homes); i++) {
		snprintf(pattern, sizeof(pattern), "%s/bin/keytool", homes[i]);
		if (glob(pattern, 0, NULL, &found) != 0)
			continue;
		path = program_find(found.gl_pathv[0]);
		globfree(&found);
	}
	return path ? path : pki_copy("keytool");
}

/* keytool_of: the Java's own, as others may not know the form of its store. One that is
 * another user's is not run: it could be anything. */
static char *keytool_of(const char *home)
{
	char path[STORE_PATH];

	for (int i = 0; home && i < 2; i++) {
		char *real;

		snprintf(path, sizeof(path), "%s/%sbin/keytool", home,
			i == 0 ? "" : "jre/");
		real = realpath(path, NULL);
		if (real && access(real, X_OK) == 0 &&
		    !truststore_is_anothers(real))
			return real;
		free(real);
	}
	return any_keytool();
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
		truststore_add(places, (struct truststore){.kind = TRUST_JAVA,
			.path = real, .with = keytool_of(home),
			.made = is_made(real)});
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

/* find_one: a folder of a Java, or a cacerts. */
static void find_one(struct truststores *places, const char *java)
{
	char *roots = java_roots(java, NULL);

	if (!roots)
		roots = pki_copy(java);
	if (access(roots, F_OK) == 0)
		add(places, java, roots);
	else
		truststore_add(places, (struct truststore){.kind = TRUST_JAVA,
			.path = roots, .with = any_keytool()});
}

/* leave_made leaves those alone that are made of the system's. */
static void leave_made(struct truststores *places)
{
	size_t num = 0;

	for (size_t i = 0; i < places->num; i++) {
		struct truststore *at = &places->at[i];

		if (at->kind != TRUST_JAVA || at->made) {
			places->at[num++] = *at;
			continue;
		}
		free(at->path);
		free(at->with);
	}
	places->num = num;
}

static void find(struct truststores *places, const struct truststore_search *search)
{
	if (search->java)
		find_one(places, search->java);
	else
		find_all(places, search);
	if (!search->kinds[TRUST_JAVA])
		leave_made(places);
}

/* --- keytool ------------------------------------------------------------ */

static int trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct stat is;

	if (stat(store->path, &is) == 0 && S_ISDIR(is.st_mode))
		return pki_fail(err, err_size, "is no folder of a Java: neither "
			"lib/security/cacerts nor jre/lib/security/cacerts is "
			"there to be read");
	return truststore_file_has(store->path, root_pem, NULL, err, err_size);
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

/* check: root writes to no file whose owner can put a link in its place. */
static int check(const struct truststore *store, char *err, size_t err_size)
{
	if (!truststore_is_anothers(store->path))
		return 0;
	return pki_fail(err, err_size, "it is another user's: who that is has to "
		"run this");
}

/* may_write: to the store, and beside it, where it is made anew. */
static bool may_write(const struct truststore *store)
{
	char *folder = pki_copy(store->path), *slash = strrchr(folder, '/');
	bool may;

	if (slash)
		*slash = '\0';
	may = access(store->path, W_OK) == 0 && slash &&
		access(folder[0] ? folder : "/", W_OK) == 0;
	free(folder);
	return may;
}

static int refuse(const struct truststore *store, char *err, size_t err_size)
{
	(void)pki_fail(err, err_size, "%syou may not write to it", store->made ?
		"it is made of the system's store, and " : "");
	return TRUSTSTORE_NOT_LET;
}

/* run_on has keytool do that, with a copy of the store: it writes in place, and would
 * leave half a store where it is stopped, or the disk is full. */
static int run_on(const struct truststore *store, const char *copy,
	const char *const *what, const char *input, char *err, size_t err_size)
{
	const char *argv[KEYTOOL_WORDS] = {store->with, "-keystore", copy,
		"-storepass", JKS_PASSWORD, "-J-Duser.language=en"};
	char *said = pki_new(STORE_SAID);
	int result;

	for (size_t i = 0, num = 6; what[i] && num < KEYTOOL_WORDS - 1; i++)
		argv[num++] = what[i];
	result = program_run(argv, input, said, STORE_SAID);
	if (result != 0)
		result = say_why(store, said, err, err_size);
	free(said);
	return result;
}

/* replace puts the copy in the store's place, as whose and as readable as that is. */
static int replace(const struct truststore *store, const char *copy, char *err,
	size_t err_size)
{
	int fd = open(copy, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat is;
	bool good = fd >= 0 && stat(store->path, &is) == 0 &&
		(fchown(fd, is.st_uid, is.st_gid) == 0 || errno == EPERM) &&
		fchmod(fd, is.st_mode & 0777) == 0 && fsync(fd) == 0 &&
		rename(copy, store->path) == 0;
	int why = errno;

	if (fd >= 0)
		close(fd);
	return good ? 0 : pki_fail(err, err_size, "can't be replaced: %s",
		strerror(why));
}

/* change has keytool do that to the store, or nothing. */
static int change(const struct truststore *store, const char *const *what,
	const char *input, char *err, size_t err_size)
{
	char copy[STORE_PATH + 16], *data;
	struct stat is;
	size_t len;
	int result;

	if (file_read_regular(store->path, BUNDLE_FILE_MAX, &is, &data, &len,
		    err, err_size) != 0)
		return -1;
	snprintf(copy, sizeof(copy), "%s.sallyport", store->path);
	result = file_write(copy, data, len, 0600, err, err_size);
	free(data);
	if (result == 0)
		result = run_on(store, copy, what, input, err, err_size);
	if (result == 0)
		result = replace(store, copy, err, err_size);
	if (result != 0)
		(void)unlink(copy);
	return result == 0 ? 0 : -1;
}

static int put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct truststore_mark mark = truststore_mark_of(root_pem);
	const char *const what[] = {"-importcert", "-noprompt", "-alias",
		mark.text, NULL};

	if (check(store, err, err_size) != 0)
		return -1;
	if (!may_write(store))
		return refuse(store, err, err_size);
	if (store->made)
		return truststore_system_anew(root_pem, err, err_size);
	return change(store, what, root_pem, err, err_size);
}

static int take_one(const struct truststore *store, const char *alias, char *err,
	size_t err_size)
{
	const char *const what[] = {"-delete", "-alias", alias, NULL};

	return change(store, what, NULL, err, err_size);
}

/* next_entry is an entry of a list by -rfc, which begins with its alias; NULL: no more. */
static char *next_entry(char **at)
{
	char *entry = strstr(*at, "\n" ALIAS), *next;

	if (!entry)
		return NULL;
	entry++;
	next = strstr(entry, "\n" ALIAS);
	*at = next ? next : entry + strlen(entry);
	if (next)
		next[-1] = '\0'; /* of the blank lines between them */
	return entry;
}

/* is_ours: the root by whatever name; without one, put's names, and those that Debian
 * makes of them. */
static bool is_ours(const char *entry, const char *alias, const char *root_pem)
{
	static const char before[] = "debian:", behind[] = ".pem";
	size_t len = strlen(alias), end = sizeof(behind) - 1;

	if (!strstr(entry, "trustedCertEntry"))
		return false;
	if (root_pem)
		return truststore_pem_is(entry, root_pem);
	if (strncmp(alias, before, sizeof(before) - 1) == 0 && len > end &&
	    strcmp(alias + len - end, behind) == 0)
		return truststore_is_mark(alias + sizeof(before) - 1,
			len - end - (sizeof(before) - 1));
	return truststore_is_mark(alias, len);
}

static int take_listed(const struct truststore *store, char *said,
	const char *root_pem, char *err, size_t err_size)
{
	char *at = said, *entry;
	int num = 0;

	while (num >= 0 && num < STORE_NAMES_MAX && (entry = next_entry(&at))) {
		char *alias = entry + strlen(ALIAS);
		size_t len = strcspn(alias, "\r\n");
		char *name = strndup(alias, len);
		bool ours = is_ours(entry, name, root_pem);

		if (ours && !may_write(store))
			num = refuse(store, err, err_size);
		else if (ours)
			num = take_one(store, name, err, err_size) == 0 ?
				num + 1 : TRUSTSTORE_FAILED;
		free(name);
	}
	return num;
}

static int take_out(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	const char *const argv[] = {store->with, "-list", "-rfc", "-keystore",
		store->path, "-storepass", JKS_PASSWORD,
		"-J-Duser.language=en", NULL};
	int num = root_pem ? trusts(store, root_pem, err, err_size) : 1;
	char *said;

	if (num != 1)
		return num;
	if (check(store, err, err_size) != 0)
		return -1;
	said = pki_new(LIST_SIZE);
	if (program_run(argv, NULL, said, LIST_SIZE) != 0)
		num = say_why(store, said, err, err_size);
	else
		num = take_listed(store, said, root_pem, err, err_size);
	free(said);
	return num;
}

const struct truststore_ways truststore_java = {find, trusts, put, take_out};
