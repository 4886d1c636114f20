#include "proxy/core/clerks.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <utlist.h>

struct clerks {
	struct loop *loop;      /* borrowed */
	pthread_t *threads;     /* owned */
	unsigned num, most;
	pthread_mutex_t lock;   /* of what stands below */
	pthread_cond_t come;
	struct clerk_job *line;
	unsigned waiting;
	bool ending;
};

static void on_worked(struct post *post)
{
	struct clerk_job *job = (struct clerk_job *)(void *)
		((char *)post - offsetof(struct clerk_job, post));

	job->done(job);
}

/* first takes it from the line; NULL: nobody is in it. The lock is held. */
static struct clerk_job *first(struct clerks *clerks)
{
	struct clerk_job *job = clerks->line;

	if (!job)
		return NULL;
	DL_DELETE(clerks->line, job);
	clerks->waiting--;
	return job;
}

/* next waits for a job; NULL: none will come. The lock is held. */
static struct clerk_job *next(struct clerks *clerks)
{
	while (!clerks->line && !clerks->ending)
		pthread_cond_wait(&clerks->come, &clerks->lock);
	return first(clerks);
}

static void *serve(void *arg)
{
	struct clerks *clerks = arg;
	struct clerk_job *job;

	pthread_mutex_lock(&clerks->lock);
	while ((job = next(clerks))) {
		pthread_mutex_unlock(&clerks->lock);
		job->work(job);
		loop_post(clerks->loop, &job->post);
		pthread_mutex_lock(&clerks->lock);
	}
	pthread_mutex_unlock(&clerks->lock);
	return NULL;
}

struct clerks *clerks_new(struct loop *loop, unsigned num, unsigned most)
{
	struct clerks *clerks = calloc(1, sizeof(*clerks));

	if (!clerks)
		abort();
	clerks->loop = loop;
	clerks->num = num;
	clerks->most = most;
	clerks->threads = calloc(num, sizeof(*clerks->threads));
	if (!clerks->threads)
		abort();
	pthread_mutex_init(&clerks->lock, NULL);
	pthread_cond_init(&clerks->come, NULL);
	for (unsigned i = 0; i < num; i++) {
		if (pthread_create(&clerks->threads[i], NULL, serve,
			    clerks) != 0)
			abort();
	}
	return clerks;
}

bool clerks_take(struct clerks *clerks, struct clerk_job *job, bool urgent)
{
	bool taken;

	job->post.run = on_worked;
	pthread_mutex_lock(&clerks->lock);
	taken = urgent || clerks->waiting < clerks->most;
	if (taken && urgent)
		DL_PREPEND(clerks->line, job);
	else if (taken)
		DL_APPEND(clerks->line, job);
	clerks->waiting += taken;
	pthread_cond_signal(&clerks->come);
	pthread_mutex_unlock(&clerks->lock);
	return taken;
}

void clerks_drop(struct clerks *clerks)
{
	struct clerk_job *job;

	pthread_mutex_lock(&clerks->lock);
	while ((job = first(clerks)))
		loop_post(clerks->loop, &job->post);
	pthread_mutex_unlock(&clerks->lock);
}

void clerks_free(struct clerks *clerks)
{
	if (!clerks)
		return;
	pthread_mutex_lock(&clerks->lock);
	clerks->ending = true;
	pthread_cond_broadcast(&clerks->come);
	pthread_mutex_unlock(&clerks->lock);
	for (unsigned i = 0; i < clerks->num; i++)
		pthread_join(clerks->threads[i], NULL);
	pthread_cond_destroy(&clerks->come);
	pthread_mutex_destroy(&clerks->lock);
	free(clerks->threads);
	free(clerks);
}
