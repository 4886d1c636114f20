#include "proxy/core/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/passphrase.h"
#include "proxy/config/config.h"
#include "proxy/config/handed.h"
#include "proxy/core/channel.h"
#include "proxy/core/child.h"
#include "proxy/core/harden.h"
#include "proxy/core/handover.h"
#include "proxy/core/identity.h"
#include "proxy/core/keeper_child.h"
#include "proxy/core/limits.h"
#include "proxy/core/load.h"
#include "proxy/core/renewal.h"
#include "proxy/core/say.h"
#include "proxy/core/sockets.h"
#include "proxy/core/unlock.h"

enum {
	STOP_END_S = 10, /* of a worker that was told twice */
};

struct supervisor {
	const struct supervisor_options *options;
	struct handover handover;
	struct passphrase *passphrase; /* owned */
	struct keeper_child keeper;
	struct child worker;
	struct sockets sockets;
	int signals;         /* signalfd */
	struct renewal renewal;
	bool ready;          /* the worker has been, once */
	bool stopping;
	time_t kill_at;      /* the worker, if it is still there; 0: not yet */
	int code;            /* what the worker ended with */
};

/* --- what they are told ------------------------------------------------- */

/* introduce gives keeper and worker the two ends of their sockets. */
static int introduce(struct supervisor *s)
{
	int ends[2], result;

	for (uint32_t i = 0; i < NUM_ASKERS; i++) {
		if (channel_pair(ends) != 0)
			return -1;
		result = channel_tell(s->keeper.child.channel, MESSAGE_ASKER, i,
			NULL, ends[0]);
		if (result == 0)
			result = channel_tell(s->worker.channel,
				MESSAGE_KEEPER, i, NULL, ends[1]);
		close(ends[0]);
		close(ends[1]);
		if (result != 0)
			return -1;
	}
	return 0;
}

static int start_worker(struct supervisor *s)
{
	int channel;

	if (child_start(&s->worker) != 0)
		return -1;
	channel = s->worker.channel;
	renewal_hand(&s->renewal);
	if (channel_tell(channel, MESSAGE_SOURCE, 0,
		    passphrase_source(s->passphrase), -1) != 0 ||
	    sockets_tell(&s->sockets, channel) != 0 || introduce(s) != 0 ||
	    handover_send(&s->handover, &s->worker.identity, channel,
		    false) != 0)
		return -1;
	return channel_tell(channel, MESSAGE_START, 0, s->options->path, -1);
}

/* --- ends --------------------------------------------------------------- */

static void on_end(struct supervisor *s, pid_t pid, int status)
{
	struct child *child = pid == s->worker.pid ? &s->worker :
		pid == s->keeper.child.pid ? &s->keeper.child : NULL;

	if (!child)
		return;
	child_forget(child);
	if (child == &s->worker)
		renewal_done(&s->renewal, watch_now());
	if (child == &s->worker && (s->stopping || !s->ready)) {
		/* before it has connections SIGTERM just ends it */
		s->code = WIFEXITED(status) ? WEXITSTATUS(status) :
			s->stopping && WTERMSIG(status) == SIGTERM ? 0 : 1;
		s->stopping = true;
		return;
	}
	if (s->stopping)
		return;
	child_tell_end(child, status);
	child_rest(child);
}

static void reap(struct supervisor *s)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		on_end(s, pid, status);
}

/* give_up on one that can't be started, or takes no messages: reap will see
 * another started. */
static void give_up(struct child *child)
{
	say("the %s does not do what it is told: %s", child->word + 1,
		strerror(errno));
	if (child->pid)
		(void)kill(child->pid, SIGKILL);
	else
		child_rest(child);
}

/* start_again starts what is not there and whose time has come. Neither needs
 * the other to start. */
