#include "proxy/tools/apt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/tools/program.h"

enum { SAID = 4096 + 304 }; /* a path, and what names it */

bool apt_bundle(const char *path, char **out)
{
	char config[SAID], said[SAID];
	const char *const argv[] = {"env", config, "apt-config", "dump",
		"--format", "%v%n", "Acquire::https::CaInfo", NULL};
	char *program = program_find("apt-config");
	bool asked = program &&
		(size_t)snprintf(config, sizeof(config), "APT_CONFIG=%s",
			path) < sizeof(config) &&
		program_run(argv, NULL, said, sizeof(said)) == 0;

	free(program);
	*out = NULL;
	if (!asked)
		return false;
	said[strcspn(said, "\n")] = '\0';
	if (said[0])
		*out = strdup(said);
	return true;
}

bool apt_can_name(const char *path)
{
	return path[strcspn(path, "\"\n\r")] == '\0';
}
