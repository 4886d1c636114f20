/*
 * usage.h - what processes have used so far, as the kernel counts it.
 *
 * The kernel charges the work of receiving over loopback to whoever sends; the
 * rule is the same for every proxy that is measured.
 */
#ifndef BENCH_LOAD_USAGE_H
#define BENCH_LOAD_USAGE_H

struct usage {
	double cpu_s;  /* user and system time of all their threads */
	double rss_kb; /* resident memory, what is shared counted in each */
};

/* usage_of adds up the processes of a list "12,34"; NULL or "": none. One that
 * is gone counts nothing. */
struct usage usage_of(const char *pids);

/* usage_own_cpu is this process's own CPU time in seconds. */
double usage_own_cpu(void);

#endif
