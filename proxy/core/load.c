#include "proxy/core/load.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/store.h"
#include "pki/trust.h"
#include "policy/policy.h"
#include "proxy/config/handed.h"
#include "proxy/config/htpasswd.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/bad_lines.h"
#include "proxy/core/channel.h"
#include "proxy/core/lists.h"

enum {
	ROOTS_MAX = 32 << 20, /* bytes of a file */
};

unsigned load_workers(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned num = config->workers;

	if (num == 0)
		num = cores > 0 ? (unsigned)cores : 1;
	/* more cores are left alone */
	return num < WORKER_THREADS_MAX ? num : WORKER_THREADS_MAX;
}

/* --- roots -------------------------------------------------------------- */

/* digest is of what was read, NULL: it is not asked for. */
static int add_file(struct trust *trust, const char *path, uint8_t *digest,
	char *err, size_t err_size)
{
	char *text;
	size_t len;
	int result;

	if (handed_read(path, ROOTS_MAX, &text, &len) != 0) {
		snprintf(err, err_size, "%s: %s", path, handed_why(errno));
		return -1;
	}
	result = trust_add_text(trust, text, len, path, err, err_size);
	if (digest)
		SHA256((const uint8_t *)text, len, digest);
	free(text);
	return result;
}

/* add_roots tells every file that is wrong, not the first alone. */
static void add_roots(const struct config *config, struct trust *trust,
	struct mistakes *mistakes)
{
	char err[1024];

	if (config->origin.trust_system &&
	    trust_add_system(trust, err, sizeof(err)) != 0)
		mistakes_error(mistakes, config->origin.trust_system_line,
			"origin.trust: %s", err);
	for (size_t i = 0; i < config->origin.num_trust_files; i++) {
		const struct trust_file *file = &config->origin.trust_files[i];

		if (add_file(trust, file->path, NULL, err, sizeof(err)) != 0)
			mistakes_error(mistakes, file->line,
				"origin.trust: %s", err);
	}
}

/* --- users -------------------------------------------------------------- */

static void add_client_ca(struct settings *settings,
	struct mistakes *mistakes)
{
	const struct config *config = settings->config;
	char err[1024];

	settings->client_trust = trust_new();
	if (add_file(settings->client_trust, config->users.client_ca,
		    settings->client_ca_digest, err, sizeof(err)) != 0)
		mistakes_error(mistakes, config->users.client_ca_line,
			"users.client-ca: %s", err);
}

static void on_bad(void *arg, unsigned line, const char *what)
{
	bad_lines_tell(arg, line, what);
}

static struct htpasswd *read_users(const char *path, const char *text,
	size_t len, FILE *errors)
{
	struct bad_lines bad = {errors, path, 0};
	struct htpasswd *users = htpasswd_read(text, len, on_bad, &bad);

	bad_lines_end(&bad);
	return users;
}

static struct htpasswd *load_users(const struct config *config, FILE *errors,
	struct mistakes *mistakes)
{
	const char *path = config->users.htpasswd;
	struct htpasswd *users;
	size_t len;
	char *text;

	if (handed_read(path, HTPASSWD_FILE_MAX, &text, &len) != 0) {
		mistakes_error(mistakes, config->users.htpasswd_line,
			"users.htpasswd: %s: %s", path, errno == EFBIG ?
			"larger than 16 MB" : handed_why(errno));
		return NULL;
	}
	users = read_users(path, text, len, errors);
	OPENSSL_cleanse(text, len);
	free(text);
	return users;
}

/* nobody_can_log_in: all would be refused, and not as somebody's mistake. */
static bool nobody_can_log_in(const struct config *config)
{
	return config->users.required && config->users.num_sources == 0 &&
		!config_has_certificates(config);
}

/* check_users: a running one takes a file that has been emptied for what it says;
 * it keeps no user by refusing that. */
static void check_users(const struct settings *settings, bool running,
	struct mistakes *mistakes)
{
	const struct config *config = settings->config;

	if (!settings->htpasswd || htpasswd_num(settings->htpasswd) > 0)
		return;
	if (nobody_can_log_in(config) && !running)
		mistakes_error(mistakes, config->users.htpasswd_line,
			"users.htpasswd: %s: there is no user in it, so that "
			"nobody can log in; make one with \"htpasswd -B\", or "
			"give users.sources, or required: false",
			config->users.htpasswd);
	else
		mistakes_warning(mistakes, config->users.htpasswd_line,
			"users.htpasswd: %s: there is no user in it%s",
			config->users.htpasswd, nobody_can_log_in(config) ?
			", so that nobody can log in" : "");
}

/* --- settings ----------------------------------------------------------- */

static void load_files(struct settings *settings, FILE *errors,
	struct mistakes *mistakes)
{
	const struct config *config = settings->config;

	settings->trust = trust_new();
	add_roots(config, settings->trust, mistakes);
	if (config->users.client_ca)
		add_client_ca(settings, mistakes);
	if (config->users.htpasswd)
		settings->htpasswd = load_users(config, errors, mistakes);
}

/* seal puts the lists in the policy's hands. -1: told. */
static int seal(struct settings *settings, const struct settings *before,
	FILE *errors)
{
	char err[256];

	if (lists_load(settings->config, before, errors, &settings->catalog,
		settings->catalog_digest, &settings->lists_told) != 0)
		return -1;
	if (policy_seal(settings->config->policy, settings->catalog, err,
		sizeof(err)) == 0)
		return 0;
	fprintf(errors, "sallyport: %s\n", err);
	return -1;
}

