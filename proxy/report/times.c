#include "proxy/report/times.h"

const uint32_t times_bounds[TIMES_BOUNDS] = {1, 2, 5, 10, 25, 50, 100, 250, 500,
	1000, 2500, 5000, 10000, 30000};

void times_read(const struct times *times, struct times_sum *sum)
{
	for (size_t i = 0; i <= TIMES_BOUNDS; i++)
		sum->counts[i] += count_read(&times->counts[i]);
	sum->ms += count_read(&times->ms);
}
