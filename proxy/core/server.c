#include "proxy/core/server.h"

#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "pki/authority.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/channel.h"
#include "proxy/core/desk.h"
#include "proxy/core/harden.h"
#include "proxy/core/inherit.h"
#include "proxy/core/keeper_client.h"
#include "proxy/core/ledger_writer.h"
#include "proxy/core/load.h"
#include "proxy/core/log_want.h"
#include "proxy/core/say.h"
#include "proxy/core/server_private.h"
#include "proxy/core/shared.h"
#include "proxy/core/worker.h"
#include "proxy/net/address.h"
#include "proxy/report/access.h"
#include "proxy/session/answer.h"
#include "proxy/session/ledger.h"
#include "proxy/session/services.h"

/* --- starting ----------------------------------------------------------- */

static atomic_uint workers_ended;
static int ended_fd; /* eventfd: wakes the main thread, see run */
static int leave_fd; /* eventfd: ends the thread that changes things */

static void wake(int fd)
{
	uint64_t one = 1;

	(void)!write(fd, &one, sizeof(one));
}

static void worker_ended(void)
{
	atomic_fetch_add(&workers_ended, 1);
	wake(ended_fd);
}

static int make_workers(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;
	unsigned num = inherit_threads(&server->inheritance);
	unsigned each = (config->limits.connections + num - 1) / num;

	while (server->num_workers < num) {
		struct inherited_fds *fds =
			&server->inheritance.threads[server->num_workers];
		struct worker_order order = {
			.shared = &server->shared,
			.snapshot = server->snapshot,
			.log = server->log,
			.fds = fds->at,
			.num_fds = fds->num,
			.num_proxy = fds->of_kind[LISTENER_PROXY],
			.num_transparent = fds->of_kind[LISTENER_TRANSPARENT],
			.max_connections = each,
			.ended = worker_ended,
		};
		struct worker **worker =
			&server->workers[server->num_workers++];

		if (worker_new(&order, worker, err, err_size) != 0)
			return -1;
	}
	for (unsigned i = 0; i < num; i++)
		worker_start(server->workers[i]);
	atomic_store(&server->carrying, true);
	return 0;
}

/* What a person needs next. */
static void greet(const struct server *server)
{
	const struct config *config = server->snapshot->config;
	char proxy[PROXY_ADDRESS_SIZE];

	for (size_t i = 0; i < config->proxy.num; i++)
		say("proxy on http://%s", config->proxy.at[i].text);
	for (size_t i = 0; i < config->proxy_tls.num; i++)
		say("proxy on https://%s", config->proxy_tls.at[i].text);
	for (size_t i = 0; i < config->transparent.num; i++)
		say("transparent TLS on %s", config->transparent.at[i].text);
	for (size_t i = 0; i < config->admin.num &&
		server->inheritance.admin.num > 0; i++)
		say("REST API on %s://%s, its token in %s/admin-token",
			address_is_loopback((const struct sockaddr *)
				&config->admin.at[i].address) ? "http" : "https",
			config->admin.at[i].text, config->state);
	say("root certificate, to be trusted by clients: %s/root.pem",
		config->state);
	config_proxy_address(config, proxy, sizeof(proxy));
	say("try: curl --proxy http://%s --cacert %s/root.pem "
	    "https://" MAGIC_HOST "/check",
		proxy, config->state);
}

/* --- the admin listener ------------------------------------------------- */

/* can_sign: there is what signs where no rule names another CA; else why not. */
static bool can_sign(struct server *server, char *err, size_t err_size)
{
	struct snapshot *snapshot = server_snapshot(server);
	const char *why;
	bool can = authority_issuer(snapshot->authority, NULL, &why) != NULL;

	if (!can)
		snprintf(err, err_size, "%s", why);
	snapshot_unref(snapshot);
	return can;
}

/* on_changed: who takes away what signs is told where nothing is in its place. */
static int on_changed(void *arg, char *err, size_t err_size)
{
	struct server *server = arg;
	bool could = can_sign(server, err, err_size);

	if (server_refresh(server, err, err_size) != 0)
		return -1;
	return can_sign(server, err, err_size) || !could ? 0 : -1;
}

