#include "proxy/cli/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "pki/keeper.h"
#include "pki/passphrase.h"
#include "pki/store.h"
#include "proxy/core/harden.h"
#include "proxy/core/identity.h"
#include "proxy/core/load.h"

int setup_failed(const char *what)
{
	fprintf(stderr, "sallyport: %s\n", what);
	return EXIT_FAILED;
}

int setup_config(const char *file, struct config **out)
{
	return config_load_to_look(file, out, stderr) == 0 ? OPTIONS_FINE : EXIT_WRONG;
}

/* owner_of_store: whom the proxy has given its database to, where that is there
 * and nobody has put another file in its place. */
static uid_t owner_of_store(int folder, uid_t otherwise)
{
	struct stat info;

	if (fstatat(folder, STORE_FILE, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(info.st_mode) || info.st_nlink != 1 || info.st_uid == 0)
		return otherwise;
	return info.st_uid;
}

/* find_owner: as whom to work in the folder; false: as root. One of root's that a
 * proxy has opened to its worker (identity_hand_over) is the worker's. */
static bool find_owner(const char *path, int folder, struct identity *out)
{
	struct identity worker, keeper;
	struct stat info;

	if (fstat(folder, &info) != 0)
		return false;
	*out = (struct identity){info.st_uid, info.st_gid};
	if (info.st_uid == 0 && (info.st_mode & S_IWGRP)) {
		identity_find(path, &worker, &keeper);
		out->uid = owner_of_store(folder, worker.uid);
	}
	return out->uid != 0;
}

/* Whom root acts as; its uid is 0 where it does not. */
static struct identity acting;

/* become_owner: what root would write into a service's folder, the service could
 * not read; and it need not trust what it finds there. out is the folder as it
 * is reached from then on; its descriptor stays open. */
static int become_owner(const char *folder, char *out, size_t size)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct identity owner;
	char err[FILE_ERR_SIZE];

	snprintf(out, size, "%s", folder);
	if (fd < 0 || geteuid() != 0 || !find_owner(folder, fd, &owner))
		return OPTIONS_FINE;
	if (identity_assume(&owner) != 0) {
		snprintf(err, sizeof(err), "%s: can't act as the user %lu, "
			"whose it is: %s", folder, (unsigned long)owner.uid,
			strerror(errno));
		return setup_failed(err);
	}
	acting = owner;
	identity_reach(folder, fd, out, size);
	return OPTIONS_FINE;
}

/* act_no_more: whom it acts as changes what others may see of the process. */
static void act_no_more(void)
{
	identity_resume();
	acting = (struct identity){.uid = 0};
	harden_end();
}

int setup_open_file(const char *path, int flags)
{
	int fd, why;

	identity_resume();
	fd = open(path, flags | O_CLOEXEC, 0644);
	why = errno;
	if (identity_assume(&acting) != 0)
		abort();
	errno = why;
	return fd;
}

/* no_ca: whoever asks for a root that is not there has most likely another
 * folder in mind. */
static int no_ca(const struct config *config)
{
	char address[PROXY_ADDRESS_SIZE];

	config_proxy_address(config, address, sizeof(address));
	fprintf(stderr, "sallyport: there is no CA in %s yet: \"sallyport run\" "
		"makes one at its first start, \"sallyport ca import\" brings "
		"one. Where Sallyport runs as a service, look at its folder, as "
		"root or with its -c FILE, or fetch http://%s/ca/root.pem\n",
		config->state, address);
	return EXIT_FAILED;
}

static void make_keeper(const struct config *config, struct setup *out)
{
	struct keeper_rules rules = {
		.validity_s = config->issuing.validity_s,
		.rotate_s = config->issuing.rotate_s,
	};

	config_crl_base(config, out->crl_base, sizeof(out->crl_base));
	snprintf(rules.crl_base, sizeof(rules.crl_base), "%s", out->crl_base);
	out->keeper = keeper_new(passphrase_keylock(out->passphrase));
	keeper_set_rules(out->keeper, &rules);
	out->link = (struct keeper_link){keeper_local, out->keeper,
		passphrase_source(out->passphrase)};
	out->options = (struct authority_options){
		.state = out->state,
		.crl_base = out->crl_base,
		.link = &out->link,
	};
}

/* give_secret: the lock tells who runs the proxy in somebody's folder; where that
 * is not root, a passphrase that root has made would be of no use to it. */
