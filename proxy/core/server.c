#include "proxy/core/server.h"

#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cache/flight.h"
#include "cache/shards.h"
#include "pki/authority.h"
#include "pki/leafkeys.h"
#include "proxy/config/config.h"
#include "proxy/config/fixed.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/load.h"
#include "proxy/core/worker.h"
#include "proxy/net/listener.h"
#include "proxy/report/access.h"
#include "proxy/session/answer.h"
#include "proxy/session/leaves.h"
#include "proxy/session/origin_tls.h"
#include "proxy/session/services.h"
#include "proxy/session/tickets.h"

enum {
	SHARDS = 16,
	VERDICTS = 8192,
	VERDICTS_BYTES = 8 * 1024 * 1024,
	UNDECRYPTABLE = 4096,
	CRL_CHECK_S = 3600,
	WORKERS_MAX = 256, /* as of `workers`; more cores are left alone */
};

struct server {
	const char *path;
	struct snapshot *snapshot; /* in force */
	struct snapshot *started;  /* whose listeners and workers there are */
	struct shared shared;
	struct access_log *log;
	struct worker *workers[WORKERS_MAX];
	unsigned num_workers;
	bool stopping;
};

static void say(const char *format, ...)
	__attribute__((format(printf, 1, 2)));

static void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("sallyport: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
}

/* --- what workers share ------------------------------------------------- */

/* The cache of undecryptable sites holds no values, only that they are. */
static void *mark_ref(void *mark)
{
	return mark;
}

static void mark_unref(void *mark)
{
	(void)mark;
}

static void init_shared(struct server *server)
{
	static const struct shards_type sites = {
		site_ref_value, site_unref_value};
	static const struct shards_type opinions = {
		opinion_ref, opinion_unref};
	static const struct shards_type marks = {mark_ref, mark_unref};
	const struct config *config = server->snapshot->config;
	struct shared *shared = &server->shared;
	struct sockaddr_storage *at;
	size_t num = 0;

	shared->keys = leafkeys_new();
	shared->leaves = shards_new(SHARDS, config->limits.leaf_cache_entries,
		config->limits.leaf_cache_bytes, &sites);
	shared->flight = flight_new();
	shared->verdicts = shards_new(SHARDS, VERDICTS, VERDICTS_BYTES,
		&opinions);
	shared->undecryptable = shards_new(1, UNDECRYPTABLE, VERDICTS_BYTES,
		&marks);
	shared->tickets = tickets_new();
	at = calloc(config->proxy.num + config->transparent.num + 1,
		sizeof(*at));
	if (!at)
		abort();
	for (size_t i = 0; i < config->proxy.num; i++)
		at[num++] = config->proxy.at[i].address;
	for (size_t i = 0; i < config->transparent.num; i++)
		at[num++] = config->transparent.at[i].address;
	own_listeners_init(&shared->own, at, num);
	free(at);
}

static void clear_shared(struct shared *shared)
{
	if (shared->leaves)
		shards_free(shared->leaves);
	if (shared->verdicts)
		shards_free(shared->verdicts);
	if (shared->undecryptable)
		shards_free(shared->undecryptable);
	if (shared->flight)
		flight_free(shared->flight);
	tickets_free(shared->tickets);
	leafkeys_free(shared->keys);
	own_listeners_clear(&shared->own);
}

/* --- starting ----------------------------------------------------------- */

static int claim(const struct endpoints *at, char *err, size_t err_size)
{
	for (size_t i = 0; i < at->num; i++)
		if (listener_claim((const struct sockaddr *)&at->at[i].address,
			    err, err_size) != 0)
			return -1;
	return 0;
}

/* raise_files asks for as many descriptors as may be had: two a connection and
 * some more. */
static void raise_files(const struct config *config)
{
	rlim_t want = (rlim_t)config->limits.connections * 2 + 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < want && config->limits.connections_given)
		say("limits.connections: %u needs %llu open files, %llu are "
		    "allowed; accepting will pause when they run out",
			config->limits.connections, (unsigned long long)want,
			(unsigned long long)limit.rlim_cur);
}

static unsigned count_workers(const struct config *config)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = config->workers;

	if (n == 0)
		n = cores > 0 ? (unsigned)cores : 1;
	return n < WORKERS_MAX ? n : WORKERS_MAX;
}

