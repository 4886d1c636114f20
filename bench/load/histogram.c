#include "bench/load/histogram.h"

enum { HALF = 128 }; /* steps to a power of two */

void histogram_add(struct histogram *histogram, double seconds)
{
	unsigned long us = seconds > 0 ? (unsigned long)(seconds * 1e6) : 0;
	unsigned long power = 0, step;

	while (us >> power >= 2 * HALF)
		power++;
	step = power * HALF + (us >> power);
	if (step >= HISTOGRAM_STEPS)
		step = HISTOGRAM_STEPS - 1;
	histogram->counts[step]++;
}

static double value_of(unsigned long step)
{
	unsigned long power = step < 2 * HALF ? 0 : step / HALF - 1;

	return (double)((step - power * HALF) << power);
}

double histogram_at(const struct histogram *histogram, double part)
{
	unsigned long all = 0, seen = 0;

	for (unsigned long i = 0; i < HISTOGRAM_STEPS; i++)
		all += histogram->counts[i];
	for (unsigned long i = 0; all && i < HISTOGRAM_STEPS; i++) {
		seen += histogram->counts[i];
		if ((double)seen >= part * (double)all)
			return value_of(i);
	}
	return 0;
}
