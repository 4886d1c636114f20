#include "proxy/tools/docker.h"

#include <stdlib.h>

#include "proxy/cli/setup.h"
#include "proxy/cli/target.h"

struct bases {
	bool debian, alpine, rhel;
};

static int pick(const struct bases *bases, enum docker_base *out)
{
	if (bases->debian + bases->alpine + bases->rhel > 1) {
		fputs("sallyport docker: give only one of --debian, --alpine "
			"and --rhel\n", stderr);
		return EXIT_WRONG;
	}
	*out = bases->alpine ? DOCKER_ALPINE :
		bases->rhel ? DOCKER_RHEL : DOCKER_DEBIAN;
	return OPTIONS_FINE;
}

static int docker(const struct command *self, int argc, char **argv)
{
	struct target_order order = {.config = NULL};
	struct bases bases = {.debian = false};
	const struct option_row rows[] = {
		TARGET_ROOT_ROWS(order),
		{.name = "debian", .flag = &bases.debian},
		{.name = "alpine", .flag = &bases.alpine},
		{.name = "rhel", .flag = &bases.rhel},
	};
	enum docker_base base;
	char *root_pem;
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = pick(&bases, &base);
	if (code == OPTIONS_FINE)
		code = target_root_sure(&order, &root_pem);
	if (code != OPTIONS_FINE)
		return code;
	docker_write(stdout, base, root_pem);
	free(root_pem);
	return EXIT_DONE;
}

const struct command command_docker = {
	.name = "docker",
	.summary = "print lines for a Dockerfile by which an image trusts it",
	.help =
		"usage: sallyport docker [--debian | --alpine | --rhel] [-c FILE]\n"
		"                        [--proxy HOST:PORT] [--ca FILE]\n"
		"\n"
		"Prints lines to put behind FROM: they bring the proxy's root\n"
		"certificate, have the image trust it, and set the variables by\n"
		"which tools that trust nothing else do. The certificate stands in\n"
		"them; BuildKit, which docker builds with since 23.0, is needed.\n"
		"\n"
		"  --debian            Debian, Ubuntu and what is made of them\n"
		"                      (the default)\n"
		"  --alpine, --rhel    Alpine; Fedora, RHEL and their kin\n"
		TARGET_ROOT_HELP,
	.run = docker,
};