static void settle(void *arg)
{
	struct server *server = arg;

	ledger_settle(server->shared.ledger);
}

static bool is_serving(void *arg)
{
	struct server *server = arg;

	return !atomic_load(&server->stopping);
}

static int open_desk(struct server *server, char *err, size_t err_size)
{
	struct inheritance *inheritance = &server->inheritance;
	struct desk_order order = {
		.host = {server_snapshot, on_changed, settle, is_serving,
			server_metrics, server_live, &server_policies, server},
		.fds = inheritance->admin.at,
		.num_fds = inheritance->admin.num,
		.state = inheritance->state,
		.link = keeper_client_link(inheritance->keeper),
		.keys = server->shared.keys,
	};

	return desk_new(&order, &server->desk, err, err_size);
}

/* --- running ------------------------------------------------------------ */

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

/* on_channel: with the supervisor gone, nobody is there to be stopped by. */
static void on_channel(struct server *server)
{
	switch (inherit_next(&server->inheritance)) {
	case INHERIT_RELOAD:
		server_reload(server);
		inherit_reloaded();
		break;
	case INHERIT_REOPEN:
		server_reopen_log(server);
		break;
	case INHERIT_NO_RELOAD:
		atomic_fetch_add(&server->failed_reloads, 1);
		break;
	case INHERIT_KEEPER:
		server_refresh_or_say(server);
		break;
	case INHERIT_END:
		say("the supervisor is gone");
		_exit(1);
	case INHERIT_START:
	case INHERIT_NOTHING:
	default:
		break;
	}
}

static void on_signals(struct server *server, int fd)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTERM)
			stop(server);
		else if (info.ssi_signo == SIGUSR1)
			server_figures(server);
	}
}

static void block(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
}

/* block_signals: all but SIGTERM, which just ends a process that has no
 * connections yet, and may be busy loading for long. */
static void block_signals(void)
{
	block(SIGUSR1);
	block(SIGINT);
	block(SIGHUP);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file as large as it may be is full */
}

/* The workers' threads get this mask: signals are the main thread's. */
static int watch_signals(void)
{
	sigset_t set;
	int fd;

	block(SIGTERM);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		abort();
	return fd;
}

static int wait_ms(struct server *server)
{
	enum { LONGEST_S = 3600 }; /* the clock may be set */
	time_t left;

	pthread_mutex_lock(&server->now);
	left = server->due - time(NULL);
	pthread_mutex_unlock(&server->now);
	if (server->stopping || left > LONGEST_S)
		left = LONGEST_S;
	return left > 0 ? (int)left * 1000 : 0;
}

/* is_due: also where the clock was ahead, and what was made by it is of no use
 * yet. */
static bool is_due(struct server *server)
{
	time_t now = time(NULL);
	bool due;

	pthread_mutex_lock(&server->now);
	due = server->due <= now || server->looked > now + SERVER_RETRY_S;
	pthread_mutex_unlock(&server->now);
	return due && !server->stopping;
}

/* change_things has a thread of its own: what is loaded may be large, and who
 * signs slow, while signals are not to wait. */
static void *change_things(void *arg)
{
	struct server *server = arg;
	struct pollfd at[] = {
		{.fd = CHANNEL_FD, .events = POLLIN},
		{.fd = leave_fd, .events = POLLIN},
	};

	for (;;) {
		if (poll(at, 2, wait_ms(server)) > 0) {
			if (at[1].revents)
				return NULL;
			if (at[0].revents)
				on_channel(server);
		}
		if (is_due(server))
			server_refresh_or_say(server);
	}
}

static void run(struct server *server, int signals)
{
	struct pollfd at[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = ended_fd, .events = POLLIN},
	};
	uint64_t num;

	while (atomic_load(&workers_ended) < server->num_workers) {
		if (poll(at, 2, -1) <= 0)
			continue;
		if (at[0].revents)
			on_signals(server, signals);
		if (at[1].revents)
			(void)!read(ended_fd, &num, sizeof(num));
	}
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_join(server->workers[i]);
}