static void give_secret(const struct config *config)
{
	char path[4096];
	struct stat lock, info;
	int fd;

	snprintf(path, sizeof(path), "%s/lock", config->state);
	if (lstat(path, &lock) != 0 || lock.st_uid == 0)
		return;
	snprintf(path, sizeof(path), "%s/keys.secret", config->state);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_nlink == 1)
		(void)!fchown(fd, lock.st_uid, lock.st_gid);
	close(fd);
}

/* The passphrase may be root's to read; the rest is the owner's. */
static int find_passphrase(const struct config *config, bool anew,
	struct setup *out)
{
	struct passphrase_options options = {
		.state = config->state,
		.file = config->passphrase_file,
		.may_make = anew || !load_has_store(config->state),
	};
	struct stat info;
	char err[1024];

	if (stat(config->state, &info) == 0)
		options.owner = info.st_uid;
	if (passphrase_find(&options, &out->passphrase, err,
		    sizeof(err)) != 0)
		return setup_failed(err);
	if (passphrase_made(out->passphrase))
		give_secret(config);
	return OPTIONS_FINE;
}

static void begin(struct setup *out)
{
	memset(out, 0, sizeof(*out));
	snprintf(out->who, sizeof(out->who), "command (uid %lu)",
		(unsigned long)getuid());
}

static int open_with(const struct config *config, bool anew,
	struct setup *out)
{
	char err[1024];

	begin(out);
	harden_private();
	if (config_prepare_state(config, err, sizeof(err)) != 0)
		return setup_failed(err);
	if (find_passphrase(config, anew, out) != OPTIONS_FINE ||
	    become_owner(config->state, out->state,
		    sizeof(out->state)) != OPTIONS_FINE)
		return EXIT_FAILED;
	make_keeper(config, out);
	return OPTIONS_FINE;
}

int setup_open(const struct config *config, struct setup *out)
{
	return open_with(config, false, out);
}

int setup_open_anew(const struct config *config, struct setup *out)
{
	return open_with(config, true, out);
}

/* check_store: CONFIG_NO_STATE also where the folder has no store yet. */
static int check_store(const struct config *config, char *err, size_t err_size)
{
	int result = config_check_state(config, err, err_size);

	return result == 0 && !load_has_store(config->state) ?
		CONFIG_NO_STATE : result;
}

bool setup_has_no_ca(const struct config *config)
{
	char err[1024];

	return check_store(config, err, sizeof(err)) == CONFIG_NO_STATE;
}

int setup_open_to_look(const struct config *config, struct setup *out)
{
	char err[1024];
	int result = check_store(config, err, sizeof(err));

	begin(out);
	if (result == CONFIG_NO_STATE)
		return no_ca(config);
	if (result != 0)
		return setup_failed(err);
	if (become_owner(config->state, out->state,
		    sizeof(out->state)) != OPTIONS_FINE)
		return EXIT_FAILED;
	config_crl_base(config, out->crl_base, sizeof(out->crl_base));
	out->options = (struct authority_options){
		.state = out->state, .crl_base = out->crl_base};
	return OPTIONS_FINE;
}

void setup_close(struct setup *setup)
{
	keeper_free(setup->keeper);
	passphrase_free(setup->passphrase);
	act_no_more();
}

static int look(const struct config *config, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out)
{
	struct authority_options options;
	char err[1024], state[4096];
	int result;

	result = config_check_state(config, err, sizeof(err));
	if (result == CONFIG_NO_STATE)
		return no_ca(config);
	if (result != 0)
		return setup_failed(err);
	if (become_owner(config->state, state, sizeof(state)) != OPTIONS_FINE)
		return EXIT_FAILED;
	config_crl_base(config, crl_base, CRL_BASE_SIZE);
	options = (struct authority_options){
		.state = state, .crl_base = crl_base};
	result = authority_look(&options, out, err, sizeof(err));
	act_no_more();
	if (result == 0)
		return OPTIONS_FINE;
	authority_view_clear(out);
	return result == AUTHORITY_NONE ? no_ca(config) : setup_failed(err);
}

int setup_view(const char *file, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out)
{
	struct config *config;
	int code = setup_config(file, &config);

	if (code != OPTIONS_FINE)
		return code;
	code = look(config, crl_base, out);
	config_free(config);
	return code;
}
