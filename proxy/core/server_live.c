/* server_live.c - the connections of all workers, the oldest first. */
#include <stdlib.h>
#include <string.h>

#include "proxy/config/memory.h"
#include "proxy/core/server_private.h"
#include "proxy/core/worker.h"
#include "proxy/session/live.h"

/* look runs on the worker's own thread. */
static void look(const struct services *services, void *arg)
{
	live_list(services, arg);
}

/* add takes one's. */
static void add(struct live_list *out, struct live_list *one)
{
	out->at = must(reallocarray(out->at, out->num + one->num + 1,
		sizeof(*out->at)));
	memcpy(out->at + out->num, one->at, one->num * sizeof(*one->at));
	out->num += one->num;
	out->all += one->all;
	free(one->at);
}

static int older(const void *a, const void *b)
{
	const struct live *x = a, *y = b;

	return (x->age_ms < y->age_ms) - (x->age_ms > y->age_ms);
}

/* As many of each worker as are wanted of all: they may be one's. */
void server_live(void *arg, struct live_list *list)
{
	struct server *server = arg;
	unsigned num = atomic_load(&server->carrying) ? server->num_workers : 0;
	struct live_list all = {.at = NULL};

	for (unsigned i = 0; i < num; i++) {
		struct live_list one = {.most = list->most};

		one.at = must(calloc(one.most + 1, sizeof(*one.at)));
		worker_look(server->workers[i], look, &one);
		add(&all, &one);
	}
	if (all.num > 0)
		qsort(all.at, all.num, sizeof(*all.at), older);
	list->at = all.at;
	list->num = all.num < list->most ? all.num : list->most;
	list->all = all.all;
}
