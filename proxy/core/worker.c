#include "proxy/core/worker.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cache/lru.h"
#include "proxy/config/config.h"
#include "proxy/config/memory.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/say.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/net/resolve.h"
#include "proxy/report/access.h"
#include "proxy/report/rulebook.h"
#include "proxy/session/client_tls.h"
#include "proxy/session/keylog.h"
#include "proxy/session/origin_tls.h"
#include "proxy/session/outer.h"
#include "proxy/session/outer_tls.h"
#include "proxy/session/pool.h"
#include "proxy/session/quota.h"
#include "proxy/session/services.h"
#include "proxy/session/session.h"

enum {
	LOG_FLUSH_MS = 100,
	SAY_EVERY_MS = 10 * 1000,
	DIALS_EACH = 128, /* a client that is not this machine */
	SIGNING_EACH = 64,
	TLS_SESSIONS = 4096,
	TLS_SESSIONS_BYTES = 16 * 1024 * 1024,
};

enum door_kind { DOOR_PROXY, DOOR_TRANSPARENT, DOOR_PROXY_TLS };

/* One listening socket, and which kind it is. */
struct door {
	struct worker *worker;
	struct listener *listener;
	enum door_kind kind;
};

struct worker {
	pthread_t thread;
	struct loop loop;
	struct services services;
	struct door *doors; /* owned */
	size_t num_doors;
	unsigned max_connections;
	bool full, ending;
	uint64_t said_ms;   /* when it last told of a shortage */
	unsigned closing;   /* what is on its way out, see finish */
	uv_timer_t flush_timer, drain_timer;
	void (*ended)(void);
	atomic_bool gone;   /* its loop has ended */
};

/* What the main thread has to say. */
enum order_kind { ORDER_ADOPT, ORDER_LOOK, ORDER_DRAIN, ORDER_STOP };

struct order {
	struct post post;
	struct worker *worker;
	struct snapshot *snapshot; /* owned */
	enum order_kind kind;
	void (*look)(const struct services *services, void *arg);
	void *arg;
	sem_t *done;               /* borrowed: told when it is; or NULL */
};

/* --- ending ------------------------------------------------------------- */

static void on_gone(void *arg)
{
	struct worker *worker = arg;

	if (--worker->closing > 0)
		return;
	access_flush(worker->services.log);
	loop_stop(&worker->loop);
}

static void on_handle_gone(uv_handle_t *handle)
{
	on_gone(handle->data);
}

static void close_handle(struct worker *worker, uv_handle_t *handle)
{
	worker->closing++;
	uv_close(handle, on_handle_gone);
}

/* finish closes what sessions drew on, once the last of them has gone. */
static void finish(struct worker *worker)
{
	if (worker->ending || worker->services.num_sessions > 0)
		return;
	worker->ending = true;
	worker->closing++;
	pool_close(worker->services.pool, on_gone, worker);
	worker->closing++;
	resolver_close(worker->services.resolver, on_gone, worker);
	close_handle(worker, (uv_handle_t *)&worker->flush_timer);
	close_handle(worker, (uv_handle_t *)&worker->drain_timer);
}

static void close_doors(struct worker *worker)
{
	for (size_t i = 0; i < worker->num_doors; i++) {
		if (worker->doors[i].listener)
			listener_close(worker->doors[i].listener, NULL, NULL);
		worker->doors[i].listener = NULL;
	}
}

static void stop_all(struct worker *worker)
{
	session_stop_all(&worker->services);
	outer_stop_all(&worker->services);
}

static void on_drain_time(uv_timer_t *timer)
{
	stop_all(timer->data);
}

static void drain(struct worker *worker)
{
	const struct config *config = worker->services.snapshot->config;

	if (worker->services.draining)
		return;
	worker->services.draining = true;
	close_doors(worker);
	(void)uv_timer_start(&worker->drain_timer, on_drain_time,
		config->limits.drain_timeout_ms, 0);
	session_drain(&worker->services);
	outer_drain(&worker->services);
	finish(worker);
}

/* --- doors -------------------------------------------------------------- */

static void pause_doors(struct worker *worker, bool pause)
{
	worker->full = pause;
	for (size_t i = 0; i < worker->num_doors; i++) {
		if (!worker->doors[i].listener)
			continue;
		if (pause)
			listener_pause(worker->doors[i].listener);
		else
			listener_resume(worker->doors[i].listener);
	}
}

/* may_say keeps a lasting shortage from filling the log. */
static bool may_say(struct worker *worker)
{
	uint64_t now = loop_now(&worker->loop);

	if (worker->said_ms && now - worker->said_ms < SAY_EVERY_MS)
		return false;
	worker->said_ms = now;
	return true;
}

