#include "proxy/core/keeper_client.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "pki/keeper_frame.h"
#include "proxy/core/frame_io.h"

enum {
	PATIENCE_S = 5,     /* until there is a keeper */
	QUICK_S = 30,       /* until it has answered */
	SLOW_S = 300,       /* ... about a key to be made */
};

/* One socket carries one question at a time. */
struct way {
	pthread_mutex_t turn;  /* who asks */
	int fd;                /* owned; -1: gone. Under client->lock */
	bool busy;             /* somebody is using it; likewise */
};

struct keeper_client {
	struct keeper_link link;
	char *source;          /* owned */
	void (*deaf)(void);    /* NULL: nobody wants to know */
	struct way ways[NUM_ASKERS];
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool ready;            /* under the lock */
};

/* --- sockets ------------------------------------------------------------ */

static void in_patience(struct timespec *out)
{
	clock_gettime(CLOCK_MONOTONIC, out);
	out->tv_sec += PATIENCE_S;
}

/* wait_ready waits for a keeper that holds the keys. */
static bool wait_ready(struct keeper_client *client,
	const struct timespec *until)
{
	int result = 0;
	bool ready;

	pthread_mutex_lock(&client->lock);
	while (result == 0 && !client->ready)
		result = pthread_cond_timedwait(&client->changed,
			&client->lock, until);
	ready = client->ready;
	pthread_mutex_unlock(&client->lock);
	return ready;
}

/* take_turn: keys: it is of no use without them. Those who bring them come the
 * same way: nobody has the turn while waiting for them. */
static bool take_turn(struct keeper_client *client, struct way *way, bool keys)
{
	struct timespec until, now = {0};

	in_patience(&until);
	for (;;) {
		if (keys && !wait_ready(client, &until))
			return false;
		pthread_mutex_lock(&way->turn);
		if (!keys || wait_ready(client, &now))
			return true;
		pthread_mutex_unlock(&way->turn);
	}
}

/* begin waits until there is a socket. It is used outside the lock, and closed
 * by nobody else meanwhile. */
static int begin(struct keeper_client *client, struct way *way)
{
	struct timespec until;
	int result = 0, fd;

	in_patience(&until);
	pthread_mutex_lock(&client->lock);
	while (result == 0 && way->fd < 0)
		result = pthread_cond_timedwait(&client->changed,
			&client->lock, &until);
	way->busy = way->fd >= 0;
	fd = way->fd;
	pthread_mutex_unlock(&client->lock);
	return fd;
}

/* end: what was replaced meanwhile, or failed, is closed here. */
static void end(struct keeper_client *client, struct way *way, int fd,
	bool carried)
{
	pthread_mutex_lock(&client->lock);
	way->busy = false;
	if (way->fd != fd) {
		close(fd);
	} else if (!carried) {
		close(fd);
		way->fd = -1;
		client->ready = false;
	}
	pthread_mutex_unlock(&client->lock);
}

/* --- the link ----------------------------------------------------------- */

static int gone(char *err, size_t err_size)
{
	snprintf(err, err_size, "the keeper of the private keys is not there "
		"just now; it is being started again");
	return -1;
}

static int ask(void *arg, struct keeper_frame *frame, char *err,
	size_t err_size)
{
	struct keeper_client *client = arg;
	struct way *way = &client->ways[frame->kind == KEEPER_MAKE_KEY ?
		ASKER_SLOW : ASKER_QUICK];
	bool carried = false;
	int fd;

	if (!take_turn(client, way, frame->kind == KEEPER_LEAF))
		return gone(err, err_size);
	fd = begin(client, way);
	if (fd >= 0) {
		/* no answer in time is EAGAIN */
		carried = frame_send(fd, frame) && frame_receive(fd, frame);
		if (!carried && errno == EAGAIN && client->deaf)
			client->deaf();
		end(client, way, fd, carried);
	}
	pthread_mutex_unlock(&way->turn);
	return carried ? 0 : gone(err, err_size);
}

/* --- life --------------------------------------------------------------- */

struct keeper_client *keeper_client_new(const char *source,
	void (*deaf)(void))
{
	struct keeper_client *client = calloc(1, sizeof(*client));
	pthread_condattr_t clock;

	if (!client)
		abort();
	client->deaf = deaf;
	client->source = strdup(source);
	if (!client->source)
		abort();
	client->link = (struct keeper_link){ask, client, client->source};
	pthread_condattr_init(&clock);
	pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
	pthread_cond_init(&client->changed, &clock);
	pthread_condattr_destroy(&clock);
	pthread_mutex_init(&client->lock, NULL);
	for (int i = 0; i < NUM_ASKERS; i++) {
		pthread_mutex_init(&client->ways[i].turn, NULL);
		client->ways[i].fd = -1;
	}
	return client;
}

void keeper_client_free(struct keeper_client *client)
{
	if (!client)
		return;
	for (int i = 0; i < NUM_ASKERS; i++) {
		if (client->ways[i].fd >= 0)
			close(client->ways[i].fd);
		pthread_mutex_destroy(&client->ways[i].turn);
	}
	pthread_mutex_destroy(&client->lock);
	pthread_cond_destroy(&client->changed);
	free(client->source);
	free(client);
}

/* Whoever still waits at the old socket is woken, and closes it. */
void keeper_client_connect(struct keeper_client *client, enum asker way,
	int fd)
{
	struct timeval wait = {.tv_sec = way == ASKER_SLOW ? SLOW_S : QUICK_S};
	int old;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	pthread_mutex_lock(&client->lock);
	old = client->ways[way].fd;
	client->ways[way].fd = fd;
	client->ready = false;
	if (old >= 0 && client->ways[way].busy)
		(void)shutdown(old, SHUT_RDWR);
	else if (old >= 0)
		close(old);
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

void keeper_client_ready(struct keeper_client *client)
{
	pthread_mutex_lock(&client->lock);
	client->ready = true;
	pthread_cond_broadcast(&client->changed);
	pthread_mutex_unlock(&client->lock);
}

const struct keeper_link *keeper_client_link(
	const struct keeper_client *client)
{
	return &client->link;
}