/* changes_end: a change that is nearly through may end; of one that takes longer
 * nothing comes any more. False: it is still at it. */
static bool changes_end(struct server *server)
{
	enum { PATIENCE_S = 1 };
	struct timespec until;

	wake(leave_fd);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (pthread_mutex_timedlock(&server->change, &until) != 0)
		return false;
	pthread_mutex_unlock(&server->change); /* the next one sees the end */
	pthread_join(server->changer, NULL);
	return true;
}

/* --- the whole ---------------------------------------------------------- */

/* keep_memory: what busy connections hold for a moment comes and goes many
 * times a second; giving it back to the system each time costs more than the
 * copying itself. */
static void keep_memory(void)
{
	(void)mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	(void)mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
}

/* on_full: whoever may rename the file is the supervisor. */
static void on_full(void *arg)
{
	(void)arg;
	inherit_full();
}

static void on_lost(void *arg, const char *text)
{
	(void)arg;
	say("%s", text);
}

static int start(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;
	const struct access_calls calls = {.full = on_full, .tell = on_lost};
	struct log_want want;
	int result;

	server->started = settings_ref(server->snapshot->settings);
	server_taken(server);
	ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	leave_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	want = log_want_of(config);
	if (access_open(&want, &calls, &server->log, err, err_size) != 0)
		return -1;
	shared_init(&server->shared, config);
	if (server_open_keylog(server, config, err, err_size) != 0)
		return -1;
	server->writer = ledger_writer_new(server->shared.ledger,
		server->inheritance.state);
	/* whoever finds the proxy listening finds the admin listener, too; what
	 * is asked of it meanwhile waits for the workers */
	pthread_mutex_lock(&server->change);
	result = open_desk(server, err, err_size);
	if (result == 0)
		result = make_workers(server, err, err_size);
	pthread_mutex_unlock(&server->change);
	return result;
}

static int fail(const char *why)
{
	say("%s", why);
	return 1;
}

/* finish writes out what is to stay, and no more: somebody is at a change, and
 * uses the rest. */
static void finish(struct server *server)
{
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_flush(server->workers[i]);
	ledger_writer_free(server->writer);
	access_close(server->log);
	say("stopped");
	_exit(0);
}

static void clear(struct server *server)
{
	desk_free(server->desk);
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_free(server->workers[i]);
	ledger_writer_free(server->writer);
	access_close(server->log);
	shared_clear(&server->shared);
	snapshot_unref(server->snapshot);
	settings_unref(server->started);
	inherit_clear(&server->inheritance);
}

static int serve(struct server *server)
{
	int signals = watch_signals();
	char err[512];

	if (start(server, err, sizeof(err)) != 0)
		return fail(err); /* the process ends: nothing to take down */
	greet(server);
	inherit_ready();
	if (pthread_create(&server->changer, NULL, change_things, server) != 0)
		abort();
	run(server, signals);
	if (!changes_end(server))
		finish(server);
	clear(server);
	say("stopped");
	return 0;
}

/* inherit waits for all that the supervisor has to give. */
static bool inherit(struct server *server)
{
	enum inherit_event event;

	do
		event = inherit_next(&server->inheritance);
	while (event != INHERIT_START && event != INHERIT_END);
	return event == INHERIT_START && server->inheritance.keeper &&
		server->inheritance.state;
}

int server_run(unsigned uid, unsigned gid)
{
	static struct server server;
	int code;
	char err[128];

	server.began = time(NULL);
	harden_name("sallyport-work");
	if (harden_become(uid, gid, err, sizeof(err)) != 0)
		return fail(err);
	harden_private();
	harden_die();
	block_signals();
	keep_memory();
	pthread_mutex_init(&server.change, NULL);
	pthread_mutex_init(&server.now, NULL);
	if (!inherit(&server))
		return fail("what runs connections is started by "
			"\"sallyport run\" alone");
	code = server_load(&server);
	if (code == 0)
		code = serve(&server);
	harden_end();
	return code;
}
