#include "proxy/tools/node.h"

#include <stdio.h>
#include <string.h>

bool node_knows_proxies(const char *version)
{
	unsigned major, minor;

	if (sscanf(version, "v%u.%u.", &major, &minor) != 2)
		return true;
	if (major == 22)
		return minor >= 21;
	return major > 24 || (major == 24 && minor >= 5);
}

bool node_is(const char *program)
{
	static const char *const names[] = {"node", "nodejs", "npm", "npx",
		"yarn", "pnpm", "corepack"};
	const char *slash = strrchr(program, '/');

	if (slash)
		program = slash + 1;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (strcmp(names[i], program) == 0)
			return true;
	}
	return false;
}
