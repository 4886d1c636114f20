#include "proxy/core/desk.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <utlist.h>

#include "pki/authority.h"
#include "proxy/admin/api.h"
#include "proxy/admin/visit.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/clerks.h"
#include "proxy/core/desk_tls.h"
#include "proxy/core/desk_token.h"
#include "proxy/core/say.h"
#include "proxy/net/address.h"
#include "proxy/net/listener.h"
#include "proxy/net/loop.h"
#include "proxy/report/metrics.h"
#include "proxy/session/answer.h"

enum {
	VISITS_MAX = 512,
	CONTROLS_MAX = 64,      /* visits to the control socket */
	LARGE_MAX = 16,         /* bodies of more than API_BODY_MAX */
	CLERKS = 4,             /* calls that are answered at a time */
	WAITING_MAX = 64,       /* ... and that wait for one of these */
	LOOK_MS = 1000,
	REFUSALS = 5,           /* logins, whose refusal is told, from one look
				 * to the next */
};

struct desk;

/* A listening socket. */
struct entry {
	struct desk *desk;
	struct listener *listener;
	bool control, loopback;
};

struct desk {
	struct desk_host host;
	char user[64];                  /* as whom it runs */
	const char *state;              /* borrowed */
	const struct keeper_link *link; /* borrowed */
	struct api *api;                /* owned */
	struct desk_tls *tls;           /* owned */
	struct clerks *clerks;          /* owned */
	struct loop loop;
	pthread_t thread;
	struct entry *entries;          /* owned */
	size_t num_entries;
	struct visit *visits;
	unsigned num_visits, num_jobs, num_refusals;
	uv_timer_t timer;
	struct post stop;
	bool ending;
};

/* A call of the API, on its way through a clerk's hands. */
struct job {
	struct clerk_job clerk; /* first: a clerk_job is a job */
	struct desk *desk;
	struct visit *visit;
};

/* --- calls -------------------------------------------------------------- */

static struct life_rule *rules_of(const struct config *config)
{
	struct life_rule *rules = calloc(config->num_named + 1,
		sizeof(*rules));

	if (!rules)
		abort();
	for (size_t i = 0; i < config->num_named; i++)
		rules[i] = (struct life_rule){config->named[i].name,
			config->named[i].rule};
	return rules;
}

static void handle_in(struct desk *desk, const struct snapshot *snapshot,
	struct visit *visit)
{
	const struct config *config = snapshot->config;
	struct life_rule *rules = rules_of(config);
	char crl_base[CRL_BASE_SIZE];
	struct api_world world = {
		.options = {
			.state = desk->state,
			.crl_base = crl_base,
			.link = desk->link,
			.rotate_s = config->issuing.rotate_s,
			.validity_s = config->issuing.validity_s,
		},
		.rules = rules,
		.num_rules = config->num_named,
		.zia = config->compat == COMPAT_ZIA,
		.changed = desk->host.changed,
		.settle = desk->host.settle,
		.policies = desk->host.policies,
		.metrics = desk->host.metrics,
		.live = desk->host.live,
		.arg = desk->host.arg,
	};

	config_crl_base(config, crl_base, sizeof(crl_base));
	api_handle(desk->api, &world, &visit->request, &visit->reply);
	free(rules);
}

static void do_job(struct clerk_job *clerk)
{
	struct job *job = (struct job *)clerk;
	struct snapshot *snapshot =
		job->desk->host.snapshot(job->desk->host.arg);

	handle_in(job->desk, snapshot, job->visit);
	snapshot_unref(snapshot);
}

/* tell_refusal: who tries many passwords shall not fill the log with that. */
static void tell_refusal(struct desk *desk, const struct visit *visit)
{
	if (visit->reply.refused[0] && desk->num_refusals++ < REFUSALS)
		say("admin listener: login refused: %s, from %s",
			visit->reply.refused, visit->peer);
}

static void count_refusals(struct desk *desk)
{
	if (desk->num_refusals > REFUSALS)
		say("admin listener: %u more logins were refused",
			desk->num_refusals - REFUSALS);
	desk->num_refusals = 0;
}

static void finish(struct desk *desk);

