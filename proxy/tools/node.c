#include "proxy/tools/node.h"

#include <stdio.h>
#include <string.h>

#include "proxy/tools/program.h"

enum { WAIT_MS = 2000 };

enum node_reach node_reach(const char *version)
{
	unsigned major, minor;

	if (sscanf(version, "v%u.%u.", &major, &minor) != 2)
		return NODE_ALL;
	if (major == 22)
		return minor >= 21 ? NODE_ALL : NODE_NONE;
	if (major == 24)
		return minor >= 5 ? NODE_ALL : NODE_FETCH;
	return major > 24 ? NODE_ALL : NODE_NONE;
}

void node_version(const char *program, char *out, size_t size)
{
	const char *const argv[] = {program, "--version", NULL};

	if (program_run_within(argv, NULL, out, size, WAIT_MS) != 0)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

bool node_is(const char *program)
{
	const char *slash = strrchr(program, '/');

	if (slash)
		program = slash + 1;
	return strcmp(program, "node") == 0 || strcmp(program, "nodejs") == 0;
}
