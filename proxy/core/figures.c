/* figures.c - what there is to count: /metrics, and the line of SIGUSR1. A
 * function for each row of metrics.def. */
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "cache/shards.h"
#include "pki/authority.h"
#include "proxy/config/config.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/process_figures.h"
#include "proxy/core/server_private.h"
#include "proxy/core/version.h"
#include "proxy/core/worker.h"
#include "proxy/report/access.h"
#include "proxy/report/metrics.h"
#include "proxy/report/rulebook.h"
#include "proxy/report/tally.h"
#include "proxy/session/keylog.h"

struct figures {
	struct server *server;
	struct snapshot *snapshot; /* owned */
	struct lru_stats leaves;
	struct process_figures process;
	unsigned num_workers;
	struct metrics_page page;
};

#define LABELS(...) ((const char *const[]){__VA_ARGS__})

/* --- sums --------------------------------------------------------------- */

static uint64_t sum_at(const struct figures *f, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < f->num_workers; i++) {
		const char *tally =
			(const char *)worker_tally(f->server->workers[i]);

		sum += count_read((const void *)(tally + offset));
	}
	return sum;
}

#define SUM(figures, member) sum_at(figures, offsetof(struct tally, member))

static void put_times_at(struct figures *f, size_t offset)
{
	struct times_sum sum = {.ms = 0};

	for (unsigned i = 0; i < f->num_workers; i++) {
		const char *tally =
			(const char *)worker_tally(f->server->workers[i]);

		times_read((const void *)(tally + offset), &sum);
	}
	metrics_put_times(&f->page, &sum);
}

#define PUT_TIMES(figures, member) \
	put_times_at(figures, offsetof(struct tally, member))

static void put(struct figures *f, uint64_t value)
{
	metrics_put(&f->page, value, NULL);
}

/* put_reasons leaves those out that have not happened. */
static void put_reasons(struct figures *f, size_t offset)
{
	for (unsigned i = REASON_OK + 1; i < REASON_COUNT; i++) {
		uint64_t sum = sum_at(f, offset + i * sizeof(struct count));

		if (sum > 0)
			metrics_put(&f->page, sum,
				LABELS(reason_word((enum reason)i)));
	}
}

/* --- clients ------------------------------------------------------------ */

static void put_connections(struct figures *f)
{
	for (unsigned i = 0; i < TALLY_LISTENERS; i++)
		metrics_put(&f->page, SUM(f, accepted[i]),
			LABELS(tally_listener_name((enum tally_listener)i)));
}

/* Those that have ended are read first: none of them can be missing among the
 * accepted ones then. */
static uint64_t open_now(const struct figures *f, unsigned listener)
{
	uint64_t ended = SUM(f, ended[listener]);
	uint64_t accepted = SUM(f, accepted[listener]);

	return accepted > ended ? accepted - ended : 0;
}

static void put_connections_open(struct figures *f)
{
	for (unsigned i = 0; i < TALLY_LISTENERS; i++)
		metrics_put(&f->page, open_now(f, i),
			LABELS(tally_listener_name((enum tally_listener)i)));
}

static void put_connections_limit(struct figures *f)
{
	put(f, f->server->started->config->limits.connections);
}

static void put_client_handshake(struct figures *f, unsigned to, unsigned shake)
{
	for (unsigned i = 0; i < TALLY_TLSES; i++) {
		uint64_t sum = SUM(f, client_shakes[to][shake][i]);

		if (sum > 0)
			metrics_put(&f->page, sum,
				LABELS(tally_to_name((enum tally_to)to),
				tally_shake_name((enum tally_shake)shake),
				tally_tls_name((enum tally_tls)i)));
	}
}

static void put_client_handshakes(struct figures *f)
{
	for (unsigned to = 0; to < TALLY_TOS; to++) {
		for (unsigned i = 0; i < TALLY_SHAKES; i++)
			put_client_handshake(f, to, i);
	}
}

static void put_client_handshake_seconds(struct figures *f)
{
	PUT_TIMES(f, client_shake);
}

static void put_logins(struct figures *f)
{
	for (unsigned i = 0; i < TALLY_LOGINS; i++)
		metrics_put(&f->page, SUM(f, logins[i]),
			LABELS(tally_login_name((enum tally_login)i)));
}