static void start_again(struct supervisor *s)
{
	time_t now = child_now();
	bool new_keeper = false;

	if (s->stopping)
		return;
	if (!s->keeper.child.pid && now >= s->keeper.child.again) {
		new_keeper = keeper_child_start(&s->keeper, s->passphrase,
			&s->handover) == 0;
		if (!new_keeper)
			give_up(&s->keeper.child);
	}
	if (!s->keeper.child.pid)
		return;
	if (!s->worker.pid && now >= s->worker.again) {
		if (start_worker(s) != 0)
			give_up(&s->worker);
	} else if (new_keeper && s->worker.pid && introduce(s) != 0) {
		give_up(&s->worker);
	}
}

/* --- loading anew ------------------------------------------------------- */

/* reload_worker: again, the configuration is the one that it has. */
static void reload_worker(struct supervisor *s, bool again)
{
	if (!s->worker.pid)
		return;
	renewal_hand(&s->renewal);
	if (handover_send(&s->handover, &s->worker.identity, s->worker.channel,
		    again) != 0 ||
	    channel_tell(s->worker.channel, MESSAGE_RELOAD, 0, NULL, -1) != 0)
		give_up(&s->worker);
	else
		renewal_ask(&s->renewal, watch_now());
}

/* tell_failure: the worker only counts them, and may do without. */
static void tell_failure(const struct supervisor *s)
{
	say("reload failed; the configuration before stays in force");
	if (s->worker.pid)
		(void)!channel_tell(s->worker.channel, MESSAGE_NO_RELOAD, 0,
			NULL, -1);
}

static void reload(struct supervisor *s)
{
	renewal_reread(&s->renewal);
	if (handover_load(&s->handover, s->options->path) != 0) {
		tell_failure(s);
		return;
	}
	handover_drop_config(&s->handover);
	renewal_watch(&s->renewal, &s->handover);
	if (s->keeper.child.pid &&
	    keeper_child_change(&s->keeper, &s->handover) != 0)
		give_up(&s->keeper.child);
	reload_worker(s, false);
}

static void renew(struct supervisor *s)
{
	unsigned what = renewal_next(&s->renewal, watch_now());

	if (s->stopping)
		return;
	if (what & WATCHED_CONFIG)
		reload(s);
	else if (what & WATCHED_LIST)
		reload_worker(s, true);
	if (renewal_is_late(&s->renewal, watch_now())) {
		errno = ETIMEDOUT;
		give_up(&s->worker);
	}
}

/* --- signals ------------------------------------------------------------ */

/* A socket listens while anybody has it open: the worker's closing it is to be
 * the end. */
static void stop(struct supervisor *s)
{
	if (s->stopping && s->kill_at == 0)
		s->kill_at = child_now() + STOP_END_S;
	s->stopping = true;
	sockets_close(&s->sockets);
	if (s->worker.pid)
		(void)kill(s->worker.pid, SIGTERM);
}

/* end_late: who was told to stop at once, and does not, has hung up. */
static void end_late(struct supervisor *s)
{
	if (s->kill_at == 0 || child_now() < s->kill_at || !s->worker.pid)
		return;
	say("the worker does not end; it is ended");
	(void)kill(s->worker.pid, SIGKILL);
	s->kill_at = child_now() + STOP_END_S;
}

static void on_signals(struct supervisor *s)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof(info)) ==
		(ssize_t)sizeof(info)) {
		switch (info.ssi_signo) {
		case SIGTERM:
		case SIGINT:
			stop(s);
			break;
		case SIGHUP:
			renewal_want(&s->renewal);
			break;
		case SIGUSR1:
			if (s->worker.pid)
				(void)kill(s->worker.pid, SIGUSR1);
			break;
		default: /* SIGCHLD: see reap */
			break;
		}
	}
}

