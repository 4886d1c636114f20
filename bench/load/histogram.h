/*
 * histogram.h - counts of times, to say what half of them stayed below.
 *
 * Log-linear: 128 steps to each power of two of microseconds, so that a value
 * is told to better than 1 %, up to half an hour.
 */
#ifndef BENCH_LOAD_HISTOGRAM_H
#define BENCH_LOAD_HISTOGRAM_H

enum { HISTOGRAM_STEPS = 3328 };

struct histogram {
	unsigned long counts[HISTOGRAM_STEPS];
};

void histogram_add(struct histogram *histogram, double seconds);

/* histogram_at: the microseconds that this part (0 to 1) of them stayed
 * below; 0 of none. */
double histogram_at(const struct histogram *histogram, double part);

#endif
