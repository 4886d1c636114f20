#include "proxy/core/server.h"

#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "cache/shards.h"
#include "pki/authority.h"
#include "proxy/config/config.h"
#include "proxy/config/fixed.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/channel.h"
#include "proxy/core/desk.h"
#include "proxy/core/harden.h"
#include "proxy/core/inherit.h"
#include "proxy/core/keeper_client.h"
#include "proxy/core/ledger_writer.h"
#include "proxy/core/load.h"
#include "proxy/core/shared.h"
#include "proxy/core/worker.h"
#include "proxy/report/access.h"
#include "proxy/session/answer.h"
#include "proxy/session/ledger.h"
#include "proxy/session/services.h"

enum {
	RETRY_S = 60,        /* CAs that could not be opened anew */
};

struct server {
	struct inheritance inheritance;
	pthread_mutex_t change;    /* held while CAs are opened anew */
	pthread_mutex_t now;       /* over the two that follow */
	struct snapshot *snapshot; /* in force; changed by who has change */
	time_t due, looked;        /* of the CAs: when again, when last */
	struct settings *started;  /* whose listeners and workers there are */
	struct shared shared;
	struct access_log *log;
	struct worker *workers[INHERIT_THREADS];
	unsigned num_workers;
	struct desk *desk;
	struct ledger_writer *writer;
	atomic_bool stopping;
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

/* --- starting ----------------------------------------------------------- */

static atomic_uint workers_ended;
static int ended_fd; /* eventfd: wakes the main thread, see run */

static void worker_ended(void)
{
	uint64_t one = 1;

	atomic_fetch_add(&workers_ended, 1);
	(void)!write(ended_fd, &one, sizeof(one));
}

static int make_workers(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;
	unsigned num = load_workers(config);
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
	for (size_t i = 0; i < config->admin.num &&
		server->inheritance.admin.num > 0; i++)
		say("REST API on %s://%s, its token in %s/admin-token",
			desk_is_loopback(&config->admin.at[i].address) ?
				"http" : "https",
			config->admin.at[i].text, config->state);
	say("root certificate, to be trusted by clients: %s/root.pem",
		config->state);
	config_proxy_address(config, proxy, sizeof(proxy));
	say("try: curl --proxy http://%s --cacert %s/root.pem "
	    "https://" MAGIC_HOST "/",
		proxy, config->state);
}

/* --- CAs ---------------------------------------------------------------- */

static void say_warnings(const struct authority *authority)
{
	const char *text;

	for (size_t i = 0; (text = authority_warning(authority, i)); i++)
		say("warning: %s", text);
}

static struct load_cas cas_of(const struct server *server,
	const struct snapshot *before)
{
	return (struct load_cas){
		.state = server->inheritance.state,
		.link = keeper_client_link(server->inheritance.keeper),
		.before = before ? before->authority : NULL,
	};
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

/* set_due is for who has server->now, or is alone. */
static void set_due(struct server *server, time_t due)
{
	server->due = due;
	server->looked = time(NULL);
}

/* adopt puts snapshot, which it takes, in force, and waits until every worker
 * goes by it. */
static void adopt(struct server *server, struct snapshot *snapshot)
{
	struct snapshot *old = server->snapshot;

	worker_adopt_all(server->workers, server->num_workers, snapshot);
	pthread_mutex_lock(&server->now);
	server->snapshot = snapshot;
	set_due(server, authority_due(snapshot->authority));
	pthread_mutex_unlock(&server->now);
	keeper_client_ready(server->inheritance.keeper);
	say_warnings(snapshot->authority);
	tell_root(old, snapshot);
	snapshot_unref(old);
}

static void put_off(struct server *server)
{
	pthread_mutex_lock(&server->now);
	set_due(server, time(NULL) + RETRY_S);
	pthread_mutex_unlock(&server->now);
}

/* refresh opens the CAs anew: something is due, or has changed. */
static int refresh(struct server *server, char *err, size_t err_size)
{
	struct snapshot *snapshot;
	struct load_cas cas;
	int result;

	pthread_mutex_lock(&server->change);
	cas = cas_of(server, server->snapshot);
	result = load_refresh(server->snapshot, &cas, &snapshot, err,
		err_size);
	if (result == 0)
		adopt(server, snapshot);
	else
		put_off(server);
	pthread_mutex_unlock(&server->change);
	return result;
}

static void refresh_or_say(struct server *server)
{
	char err[600];

	if (!server->stopping && refresh(server, err, sizeof(err)) != 0)
		say("the CAs stay as they were: %s", err);
}

/* --- the admin listener ------------------------------------------------- */

static struct snapshot *give_snapshot(void *arg)
{
	struct server *server = arg;
	struct snapshot *snapshot;

	pthread_mutex_lock(&server->now);
	snapshot = snapshot_ref(server->snapshot);
	pthread_mutex_unlock(&server->now);
	return snapshot;
}

/* can_sign: there is what signs where no rule names another CA; else why not. */
static bool can_sign(struct server *server, char *err, size_t err_size)
{
	struct snapshot *snapshot = give_snapshot(server);
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

	if (refresh(server, err, err_size) != 0)
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
		.host = {give_snapshot, on_changed, settle, is_serving, server},
		.fds = inheritance->admin.at,
		.num_fds = inheritance->admin.num,
		.state = inheritance->state,
		.link = keeper_client_link(inheritance->keeper),
		.keys = server->shared.keys,
	};

	return desk_new(&order, &server->desk, err, err_size);
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
	struct load_cas cas = cas_of(server, server->snapshot);
	struct config *config;
	char err[600];
	int result;

	if (config_load(server->inheritance.config, &config, stderr) != 0)
		return -1;
	if (strcmp(old->state, config->state) != 0) {
		say("reload: a change of `state` needs a restart");
		config_free(config);
		return -1;
	}
	warn_fixed(old, config);
	result = load_snapshot(config, server->snapshot->generation + 1, &cas,
		stderr, out, err, sizeof(err));
	if (result < 0)
		say("reload: %s", err);
	return result;
}

static void reload(struct server *server)
{
	const char *path = server->inheritance.config;
	struct snapshot *snapshot;
	char err[512];

	if (server->stopping)
		return;
	pthread_mutex_lock(&server->change);
	if (reload_snapshot(server, &snapshot) != 0) {
		say("reload failed; the configuration before stays in force");
	} else {
		if (access_reopen(server->log, snapshot->config->access_log,
			    err, sizeof(err)) != 0)
			say("reload: %s; the log stays where it was", err);
		adopt(server, snapshot);
		say("reloaded %s", path ? path : "(no file)");
	}
	pthread_mutex_unlock(&server->change);
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

/* on_channel: with the supervisor gone, nobody is there to be stopped by. */
static void on_channel(struct server *server)
{
	switch (inherit_next(&server->inheritance)) {
	case INHERIT_RELOAD:
		reload(server);
		break;
	case INHERIT_KEEPER:
		refresh_or_say(server);
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
			say_figures(server);
	}
}

/* The workers' threads get this mask: signals are the main thread's. */
static int watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	(void)pthread_sigmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigdelset(&set, SIGINT);
	sigdelset(&set, SIGHUP);
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
	due = server->due <= now || server->looked > now + RETRY_S;
	pthread_mutex_unlock(&server->now);
	return due && !server->stopping;
}

static void run(struct server *server, int signals)
{
	struct pollfd at[] = {
		{.fd = signals, .events = POLLIN},
		{.fd = CHANNEL_FD, .events = POLLIN},
		{.fd = ended_fd, .events = POLLIN},
	};

	while (atomic_load(&workers_ended) < server->num_workers) {
		if (poll(at, 3, wait_ms(server)) > 0) {
			if (at[0].revents)
				on_signals(server, signals);
			if (at[1].revents)
				on_channel(server);
		}
		if (is_due(server))
			refresh_or_say(server);
	}
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_join(server->workers[i]);
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

static int start(struct server *server, char *err, size_t err_size)
{
	const struct config *config = server->snapshot->config;
	int result;

	server->started = settings_ref(server->snapshot->settings);
	set_due(server, authority_due(server->snapshot->authority));
	keeper_client_ready(server->inheritance.keeper);
	say_warnings(server->snapshot->authority);
	ended_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (access_open(config->access_log, &server->log, err, err_size) != 0)
		return -1;
	shared_init(&server->shared, config);
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

static int serve(struct server *server, int signals)
{
	char err[512];

	if (start(server, err, sizeof(err)) != 0)
		return fail(err); /* the process ends: nothing to take down */
	greet(server);
	inherit_ready();
	run(server, signals);
	desk_free(server->desk);
	for (unsigned i = 0; i < server->num_workers; i++)
		worker_free(server->workers[i]);
	ledger_writer_free(server->writer);
	access_close(server->log);
	shared_clear(&server->shared);
	snapshot_unref(server->snapshot);
	settings_unref(server->started);
	inherit_clear(&server->inheritance);
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

static int load(struct server *server)
{
	struct config *config;
	struct load_cas cas;
	char err[600];
	int result;

	if (config_load(server->inheritance.config, &config, stderr) != 0)
		return 2;
	cas = cas_of(server, NULL);
	result = load_snapshot(config, 1, &cas, stderr, &server->snapshot, err,
		sizeof(err));
	if (result == LOAD_WRONG)
		return 2;
	return result == 0 ? 0 : fail(err);
}

int server_run(unsigned uid, unsigned gid)
{
	static struct server server;
	int signals, code;
	char err[128];

	harden_name("sallyport-work");
	if (harden_become(uid, gid, err, sizeof(err)) != 0)
		return fail(err);
	harden_private();
	harden_die();
	signals = watch_signals();
	keep_memory();
	pthread_mutex_init(&server.change, NULL);
	pthread_mutex_init(&server.now, NULL);
	if (!inherit(&server))
		return fail("what runs connections is started by "
			"\"sallyport run\" alone");
	code = load(&server);
	if (code == 0)
		code = serve(&server, signals);
	harden_end();
	return code;
}
