#include "proxy/core/version.h"

#include <ares.h>
#include <llhttp.h>
#include <openssl/base.h>
#include <sqlite3.h>
#include <stdio.h>
#include <uv/version.h>
#include <yaml.h>

#include "proxy/cli/options.h"

/* c-ares, SQLite and libyaml tell what is running; of the others it is what
 * they were when Sallyport was made. */
static int version(const struct command *self, int argc,
	char **argv)
{
	int code = options_read(self, argc, argv, NULL, 0);

	if (code != OPTIONS_FINE)
		return code;
	printf("sallyport %s\n", SALLYPORT_VERSION);
	printf("BoringSSL API %d\n", BORINGSSL_API_VERSION);
	printf("libuv %d.%d.%d\n", UV_VERSION_MAJOR, UV_VERSION_MINOR,
		UV_VERSION_PATCH);
	printf("llhttp %d.%d.%d\n", LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR,
		LLHTTP_VERSION_PATCH);
	printf("c-ares %s\n", ares_version(NULL));
	printf("SQLite %s\n", sqlite3_libversion());
	printf("libyaml %s\n", yaml_get_version_string());
	return EXIT_DONE;
}

const struct command command_version = {
	.name = "version",
	.summary = "versions of Sallyport and its libraries",
	.help =
		"usage: sallyport version\n"
		"\n"
		"Prints the version of Sallyport and those of the libraries that\n"
		"it is made with, a line each.\n",
	.run = version,
};
