/* The leaf cache: one thread alone, then as many as there are CPUs, at it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "bench/micro/micro.h"
#include "cache/shards.h"

enum { SITES = 10000, KEY = 32, GETS = 1000000, THREADS_MAX = 64 };

static atomic_ulong refs;

static void *ref(void *value)
{
	atomic_fetch_add(&refs, 1);
	return value;
}

static void unref(void *value)
{
	(void)value;
	atomic_fetch_sub(&refs, 1);
}

static const struct shards_type type = {ref, unref};

static void key_of(unsigned site, uint8_t key[KEY])
{
	memset(key, 0, KEY);
	for (unsigned i = 0; i < sizeof(site); i++)
		key[i] = (uint8_t)(site * 2654435761u >> (8 * i));
}

static void get(struct shards *shards, unsigned i)
{
	uint8_t key[KEY];
	void *value;

	key_of(i * 7919u % SITES, key);
	value = shards_get(shards, key, KEY, 1);
	must(value != NULL, "not in the cache");
	unref(value);
}

static void get_next(void *arg)
{
	static unsigned i;

	get(arg, i++);
}

static void *worker(void *arg)
{
	for (unsigned i = 0; i < GETS; i++)
		get(arg, i);
	return NULL;
}

/* contended: the time of a look-up on the wall while all are at it, that is
 * what a worker waits. */
static void contended(struct shards *shards, unsigned threads)
{
	pthread_t ids[THREADS_MAX];
	double begin = micro_cpu(CLOCK_MONOTONIC), spent;

	for (unsigned i = 0; i < threads; i++)
		must(pthread_create(&ids[i], NULL, worker, shards) == 0,
			"no thread");
	for (unsigned i = 0; i < threads; i++)
		pthread_join(ids[i], NULL);
	spent = micro_cpu(CLOCK_MONOTONIC) - begin;
	printf("leaf-cache-get-%u-threads %.1f ns\n", threads,
		spent / GETS * 1e9);
}

int main(void)
{
	struct shards *shards = shards_new(16, 2 * SITES, SIZE_MAX, &type);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint8_t key[KEY];

	for (unsigned i = 0; i < SITES; i++) {
		key_of(i, key);
		shards_put(shards, key, KEY, &refs, 1, UINT64_MAX, 1);
	}
	micro("leaf-cache-get", get_next, shards);
	contended(shards, cpus > THREADS_MAX ? THREADS_MAX : (unsigned)cpus);
	shards_free(shards);
	return 0;
}
