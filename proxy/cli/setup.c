#include "proxy/cli/setup.h"

#include <stdio.h>

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

int setup_options(const struct config *config, char crl_base[CRL_BASE_SIZE],
	struct authority_options *options)
{
	char err[1024];

	if (config_prepare_state(config, err, sizeof(err)) != 0)
		return setup_failed(err);
	load_authority_options(config, crl_base, options);
	return OPTIONS_FINE;
}

int setup_view(const char *file, char crl_base[CRL_BASE_SIZE],
	struct authority_view *out)
{
	struct authority_options options;
	struct config *config;
	char err[1024];
	int code = setup_config(file, &config);

	if (code != OPTIONS_FINE)
		return code;
	code = setup_options(config, crl_base, &options);
	if (code == OPTIONS_FINE &&
		authority_look(&options, out, err, sizeof(err)) != 0) {
		authority_view_clear(out);
		code = setup_failed(err);
	}
	config_free(config);
	return code;
}
