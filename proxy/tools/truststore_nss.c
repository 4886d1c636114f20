/* truststore_nss.c - the databases of NSS, which Chromium and Firefox read. */

#include <errno.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/tools/bundle.h"
#include "proxy/tools/program.h"
#include "proxy/tools/truststore_private.h"

#define DATABASE "cert9.db"

/* Below one's home: what Chromium and its kin share, and a folder a profile. */
static const char *const below[] = {
	".pki/nssdb",
	".local/share/pki/nssdb",
	"snap/chromium/current/.pki/nssdb",
	".var/app/org.chromium.Chromium/.pki/nssdb",
	".mozilla/firefox/*",
	".config/mozilla/firefox/*",
	"snap/firefox/common/.mozilla/firefox/*",
	".var/app/org.mozilla.firefox/.mozilla/firefox/*",
	".thunderbird/*",
};

static const char *const browsers[] = {"chromium", "chromium-browser",
	"google-chrome", "google-chrome-stable", "microsoft-edge",
	"brave-browser"};

/* --- finding them ------------------------------------------------------- */

static void find_in(struct truststores *places, const char *home,
	const char *place)
{
	char pattern[STORE_PATH];
	glob_t found;

	if ((size_t)snprintf(pattern, sizeof(pattern), "%s/%s/" DATABASE, home,
		    place) >= sizeof(pattern) ||
	    glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char *path = pki_copy(found.gl_pathv[i]);

		path[strlen(path) - sizeof("/" DATABASE) + 1] = '\0';
		truststore_add(places, (struct truststore){
			.kind = TRUST_NSS, .path = path});
	}
	globfree(&found);
}

static bool has_browser(void)
{
	bool found = false;

	for (size_t i = 0; i < sizeof(browsers) / sizeof(*browsers); i++) {
		char *path = program_find(browsers[i]);

		found |= path != NULL;
		free(path);
	}
	return found;
}

/* find_unmade: Chromium makes its database when it first starts; until then, it's to be made
 * where Chromium will look. */
static void find_unmade(struct truststores *places, const struct truststore_search *search)
{
	for (size_t i = 0; i < places->num; i++) {
		if (places->at[i].kind == TRUST_NSS &&
		    strstr(places->at[i].path, "pki/nssdb"))
			return;
	}
	if (search->make || has_browser())
		truststore_add(places, (struct truststore){.kind = TRUST_NSS,
			.path = state_path(search->home, below[0])});
}

static void find(struct truststores *places, const struct truststore_search *search)
{
	if (!search->home || search->home[0] != '/')
		return;
	for (size_t i = 0; i < sizeof(below) / sizeof(*below); i++)
		find_in(places, search->home, below[i]);
	find_unmade(places, search);
}

/* --- certutil ----------------------------------------------------------- */

struct call {
	char folder[STORE_PATH + 8]; /* "sql:..." */
	char *said;                  /* owned */
};

static void begin(struct call *call, const struct truststore *store)
{
	snprintf(call->folder, sizeof(call->folder), "sql:%s", store->path);
	call->said = pki_new(STORE_SAID);
}

static int end(struct call *call, int result)
{
	free(call->said);
	return result;
}

static int fail(const struct call *call, char *err, size_t err_size)
{
	char *there = program_find("certutil");

	if (!there)
		return pki_fail(err, err_size, "needs certutil: apt-get install "
			"libnss3-tools, dnf install nss-tools");
	free(there);
	if (strstr(call->said, "input terminal")) /* it has none to ask on */
		return pki_fail(err, err_size, "a password protects it (in "
			"Firefox, the primary password), which certutil asks "
			"for on a terminal: run this on one");
	return program_fail("certutil", call->said, err, err_size);
}

static bool is_made(const struct truststore *store)
{
	char path[STORE_PATH + sizeof(DATABASE) + 1];

	snprintf(path, sizeof(path), "%s/" DATABASE, store->path);
	return access(path, F_OK) == 0;
}

/* next_line takes a line of the list, "name      C,,", apart: its name, and whether it is
 * one that is trusted for sites. false: there is none in it. */
static bool next_line(char **at, char **out_name, bool *out_trusted)
{
	char *line = *at, *last;
	size_t len = strcspn(line, "\n");

	*at = line + len + (line[len] == '\n');
	line[len] = '\0';
	while (len > 0 && line[len - 1] == ' ')
		line[--len] = '\0';
	last = strrchr(line, ' ');
	if (!last || !strchr(last, ',') || strchr(last, '/'))
		return false;
	*out_trusted = last[1 + strcspn(last + 1, "C,")] == 'C';
	while (last > line && last[-1] == ' ')
		last--;
	*last = '\0';
	*out_name = line;
	return true;
}

/* --- what it trusts ----------------------------------------------------- */

static int list(struct call *call, char *err, size_t err_size)
{
	const char *const argv[] = {"certutil", "-L", "-d", call->folder, NULL};

	if (program_run(argv, NULL, call->said, STORE_SAID) != 0)
		return fail(call, err, err_size);
	return 0;
}

/* place_of is the root's among what is told by a name, 0 and up; -1: it is not there. What
 * comes first goes by that name, and behind it come all others of its subject. */