static void on_job_done(struct clerk_job *clerk)
{
	struct job *job = (struct job *)clerk;
	struct desk *desk = job->desk;

	desk->num_jobs--;
	tell_refusal(desk, job->visit);
	visit_answered(job->visit);
	free(job);
	finish(desk);
}

/* handle: commands on this machine wait for nobody who comes from elsewhere. */
static bool handle(void *host, struct visit *visit)
{
	struct desk *desk = host;
	struct job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->clerk.work = do_job;
	job->clerk.done = on_job_done;
	job->desk = desk;
	job->visit = visit;
	if (!clerks_take(desk->clerks, &job->clerk, visit->local)) {
		free(job);
		return false;
	}
	desk->num_jobs++;
	return true;
}

/* --- pages -------------------------------------------------------------- */

static void begin_text(struct answer *answer, unsigned status,
	const char *type)
{
	answer->head = head_new();
	head_set_response(answer->head, status,
		(struct slice){status == 200 ? "OK" : "Service Unavailable",
			status == 200 ? 2 : 19}, 1);
	head_add_text(answer->head, "Content-Type", type);
	head_add_text(answer->head, "Cache-Control", "no-store");
	head_add_text(answer->head, "X-Content-Type-Options", "nosniff");
	utstring_init(&answer->body);
}

static void healthz(struct answer *answer)
{
	begin_text(answer, 200, "text/plain; charset=utf-8");
	utstring_printf(&answer->body, "ok\n");
}

/* readyz: 200 while connections are wanted and can be given certificates; what
 * is amiss with a CA that is used stands below it either way. */
static void readyz(struct desk *desk, const struct snapshot *snapshot,
	struct answer *answer)
{
	const struct authority *authority = snapshot->authority;
	bool ready = desk->host.serving(desk->host.arg);
	const char *why, *text;

	if (!authority_issuer(authority, NULL, &why))
		ready = false;
	begin_text(answer, ready ? 200 : 503, "text/plain; charset=utf-8");
	utstring_printf(&answer->body, ready ? "ready\n" : "not ready\n");
	for (size_t i = 0; (text = authority_warning(authority, i)); i++)
		utstring_printf(&answer->body, "warning: %s\n", text);
}

static void metrics(struct desk *desk, struct answer *answer)
{
	begin_text(answer, 200, METRICS_TYPE);
	desk->host.metrics(desk->host.arg, &answer->body);
}

static void open_page(struct snapshot *snapshot, const struct visit *visit,
	struct answer *answer)
{
	char proxy[PROXY_ADDRESS_SIZE];
	struct own_request request = {
		.proxy = proxy,
		.method = visit->request.method,
		.path = visit->request.path,
		.way = PORTAL_STRAIGHT,
		.page = visit->html,
		.html = visit->html,
	};

	config_proxy_address(snapshot->config, proxy, sizeof(proxy));
	(void)answer_own(answer, snapshot, &request);
}

static bool reads(struct slice method)
{
	return slice_is(method, "GET") || slice_is(method, "HEAD");
}

static void page(void *host, const struct visit *visit, struct answer *answer)
{
	struct desk *desk = host;
	struct slice path = visit->request.path;
	struct snapshot *snapshot = desk->host.snapshot(desk->host.arg);
	bool open = visit->loopback && reads(visit->request.method);

	if (open && slice_is(path, "/healthz"))
		healthz(answer);
	else if (open && slice_is(path, "/readyz"))
		readyz(desk, snapshot, answer);
	else if (open && slice_is(path, "/metrics"))
		metrics(desk, answer);
	else
		open_page(snapshot, visit, answer);
	snapshot_unref(snapshot);
}

/* --- visits ------------------------------------------------------------- */

static bool grow(void *host)
{
	struct desk *desk = host;
	const struct visit *visit;
	unsigned num = 0;

	DL_FOREACH(desk->visits, visit)
		num += visit->large;
	return num < LARGE_MAX;
}

static void gone(void *host, struct visit *visit)
{
	struct desk *desk = host;

	DL_DELETE(desk->visits, visit);
	desk->num_visits--;
	finish(desk);
}

