#include "proxy/tools/kit.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/tools/apt.h"
#include "proxy/tools/bundle.h"
#include "proxy/tools/environment.h"
#include "proxy/tools/java.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/variables.h"

enum { FILE_MODE = 0644, OWN_MODE = 0600, RC_MAX = 1 << 20 };

static void tell(const struct kit_order *order, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void tell(const struct kit_order *order, const char *format, ...)
{
	char text[2 * FILE_ERR_SIZE]; /* it may name two */
	va_list args;

	if (!order->told)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	order->told(order->arg, text);
}

static char *path_in(const struct kit_order *order, const char *name)
{
	return state_path(order->folder, name);
}

/* put writes the file of a path in the folder. */
static int put(const struct kit_order *order, const char *path,
	const char *data, size_t len, unsigned mode, char *err,
	size_t err_size)
{
	char why[512];

	if (file_write_at(order->at, strrchr(path, '/') + 1, data, len, mode,
		    why, sizeof(why)) == 0)
		return 0;
	return pki_fail(err, err_size, "%s/%s", order->folder, why);
}

/* --- what was set before ------------------------------------------------ */

/* No file is read twice: they are often all the same one. */
struct seen {
	char *paths[256]; /* owned */
	size_t num;
};

static bool is_new(struct seen *seen, const char *path)
{
	for (size_t i = 0; i < seen->num; i++) {
		if (strcmp(seen->paths[i], path) == 0)
			return false;
	}
	if (seen->num < sizeof(seen->paths) / sizeof(*seen->paths))
		seen->paths[seen->num++] = pki_copy(path);
	return true;
}

static void forget(struct seen *seen)
{
	while (seen->num > 0)
		free(seen->paths[--seen->num]);
}

/* is_switch: CONDA_SSL_VERIFY may also be a word. */
static bool is_switch(const char *value)
{
	static const char *const words[] = {"", "true", "false", "True",
		"False", "1", "0", "yes", "no", "truststore", "<boolean>"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strcmp(value, words[i]) == 0)
			return true;
	}
	return false;
}

static void take(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen, const char *name, const char *path)
{
	char err[FILE_ERR_SIZE];

	if (!path || is_switch(path) || !is_new(seen, path))
		return;
	if (bundle_add_file(bundle, path, NULL, err, sizeof(err)) != 0)
		tell(order, "%s names certificates that are left out: %s",
			name, err);
}

/* take_set adds what the variables of that kind name, now and at first. */
static void take_set(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen, enum variable_kind kind)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	for (size_t i = 0; i < num; i++) {
		char *was;

		if (all[i].kind != kind)
			continue;
		was = environment_was(order->before, all[i].name);
		take(order, bundle, seen, all[i].name, was);
		take(order, bundle, seen, all[i].name,
			environment_get(order->before, all[i].name));
		free(was);
	}
}

/* take_folders adds what the folders have, those that are there. */
static void take_folders(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen)
{
	for (size_t i = 0; variables_folders[i]; i++) {
		const char *list = environment_get(order->before,
			variables_folders[i]);

		while (list && *list) {
			size_t len = strcspn(list, ":");
			char *path = strndup(list, len);

			if (path && access(path, F_OK) == 0)
				take(order, bundle, seen, variables_folders[i],
					path);
			free(path);
			list += len + (list[len] == ':');
		}
	}
}

/* take_store adds a trust store that Java is told of by the options of a variable. */
static void take_store(const struct kit_order *order, struct bundle *bundle,
	const char *name, const char *options)
{
	char *store = java_option(options, "javax.net.ssl.trustStore");
	char *password = java_option(options,
		"javax.net.ssl.trustStorePassword");
	char err[FILE_ERR_SIZE];

	if (store && bundle_add_file(bundle, store, password, err,
		    sizeof(err)) != 0)
		tell(order, "%s names a trust store that is left out: %s", name,
			err);
	free(store);
	free(password);
}

/* take_options: the store that JAVA_TOOL_OPTIONS has now may be ours; what the others
 * have is to be taken out of them, and so is never ours. */