static void on_accepted(void *arg, int fd, const struct sockaddr *peer)
{
	struct door *door = arg;
	struct worker *worker = door->worker;

	if (door->kind == DOOR_PROXY_TLS)
		outer_accept(&worker->services, fd, peer);
	else
		session_accept(&worker->services, fd, peer,
			door->kind == DOOR_TRANSPARENT);
	if (worker->services.num_sessions < worker->max_connections ||
	    worker->full)
		return;
	pause_doors(worker, true);
	if (!may_say(worker))
		return;
	say("%u connections on a worker, its share of limits.connections: "
		"accepting pauses until some end", worker->max_connections);
}

static void on_paused(void *arg, int error)
{
	struct door *door = arg;

	if (!may_say(door->worker))
		return;
	say("accepting pauses: %s; raise the limit of open files (ulimit -n, "
		"LimitNOFILE) or lower limits.connections", strerror(error));
}

static void on_session_ended(void *arg)
{
	struct worker *worker = arg;

	if (worker->full &&
	    worker->services.num_sessions < worker->max_connections)
		pause_doors(worker, false);
	if (worker->services.draining)
		finish(worker);
}

/* In the order in which they come: see worker_order. */
static enum door_kind kind_of(const struct worker_order *order, size_t number)
{
	if (number < order->num_proxy)
		return DOOR_PROXY;
	return number < order->num_proxy + order->num_transparent ?
		DOOR_TRANSPARENT : DOOR_PROXY_TLS;
}

static int open_doors(struct worker *worker, const struct worker_order *order,
	char *err, size_t err_size)
{
	static const struct listener_ops ops = {on_accepted, on_paused};

	for (size_t i = 0; i < order->num_fds; i++) {
		struct door *door = &worker->doors[i];

		door->worker = worker;
		door->kind = kind_of(order, i);
		if (listener_open(&worker->loop.uv, order->fds[i], &ops, door,
			    &door->listener, err, err_size) != 0)
			return -1;
		worker->num_doors++;
	}
	return 0;
}

/* --- the log ------------------------------------------------------------ */

static void on_flush(uv_timer_t *timer)
{
	struct worker *worker = timer->data;

	access_flush(worker->services.log);
}

/* on_resting starts the timer only when there is something to flush, so that a
 * worker at rest does not wake. */
static void on_resting(void *arg)
{
	struct worker *worker = arg;

	if (!worker->ending && access_pending(worker->services.log) &&
	    !uv_is_active((uv_handle_t *)&worker->flush_timer))
		(void)uv_timer_start(&worker->flush_timer, on_flush,
			LOG_FLUSH_MS, 0);
}

/* --- orders ------------------------------------------------------------- */

static void use_keylog(struct services *services)
{
	struct keylog *keylog = services->shared->keylog;

	keylog_use(keylog, services->client_ctx);
	keylog_use(keylog, services->origin_ctx);
	keylog_use(keylog, services->outer_ctx);
}

/* adopt takes snapshot. A reload may have new users, or roots; where the CAs alone
 * are others it is of the same generation. */
static void adopt(struct services *services, struct snapshot *snapshot)
{
	bool anew = services->snapshot->generation != snapshot->generation;

	snapshot_unref(services->snapshot);
	services->snapshot = snapshot;
	use_keylog(services);
	if (anew)
		session_end_gone(services);
}

static void on_order(struct post *post)
{
	struct order *order = (struct order *)(void *)post;
	struct worker *worker = order->worker;

	switch (order->kind) {
	case ORDER_ADOPT:
		adopt(&worker->services, order->snapshot);
		break;
	case ORDER_LOOK:
		order->look(&worker->services, order->arg);
		break;
	case ORDER_DRAIN:
		drain(worker);
		break;
	case ORDER_STOP:
		drain(worker);
		stop_all(worker);
		break;
	}
	if (order->done)
		sem_post(order->done);
	free(order);
}

static struct order *make_order(struct worker *worker, enum order_kind kind)
{
	struct order *order = calloc(1, sizeof(*order));

	if (!order)
		abort();
	order->post.run = on_order;
	order->worker = worker;
	order->kind = kind;
	return order;
}

static void give_order(struct worker *worker, enum order_kind kind,
	struct snapshot *snapshot, sem_t *done)
{
	struct order *order = make_order(worker, kind);

	order->snapshot = snapshot;
	order->done = done;
	loop_post(&worker->loop, &order->post);
}

/* is_done: one that has ended heeds no orders; nor will it tell. */
static bool is_done(struct worker *worker, sem_t *done)
{
	struct timespec until;

	do {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_sec++;
		if (sem_timedwait(done, &until) == 0)
			return true;
	} while (!atomic_load(&worker->gone));
	return sem_trywait(done) == 0;
}

static sem_t *new_semaphore(void)
{
	sem_t *semaphore = calloc(1, sizeof(*semaphore));

	if (!semaphore || sem_init(semaphore, 0, 0) != 0)
		abort();
	return semaphore;
}

