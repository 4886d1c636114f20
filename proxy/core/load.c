#include "proxy/core/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pki/trust.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"

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

		if (trust_add_file(trust, file->path, err, sizeof(err)) != 0)
			mistakes_error(mistakes, file->line,
				"origin.trust: %s", err);
	}
}

int load_trust(const struct config *config, FILE *errors, struct trust **out)
{
	struct mistakes mistakes = {.file = config->path};
	struct trust *trust = trust_new();
	int result = 0;

	add_roots(config, trust, &mistakes);
	mistakes_print(&mistakes, errors);
	if (mistakes.errors > 0) {
		trust_free(trust);
		result = LOAD_WRONG;
	} else {
		*out = trust;
	}
	mistakes_clear(&mistakes);
	return result;
}

void load_authority_options(const struct config *config,
	char crl_base[CRL_BASE_SIZE], struct authority_options *out)
{
	config_crl_base(config, crl_base, CRL_BASE_SIZE);
	*out = (struct authority_options){
		.state = config->state,
		.passphrase_file = config->passphrase_file,
		.crl_base = crl_base,
	};
}

static int load_authority(const struct config *config,
	struct authority **out, char *err, size_t err_size)
{
	char crl_base[CRL_BASE_SIZE];
	struct authority_options options;

	load_authority_options(config, crl_base, &options);
	return authority_open(&options, out, err, err_size);
}

int load_snapshot(struct config *config, uint64_t generation, FILE *errors,
	struct snapshot **out, char *err, size_t err_size)
{
	struct authority *authority;
	struct trust *trust;

	if (load_trust(config, errors, &trust) != 0) {
		config_free(config);
		return LOAD_WRONG;
	}
	if (load_authority(config, &authority, err, err_size) != 0) {
		trust_free(trust);
		config_free(config);
		return -1;
	}
	*out = snapshot_new(generation, config, trust, authority);
	return 0;
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

int load_lock(const char *state, char *err, size_t err_size)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/lock", state);
	if (n < 0 || (size_t)n >= sizeof(path)) {
		snprintf(err, err_size, "state: the path is too long");
		return -1;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
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