static atomic_uint workers_ended;

static void worker_ended(void)
{
	atomic_fetch_add(&workers_ended, 1);
	(void)kill(getpid(), SIGUSR2); /* wakes the main thread, see run */
}

static int make_workers(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;
	unsigned num = count_workers(config);
	unsigned each = (config->limits.connections + num - 1) / num;

	while (server->num_workers < num) {
		struct worker **worker =
			&server->workers[server->num_workers++];

		if (worker_new(&server->shared, server->snapshot, server->log,
			    each, worker_ended, worker, err, err_size) != 0)
			return -1;
	}
	for (unsigned i = 0; i < num; i++)
		worker_start(server->workers[i]);
	return 0;
}

/* What a person needs next. */
static void greet(const struct server *server)
{
	const struct config *config = server->snapshot->config;
	char proxy[PROXY_ADDRESS_SIZE];

	for (size_t i = 0; i < config->proxy.num; i++)
		say("proxy on http://%s", config->proxy.at[i].text);
	for (size_t i = 0; i < config->transparent.num; i++)
		say("transparent TLS on %s", config->transparent.at[i].text);
	say("root certificate, to be trusted by clients: %s/root.pem",
		config->state);
	config_proxy_address(config, proxy, sizeof(proxy));
	say("try: curl --proxy http://%s --cacert %s/root.pem "
	    "https://" MAGIC_HOST "/",
		proxy, config->state);
}

/* --- running ------------------------------------------------------------ */

static void say_figures(struct server *server)
{
	struct lru_stats leaves = shards_stats(server->shared.leaves);
	struct counters *c = &server->shared.counters;

	fprintf(stderr,
		"{\"leaf_cache\":{\"entries\":%zu,\"bytes\":%zu,"
		"\"hits\":%llu,\"misses\":%llu,\"evicted\":%llu},"
		"\"signatures\":%lu,\"connections\":%lu,\"open\":%lu,"
		"\"exchanges\":%lu,\"tunnels\":%lu}\n",
		leaves.entries, leaves.bytes, (unsigned long long)leaves.hits,
		(unsigned long long)leaves.misses,
		(unsigned long long)leaves.evicted,
		atomic_load(&c->signatures), atomic_load(&c->accepted),
		atomic_load(&c->open), atomic_load(&c->exchanges),
		atomic_load(&c->tunnels));
}

/* warn_fixed names the settings that only a start can change. */
static void warn_fixed(const struct config *old, const struct config *new)
{
	const char *path;
	size_t at = 0;

	while ((path = fixed_next(old, new, &at)) != NULL)
		say("reload: `%s` has changed; that needs a restart", path);
}

static int reload_snapshot(struct server *server, struct snapshot **out)
{
	const struct config *old = server->started->config;
	struct config *config;
	char err[512];
	int result;

	if (config_load(server->path, &config, stderr) != 0)
		return -1;
	if (strcmp(old->state, config->state) != 0) {
		say("reload: a change of `state` needs a restart");
		config_free(config);
		return -1;
	}
	warn_fixed(old, config);
	result = load_snapshot(config, server->snapshot->generation + 1,
		stderr, out, err, sizeof(err));
	if (result < 0)
		say("reload: %s", err);
	return result;
}

/* tell_root: clients that trust the root before would fail without a word. */
static void tell_root(const struct snapshot *old, const struct snapshot *now)
{
	if (strcmp(authority_root_pem(old->authority),
		authority_root_pem(now->authority)) != 0)
		say("another CA signs from now on (`sallyport ca show`); "
			"clients must trust its root: %s/root.pem",
			now->config->state);
}

static void reload(struct server *server)
{
	struct snapshot *snapshot;
	char err[512];

	if (server->stopping)
		return;
	if (reload_snapshot(server, &snapshot) != 0) {
		say("reload failed; the configuration before stays in force");
		return;
	}
	if (access_reopen(server->log, snapshot->config->access_log, err,
		    sizeof(err)) != 0)
		say("reload: %s; the log stays where it was", err);
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_adopt(server->workers[i], snapshot);
	tell_root(server->snapshot, snapshot);
	snapshot_unref(server->snapshot);
	server->snapshot = snapshot;
	say("reloaded %s", server->path ? server->path : "(no file)");
}