int load_settings(struct config *config, const struct settings *before,
	FILE *errors, struct settings **out)
{
	struct mistakes mistakes = {.file = config->path};
	struct settings *settings = settings_new(config);
	bool wrong;

	load_files(settings, errors, &mistakes);
	check_users(settings, before, &mistakes);
	mistakes_print(&mistakes, errors);
	wrong = mistakes.errors > 0;
	mistakes_clear(&mistakes);
	if (seal(settings, before, errors) != 0)
		wrong = true;
	if (wrong) {
		settings_unref(settings);
		return LOAD_WRONG;
	}
	*out = settings;
	return 0;
}

/* --- CAs ---------------------------------------------------------------- */

/* The names of CAs that rules name, owned. */
static const char **names_of(const struct config *config)
{
	const char **names = calloc(config->num_named + 1, sizeof(*names));

	if (!names)
		abort();
	for (size_t i = 0; i < config->num_named; i++)
		names[i] = config->named[i].name;
	return names;
}

static int open_authority(const struct config *config,
	const struct load_cas *cas, struct authority **out, char *err,
	size_t err_size)
{
	const char **names = names_of(config);
	char crl_base[CRL_BASE_SIZE];
	struct authority_options options = {
		.state = cas->state,
		.crl_base = crl_base,
		.link = cas->link,
		.rotate_s = config->issuing.rotate_s,
		.validity_s = config->issuing.validity_s,
		.names = names,
		.num_names = config->num_named,
		.before = cas->before,
	};
	int result;

	config_crl_base(config, crl_base, sizeof(crl_base));
	result = authority_open(&options, out, err, err_size);
	free(names);
	return result;
}

void load_tell_no_ca(const struct named_ca *named, struct mistakes *mistakes)
{
	mistakes_error(mistakes, named->line, "intermediate-ca: there is no CA "
		"\"%s\"; \"sallyport ca list\" shows those there are",
		shown(named->name).text);
}

/* check_named: a rule that names a CA which is not there is a mistake; one that
 * is there and can't be used is not: its connections are refused. */
static int check_named(const struct config *config,
	const struct authority *authority, FILE *errors)
{
	struct mistakes mistakes = {.file = config->path};
	int result;

	for (size_t i = 0; i < config->num_named; i++) {
		const struct named_ca *named = &config->named[i];

		mistakes_in(&mistakes, named->from);
		if (!authority_knows(authority, named->name))
			load_tell_no_ca(named, &mistakes);
	}
	mistakes_print(&mistakes, errors);
	result = mistakes.errors > 0 ? LOAD_WRONG : 0;
	mistakes_clear(&mistakes);
	return result;
}

static int load_authority(const struct config *config,
	const struct load_cas *cas, FILE *errors, struct authority **out,
	char *err, size_t err_size)
{
	int result = open_authority(config, cas, out, err, err_size);

	if (result == 0)
		result = check_named(config, *out, errors);
	if (result == LOAD_WRONG)
		authority_free(*out);
	return result;
}

int load_snapshot(struct config *config, const struct settings *before,
	uint64_t generation, const struct load_cas *cas, FILE *errors,
	struct snapshot **out, char *err, size_t err_size)
{
	struct authority *authority;
	struct settings *settings;
	int result;

	result = load_settings(config, before, errors, &settings);
	if (result != 0)
		return result;
	result = load_authority(config, cas, errors, &authority, err,
		err_size);
	if (result == 0)
		*out = snapshot_new(generation, settings, authority);
	settings_unref(settings); /* the snapshot has its own reference */
	return result;
}

int load_refresh(struct snapshot *old, const struct load_cas *cas,
	struct snapshot **out, char *err, size_t err_size)
{
	struct authority *authority;

	if (open_authority(old->config, cas, &authority, err, err_size) != 0)
		return -1;
	*out = snapshot_with(old, authority);
	return 0;
}

bool load_has_store(const char *state)
{
	struct stat info;
	char path[4096];

	snprintf(path, sizeof(path), "%s/" STORE_FILE, state);
	return stat(path, &info) == 0 && info.st_size > 0;
}

/* --- the lock ----------------------------------------------------------- */

static void say_who(int fd, const char *path, char *err, size_t err_size)
{
	char pid[16] = "";
	ssize_t n = pread(fd, pid, sizeof(pid) - 1, 0);

	while (n > 0 && (pid[n - 1] < '0' || pid[n - 1] > '9'))
		pid[--n] = '\0';
	snprintf(err, err_size,
		"another sallyport runs with this state folder (%s%s%s); stop "
		"it, or give this one another `state:`",
		path, n > 0 ? ", pid " : "", pid);
}

/* open_lock opens no more than a file of this folder: whoever else can write
 * to it may have put something else there. */
static int open_lock(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW |
		O_NONBLOCK, 0600);
	struct stat info;

	if (fd < 0 || (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
			      info.st_nlink == 1))
		return fd;
	close(fd);
	errno = EMLINK;
	return -1;
}

int load_lock(const char *state, char *err, size_t err_size)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/lock", state);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		snprintf(err, err_size, "state: the path is too long");
		return -1;
	}
	fd = open_lock(path);
	if (fd < 0) {
		snprintf(err, err_size, "%s: %s", path,
			errno == ELOOP || errno == EMLINK || errno == ENXIO ?
				"is no file of its own: remove it" :
				strerror(errno));
		return -1;
	}
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		say_who(fd, path, err, err_size);
		(void)close(fd);
		return -1;
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%d\n", (int)getpid()) < 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		(void)close(fd);
		return -1;
	}
	return 0; /* fd stays open: the lock is the process's */
}