static const struct visit_host visit_ops = {handle, page, grow, gone};

/* name_user asks once: that may take the network. */
static void name_user(struct desk *desk)
{
	const struct passwd *user = getpwuid(geteuid());

	snprintf(desk->user, sizeof(desk->user), "%s",
		user ? user->pw_name : "?");
}

/* who_is says whom the kernel knows at the other end; false: somebody who has
 * no business here. */
static bool who_is(const struct desk *desk, int fd, char *out, size_t size)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0 ||
	    (peer.uid != 0 && peer.uid != geteuid()))
		return false;
	snprintf(out, size, "%s (uid %lu)",
		peer.uid == 0 ? "root" : desk->user, (unsigned long)peer.uid);
	return true;
}

/* make_room: the control socket has its own. Where there is none, whoever has
 * been idle, or at sending a request, for the longest goes; false: all of them
 * are being answered. */
static bool make_room(struct desk *desk, bool control)
{
	struct visit *visit, *oldest = NULL;
	unsigned num = 0;

	DL_FOREACH(desk->visits, visit) {
		if (visit->local != control || visit->closing)
			continue;
		num++;
		if (visit->at != VISIT_WORK &&
		    (!oldest || visit->since_ms < oldest->since_ms))
			oldest = visit;
	}
	if (num < (control ? CONTROLS_MAX : VISITS_MAX))
		return true;
	if (oldest)
		visit_end(oldest);
	return oldest != NULL;
}

static void address_of(const struct sockaddr *at, char *out, size_t size)
{
	char host[46];

	address_text(at, host);
	address_with_port(host, address_port(at), out, size);
}

static void own_address(int fd, char *out, size_t size)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);

	(void)getsockname(fd, (struct sockaddr *)&at, &len);
	address_of((struct sockaddr *)&at, out, size);
}

static void on_accepted(void *arg, int fd, const struct sockaddr *peer)
{
	struct entry *entry = arg;
	struct desk *desk = entry->desk;
	char who[API_WHO] = "", self[128] = "", from[64] = "";
	struct visit_order order = {
		.ops = &visit_ops,
		.host = desk,
		.loop = &desk->loop,
		.fd = fd,
		.self = self,
		.peer = entry->control ? who : from,
		.loopback = entry->loopback || entry->control,
		.who = entry->control ? who : NULL,
	};
	struct visit *visit;

	if ((entry->control && !who_is(desk, fd, who, sizeof(who))) ||
	    !make_room(desk, entry->control)) {
		close(fd);
		return;
	}
	if (!entry->control) {
		own_address(fd, self, sizeof(self));
		address_of(peer, from, sizeof(from));
	}
	if (!entry->control && !entry->loopback)
		order.ssl = desk_tls_new_ssl(desk->tls, self);
	visit = visit_new(&order);
	DL_APPEND(desk->visits, visit);
	desk->num_visits++;
}

static void on_paused(void *arg, int error)
{
	(void)arg;
	say("admin listener: accepting pauses: %s", strerror(error));
}

static void on_look(uv_timer_t *timer)
{
	struct desk *desk = timer->data;
	struct visit *visit, *next;

	count_refusals(desk);
	DL_FOREACH_SAFE(desk->visits, visit, next)
		visit_check(visit, loop_now(&desk->loop));
}

/* --- the end ------------------------------------------------------------ */

static void on_timer_closed(uv_handle_t *handle)
{
	struct desk *desk = handle->data;

	loop_stop(&desk->loop);
}

/* finish ends the loop once the last visit has gone. */
static void finish(struct desk *desk)
{
	if (!desk->ending || desk->num_visits > 0 || desk->num_jobs > 0 ||
	    uv_is_closing((uv_handle_t *)&desk->timer))
		return;
	uv_close((uv_handle_t *)&desk->timer, on_timer_closed);
}

static void on_stop(struct post *post)
{
	struct desk *desk = (struct desk *)(void *)
		((char *)post - offsetof(struct desk, stop));
	struct visit *visit, *next;

	desk->ending = true;
	for (size_t i = 0; i < desk->num_entries; i++) {
		if (desk->entries[i].listener)
			listener_close(desk->entries[i].listener, NULL, NULL);
	}
	DL_FOREACH_SAFE(desk->visits, visit, next)
		visit_end(visit);
	clerks_drop(desk->clerks);
	finish(desk);
}

