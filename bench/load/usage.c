#include "bench/load/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* cpu_of reads utime and stime, fields 14 and 15: counted from behind the
 * process's name, which may hold anything (proc(5)). */
static double cpu_of(long pid)
{
	unsigned long user = 0, system = 0;
	char path[64], line[1024];
	const char *at = NULL;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	if (fgets(line, sizeof(line), file))
		at = strrchr(line, ')');
	fclose(file);
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u "
				  "%*u %lu %lu", &user, &system) != 2)
		return 0;
	return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double rss_of(long pid)
{
	char path[64], line[256];
	double kb = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	file = fopen(path, "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "VmRSS: %lf", &kb) == 1)
			break;
	fclose(file);
	return kb;
}

struct usage usage_of(const char *pids)
{
	struct usage sum = {0};
	char *next = NULL;
	long pid;

	for (const char *at = pids; at && *at; at = *next ? next + 1 : next) {
		pid = strtol(at, &next, 10);
		if (next == at)
			break;
		sum.cpu_s += cpu_of(pid);
		sum.rss_kb += rss_of(pid);
	}
	return sum;
}

double usage_own_cpu(void)
{
	struct rusage self;

	getrusage(RUSAGE_SELF, &self);
	return seconds(self.ru_utime) + seconds(self.ru_stime);
}
