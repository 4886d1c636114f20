#include "proxy/cli/setup.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/core/load.h"

int setup_failed(const char *what)
{
	fprintf(stderr, "sallyport: %s\n", what);
	return EXIT_FAILED;
}

int setup_config(const char *file, struct config **out)
{
	return config_load(file, out, stderr) == 0 ? OPTIONS_FINE : EXIT_WRONG;
}

/* become_owner: what root would write into a service's folder, the service could
 * not read; and it need not trust what it finds there. */
static int become_owner(const char *folder)
{
	struct stat info;

	if (geteuid() != 0 || stat(folder, &info) != 0 || info.st_uid == 0 ||
		!S_ISDIR(info.st_mode))
		return OPTIONS_FINE;
	if (setgroups(0, NULL) == 0 && setgid(info.st_gid) == 0 &&
		setuid(info.st_uid) == 0)
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport: becoming the owner of %s: %s\n", folder,
		strerror(errno));
	return EXIT_FAILED;
}

int setup_options(const struct config *config, char crl_base[CRL_BASE_SIZE],
	struct authority_options *options)
{
	char err[1024];

	if (become_owner(config->state) != OPTIONS_FINE)
		return EXIT_FAILED;
	if (config_prepare_state(config, err, sizeof(err)) != 0)
		return setup_failed(err);
	load_authority_options(config, crl_base, options);
	return OPTIONS_FINE;
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

static int look(const struct config *config, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out)
{
	struct authority_options options;
	char err[1024];
	int result;

	if (become_owner(config->state) != OPTIONS_FINE)
		return EXIT_FAILED;
	result = config_check_state(config, err, sizeof(err));
	if (result == CONFIG_NO_STATE)
		return no_ca(config);
	if (result != 0)
		return setup_failed(err);
	load_authority_options(config, crl_base, &options);
	result = authority_look(&options, out, err, sizeof(err));
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
