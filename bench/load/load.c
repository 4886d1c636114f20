/*
 * load - HTTPS requests, one thread of them, and what they cost a proxy.
 *
 * wrk knows neither CONNECT nor a new connection for each request, and nothing
 * that makes load reads the CPU of a proxy at the edges of its own window. So:
 *
 *	load --to 127.0.0.1:8080 --connect --trust root.pem --watch 4711 \
 *		--host site.test --path /1k --connections 64 --seconds 5
 *
 * One line of JSON tells what was done and what the watched processes used
 * meanwhile. Times are of the request alone on a kept connection, and from the
 * dial on where each request has a connection of its own.
 */
#include <arpa/inet.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "bench/load/client.h"
#include "bench/load/usage.h"

enum {
	EVENTS = 256,
	DIALLING_AT_ONCE = 32, /* while many idle connections are opened */
	ENOUGH_FAILURES = 1000,
};
static const double REST_S = 1.5; /* before memory is read */
static const double IDLE_LIMIT_S = 120;

struct load {
	struct plan plan;
	struct tally tally;
	const char *watch, *trust;
	unsigned connections, first_site, num_sites, sites_given;
	/* Of the connections, how many have a request under way; the others rest
	 * until it is their turn. 0: all of them. */
	unsigned active, turn;
	unsigned most; /* requests after which it ends; 0: no end */
	double seconds, warm_up;
	bool fresh; /* a new connection for each request */
	bool idle;  /* open, ask once, hold */
	bool around; /* after the last site comes the first */
	bool out_of_sites;
	bool opening; /* a request each, and rest */
	struct client **clients;
	unsigned num_clients;
};

enum option_key {
	TO, CONNECT, TRUST, WATCH, HOST, PORT, PATH, CONNECTIONS, SECONDS,
	WARM_UP, REQUESTS, AROUND, ACTIVE, FRESH, RESUME, FIRST_SITE, SITES, IDLE,
};

static const struct option options[] = {
	{"to", required_argument, NULL, TO},
	{"connect", no_argument, NULL, CONNECT},
	{"trust", required_argument, NULL, TRUST},
	{"watch", required_argument, NULL, WATCH},
	{"host", required_argument, NULL, HOST},
	{"port", required_argument, NULL, PORT},
	{"path", required_argument, NULL, PATH},
	{"connections", required_argument, NULL, CONNECTIONS},
	{"seconds", required_argument, NULL, SECONDS},
	{"warm-up", required_argument, NULL, WARM_UP},
	{"requests", required_argument, NULL, REQUESTS},
	{"fresh", no_argument, NULL, FRESH},
	{"resume", no_argument, NULL, RESUME},
	{"first-site", required_argument, NULL, FIRST_SITE},
	{"sites", required_argument, NULL, SITES},
	{"active", required_argument, NULL, ACTIVE},
	{"around", no_argument, NULL, AROUND},
	{"idle", no_argument, NULL, IDLE},
	{0},
};

static void die(const char *why)
{
	fprintf(stderr, "load: %s\n", why);
	exit(2);
}

static void set_address(struct sockaddr_in *out, char *text)
{
	char *colon = strrchr(text, ':');

	out->sin_family = AF_INET;
	if (!colon)
		die("--to ADDRESS:PORT");
	*colon = '\0';
	out->sin_port = htons((uint16_t)strtoul(colon + 1, NULL, 10));
	if (inet_pton(AF_INET, text, &out->sin_addr) != 1)
		die("--to ADDRESS:PORT");
}

static unsigned number(const char *text)
{
	return (unsigned)strtoul(text, NULL, 10);
}

static void take_option(struct load *load, int key)
{
	switch ((enum option_key)key) {
	case TO: set_address(&load->plan.to, optarg); break;
	case CONNECT: load->plan.connect = true; break;
	case TRUST: load->trust = optarg; break;
	case WATCH: load->watch = optarg; break;
	case HOST: load->plan.host = optarg; break;
	case PORT: load->plan.port = number(optarg); break;
	case PATH: load->plan.path = optarg; break;
	case CONNECTIONS: load->connections = number(optarg); break;
	case SECONDS: load->seconds = strtod(optarg, NULL); break;
	case WARM_UP: load->warm_up = strtod(optarg, NULL); break;
	case REQUESTS: load->most = number(optarg); break;
	case FRESH: load->fresh = true; break;
	case RESUME: load->plan.resume = true; break;
	case FIRST_SITE: load->first_site = number(optarg); break;
	case SITES: load->num_sites = number(optarg); break;
	case ACTIVE: load->active = number(optarg); break;
	case AROUND: load->around = true; break;
	case IDLE: load->idle = true; break;
	default: die("usage: bench/load/load.c says");
	}
}

static void read_options(struct load *load, int argc, char **argv)
{
	int key;

	while ((key = getopt_long(argc, argv, "", options, NULL)) != -1)
		take_option(load, key);
	if (!load->plan.to.sin_port || !load->trust)
		die("--to and --trust are needed");
	load->plan.tls = client_tls(load->trust);
	if (!load->plan.tls)
		die("--trust: no certificates there");
}

/* --- the load ----------------------------------------------------------- */

static void dial(struct load *load, struct client *client)
{
	unsigned site = load->first_site;

	if (load->num_sites > 0) {
		if (load->around)
			load->sites_given %= load->num_sites;
		if (load->sites_given == load->num_sites) {
			load->out_of_sites = true;
			return;
		}
		site += load->sites_given++;
	}
	client_dial(client, site);
}