/* --- decisions ---------------------------------------------------------- */

static void put_decisions(struct figures *f)
{
	size_t num;
	struct rulebook_line *lines =
		rulebook_read(f->server->shared.rulebook, &num);

	for (size_t i = 0; i < num; i++)
		metrics_put(&f->page, lines[i].decided, LABELS(
			lines[i].list == RULES_SSL ? "ssl-rules" : "url-rules",
			lines[i].name, lines[i].action));
	free(lines);
}

static void put_rules(struct figures *f)
{
	const struct config *config = f->snapshot->config;

	metrics_put(&f->page, config->num_rules, LABELS("ssl-rules"));
	metrics_put(&f->page, config->num_url_rules, LABELS("url-rules"));
}

static void put_refusals(struct figures *f)
{
	put_reasons(f, offsetof(struct tally, refusals));
}

/* --- what is carried ---------------------------------------------------- */

static void put_exchanges(struct figures *f)
{
	static const char *const classes[TALLY_STATUSES] = {
		"none", "1xx", "2xx", "3xx", "4xx", "5xx"};

	for (unsigned i = 0; i < TALLY_STATUSES; i++)
		metrics_put(&f->page, SUM(f, exchanges[i]), LABELS(classes[i]));
}

static void put_exchange_seconds(struct figures *f)
{
	PUT_TIMES(f, exchange);
}

static void put_tunnels(struct figures *f)
{
	put(f, SUM(f, tunnels));
}

static void put_bytes(struct figures *f)
{
	metrics_put(&f->page, SUM(f, client.in), LABELS("client", "in"));
	metrics_put(&f->page, SUM(f, client.out), LABELS("client", "out"));
	metrics_put(&f->page, SUM(f, origin.in), LABELS("origin", "in"));
	metrics_put(&f->page, SUM(f, origin.out), LABELS("origin", "out"));
}

/* --- origins ------------------------------------------------------------ */

static void put_origin_connections(struct figures *f)
{
	for (unsigned i = 0; i < TALLY_USES; i++)
		metrics_put(&f->page, SUM(f, origins[i]),
			LABELS(tally_use_name((enum tally_use)i)));
}

static void put_origin_pool(struct figures *f)
{
	put(f, SUM(f, pooled));
}

static void put_origin_handshake(struct figures *f, unsigned shake)
{
	for (unsigned i = 0; i < TALLY_TLSES; i++) {
		uint64_t sum = SUM(f, origin_shakes[shake][i]);

		if (sum > 0)
			metrics_put(&f->page, sum,
				LABELS(tally_shake_name((enum tally_shake)shake),
				tally_tls_name((enum tally_tls)i)));
	}
}

static void put_origin_handshakes(struct figures *f)
{
	for (unsigned i = 0; i < TALLY_SHAKES; i++)
		put_origin_handshake(f, i);
}

static void put_origin_connect_seconds(struct figures *f)
{
	PUT_TIMES(f, origin_connect);
}

static void put_origin_errors(struct figures *f)
{
	put_reasons(f, offsetof(struct tally, origin_errors));
}

/* --- certificates ------------------------------------------------------- */

static void put_leaf_hits(struct figures *f)
{
	put(f, f->leaves.hits);
}

static void put_leaf_misses(struct figures *f)
{
	put(f, f->leaves.misses);
}

static void put_leaf_evicted(struct figures *f)
{
	put(f, f->leaves.evicted);
}

static void put_leaf_entries(struct figures *f)
{
	put(f, f->leaves.entries);
}

static void put_leaf_bytes(struct figures *f)
{
	put(f, f->leaves.bytes);
}

static void put_leaves_forged(struct figures *f)
{
	put(f, SUM(f, forged));
}

static void put_end(struct figures *f, time_t end, const char *name,
	const char *kind)
{
	if (end > 0 && name[0] != '\0')
		metrics_put(&f->page, (uint64_t)end, LABELS(name, kind));
}

static void put_ca_expiry(struct figures *f)
{
	const struct authority *authority = f->snapshot->authority;
	struct authority_end end;

	put_end(f, authority_root_end(authority), "root.pem", "root");
	for (size_t i = 0; authority_end(authority, i, &end); i++) {
		put_end(f, end.ca, end.name, end.kind);
		put_end(f, end.issuing, end.name, "issuing");
	}
}

