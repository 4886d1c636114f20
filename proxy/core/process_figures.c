#include "proxy/core/process_figures.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

static double seconds(const struct timeval *time)
{
	return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static double cpu_time(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0)
		return 0;
	return seconds(&usage.ru_utime) + seconds(&usage.ru_stime);
}

/* proc(5): sizes in pages, the whole and what is resident. */
static void read_memory(struct process_figures *out)
{
	FILE *file = fopen("/proc/self/statm", "re");
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	unsigned long whole, resident;

	if (!file)
		return;
	if (fscanf(file, "%lu %lu", &whole, &resident) == 2) {
		out->virtual = whole * page;
		out->resident = resident * page;
	}
	fclose(file);
}

/* The folder itself is one of those that are open while it is read. */
static uint64_t count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t num = 0;

	if (!folder)
		return 0;
	for (struct dirent *entry; (entry = readdir(folder));)
		num += entry->d_name[0] != '.';
	closedir(folder);
	return num > 0 ? num - 1 : 0;
}

void process_figures_read(struct process_figures *out)
{
	struct rlimit limit;

	*out = (struct process_figures){.cpu_s = cpu_time()};
	read_memory(out);
	out->open_fds = count_fds();
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		out->max_fds = limit.rlim_cur;
}