static void on_worker(struct supervisor *s)
{
	struct message message;
	int fd, got = channel_receive(s->worker.channel, &message, &fd);

	if (fd >= 0)
		close(fd);
	if (got > 0 && message.kind == MESSAGE_READY) {
		s->ready = true;
		renewal_done(&s->renewal, watch_now());
	} else if (got > 0 && message.kind == MESSAGE_RELOADED) {
		renewal_done(&s->renewal, watch_now());
	} else if (got > 0 && message.kind == MESSAGE_FULL) {
		if (handover_rotate_log(&s->handover, &s->worker.identity,
			    s->worker.channel) != 0)
			give_up(&s->worker);
	} else if (got > 0 && message.kind == MESSAGE_DEAF) {
		errno = ETIMEDOUT;
		if (s->keeper.child.pid)
			give_up(&s->keeper.child);
	} else {
		close(s->worker.channel); /* reap will tell more */
		s->worker.channel = -1;
	}
}

static int wait_ms(const struct supervisor *s)
{
	const struct child *children[] = {&s->keeper.child, &s->worker};
	time_t now = child_now(), next = s->kill_at ? s->kill_at : now + 3600;
	int first = renewal_wait_ms(&s->renewal, watch_now()), ms;

	for (size_t i = 0; i < 2; i++) {
		if (!children[i]->pid && children[i]->again < next)
			next = children[i]->again;
	}
	ms = next > now ? (int)(next - now) * 1000 : 100;
	return first >= 0 && first < ms ? first : ms;
}

static void run(struct supervisor *s)
{
	while (!s->stopping || s->worker.pid) {
		struct pollfd at[] = {
			{.fd = s->signals, .events = POLLIN},
			{.fd = s->worker.channel, .events = POLLIN},
			{.fd = watch_fd(s->renewal.watcher), .events = POLLIN},
		};

		if (poll(at, 3, wait_ms(s)) > 0) {
			if (at[1].revents)
				on_worker(s);
			if (at[0].revents)
				on_signals(s);
		}
		reap(s);
		start_again(s);
		renew(s);
		end_late(s);
	}
}

/* --- the beginning ------------------------------------------------------ */

static void watch_signals(struct supervisor *s)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	s->signals = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (s->signals < 0)
		abort();
}

static int prepare(struct supervisor *s, const struct config *config,
	char *err, size_t err_size)
{
	if (child_prepare(err, err_size) != 0 ||
	    keeper_child_prepare(&s->keeper, err, err_size) != 0 ||
	    config_prepare_state(config, err, err_size) != 0)
		return -1;
	identity_find(config->state, &s->worker.identity,
		&s->keeper.child.identity);
	if (geteuid() == 0 && s->worker.identity.uid == 0)
		say("root can't become other users here: keeper and worker stay "
		    "root, without its capabilities");
	if (load_lock(config->state, err, err_size) != 0 ||
	    unlock_find(s->options->ask, config, &s->passphrase, err,
		    err_size) != 0 ||
	    identity_hand_over(config->state, &s->worker.identity, err,
		    err_size) != 0 ||
	    sockets_bind(&s->sockets, config, err, err_size) != 0)
		return -1;
	limits_raise_files(config);
	return 0;
}

static int go(struct supervisor *s)
{
	if (keeper_child_start(&s->keeper, s->passphrase, &s->handover) != 0 ||
	    start_worker(s) != 0) {
		say("a process can't be started: %s", strerror(errno));
		return 1;
	}
	run(s);
	keeper_child_end(&s->keeper);
	return s->code;
}

int supervisor_run(const struct supervisor_options *options)
{
	static struct supervisor s;
	char err[1024];
	int code;

	s.options = options;
	s.keeper.child = (struct child){.word = "@keeper", .channel = -1};
	s.worker = (struct child){.word = "@worker", .channel = -1};
	harden_private();
	harden_raise();
	renewal_init(&s.renewal, options->path);
	if (handover_load(&s.handover, options->path) != 0)
		return 2;
	if (prepare(&s, s.handover.config, err, sizeof(err)) != 0) {
		say("%s", err);
		code = 1;
	} else {
		handover_drop_config(&s.handover);
		renewal_watch(&s.renewal, &s.handover);
		watch_signals(&s);
		code = go(&s);
	}
	passphrase_free(s.passphrase);
	handover_clear(&s.handover);
	renewal_clear(&s.renewal);
	handed_forget();
	harden_end();
	return code;
}
