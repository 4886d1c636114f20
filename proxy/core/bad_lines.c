#include "proxy/core/bad_lines.h"

enum { TOLD_MAX = 20 };

void bad_lines_tell(struct bad_lines *bad, unsigned line, const char *what)
{
	if (++bad->num <= TOLD_MAX)
		fprintf(bad->out, "%s:%u: warning: %s\n", bad->path, line, what);
}

void bad_lines_end(const struct bad_lines *bad)
{
	if (bad->num > TOLD_MAX)
		fprintf(bad->out, "%s: warning: and %zu more\n", bad->path,
			bad->num - TOLD_MAX);
}
