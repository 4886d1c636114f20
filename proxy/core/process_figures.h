/*
 * process_figures.h - what this process takes of the machine.
 *
 * Threads: any.
 */
#ifndef PROXY_CORE_PROCESS_FIGURES_H
#define PROXY_CORE_PROCESS_FIGURES_H

#include <stdint.h>

struct process_figures { /* what can't be found out is 0 */
	double cpu_s;
	uint64_t resident, virtual; /* bytes */
	uint64_t open_fds, max_fds;
};

void process_figures_read(struct process_figures *out);

#endif
