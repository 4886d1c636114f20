#include "proxy/config/state.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/config.h"
#include "proxy/config/handed.h"
#include "proxy/config/places.h"

static char *joined(const char *folder, const char *rest)
{
	char *path = NULL;

	if (asprintf(&path, "%s%s", folder, rest) < 0)
		abort();
	return path;
}

/* home_folder: what HOME says; else what the system knows. */
static const char *home_folder(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user;

	if (home && home[0] == '/')
		return home;
	user = getpwuid(geteuid());
	return user && user->pw_dir && user->pw_dir[0] == '/' ? user->pw_dir :
		NULL;
}

char *state_default(void)
{
	const char *folder = getenv("XDG_STATE_HOME");
	char *handed = handed_state();

	if (handed)
		return handed;
	/* The specification: a path that is not absolute is to be ignored. */
	if (folder && folder[0] == '/')
		return joined(folder, "/sallyport");
	if (geteuid() == 0)
		return joined("/var/lib/sallyport", "");
	folder = home_folder();
	return folder ? joined(folder, "/.local/state/sallyport") : NULL;
}

/* not_made says which folder is missing, and why it stays so. */
static int not_made(const char *path, int why, char *err, size_t err_size)
{
	snprintf(err, err_size, "%s can't be made: %s; choose another place "
		"with state:", path, strerror(why));
	return -1;
}

/* make_folders makes path and what is missing above it. */
static int make_folders(const char *path, char *err, size_t err_size)
{
	char *copy;
	int rc = 0;

	if (asprintf(&copy, "%s/", path) < 0)
		abort();
	for (char *slash = strchr(copy + 1, '/'); slash && rc == 0;
		slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0700) != 0 && errno != EEXIST)
			rc = errno;
		if (rc != 0 && access(copy, F_OK) == 0)
			rc = 0; /* EROFS, EACCES: but it is there */
		if (rc != 0)
			(void)not_made(copy, rc, err, err_size);
		*slash = '/';
	}
	free(copy);
	return rc == 0 ? 0 : -1;
}

/* With the CA in it, the folder is of use to its owner alone. */
static const char *of_another(uid_t owner, char out[256])
{
	const struct passwd *user = getpwuid(owner);
	char number[24];

	snprintf(number, sizeof(number), "'#%lu'", (unsigned long)owner);
	snprintf(out, 256, "belongs to %s; run this as that user: sudo -u %s "
		"sallyport ..., or choose another folder with state:",
		user ? user->pw_name : number, user ? user->pw_name : number);
	return out;
}

/* others_write: as identity_hand_over leaves it, root's folder is open to the
 * worker's group, and each file there is its owner's alone. */
static bool others_write(const struct stat *info)
{
	if (info->st_uid == 0 && (info->st_mode & S_ISVTX))
		return info->st_mode & S_IWOTH;
	return info->st_mode & (S_IWGRP | S_IWOTH);
}

int config_check_state(const struct config *config, char *err, size_t err_size)
{
	const char *why = NULL;
	char owner[256];
	struct stat info;
	int fd;

	fd = open(config->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return CONFIG_NO_STATE;
	if (fd < 0 && errno == ENOTDIR)
		why = "is not a folder; choose another place with state:";
	else if (fd < 0 || fstat(fd, &info) != 0)
		why = strerror(errno);
	else if (info.st_uid != geteuid() && geteuid() != 0)
		why = of_another(info.st_uid, owner);
	else if (others_write(&info))
		why = "can be written to by others; chmod 700 makes it safe";
	if (fd >= 0)
		close(fd);
	if (why)
		snprintf(err, err_size, "state: %s: %s", config->state, why);
	return why ? -1 : 0;
}

static bool may_write(const char *folder)
{
	return faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) == 0;
}

/* check_use: whoever runs a proxy there writes to it. */
static int check_use(const struct config *config, char *err, size_t err_size)
{
	int result = config_check_state(config, err, err_size);

	if (result != 0 || may_write(config->state))
		return result;
	snprintf(err, err_size, "state: %s: can't be written to: %s; %schoose "
		"another place with state:", config->state, strerror(errno),
		errno == EACCES ? "chmod 700 it, or " : "");
	return -1;
}

/* nearest_there: path, or the first above it that is there; the caller's. */
static char *nearest_there(const char *path)
{
	char *above = strdup(path), *slash;

	if (!above)
		abort();
	while (access(above, F_OK) != 0 && (slash = strrchr(above, '/')))
		slash[slash == above] = '\0';
	if (access(above, F_OK) == 0)
		return above;
	free(above);
	return joined(".", "");
}

static bool is_anothers_folder(const char *path)
{
	struct stat info;

	return geteuid() != 0 && stat(path, &info) == 0 &&
		S_ISDIR(info.st_mode) && info.st_uid != geteuid();
}

int config_check_prepare(const struct config *config, char *err,
	size_t err_size)
{
	char *there = nearest_there(config->state);
	int result = check_use(config, err, err_size);

	if (result == CONFIG_NO_STATE)
		result = may_write(there) ? 0 :
			not_made(config->state, errno, err, err_size);
	if (result != 0 && is_anothers_folder(there))
		result = CONFIG_ANOTHERS;
	free(there);
	return result;
}

int config_prepare_state(const struct config *config, char *err,
	size_t err_size)
{
	if (make_folders(config->state, err, err_size) != 0)
		return -1;
	return check_use(config, err, err_size) == 0 ? 0 : -1;
}

/* machine_name is this machine's name as a host of a URL. */
static void machine_name(char out[HOST_SIZE])
{
	char name[HOST_SIZE] = "";

	if (gethostname(name, sizeof(name) - 1) != 0 ||
		host_normalize(name, strlen(name), out) == HOST_BAD)
		snprintf(out, HOST_SIZE, "localhost");
}

void config_proxy_address(const struct config *config, char *out, size_t size)
{
	const struct endpoint *first = &config->proxy.at[0];
	char *handed = handed_address();
	char name[HOST_SIZE];

	if (handed) {
		snprintf(out, size, "%s", handed);
	} else if (place_is_wildcard(first)) {
		machine_name(name);
		snprintf(out, size, "%s:%u", name, place_port(first));
	} else {
		snprintf(out, size, "%s", first->text);
	}
	free(handed);
}

void config_crl_base(const struct config *config, char *out, size_t size)
{
	char address[PROXY_ADDRESS_SIZE];

	if (config->issuing.crl_url) {
		snprintf(out, size, "%s", config->issuing.crl_url);
	} else {
		config_proxy_address(config, address, sizeof(address));
		snprintf(out, size, "http://%s", address);
	}
}
