#include "proxy/session/verifier.h"

#include <assert.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <utlist.h>

#include "proxy/config/htpasswd.h"
#include "proxy/config/snapshot.h"
#include "proxy/session/guesses.h"
#include "proxy/session/passwords.h"
#include "proxy/session/quota.h"

enum {
	LINE_JOBS = 256,
	THREADS_MAX = 4,
	NICE = 10,
};

/*
 *	verifier_ask ──► line ──► hashing ──► the waiters, by their loops
 *
 * A job is one password to be hashed, and all who wait for that. It stands in the
 * line until it is done: first those being hashed, then the others in their order,
 * which is that of verifier.h.
 */
struct verifier_job {
	struct verifier_job *prev, *next;
	struct verifier_waiter *waiters;
	struct settings *settings; /* a reference */
	struct quota_client client;
	struct password password;  /* of this user */
	uint64_t asked_ms;
	unsigned recent;           /* guesses of this client's before it */
	bool hashing;              /* a thread is at it */
	char user[HTPASSWD_USER_MAX + 1];
	char text[HTPASSWD_PASSWORD_MAX + 1];
};

struct verifier {
	pthread_t threads[THREADS_MAX];
	unsigned num_threads;
	pthread_mutex_t lock;        /* of what stands below */
	pthread_cond_t come;
	struct verifier_job *line;   /* owned */
	unsigned num;                /* in the line */
	struct passwords *passwords; /* owned; its seals need no lock */
	struct guesses *guesses;     /* owned */
	bool ending;
};

/* What verifier_ask is asked. */
struct asked {
	struct settings *settings;
	struct password password;
	struct quota_client client;
	const char *text;
	uint64_t now_ms;
	struct verifier_job *displaced; /* told; to be freed without the lock */
};

/* --- jobs --------------------------------------------------------------- */

static struct verifier_job *job_new(const struct asked *asked)
{
	const struct password *password = &asked->password;
	struct verifier_job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->settings = settings_ref(asked->settings);
	job->client = asked->client;
	job->password = *password;
	job->password.user = job->user;
	job->asked_ms = asked->now_ms;
	memcpy(job->user, password->user, strlen(password->user));
	memcpy(job->text, asked->text, strlen(asked->text));
	return job;
}

static void job_free(struct verifier_job *job)
{
	settings_unref(job->settings);
	OPENSSL_cleanse(job, sizeof(*job));
	free(job);
}

static void join(struct verifier_job *job, struct verifier_waiter *waiter)
{
	waiter->job = job;
	DL_APPEND(job->waiters, waiter);
}

/* find_job is the one that hashes just that. The lock is held. */
static struct verifier_job *find_job(const struct verifier *verifier,
	const struct password *password)
{
	struct verifier_job *job;

	DL_FOREACH(verifier->line, job) {
		if (CRYPTO_memcmp(job->password.seal, password->seal,
			    sizeof(password->seal)) == 0)
			return job;
	}
	return NULL;
}

/* take_place: before the first who has guessed more. The lock is held. */
static void take_place(struct verifier *verifier, struct verifier_job *job)
{
	struct verifier_job *at;

	DL_FOREACH(verifier->line, at) {
		if (!at->hashing && at->recent > job->recent)
			break;
	}
	DL_PREPEND_ELEM(verifier->line, at, job); /* NULL: at the end */
	verifier->num++;
}

static void leave_place(struct verifier *verifier, struct verifier_job *job)
{
	DL_DELETE(verifier->line, job);
	verifier->num--;
}

/* --- the threads -------------------------------------------------------- */

static void on_post(struct post *post)
{
	struct verifier_waiter *waiter = (struct verifier_waiter *)(void *)
		((char *)post - offsetof(struct verifier_waiter, post));

	waiter->answered(waiter, waiter->result);
}

static struct verifier_job *first_waiting(const struct verifier *verifier)
{
	struct verifier_job *job;

	DL_FOREACH(verifier->line, job) {
		if (!job->hashing)
			return job;
	}
	return NULL;
}

/* next waits for a job; NULL: none will come. The lock is held. */
static struct verifier_job *next_job(struct verifier *verifier)
{
	struct verifier_job *job;