static void take_options(const struct kit_order *order, struct bundle *bundle,
	const struct variable *of)
{
	char *was = environment_was(order->before, of->name);
	const char *now = environment_get(order->before, of->name);

	take_store(order, bundle, of->name, was);
	if (of->kind == VARIABLE_JAVA_TOO && now &&
	    (!was || strcmp(was, now) != 0))
		take_store(order, bundle, of->name, now);
	free(was);
}

static void take_java(const struct kit_order *order, struct bundle *bundle)
{
	size_t num;
	const struct variable *all = variables_all(&num);

	for (size_t i = 0; i < num; i++) {
		if (all[i].kind == VARIABLE_JAVA ||
		    all[i].kind == VARIABLE_JAVA_TOO)
			take_options(order, bundle, &all[i]);
	}
}

/* --- the files of wget, apt and npm ------------------------------------------ */

/* rc_before reads what the program would have read: the file that the variable
 * named, or its own; owned, "" where there is none. What others may not read, as
 * it has passwords, they may not read in our copy. */
static char *rc_before(const struct kit_order *order, const char *variable,
	const char *otherwise, unsigned *out_mode)
{
	struct stat info = {.st_mode = FILE_MODE};
	char *named = environment_was(order->before, variable), *text = NULL;
	const char *path = named && named[0] ? named : otherwise;
	char err[FILE_ERR_SIZE];
	size_t len;

	if (path && (named || access(path, F_OK) == 0) &&
	    file_read_regular(path, RC_MAX, &info, &text, &len, err,
		    sizeof(err)) != 0)
		tell(order, "%s names a file that is left out: %s", variable,
			err);
	free(named);
	*out_mode = !text || (info.st_mode & S_IROTH) ? FILE_MODE : OWN_MODE;
	return text ? text : pki_copy("");
}

/* behind is what follows name at the beginning of a line; wget minds neither - nor _,
 * and nobody the size of letters. NULL: it is another's line. */
static const char *behind(const char *line, const char *name)
{
	while (*name) {
		line += strspn(line, "-_");
		if (tolower((unsigned char)*line++) != *name++)
			return NULL;
	}
	return strchr(" \t=\"", *line) ? line + strspn(line, " \t=\"") : NULL;
}