static struct client *next_in_turn(struct load *load)
{
	struct client *client;

	do {
		client = load->clients[load->turn++ % load->num_clients];
	} while (client->stage != RESTING && client->stage != GONE);
	return client;
}

/* go_on gives a client that has nothing to do the next thing. */
static void go_on(struct load *load, struct client *client)
{
	if (load->active > 0 && client->stage == RESTING)
		client = next_in_turn(load);
	if (client->stage == RESTING && load->fresh)
		client_drop(client);
	if (client->stage == GONE)
		dial(load, client);
	else if (client->stage == RESTING)
		client_ask(client);
}

static void add_client(struct load *load)
{
	struct client *client = malloc(sizeof(*client));

	if (!client)
		die("no memory");
	client_init(client, &load->plan, &load->tally);
	load->clients[load->num_clients++] = client;
	dial(load, client);
}

static void wait_once(struct load *load, int ms)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(load->plan.epoll, events, EVENTS, ms);

	for (int i = 0; i < n; i++) {
		struct client *client = events[i].data.ptr;

		client_step(client);
		if (!load->opening)
			go_on(load, client);
	}
}

static bool has_failed(const struct load *load)
{
	return load->tally.failed >= ENOUGH_FAILURES;
}

static bool has_enough(const struct load *load)
{
	return load->out_of_sites || has_failed(load) ||
		(load->most > 0 && load->tally.requests >= load->most);
}

static void run_until(struct load *load, double when)
{
	while (client_now() < when && !has_enough(load))
		wait_once(load, 5);
}

static unsigned resting(const struct load *load)
{
	unsigned n = 0;

	for (unsigned i = 0; i < load->num_clients; i++)
		n += load->clients[i]->stage == RESTING;
	return n;
}

/* open_all opens the connections, a few at a time, and lets them rest. */
static void open_all(struct load *load)
{
	double limit = client_now() + IDLE_LIMIT_S;
	unsigned there = 0;

	load->opening = true;
	while (there < load->connections && client_now() < limit &&
		!has_failed(load)) {
		while (load->num_clients < load->connections &&
			load->num_clients - there < DIALLING_AT_ONCE)
			add_client(load);
		wait_once(load, 5);
		there = resting(load);
	}
	load->opening = false;
}

static void hold(struct load *load)
{
	double limit;

	open_all(load);
	load->opening = true; /* nobody goes on */
	limit = client_now() + REST_S;
	while (client_now() < limit)
		wait_once(load, 50);
}

static void start(struct load *load)
{
	if (load->active > 0) {
		open_all(load);
		for (unsigned i = 0; i < load->active; i++)
			client_ask(next_in_turn(load));
		return;
	}
	for (unsigned i = 0; i < load->connections; i++)
		add_client(load);
}

/* --- the whole ---------------------------------------------------------- */

struct figures {
	double seconds, proxy_cpu_s, own_cpu_s, rss_before_kb, rss_kb;
};

static void measure(struct load *load, struct figures *out)
{
	double begin, own;
	struct usage before = usage_of(load->watch), at_begin;

	if (!load->idle) {
		start(load);
		run_until(load, client_now() + load->warm_up);
	}
	load->tally.counting = true;
	begin = client_now();
	own = usage_own_cpu();
	at_begin = usage_of(load->watch);
	if (load->idle)
		hold(load);
	else
		run_until(load, begin + load->seconds);
	out->seconds = client_now() - begin;
	out->proxy_cpu_s = usage_of(load->watch).cpu_s - at_begin.cpu_s;
	out->own_cpu_s = usage_own_cpu() - own;
	out->rss_before_kb = before.rss_kb;
	out->rss_kb = usage_of(load->watch).rss_kb;
}

static void print_text(const char *text)
{
	for (; *text; text++)
		if (*text >= ' ' && *text != '"' && *text != '\\')
			putchar(*text);
}

static void print(const struct load *load, const struct figures *f)
{
	const struct tally *t = &load->tally;
	const struct histogram *times =
		load->fresh ? &t->fresh_times : &t->request_times;

	printf("{\"seconds\":%.3f,\"requests\":%lu,\"handshakes\":%lu,"
	       "\"resumed\":%lu,\"bytes\":%llu,\"failed\":%lu,"
	       "\"wrong_issuer\":%lu,\"resting\":%u,\"lost_at_rest\":%lu,",
		f->seconds, t->requests, t->handshakes, t->resumed,
		t->body_bytes, t->failed, t->wrong_issuer, resting(load),
		t->lost_at_rest);
	printf("\"p50_us\":%.0f,\"p99_us\":%.0f,\"proxy_cpu_s\":%.2f,"
	       "\"load_cpu_s\":%.2f,\"rss_before_kb\":%.0f,\"rss_kb\":%.0f,"
	       "\"first_failure\":\"",
		histogram_at(times, .5), histogram_at(times, .99),
		f->proxy_cpu_s, f->own_cpu_s, f->rss_before_kb, f->rss_kb);
	print_text(t->first_failure);
	printf("\"}\n");
}

int main(int argc, char **argv)
{
	static struct load load = {
		.plan = {.host = "site.test", .path = "/1k", .port = 443},
		.connections = 1,
		.seconds = 5,
		.warm_up = 1,
	};
	struct figures figures;

	read_options(&load, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	load.plan.epoll = epoll_create1(0);
	load.clients = calloc(load.connections, sizeof(*load.clients));
	if (!load.clients)
		die("no memory");
	measure(&load, &figures);
	print(&load, &figures);
	return 0;
}