static int place_of(const struct call *call, const char *name,
	const char *root_pem)
{
	const char *const argv[] = {"certutil", "-L", "-d", call->folder, "-n",
		name, "-a", NULL};
	char *said = pki_new(STORE_SAID);
	struct bundle *told = bundle_new();
	int place;

	if (program_run(argv, NULL, said, STORE_SAID) == 0)
		(void)bundle_add_pem(told, said, strlen(said));
	place = truststore_place(told, root_pem);
	bundle_free(told);
	free(said);
	return place;
}

/* is_shared: Firefox gives those of one subject one name. */
static bool is_shared(const struct truststore *store, const char *name)
{
	char ignored[256], *at, *other;
	struct call call;
	bool trusted;
	int num = 0;

	begin(&call, store);
	if (list(&call, ignored, sizeof(ignored)) == 0) {
		for (at = call.said; *at;)
			num += next_line(&at, &other, &trusted) &&
				strcmp(other, name) == 0;
	}
	return end(&call, num) > 1;
}

/* goes_by: the root has that name, and alone, or with others: *out_first, it is what
 * certutil takes the name for. */
static bool goes_by(const struct truststore *store, const struct call *call,
	const char *name, const char *root_pem, bool *out_first)
{
	int place = place_of(call, name, root_pem);

	*out_first = place == 0;
	return place == 0 || (place > 0 && is_shared(store, name));
}

static int trusts(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct call call;
	char *at, *name;
	int found = 0;
	bool trusted, first;

	if (!is_made(store))
		return 0;
	begin(&call, store);
	if (list(&call, err, err_size) != 0)
		return end(&call, -1);
	for (at = call.said; *at && !found;)
		found = next_line(&at, &name, &trusted) && trusted &&
			goes_by(store, &call, name, root_pem, &first);
	return end(&call, found);
}

/* --- and what it shall --------------------------------------------------- */

/* make_folders makes the last two of a path: .pki/nssdb. */
static int make_folders(const char *path, char *err, size_t err_size)
{
	char *above = pki_copy(path), *slash = strrchr(above, '/');

	*slash = '\0';
	(void)mkdir(above, 0700);
	free(above);
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return 0;
	return pki_fail(err, err_size, "can't be made: %s; HOME says that it "
		"belongs there", strerror(errno));
}

/* make: an empty one, without a password. A home that is another's gets none, who could
 * not write to it. */
static int make(const struct truststore *store, struct call *call, char *err,
	size_t err_size)
{
	const char *const argv[] = {"certutil", "-N", "-d", call->folder,
		"--empty-password", NULL};
	const char *home = getenv("HOME");
	struct stat is;

	if (home && stat(home, &is) == 0 && is.st_uid != geteuid())
		return pki_fail(err, err_size, "%s is another user's: whose "
			"browser it is has to run this", home);
	if (make_folders(store->path, err, err_size) != 0)
		return -1;
	if (program_run(argv, NULL, call->said, STORE_SAID) != 0)
		return fail(call, err, err_size);
	return 0;
}

static int put(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct truststore_mark mark = truststore_mark_of(root_pem);
	struct call call;

	begin(&call, store);
	const char *const argv[] = {"certutil", "-A", "-d", call.folder, "-t",
		"C,,", "-n", mark.text, "-a", NULL};
	if (!is_made(store) && make(store, &call, err, err_size) != 0)
		return end(&call, -1);
	if (program_run(argv, root_pem, call.said, STORE_SAID) != 0)
		return end(&call, fail(&call, err, err_size));
	return end(&call, 0);
}

static int take_one(const struct call *call, const char *name, char *err,
	size_t err_size)
{
	const char *const argv[] = {"certutil", "-D", "-d", call->folder, "-n",
		name, NULL};
	struct call other = {.said = pki_new(STORE_SAID)};

	if (program_run(argv, NULL, other.said, STORE_SAID) != 0)
		return end(&other, fail(&other, err, err_size));
	return end(&other, 0);
}

/* take_named takes out what goes by a name, if that is the root, or without one is ours:
 * how many, 0 or 1. */
static int take_named(const struct truststore *store, const struct call *call,
	const char *name, const char *root_pem, char *err, size_t err_size)
{
	bool first = true;

	if (root_pem ? !goes_by(store, call, name, root_pem, &first) :
		       !truststore_is_mark(name, strlen(name)))
		return 0;
	if (first)
		return take_one(call, name, err, err_size) == 0 ? 1 : -1;
	return pki_fail(err, err_size, "it goes by the same name as another "
		"certificate, which certutil would take out: the browser's "
		"settings, under Authorities, tell them apart");
}

static int take_out(const struct truststore *store, const char *root_pem, char *err,
	size_t err_size)
{
	struct call call;
	char *at, *name;
	bool trusted;
	int num = 0, one = 0;

	if (!is_made(store))
		return 0;
	begin(&call, store);
	if (list(&call, err, err_size) != 0)
		return end(&call, -1);
	for (at = call.said; *at && one >= 0 && num < STORE_NAMES_MAX;) {
		if (!next_line(&at, &name, &trusted))
			continue;
		one = take_named(store, &call, name, root_pem, err, err_size);
		num += one > 0;
	}
	return end(&call, one < 0 ? one : num);
}

const struct truststore_ways truststore_nss = {find, trusts, put, take_out};
