#include "proxy/core/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/mem.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pki/keeper.h"
#include "pki/passphrase.h"
#include "pki/tally.h"
#include "proxy/config/config.h"
#include "proxy/core/channel.h"
#include "proxy/core/child.h"
#include "proxy/core/harden.h"
#include "proxy/core/handover.h"
#include "proxy/core/identity.h"
#include "proxy/core/load.h"
#include "proxy/net/listener.h"

enum {
	LISTENERS_MAX = 256 * 40,
	KEEPER_END_S = 5,
};

struct supervisor {
	const struct supervisor_options *options;
	struct handover handover;
	struct passphrase *passphrase; /* owned */
	struct identity worker_identity;
	struct child keeper, worker;
	int tally;           /* memory that each keeper counts in */
	int listeners[LISTENERS_MAX]; /* owned, a worker thread's together */
	unsigned owners[LISTENERS_MAX];
	size_t num_listeners;
	int signals;         /* signalfd */
	bool ready;          /* the worker has been, once */
	bool stopping;
	int code;            /* what the worker ended with */
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

/* --- what they are told ------------------------------------------------- */

static void fill_rules(const struct supervisor *s, struct keeper_rules *out)
{
	memset(out, 0, sizeof(*out));
	out->validity_s = s->handover.validity_s;
	out->rotate_s = s->handover.rotate_s;
	snprintf(out->crl_base, sizeof(out->crl_base), "%s",
		s->handover.crl_base);
}

static int tell_rules(struct supervisor *s)
{
	struct message message = {.kind = MESSAGE_RULES};
	struct keeper_rules rules;

	fill_rules(s, &rules);
	memcpy(message.text, &rules, sizeof(rules));
	return channel_send(s->keeper.channel, &message, -1);
}

static int tell_passphrase(struct supervisor *s)
{
	struct message message = {.kind = MESSAGE_PASSPHRASE};
	struct der text = passphrase_text(s->passphrase);
	int result;

	memcpy(message.text, text.at, text.len);
	message.number = (uint32_t)text.len;
	result = channel_send(s->keeper.channel, &message, -1);
	OPENSSL_cleanse(&message, sizeof(message));
	return result;
}

/* introduce gives keeper and worker the two ends of their sockets. */
static int introduce(struct supervisor *s)
{
	int ends[2], result;

	for (uint32_t i = 0; i < NUM_ASKERS; i++) {
		if (channel_pair(ends) != 0)
			return -1;
		result = channel_tell(s->keeper.channel, MESSAGE_ASKER, i,
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

static int tell_listeners(struct supervisor *s)
{
	for (size_t i = 0; i < s->num_listeners; i++) {
		if (channel_tell(s->worker.channel, MESSAGE_LISTENER,
			    s->owners[i], NULL, s->listeners[i]) != 0)
			return -1;
	}
	return 0;
}

static int start_keeper(struct supervisor *s)
{
	if (child_start(&s->keeper) != 0)
		return -1;
	if (tell_passphrase(s) != 0 ||
	    channel_tell(s->keeper.channel, MESSAGE_TALLY, 0, NULL,
		    s->tally) != 0)
		return -1;
	return tell_rules(s);
}

static int start_worker(struct supervisor *s)
{
	int channel;

	if (child_start(&s->worker) != 0)
		return -1;
	channel = s->worker.channel;
	if (channel_tell(channel, MESSAGE_SOURCE, 0,
		    passphrase_source(s->passphrase), -1) != 0 ||
	    tell_listeners(s) != 0 || introduce(s) != 0 ||
	    handover_send(&s->handover, &s->worker.identity, channel) != 0)
		return -1;
	return channel_tell(channel, MESSAGE_START, 0, s->options->path, -1);
}

/* --- ends --------------------------------------------------------------- */

static void on_end(struct supervisor *s, pid_t pid, int status)
{
	struct child *child = pid == s->worker.pid ? &s->worker :
		pid == s->keeper.pid ? &s->keeper : NULL;

	if (!child)
		return;
	child_forget(child);
	if (child == &s->worker && (s->stopping || !s->ready)) {
		s->code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
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
	if (!s->keeper.pid && now >= s->keeper.again) {
		new_keeper = start_keeper(s) == 0;
		if (!new_keeper)
			give_up(&s->keeper);
	}
	if (!s->keeper.pid)
		return;
	if (!s->worker.pid && now >= s->worker.again) {
		if (start_worker(s) != 0)
			give_up(&s->worker);
	} else if (new_keeper && s->worker.pid && introduce(s) != 0) {
		give_up(&s->worker);
	}
}

/* --- signals ------------------------------------------------------------ */

static void reload(struct supervisor *s)
{
	if (handover_load(&s->handover, s->options->path) != 0) {
		say("reload failed; the configuration before stays in force");
		return;
	}
	if (s->keeper.pid && tell_rules(s) != 0)
		give_up(&s->keeper);
	if (s->worker.pid && (handover_send(&s->handover,
			&s->worker.identity, s->worker.channel) != 0 ||
		channel_tell(s->worker.channel, MESSAGE_RELOAD, 0, NULL,
			-1) != 0))
		give_up(&s->worker);
}

/* A socket listens while anybody has it open: the worker's closing it is to be
 * the end. */
static void stop(struct supervisor *s)
{
	s->stopping = true;
	while (s->num_listeners > 0)
		close(s->listeners[--s->num_listeners]);
	if (s->worker.pid)
		(void)kill(s->worker.pid, SIGTERM);
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
			if (!s->stopping)
				reload(s);
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
	} else if (got > 0 && message.kind == MESSAGE_DEAF) {
		errno = ETIMEDOUT;
		if (s->keeper.pid)
			give_up(&s->keeper);
	} else {
		close(s->worker.channel); /* reap will tell more */
		s->worker.channel = -1;
	}
}

static int wait_ms(const struct supervisor *s)
{
	const struct child *children[] = {&s->keeper, &s->worker};
	time_t now = child_now(), next = now + 3600;

	for (size_t i = 0; i < 2; i++) {
		if (!children[i]->pid && children[i]->again < next)
			next = children[i]->again;
	}
	return next > now ? (int)(next - now) * 1000 : 100;
}

static void run(struct supervisor *s)
{
	while (!s->stopping || s->worker.pid) {
		struct pollfd at[] = {
			{.fd = s->signals, .events = POLLIN},
			{.fd = s->worker.channel, .events = POLLIN},
		};

		if (poll(at, 2, wait_ms(s)) > 0) {
			if (at[1].revents)
				on_worker(s);
			if (at[0].revents)
				on_signals(s);
		}
		reap(s);
		start_again(s);
	}
}

/* end_keeper: its channel's end tells it; a key that is being made may take a
 * while. */
static void end_keeper(struct supervisor *s)
{
	time_t until = child_now() + KEEPER_END_S;
	struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};
	pid_t pid = s->keeper.pid;

	if (!pid)
		return;
	child_forget(&s->keeper);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (child_now() >= until)
			(void)kill(pid, SIGKILL);
		(void)nanosleep(&nap, NULL);
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

static int bind_all(struct supervisor *s, const struct endpoints *at,
	unsigned owner, char *err, size_t err_size)
{
	for (size_t i = 0; i < at->num; i++) {
		if (s->num_listeners == LISTENERS_MAX) {
			snprintf(err, err_size, "more addresses to listen on "
				"than %d for all workers", LISTENERS_MAX);
			return -1;
		}
		if (listener_bind((const struct sockaddr *)&at->at[i].address,
			    &s->listeners[s->num_listeners], err,
			    err_size) != 0)
			return -1;
		s->owners[s->num_listeners++] = owner;
	}
	return 0;
}

static int claim(const struct endpoints *at, char *err, size_t err_size)
{
	for (size_t i = 0; i < at->num; i++) {
		if (listener_claim((const struct sockaddr *)
				&at->at[i].address, err, err_size) != 0)
			return -1;
	}
	return 0;
}

/* What nobody asked for by name may be taken by somebody else: another
 * Sallyport, perhaps. */
static int bind_admin(struct supervisor *s, const struct config *config,
	char *err, size_t err_size)
{
	if (claim(&config->admin, err, err_size) == 0)
		return bind_all(s, &config->admin, LISTENER_ADMIN, err,
			err_size);
	if (config->admin_given)
		return -1;
	say("%s: there is no REST API; listen.admin gives it another address",
		err);
	return 0;
}

/* Each worker thread has sockets of its own for the same addresses. */
static int bind_listeners(struct supervisor *s, const struct config *config,
	char *err, size_t err_size)
{
	unsigned num = load_workers(config);

	if (claim(&config->proxy, err, err_size) != 0 ||
	    claim(&config->transparent, err, err_size) != 0)
		return -1;
	for (unsigned i = 0; i < num; i++) {
		if (bind_all(s, &config->proxy, i, err, err_size) != 0 ||
		    bind_all(s, &config->transparent, i, err, err_size) != 0)
			return -1;
	}
	return bind_admin(s, config, err, err_size);
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

/* make_tally: what a keeper has counted is there for the next one. */
static int make_tally(struct supervisor *s, char *err, size_t err_size)
{
	s->tally = memfd_create("tally", MFD_CLOEXEC);
	if (s->tally >= 0 && ftruncate(s->tally, sizeof(struct tally)) == 0)
		return 0;
	snprintf(err, err_size, "no memory for the keeper: %s",
		strerror(errno));
	return -1;
}

static int ask_passphrase(struct supervisor *s, bool first, char *err,
	size_t err_size)
{
	char text[KEYLOCK_PASSPHRASE_MAX];
	int len = s->options->ask(text, sizeof(text), first);

	passphrase_hide_variable();
	if (len > 0)
		s->passphrase = passphrase_new(text, (size_t)len,
			"what was typed");
	else
		snprintf(err, err_size, "no passphrase was given%s", len < 0 &&
			first ? ", the same twice" : "");
	OPENSSL_cleanse(text, sizeof(text));
	return len > 0 ? 0 : -1;
}

static int find_passphrase(struct supervisor *s, const struct config *config,
	char *err, size_t err_size)
{
	struct passphrase_options options = {
		.state = config->state,
		.file = config->passphrase_file,
		.may_make = !load_has_store(config->state),
	};

	if (s->options->ask)
		return ask_passphrase(s, options.may_make, err, err_size);
	if (passphrase_find(&options, &s->passphrase, err, err_size) != 0)
		return -1;
	if (passphrase_exposed(s->passphrase))
		say("%s: every user of this machine may read the passphrase: "
		    "chmod 600 it", passphrase_source(s->passphrase));
	if (passphrase_made(s->passphrase))
		say("private keys are encrypted with %s, made now: copies of "
			"sallyport.db alone are of no use to a thief; to guard "
			"the whole folder, give a passphrase "
			"(keys.passphrase-file), then \"sallyport ca "
			"passphrase\"",
			passphrase_source(s->passphrase));
	return 0;
}

static int prepare(struct supervisor *s, const struct config *config,
	char *err, size_t err_size)
{
	if (child_prepare(err, err_size) != 0 ||
	    make_tally(s, err, err_size) != 0 ||
	    config_prepare_state(config, err, err_size) != 0)
		return -1;
	identity_find(config->state, &s->worker.identity,
		&s->keeper.identity);
	if (geteuid() == 0 && s->worker.identity.uid == 0)
		say("root can't become other users here: keeper and worker stay "
		    "root, without its capabilities");
	if (load_lock(config->state, err, err_size) != 0 ||
	    find_passphrase(s, config, err, err_size) != 0 ||
	    identity_hand_over(config->state, &s->worker.identity, err,
		    err_size) != 0 ||
	    bind_listeners(s, config, err, err_size) != 0)
		return -1;
	raise_files(config);
	return 0;
}

static int go(struct supervisor *s)
{
	if (start_keeper(s) != 0 || start_worker(s) != 0) {
		say("a process can't be started: %s", strerror(errno));
		return 1;
	}
	run(s);
	end_keeper(s);
	return s->code;
}

int supervisor_run(const struct supervisor_options *options)
{
	static struct supervisor s;
	char err[1024];
	int code;

	s.options = options;
	s.keeper = (struct child){.word = "@keeper", .channel = -1};
	s.worker = (struct child){.word = "@worker", .channel = -1};
	harden_private();
	harden_raise();
	if (handover_load(&s.handover, options->path) != 0)
		return 2;
	if (prepare(&s, s.handover.config, err, sizeof(err)) != 0) {
		say("%s", err);
		code = 1;
	} else {
		handover_drop_config(&s.handover);
		watch_signals(&s);
		code = go(&s);
	}
	passphrase_free(s.passphrase);
	handover_clear(&s.handover);
	harden_end();
	return code;
}