	while (!(job = first_waiting(verifier)) && !verifier->ending)
		pthread_cond_wait(&verifier->come, &verifier->lock);
	return job;
}

/* count settles what the guess has taken. Who waited with the first for the same
 * has guessed, too. The lock is held. */
static void count(struct verifier *verifier, const struct verifier_job *job,
	bool right)
{
	const struct verifier_waiter *waiter = job->waiters;

	if (right) {
		guesses_give(verifier->guesses, &job->client, job->user,
			job->asked_ms);
		return;
	}
	for (waiter = waiter ? waiter->next : NULL; waiter;
		waiter = waiter->next) {
		if (!guesses_take(verifier->guesses, &job->client, job->user,
			    job->asked_ms))
			return;
	}
}

/* answer sends the result home; a waiter may be gone as soon as it is posted. The
 * lock is held. */
static void answer(struct verifier_job *job, enum verifier_result result)
{
	struct verifier_waiter *waiter = job->waiters, *next;

	for (; waiter; waiter = next) {
		next = waiter->next;
		waiter->job = NULL;
		waiter->result = result;
		waiter->post.run = on_post;
		loop_post(waiter->loop, &waiter->post);
	}
	job->waiters = NULL;
}

static void *serve(void *arg)
{
	struct verifier *verifier = arg;
	struct verifier_job *job;
	bool right;

	(void)pthread_setname_np(pthread_self(), "passwords");
	(void)setpriority(PRIO_PROCESS, (id_t)gettid(), NICE); /* a thread's */
	pthread_mutex_lock(&verifier->lock);
	while ((job = next_job(verifier))) {
		job->hashing = true;
		pthread_mutex_unlock(&verifier->lock);
		right = htpasswd_verify(job->settings->htpasswd, job->user,
			job->text);
		pthread_mutex_lock(&verifier->lock);
		leave_place(verifier, job);
		passwords_learn(verifier->passwords, &job->password, right,
			job->asked_ms);
		count(verifier, job, right);
		answer(job, right ? VERIFIER_RIGHT : VERIFIER_WRONG);
		pthread_mutex_unlock(&verifier->lock);
		job_free(job);
		pthread_mutex_lock(&verifier->lock);
	}
	pthread_mutex_unlock(&verifier->lock);
	return NULL;
}

unsigned verifier_threads(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (cores < 2 * 2)
		return 1;
	return cores / 2 < THREADS_MAX ? (unsigned)cores / 2 : THREADS_MAX;
}

struct verifier *verifier_new(unsigned threads)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		abort();
	verifier->passwords = passwords_new();
	verifier->guesses = guesses_new();
	pthread_mutex_init(&verifier->lock, NULL);
	pthread_cond_init(&verifier->come, NULL);
	assert(threads > 0 && threads <= THREADS_MAX);
	verifier->num_threads = threads;
	for (unsigned i = 0; i < threads; i++) {
		if (pthread_create(&verifier->threads[i], NULL, serve,
			    verifier) != 0)
			abort();
	}
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	pthread_mutex_lock(&verifier->lock);
	verifier->ending = true;
	pthread_cond_broadcast(&verifier->come);
	pthread_mutex_unlock(&verifier->lock);
	for (unsigned i = 0; i < verifier->num_threads; i++)
		pthread_join(verifier->threads[i], NULL);
	assert(!verifier->line);
	passwords_free(verifier->passwords);
	guesses_free(verifier->guesses);
	pthread_cond_destroy(&verifier->come);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier);
}

/* --- asking ------------------------------------------------------------- */

static bool take(struct verifier *verifier, const struct asked *asked)
{
	return guesses_take(verifier->guesses, &asked->client,
		asked->password.user, asked->now_ms);
}

/* give takes back what a job that is not heard had taken. */
static void give(struct verifier *verifier, const struct verifier_job *job)
{
	guesses_give(verifier->guesses, &job->client, job->user,
		job->asked_ms);
}

/* make_room: of a full line the last is sent away, for one with fewer guesses.
 * The lock is held. */
static bool make_room(struct verifier *verifier, unsigned recent,
	struct asked *asked)
{
	struct verifier_job *last;

