/*
 * micro.h - a hot piece, alone, for a second: "name value unit".
 *
 * Each program here measures one piece of the product through its header. The
 * figure is the median of several runs, CPU time of the calling thread, so that
 * what else the machine does matters little.
 */
#ifndef BENCH_MICRO_H
#define BENCH_MICRO_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { MICRO_RUNS = 7 };
static const double MICRO_RUN_S = .15;

static inline double micro_cpu(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline int micro_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* micro calls what(arg) over and over and prints the time of one call. */
static inline void micro(const char *name, void (*what)(void *arg), void *arg)
{
	double runs[MICRO_RUNS], begin, spent;
	unsigned long calls, batch = 1;

	for (unsigned i = 0; i < MICRO_RUNS; i++) {
		begin = micro_cpu(CLOCK_THREAD_CPUTIME_ID);
		calls = 0;
		do {
			for (unsigned long k = 0; k < batch; k++)
				what(arg);
			calls += batch;
			spent = micro_cpu(CLOCK_THREAD_CPUTIME_ID) - begin;
			if (spent < MICRO_RUN_S / 100)
				batch *= 2;
		} while (spent < MICRO_RUN_S);
		runs[i] = spent / (double)calls * 1e9;
	}
	qsort(runs, MICRO_RUNS, sizeof(runs[0]), micro_order);
	printf("%s %.1f ns\n", name, runs[MICRO_RUNS / 2]);
}

/* must ends the program with a word if something went wrong. */
static inline void must(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "micro: %s\n", what);
	exit(1);
}

#endif
