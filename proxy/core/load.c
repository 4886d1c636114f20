#include "proxy/core/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "pki/authority.h"
#include "pki/trust.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"

static int load_trust(const struct config *config, struct trust **out,
	char *err, size_t err_size)
{
	struct trust *trust = trust_new();
	int result = 0;

	if (config->origin.trust_system)
		result = trust_add_system(trust, err, err_size);
	for (size_t i = 0; i < config->origin.num_trust_files && result == 0;
	     i++)
		result = trust_add_file(trust, config->origin.trust_files[i],
			err, err_size);
	if (result != 0) {
		trust_unref(trust);
		return -1;
	}
	*out = trust;
	return 0;
}

static int load_authority(const struct config *config,
	struct authority **out, char *err, size_t err_size)
{
	char base[512];
	struct authority_options options = {
		.state = config->state,
		.passphrase_file = config->passphrase_file,
		.crl_base = base,
	};

	config_crl_base(config, base, sizeof(base));
	return authority_open(&options, out, err, err_size);
}

int load_snapshot(struct config *config, uint64_t generation,
	struct snapshot **out, char *err, size_t err_size)
{
	struct authority *authority;
	struct trust *trust;

	if (load_trust(config, &trust, err, err_size) != 0) {
		config_free(config);
		return -1;
	}
	if (load_authority(config, &authority, err, err_size) != 0) {
		trust_unref(trust);
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