void worker_look(struct worker *worker,
	void (*look)(const struct services *services, void *arg), void *arg)
{
	struct order *order = make_order(worker, ORDER_LOOK);
	sem_t *done = order->done = new_semaphore();

	order->look = look;
	order->arg = arg;
	loop_post(&worker->loop, &order->post);
	if (is_done(worker, done))
		free(done);
}

/* What is told to one that has ended stays with its orders: the memory is let
 * go of with them. */
void worker_adopt_all(struct worker *const *workers, size_t num,
	struct snapshot *snapshot)
{
	sem_t **done = must(calloc(num + 1, sizeof(*done)));

	for (size_t i = 0; i < num; i++) {
		done[i] = new_semaphore();
		give_order(workers[i], ORDER_ADOPT, snapshot_ref(snapshot),
			done[i]);
	}
	for (size_t i = 0; i < num; i++) {
		if (is_done(workers[i], done[i]))
			free(done[i]);
	}
	free(done);
}

void worker_drain(struct worker *worker)
{
	give_order(worker, ORDER_DRAIN, NULL, NULL);
}

void worker_stop(struct worker *worker)
{
	give_order(worker, ORDER_STOP, NULL, NULL);
}

/* --- life --------------------------------------------------------------- */

static void init_handles(struct worker *worker)
{
	uv_loop_t *uv = &worker->loop.uv;

	(void)uv_timer_init(uv, &worker->flush_timer);
	(void)uv_timer_init(uv, &worker->drain_timer);
	worker->flush_timer.data = worker->drain_timer.data = worker;
	worker->loop.resting = on_resting;
	worker->loop.arg = worker;
}

static void init_services(struct worker *worker, struct shared *shared,
	struct snapshot *snapshot, struct access_log *log)
{
	struct services *services = &worker->services;

	services->loop = &worker->loop;
	services->shared = shared;
	services->snapshot = snapshot_ref(snapshot);
	services->log = access_buffer_new(log);
	services->tally.rules = rule_counts_new(shared->rulebook);
	services->tls_sessions = lru_new(TLS_SESSIONS, TLS_SESSIONS_BYTES,
		origin_session_free);
	services->client_ctx = client_tls_ctx(shared->tickets);
	services->origin_ctx = origin_tls_ctx();
	services->outer_ctx = outer_tls_ctx();
	use_keylog(services);
	services->pool = pool_new(services);
	services->dials = quota_new(DIALS_EACH);
	services->connections = quota_new(worker->max_connections / 2 + 1);
	services->signing = quota_new(SIGNING_EACH);
	services->session_ended = on_session_ended;
	services->arg = worker;
}

int worker_new(const struct worker_order *order, struct worker **out,
	char *err, size_t err_size)
{
	const struct config *config = order->snapshot->config;
	struct worker *worker = calloc(1, sizeof(*worker));

	if (!worker)
		abort();
	*out = worker; /* half made too, so that it is not lost sight of */
	worker->max_connections = order->max_connections;
	worker->ended = order->ended;
	worker->doors = calloc(order->num_fds + 1, sizeof(*worker->doors));
	if (!worker->doors)
		abort();
	loop_init(&worker->loop);
	init_handles(worker);
	init_services(worker, order->shared, order->snapshot, order->log);
	if (resolver_new(&worker->loop.uv, config->origin.dns,
		    &worker->services.resolver, err, err_size) != 0)
		return -1;
	return open_doors(worker, order, err, err_size);
}

static void *run(void *arg)
{
	struct worker *worker = arg;

	loop_run(&worker->loop);
	atomic_store(&worker->gone, true);
	worker->ended();
	return NULL;
}

const struct tally *worker_tally(const struct worker *worker)
{
	return &worker->services.tally;
}

void worker_start(struct worker *worker)
{
	if (pthread_create(&worker->thread, NULL, run, worker) != 0)
		abort();
}

void worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
}

void worker_flush(struct worker *worker)
{
	access_flush(worker->services.log);
}

void worker_free(struct worker *worker)
{
	struct services *services = &worker->services;
	struct order *order;

	/* orders that came when it had ended already */
	while ((order = (struct order *)(void *)loop_take_post(&worker->loop))) {
		snapshot_unref(order->snapshot);
		free(order->done);
		free(order);
	}
	loop_clear(&worker->loop);
	access_buffer_free(services->log);
	rule_counts_free(services->tally.rules);
	lru_free(services->tls_sessions);
	quota_free(services->dials);
	quota_free(services->connections);
	quota_free(services->signing);
	SSL_CTX_free(services->client_ctx);
	SSL_CTX_free(services->origin_ctx);
	SSL_CTX_free(services->outer_ctx);
	snapshot_unref(services->snapshot);
	free(worker->doors);
	free(worker);
}