	if (verifier->num < LINE_JOBS)
		return true;
	last = verifier->line->prev; /* of its ring: the end */
	if (last->hashing || last->recent <= recent)
		return false;
	leave_place(verifier, last);
	give(verifier, last);
	answer(last, VERIFIER_BUSY);
	asked->displaced = last;
	return true;
}

/* was_right: for this very waiter, which need not be held against others. */
static bool was_right(const struct verifier_waiter *waiter,
	const struct password *password)
{
	return waiter->result == VERIFIER_RIGHT && waiter->sealed &&
		CRYPTO_memcmp(waiter->seal, password->seal,
			sizeof(password->seal)) == 0;
}

/* stand_in_line: the lock is held. */
static enum verifier_result stand_in_line(struct verifier *verifier,
	struct asked *asked, struct verifier_waiter *waiter)
{
	struct verifier_job *job = find_job(verifier, &asked->password);
	unsigned recent;

	if (!job) {
		recent = guesses_recent(verifier->guesses, &asked->client,
			asked->now_ms);
		if (!take(verifier, asked))
			return VERIFIER_SLOW;
		if (!make_room(verifier, recent, asked)) {
			guesses_give(verifier->guesses, &asked->client,
				asked->password.user, asked->now_ms);
			return VERIFIER_BUSY;
		}
		job = job_new(asked);
		job->recent = recent;
		take_place(verifier, job);
		pthread_cond_signal(&verifier->come);
	}
	join(job, waiter);
	return VERIFIER_WAIT;
}

/* look: the lock is held. */
static enum verifier_result look(struct verifier *verifier,
	struct asked *asked, struct verifier_waiter *waiter)
{
	switch (passwords_look(verifier->passwords, &asked->password,
		asked->now_ms)) {
	case PASSWORD_RIGHT:
		return VERIFIER_RIGHT;
	case PASSWORD_SLOW:
		return VERIFIER_SLOW;
	case PASSWORD_WRONG:
		return take(verifier, asked) ? VERIFIER_WRONG : VERIFIER_SLOW;
	case PASSWORD_UNKNOWN:
	default:
		return stand_in_line(verifier, asked, waiter);
	}
}

enum verifier_result verifier_ask(struct verifier *verifier,
	struct settings *settings, const struct sockaddr *client,
	const char *user, const char *password, uint64_t now_ms,
	struct verifier_waiter *waiter)
{
	struct asked asked = {.settings = settings, .password.user = user,
		.text = password, .now_ms = now_ms};
	enum verifier_result result;

	if (!settings->htpasswd || strlen(user) > HTPASSWD_USER_MAX ||
	    strlen(password) > HTPASSWD_PASSWORD_MAX)
		return VERIFIER_WRONG; /* nobody can be */
	quota_client_of(client, &asked.client);
	quota_address_of(client, &asked.password.address);
	password_seal(verifier->passwords, &asked.password,
		htpasswd_hash(settings->htpasswd, user), password);
	if (was_right(waiter, &asked.password))
		return VERIFIER_RIGHT;
	memcpy(waiter->seal, asked.password.seal, sizeof(waiter->seal));
	waiter->sealed = true;
	waiter->result = VERIFIER_WAIT; /* until it is answered, if ever */
	pthread_mutex_lock(&verifier->lock);
	result = look(verifier, &asked, waiter);
	if (result != VERIFIER_WAIT)
		waiter->result = result;
	pthread_mutex_unlock(&verifier->lock);
	if (asked.displaced)
		job_free(asked.displaced);
	return result;
}

/* drop takes a job that nobody waits for any more out of the line, unheard. The
 * lock is held. */
static void drop(struct verifier *verifier, struct verifier_job *job)
{
	leave_place(verifier, job);
	give(verifier, job);
}

bool verifier_leave(struct verifier *verifier, struct verifier_waiter *waiter)
{
	struct verifier_job *job;
	bool left = false, last = false;

	pthread_mutex_lock(&verifier->lock);
	job = waiter->job;
	if (job) {
		DL_DELETE(job->waiters, waiter);
		waiter->job = NULL;
		left = true;
		last = !job->waiters && !job->hashing;
		if (last)
			drop(verifier, job);
	}
	pthread_mutex_unlock(&verifier->lock);
	if (last)
		job_free(job);
	return left;
}
