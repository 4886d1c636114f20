/*
 * server_private.h - what server.c, which runs the worker process, shares with
 * server_change.c, which changes what it goes by: CAs, configuration, policy.
 *
 * What is in force is one snapshot and what it was made of. One change at a time
 * makes another beside it, and puts it in its place or leaves all as it was.
 *
 * Threads: start and end are the main one's; changes come on one of their own, and on
 *          the desk's clerks': whoever makes one has change locked.
 */
#ifndef PROXY_CORE_SERVER_PRIVATE_H
#define PROXY_CORE_SERVER_PRIVATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <time.h>
#include <utstring.h>

#include "proxy/admin/api.h"
#include "proxy/core/inherit.h"
#include "proxy/core/source.h"
#include "proxy/session/services.h"

struct config;

struct server {
	struct inheritance inheritance;
	pthread_mutex_t change;    /* held while something is changed */
	pthread_mutex_t now;       /* over the three that follow */
	struct snapshot *snapshot; /* in force; changed by who has change */
	struct source source;      /* likewise: what it was made of */
	time_t due, looked;        /* of the CAs: when again, when last */
	struct settings *started;  /* whose listeners and workers there are */
	struct shared shared;
	struct access_log *log;
	struct worker *workers[WORKER_THREADS_MAX];
	unsigned num_workers;
	pthread_t changer;   /* who reloads, and renews CAs */
	struct desk *desk;
	struct ledger_writer *writer;
	atomic_bool stopping;
	atomic_bool carrying;      /* there are workers: they stay as they are */
	atomic_uint reloads, failed_reloads;
	atomic_llong loaded;       /* when what is in force was read */
	time_t began;
};

enum { SERVER_RETRY_S = 60 }; /* CAs that could not be opened anew */

/* server_load makes what the process begins with. 0, or its exit code. */
int server_load(struct server *server);

/* server_open_keylog has the secrets written where config says, and tells. -1: they
 * are not, err says why. */
int server_open_keylog(struct server *server, const struct config *config,
	char *err, size_t err_size) __attribute__((warn_unused_result));

/* server_taken: what was loaded is in force from now on. */
void server_taken(struct server *server);

/* server_reload reads the configuration anew, and the files that it names. */
void server_reload(struct server *server);

/* server_reopen_log goes over to the file that has come. */
void server_reopen_log(struct server *server);

/* server_refresh opens the CAs anew: something is due, or has changed. */
int server_refresh(struct server *server, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void server_refresh_or_say(struct server *server);

/* server_snapshot is a reference to what is in force. Takes a struct server, as
 * what is in server_policies does. Any thread. */
struct snapshot *server_snapshot(void *server);

/* server_metrics writes /metrics. Any thread. */
void server_metrics(void *server, UT_string *out);

/* server_live fills list, whose most is given; at is the caller's to free. Any
 * thread that may wait for the workers. */
struct live_list;
void server_live(void *server, struct live_list *list);

/* server_figures prints some of them on stderr. */
void server_figures(struct server *server);

extern const struct api_policies server_policies;

#endif