/* setting is the value of the last line with that name; owned, or NULL. */
static char *setting(const char *text, const char *name)
{
	char *found = NULL;

	while (*text) {
		const char *value = behind(text + strspn(text, " \t"), name);

		if (value) {
			free(found);
			found = strndup(value, strcspn(value, "\r\n\";"));
		}
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return found;
}

/* take_npmrc: a file that npm reads, if it is there, may have a cafile. Root, whose HOME
 * may be another user's, is not told by that user whom to trust. */
static void take_npmrc(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen, const char *path)
{
	char err[FILE_ERR_SIZE], *text, *cafile;
	struct stat info;
	size_t len;

	if (access(path, F_OK) != 0 ||
	    file_read_regular(path, RC_MAX, &info, &text, &len, err,
		    sizeof(err)) != 0)
		return;
	cafile = setting(text, "cafile");
	if (info.st_uid == 0 || info.st_uid == geteuid())
		take(order, bundle, seen, path, cafile);
	else if (cafile)
		tell(order, "%s names certificates that are left out: the file "
			"is another user's", path);
	free(cafile);
	free(text);
}

/* A project's own .npmrc is left aside: whose it is need not be trusted by all that
 * runs in that folder. */
static void take_npm(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen)
{
	static const char *const named_by[] = {
		"npm_config_globalconfig", "npm_config_userconfig"};
	static const char *const places[] = {"/etc/npmrc", "/usr/etc/npmrc",
		"/usr/local/etc/npmrc"};
	const char *home = environment_get(order->before, "HOME"), *named;
	char path[4096];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
		take_npmrc(order, bundle, seen, places[i]);
	for (size_t i = 0; i < 2; i++) {
		named = environment_get(order->before, named_by[i]);
		if (named)
			take_npmrc(order, bundle, seen, named);
	}
	if (home && (size_t)snprintf(path, sizeof(path), "%s/.npmrc", home) <
		sizeof(path))
		take_npmrc(order, bundle, seen, path);
}

/* apt_before: text is what that file has; owned, or NULL. */
static char *apt_before(const struct kit_order *order, const char *text)
{
	char *path, *found = NULL;

	if (text[0] == '\0')
		return NULL;
	path = environment_was(order->before, "APT_CONFIG");
	if (!path || !apt_bundle(path, &found))
		found = setting(text, "acquire::https::cainfo");
	free(path);
	return found;
}

static void take_rc(const struct kit_order *order, struct bundle *bundle,
	struct seen *seen)
{
	unsigned mode;
	char *wget = rc_before(order, "SYSTEM_WGETRC", "/etc/wgetrc", &mode);
	char *apt = rc_before(order, "APT_CONFIG", NULL, &mode);
	char *wget_ca = setting(wget, "cacertificate");
	char *apt_ca = apt_before(order, apt);

	take(order, bundle, seen, "ca_certificate of wgetrc", wget_ca);
	take(order, bundle, seen, "Acquire::https::CaInfo of APT_CONFIG",
		apt_ca);
	free(wget);
	free(apt);
	free(wget_ca);
	free(apt_ca);
}

/* write_rc writes the file before with a line of ours behind it. */
static int write_rc(const struct kit_order *order, const char *variable,
	const char *otherwise, const char *path, const char *format,
	const char *bundle, char *err, size_t err_size)
{
	unsigned mode;
	char *before = rc_before(order, variable, otherwise, &mode);
	const char *gap = strchr(format, '%');
	UT_string text;
	int result;

	utstring_init(&text);
	utstring_printf(&text, "%s\n%.*s%s%s", before, (int)(gap - format),
		format, bundle, gap + 2);
	result = put(order, path, utstring_body(&text), utstring_len(&text),
		mode, err, err_size);
	utstring_done(&text);
	free(before);
	return result;
}

/* --- bundles ------------------------------------------------------------ */

static int write_pem(const struct kit_order *order,
	const struct bundle *bundle, const char *path, char *err,
	size_t err_size)
{
	size_t len;
	char *text = bundle_pem(bundle, &len);
	int result = put(order, path, text, len, FILE_MODE, err, err_size);

	free(text);
	return result;
}

struct bundle *kit_trusted(const struct kit_order *order)
{
	struct bundle *bundle = bundle_new();
	struct seen seen = {.num = 0};
	char err[1024];

	if (!bundle_add_system(bundle, err, sizeof(err)))
		tell(order, "%s", err);
	take_set(order, bundle, &seen, VARIABLE_BUNDLE);
	take_set(order, bundle, &seen, VARIABLE_ROOT);
	take_folders(order, bundle, &seen);
	take_rc(order, bundle, &seen);
	take_npm(order, bundle, &seen);
	take_java(order, bundle);
	forget(&seen);
	return bundle;
}

int kit_write_origins(const struct kit_order *order, struct kit *kit,
	char *err, size_t err_size)
{
	struct bundle *bundle = kit_trusted(order);
	int result = 0;

	memset(kit, 0, sizeof(*kit));
	if (bundle_num(bundle) > 0) {
		kit->origins = path_in(order, "origins.pem");
		result = write_pem(order, bundle, kit->origins, err, err_size);
	}
	bundle_free(bundle);
	return result;
}

/* write_extra: what came on top before stays no more than that. */
static int write_extra(const struct kit_order *order, const char *root_pem,
	const char *path, char *err, size_t err_size)
{
	struct bundle *bundle = bundle_new();
	struct kit_order quiet = *order;
	struct seen seen = {.num = 0};
	int result;

	quiet.told = NULL; /* kit_trusted has told it */
	take_set(&quiet, bundle, &seen, VARIABLE_ROOT);
	(void)bundle_add_pem(bundle, root_pem, strlen(root_pem));
	result = write_pem(order, bundle, path, err, err_size);
	bundle_free(bundle);
	forget(&seen);
	return result;
}

/* write_java: a trust store takes the place of Java's own, too. */
static int write_java(const struct kit_order *order, struct bundle *bundle,
	const char *root_pem, const char *path, char *err, size_t err_size)
{
	char *roots = java_roots(environment_get(order->before, "JAVA_HOME"),
		environment_get(order->before, "PATH"));
	uint8_t *data;
	char why[FILE_ERR_SIZE];
	size_t len;
	int result;

	if (roots && bundle_add_file(bundle, roots, NULL, why,
		    sizeof(why)) != 0)
		tell(order, "Java's own certificates are left out: %s", why);
	free(roots);
	data = jks_write(bundle, root_pem, (uint64_t)time(NULL) * 1000, &len);
	result = put(order, path, (const char *)data, len, FILE_MODE, err,
		err_size);
	free(data);
	return result;
}

static void name_files(const struct kit_order *order, struct kit *kit)
{
	kit->bundle = path_in(order, "bundle.pem");
	kit->extra = path_in(order, "extra.pem");
	kit->java_store = path_in(order, "trust.jks");
	kit->wgetrc = path_in(order, "wgetrc");
	kit->apt = path_in(order, "apt.conf");
}

/* write_apt: there is no way to write a quote between apt's quotes. */
static int write_apt(const struct kit_order *order, const struct kit *kit,
	char *err, size_t err_size)
{
	if (apt_can_name(kit->bundle))
		return write_rc(order, "APT_CONFIG", NULL, kit->apt,
			"Acquire::https::CaInfo \"%s\";\n", kit->bundle, err,
			err_size);
	tell(order, "apt is left out, whose files can't name %s: it has a "
		"quote", kit->bundle);
	return write_rc(order, "APT_CONFIG", NULL, kit->apt,
		"// the bundle's path has a quote%s\n", "", err, err_size);
}

/* write_wget: its file has no way to write the end of a line, and with half a line it
 * would not start. */
static int write_wget(const struct kit_order *order, const struct kit *kit,
	char *err, size_t err_size)
{
	if (!strpbrk(kit->bundle, "\n\r"))
		return write_rc(order, "SYSTEM_WGETRC", "/etc/wgetrc",
			kit->wgetrc, "ca_certificate = %s\n", kit->bundle, err,
			err_size);
	tell(order, "wget is left out, whose files can't name %s: it has the "
		"end of a line", kit->bundle);
	return write_rc(order, "SYSTEM_WGETRC", "/etc/wgetrc", kit->wgetrc,
		"# the bundle's path has the end of a line%s\n", "", err,
		err_size);
}

static int write_all(const struct kit_order *order, struct bundle *bundle,
	const char *root_pem, const struct kit *kit, char *err,
	size_t err_size)
{
	if (write_pem(order, bundle, kit->bundle, err, err_size) != 0 ||
	    write_extra(order, root_pem, kit->extra, err, err_size) != 0 ||
	    write_wget(order, kit, err, err_size) != 0 ||
	    write_apt(order, kit, err, err_size) != 0)
		return -1;
	return write_java(order, bundle, root_pem, kit->java_store, err,
		err_size);
}

int kit_write(const struct kit_order *order, const char *root_pem,
	struct kit *kit, char *err, size_t err_size)
{
	struct bundle *bundle = kit_trusted(order);
	int result;

	name_files(order, kit);
	if (bundle_add_pem(bundle, root_pem, strlen(root_pem)) == 0)
		result = pki_fail(err, err_size, "the root certificate can't "
			"be added to %zu others", bundle_num(bundle));
	else
		result = write_all(order, bundle, root_pem, kit, err,
			err_size);
	bundle_free(bundle);
	return result;
}

void kit_clear(struct kit *kit)
{
	free(kit->bundle);
	free(kit->extra);
	free(kit->java_store);
	free(kit->wgetrc);
	free(kit->apt);
	free(kit->origins);
	memset(kit, 0, sizeof(*kit));
}