static void stop(struct server *server)
{
	for (unsigned i = 0; i < server->num_workers; i++) {
		if (server->stopping)
			worker_stop(server->workers[i]);
		else
			worker_drain(server->workers[i]);
	}
	say(server->stopping ? "stopping at once" :
			       "draining; stop again to stop at once");
	server->stopping = true;
}

static void renew_crls(struct server *server)
{
	char err[256];

	if (authority_renew_crls(server->snapshot->authority, time(NULL), err,
		    sizeof(err)) != 0)
		say("CRLs: %s", err);
}

static void block_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTERM);
	sigaddset(set, SIGINT);
	sigaddset(set, SIGHUP);
	sigaddset(set, SIGUSR1);
	sigaddset(set, SIGUSR2);
	(void)pthread_sigmask(SIG_BLOCK, set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void handle_signal(struct server *server, int number)
{
	switch (number) {
	case SIGTERM:
	case SIGINT:
		stop(server);
		break;
	case SIGHUP:
		reload(server);
		break;
	case SIGUSR1:
		say_figures(server);
		break;
	default: /* SIGUSR2: a worker has ended, see run */
		break;
	}
}

static time_t monotonic_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* wait_signal waits at most seconds. The kernel hands out the lowest number
 * first; being told to stop must not wait behind any number of SIGHUPs. */
static int wait_signal(const sigset_t *signals, time_t seconds)
{
	struct timespec none = {0};
	struct timespec most = {.tv_sec = seconds > 0 ? seconds : 0};
	sigset_t stops;
	int number;

	sigemptyset(&stops);
	sigaddset(&stops, SIGTERM);
	sigaddset(&stops, SIGINT);
	number = sigtimedwait(&stops, NULL, &none);
	return number > 0 ? number : sigtimedwait(signals, NULL, &most);
}

static void run(struct server *server, const sigset_t *signals)
{
	time_t next = monotonic_s() + CRL_CHECK_S;
	int number;

	while (atomic_load(&workers_ended) < server->num_workers) {
		number = wait_signal(signals, next - monotonic_s());
		if (number > 0)
			handle_signal(server, number);
		if (monotonic_s() >= next) {
			renew_crls(server);
			next = monotonic_s() + CRL_CHECK_S;
		}
	}
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_join(server->workers[i]);
}

/* --- the whole ---------------------------------------------------------- */

static int fail(const char *why)
{
	say("%s", why);
	return 1;
}

static int start(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;

	if (claim(&config->proxy, err, err_size) != 0 ||
	    claim(&config->transparent, err, err_size) != 0 ||
	    access_open(config->access_log, &server->log, err, err_size) != 0)
		return -1;
	raise_files(config);
	init_shared(server);
	return make_workers(server, err, err_size);
}

/* keep_memory: what busy connections hold for a moment comes and goes many
 * times a second; giving it back to the system each time costs more than the
 * copying itself. */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

static int serve(struct server *server)
{
	sigset_t signals;
	char err[512];

	server->started = snapshot_ref(server->snapshot);
	block_signals(&signals);
	keep_memory();
	if (start(server, err, sizeof(err)) != 0)
		return fail(err); /* the process ends: nothing to take down */
	greet(server);
	run(server, &signals);
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_free(server->workers[i]);
	access_close(server->log);
	clear_shared(&server->shared);
	snapshot_unref(server->snapshot);
	snapshot_unref(server->started);
	say("stopped");
	return 0;
}

int server_run(const char *path)
{
	static struct server server;
	struct config *config;
	char err[512];
	int result;

	server.path = path;
	if (config_load(path, &config, stderr) != 0)
		return 2;
	if (config_prepare_state(config, err, sizeof(err)) != 0 ||
	    load_lock(config->state, err, sizeof(err)) != 0) {
		config_free(config);
		return fail(err);
	}
	result = load_snapshot(config, 1, stderr, &server.snapshot, err,
		sizeof(err));
	if (result == LOAD_WRONG)
		return 2;
	return result == 0 ? serve(&server) : fail(err);
}
