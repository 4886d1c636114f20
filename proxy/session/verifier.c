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
	LINE_MAX_ALL = 64,
	LINE_MAX_EACH = 4, /* of a client's */
	NICE = 10,
};

/*
 *	verifier_ask ──► line ──► hashing ──► the waiters, by their loops
 *
 * A job is one password to be hashed, and all who wait for that. It stands in the
 * line until it is done: the first is the one being hashed.
 */
struct verifier_job {
	struct verifier_job *prev, *next;
	struct verifier_waiter *waiters;
	struct settings *settings; /* a reference */
	struct quota_client client;
	struct password password;  /* of this client, and this user */
	uint64_t asked_ms;
	bool hashing;              /* the thread is at it */
	char user[HTPASSWD_USER_MAX + 1];
	char text[HTPASSWD_PASSWORD_MAX + 1];
};

struct verifier {
	pthread_t thread;
	pthread_mutex_t lock;        /* of what stands below */
	pthread_cond_t come;
	struct verifier_job *line;   /* owned */
	struct passwords *passwords; /* owned; its seals need no lock */
	struct guesses *guesses;     /* owned */
	bool ending;
};

/* --- jobs --------------------------------------------------------------- */

static struct verifier_job *job_new(struct settings *settings,
	const struct password *password, const char *text, uint64_t now_ms)
{
	struct verifier_job *job = calloc(1, sizeof(*job));

	if (!job)
		abort();
	job->settings = settings_ref(settings);
	job->client = *password->client;
	job->password = *password;
	job->password.client = &job->client;
	job->password.user = job->user;
	job->asked_ms = now_ms;
	memcpy(job->user, password->user, strlen(password->user));
	memcpy(job->text, text, strlen(text));
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

/* The lock is held. */
static bool has_room(const struct verifier *verifier,
	const struct quota_client *client)
{
	const struct verifier_job *job;
	unsigned all = 0, own = 0;

	DL_FOREACH(verifier->line, job) {
		all++;
		own += memcmp(&job->client, client, sizeof(*client)) == 0;
	}
	return all < LINE_MAX_ALL && own < LINE_MAX_EACH;
}

/* --- the thread --------------------------------------------------------- */

static void on_post(struct post *post)
{
	struct verifier_waiter *waiter = (struct verifier_waiter *)(void *)
		((char *)post - offsetof(struct verifier_waiter, post));

	waiter->answered(waiter, waiter->result);
}

/* next waits for a job; NULL: none will come. The lock is held. */
static struct verifier_job *next_job(struct verifier *verifier)
{
	while (!verifier->line && !verifier->ending)
		pthread_cond_wait(&verifier->come, &verifier->lock);
	return verifier->line;
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
static void answer(struct verifier_job *job, bool right)
{
	struct verifier_waiter *waiter = job->waiters, *next;

	for (; waiter; waiter = next) {
		next = waiter->next;
		waiter->job = NULL;
		waiter->result = right ? VERIFIER_RIGHT : VERIFIER_WRONG;
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
		DL_DELETE(verifier->line, job);
		passwords_learn(verifier->passwords, &job->password, right,
			job->asked_ms);
		count(verifier, job, right);
		answer(job, right);
		pthread_mutex_unlock(&verifier->lock);
		job_free(job);
		pthread_mutex_lock(&verifier->lock);
	}
	pthread_mutex_unlock(&verifier->lock);
	return NULL;
}

struct verifier *verifier_new(void)
{
	struct verifier *verifier = calloc(1, sizeof(*verifier));

	if (!verifier)
		abort();
	verifier->passwords = passwords_new();
	verifier->guesses = guesses_new();
	pthread_mutex_init(&verifier->lock, NULL);
	pthread_cond_init(&verifier->come, NULL);
	if (pthread_create(&verifier->thread, NULL, serve, verifier) != 0)
		abort();
	return verifier;
}

void verifier_free(struct verifier *verifier)
{
	if (!verifier)
		return;
	pthread_mutex_lock(&verifier->lock);
	verifier->ending = true;
	pthread_cond_signal(&verifier->come);
	pthread_mutex_unlock(&verifier->lock);
	pthread_join(verifier->thread, NULL);
	assert(!verifier->line);
	passwords_free(verifier->passwords);
	guesses_free(verifier->guesses);
	pthread_cond_destroy(&verifier->come);
	pthread_mutex_destroy(&verifier->lock);
	free(verifier);
}

/* --- asking ------------------------------------------------------------- */

static bool take(struct verifier *verifier, const struct password *password,
	uint64_t now_ms)
{
	return guesses_take(verifier->guesses, password->client,
		password->user, now_ms);
}

/* stand_in_line: the lock is held. */
static enum verifier_result stand_in_line(struct verifier *verifier,
	struct settings *settings, const struct password *password,
	const char *text, uint64_t now_ms, struct verifier_waiter *waiter)
{
	struct verifier_job *job = find_job(verifier, password);

	if (!job) {
		if (!take(verifier, password, now_ms))
			return VERIFIER_SLOW;
		if (!has_room(verifier, password->client)) {
			guesses_give(verifier->guesses, password->client,
				password->user, now_ms);
			return VERIFIER_BUSY;
		}
		job = job_new(settings, password, text, now_ms);
		DL_APPEND(verifier->line, job);
		pthread_cond_signal(&verifier->come);
	}
	join(job, waiter);
	return VERIFIER_WAIT;
}

enum verifier_result verifier_ask(struct verifier *verifier,
	struct settings *settings, const struct sockaddr *client,
	const char *user, const char *password, uint64_t now_ms,
	struct verifier_waiter *waiter)
{
	enum verifier_result result = VERIFIER_WRONG;
	struct password asked = {.user = user};
	struct quota_client place;

	if (!settings->htpasswd || strlen(user) > HTPASSWD_USER_MAX ||
	    strlen(password) > HTPASSWD_PASSWORD_MAX)
		return VERIFIER_WRONG; /* nobody can be */
	quota_client_of(client, &place);
	asked.client = &place;
	password_seal(verifier->passwords, &asked,
		htpasswd_hash(settings->htpasswd, user), password);
	pthread_mutex_lock(&verifier->lock);
	switch (passwords_look(verifier->passwords, &asked, now_ms)) {
	case PASSWORD_RIGHT:
		result = VERIFIER_RIGHT;
		break;
	case PASSWORD_SLOW:
		result = VERIFIER_SLOW;
		break;
	case PASSWORD_WRONG:
		result = take(verifier, &asked, now_ms) ? VERIFIER_WRONG :
			VERIFIER_SLOW;
		break;
	case PASSWORD_UNKNOWN:
		result = stand_in_line(verifier, settings, &asked, password,
			now_ms, waiter);
		break;
	}
	pthread_mutex_unlock(&verifier->lock);
	return result;
}

/* drop takes a job that nobody waits for any more out of the line, unheard. The
 * lock is held. */
static void drop(struct verifier *verifier, struct verifier_job *job)
{
	DL_DELETE(verifier->line, job);
	guesses_give(verifier->guesses, &job->client, job->user,
		job->asked_ms);
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