/* --- the beginning ------------------------------------------------------ */

static bool is_loopback(int fd)
{
	struct sockaddr_storage at = {0};
	socklen_t len = sizeof(at);

	return getsockname(fd, (struct sockaddr *)&at, &len) == 0 &&
		address_is_loopback((struct sockaddr *)&at);
}

static int open_entry(struct desk *desk, int fd, bool control, char *err,
	size_t err_size)
{
	static const struct listener_ops ops = {on_accepted, on_paused};
	struct entry *entry = &desk->entries[desk->num_entries];

	entry->desk = desk;
	entry->control = control;
	entry->loopback = !control && is_loopback(fd);
	if (listener_open(&desk->loop.uv, fd, &ops, entry, &entry->listener,
		    err, err_size) != 0)
		return -1;
	desk->num_entries++;
	return 0;
}

/* open_control: whoever may write to the state folder may be there before; the
 * kernel says who comes, and the socket is ours alone. */
static int open_control(struct desk *desk, char *err, size_t err_size)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	int fd, folder = open(desk->state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	mode_t mask;

	/* a path may be longer than an address has room for */
	snprintf(at.sun_path, sizeof(at.sun_path),
		"/proc/self/fd/%d/" DESK_CONTROL, folder);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)unlink(at.sun_path);
	mask = umask(0177);
	if (folder < 0 || fd < 0 ||
	    bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		snprintf(err, err_size, "%s/" DESK_CONTROL ": %s", desk->state,
			strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	(void)umask(mask);
	if (folder >= 0)
		close(folder);
	return fd < 0 ? -1 : open_entry(desk, fd, true, err, err_size);
}

static void *run(void *arg)
{
	struct desk *desk = arg;

	loop_run(&desk->loop);
	return NULL;
}

static int open_all(struct desk *desk, const struct desk_order *order,
	char *err, size_t err_size)
{
	desk->entries = calloc(order->num_fds + 1, sizeof(*desk->entries));
	if (!desk->entries)
		abort();
	for (size_t i = 0; i < order->num_fds; i++) {
		if (open_entry(desk, order->fds[i], false, err,
			    err_size) != 0)
			return -1;
	}
	return open_control(desk, err, err_size);
}

int desk_new(const struct desk_order *order, struct desk **out, char *err,
	size_t err_size)
{
	struct desk *desk = calloc(1, sizeof(*desk));
	char token[DESK_TOKEN_SIZE];

	if (!desk)
		abort();
	*out = NULL; /* a failure ends the process: nothing to take down */
	desk->host = order->host;
	desk->state = order->state;
	desk->link = order->link;
	name_user(desk);
	if (desk_token_need(order->state, token, err, err_size) != 0)
		return -1;
	desk->api = api_new(token);
	OPENSSL_cleanse(token, sizeof(token));
	desk->tls = desk_tls_new(&desk->host, order->keys);
	loop_init(&desk->loop);
	desk->clerks = clerks_new(&desk->loop, CLERKS, WAITING_MAX);
	desk->stop.run = on_stop;
	(void)uv_timer_init(&desk->loop.uv, &desk->timer);
	desk->timer.data = desk;
	(void)uv_timer_start(&desk->timer, on_look, LOOK_MS, LOOK_MS);
	if (open_all(desk, order, err, err_size) != 0)
		return -1;
	if (pthread_create(&desk->thread, NULL, run, desk) != 0)
		abort();
	*out = desk;
	return 0;
}

void desk_free(struct desk *desk)
{
	char path[4096];

	if (!desk)
		return;
	loop_post(&desk->loop, &desk->stop);
	pthread_join(desk->thread, NULL);
	clerks_free(desk->clerks);
	loop_clear(&desk->loop);
	snprintf(path, sizeof(path), "%s/" DESK_CONTROL, desk->state);
	(void)unlink(path);
	desk_tls_free(desk->tls);
	api_free(desk->api);
	free(desk->entries);
	free(desk);
}