static void put_crl_expiry(struct figures *f)
{
	struct authority_end end;

	for (size_t i = 0; authority_end(f->snapshot->authority, i, &end); i++) {
		if (end.crl > 0 && end.name[0] != '\0')
			metrics_put(&f->page, (uint64_t)end.crl,
				LABELS(end.name));
	}
}

/* --- what it goes by ---------------------------------------------------- */

static void put_policy_version(struct figures *f)
{
	unsigned number;

	pthread_mutex_lock(&f->server->now);
	number = f->server->source.version.number;
	pthread_mutex_unlock(&f->server->now);
	put(f, number);
}

static void put_reloads(struct figures *f)
{
	metrics_put(&f->page, atomic_load(&f->server->reloads), LABELS("ok"));
	metrics_put(&f->page, atomic_load(&f->server->failed_reloads),
		LABELS("failed"));
}

static void put_reload_time(struct figures *f)
{
	put(f, (uint64_t)atomic_load(&f->server->loaded));
}

static void put_log_dropped(struct figures *f)
{
	put(f, access_dropped(f->server->log));
}

static void put_key_log(struct figures *f)
{
	put(f, keylog_is_on(f->server->shared.keylog));
}

/* --- the process -------------------------------------------------------- */

static void put_build_info(struct figures *f)
{
	metrics_put(&f->page, 1, LABELS(SALLYPORT_VERSION));
}

static void put_workers(struct figures *f)
{
	put(f, f->num_workers);
}

static void put_cpu(struct figures *f)
{
	metrics_put_real(&f->page, f->process.cpu_s, NULL);
}

static void put_resident(struct figures *f)
{
	put(f, f->process.resident);
}

static void put_virtual(struct figures *f)
{
	put(f, f->process.virtual);
}

static void put_open_fds(struct figures *f)
{
	put(f, f->process.open_fds);
}

static void put_max_fds(struct figures *f)
{
	put(f, f->process.max_fds);
}

static void put_start_time(struct figures *f)
{
	put(f, (uint64_t)f->server->began);
}

/* --- all of them -------------------------------------------------------- */

static void (*const writers[METRIC_COUNT])(struct figures *f) = {
#define METRIC(id, type, name, labels, help) [METRIC_##id] = put_##id,
#include "proxy/report/metrics.def"
#undef METRIC
};

static void begin(struct figures *f, struct server *server)
{
	f->server = server;
	f->num_workers = atomic_load(&server->carrying) ?
		server->num_workers : 0;
	f->leaves = shards_stats(server->shared.leaves);
}

void server_metrics(void *arg, UT_string *out)
{
	struct figures f = {.page = {.out = out}};

	begin(&f, arg);
	f.snapshot = server_snapshot(f.server);
	process_figures_read(&f.process);
	for (unsigned i = 0; i < METRIC_COUNT; i++) {
		metrics_begin(&f.page, (enum metric)i);
		writers[i](&f);
	}
	snapshot_unref(f.snapshot);
}

void server_figures(struct server *server)
{
	struct figures f = {.server = NULL};
	uint64_t accepted = 0, open = 0, exchanges = 0;

	begin(&f, server);
	for (unsigned i = 0; i < TALLY_LISTENERS; i++) {
		open += open_now(&f, i);
		accepted += SUM(&f, accepted[i]);
	}
	for (unsigned i = 0; i < TALLY_STATUSES; i++)
		exchanges += SUM(&f, exchanges[i]);
	fprintf(stderr,
		"{\"leaf_cache\":{\"entries\":%zu,\"bytes\":%zu,"
		"\"hits\":%" PRIu64 ",\"misses\":%" PRIu64 ","
		"\"evicted\":%" PRIu64 "},"
		"\"signatures\":%" PRIu64 ",\"connections\":%" PRIu64 ","
		"\"open\":%" PRIu64 ",\"exchanges\":%" PRIu64 ","
		"\"tunnels\":%" PRIu64 ",\"log_lines_dropped\":%" PRIu64 "}\n",
		f.leaves.entries, f.leaves.bytes, f.leaves.hits,
		f.leaves.misses, f.leaves.evicted, SUM(&f, forged), accepted,
		open, exchanges, SUM(&f, tunnels),
		access_dropped(server->log));
}
