#include "proxy/session/ledger.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
	pthread_mutex_t lock;
	pthread_cond_t wake, settled;
	struct ledger_line *lines; /* owned */
	size_t num, room;
	uint64_t noted, taken, written; /* how often; one after the other */
	bool ending;
};

struct ledger *ledger_new(void)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));

	if (!ledger)
		abort();
	pthread_mutex_init(&ledger->lock, NULL);
	pthread_cond_init(&ledger->wake, NULL);
	pthread_cond_init(&ledger->settled, NULL);
	return ledger;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	pthread_mutex_destroy(&ledger->lock);
	pthread_cond_destroy(&ledger->wake);
	pthread_cond_destroy(&ledger->settled);
	free(ledger->lines);
	free(ledger);
}

static struct ledger_line *next_line(struct ledger *ledger)
{
	if (ledger->num == ledger->room) {
		ledger->room = ledger->room ? 2 * ledger->room : 64;
		ledger->lines = realloc(ledger->lines,
			ledger->room * sizeof(*ledger->lines));
		if (!ledger->lines)
			abort();
	}
	return &ledger->lines[ledger->num++];
}

/* note_any: one line a CA is enough. */
static void note_any(struct ledger *ledger, const struct ledger_line *line)
{
	struct ledger_line *any;

	for (size_t i = LEDGER_MAX; i < ledger->num; i++) {
		any = &ledger->lines[i];
		if (strcmp(any->ca, line->ca) == 0) {
			if (line->ends > any->ends)
				any->ends = line->ends;
			return;
		}
	}
	if (ledger->num >= LEDGER_MAX + LEDGER_CAS)
		return; /* there are not that many CAs that sign */
	any = next_line(ledger);
	*any = *line;
	any->site[0] = '\0';
	memset(&any->entry, 0, sizeof(any->entry));
}

void ledger_note(struct ledger *ledger, const struct ledger_line *line)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->noted++;
	if (ledger->num >= LEDGER_MAX)
		note_any(ledger, line);
	else
		*next_line(ledger) = *line;
	if (ledger->num == 1)
		pthread_cond_signal(&ledger->wake);
	pthread_mutex_unlock(&ledger->lock);
}

struct ledger_line *ledger_take(struct ledger *ledger, size_t *out_num)
{
	struct ledger_line *lines;

	pthread_mutex_lock(&ledger->lock);
	while (ledger->num == 0 && !ledger->ending)
		pthread_cond_wait(&ledger->wake, &ledger->lock);
	lines = ledger->lines;
	*out_num = ledger->num;
	ledger->lines = NULL;
	ledger->num = ledger->room = 0;
	ledger->taken = ledger->noted;
	pthread_mutex_unlock(&ledger->lock);
	return lines;
}

void ledger_written(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->written = ledger->taken;
	pthread_cond_broadcast(&ledger->settled);
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_settle(struct ledger *ledger)
{
	uint64_t noted;

	pthread_mutex_lock(&ledger->lock);
	noted = ledger->noted;
	while (ledger->written < noted && !ledger->ending)
		pthread_cond_wait(&ledger->settled, &ledger->lock);
	pthread_mutex_unlock(&ledger->lock);
}

void ledger_end(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	ledger->ending = true;
	pthread_cond_signal(&ledger->wake);
	pthread_cond_broadcast(&ledger->settled);
	pthread_mutex_unlock(&ledger->lock);
}
