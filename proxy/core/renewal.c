#include "proxy/core/renewal.h"

#include <string.h>

#include "proxy/core/handover.h"
#include "proxy/core/say.h"

void renewal_init(struct renewal *renewal, const char *path)
{
	memset(renewal, 0, sizeof(*renewal));
	renewal->watcher = watch_new();
	if (path)
		watch_add(renewal->watcher, path, WATCHED_CONFIG);
	renewal_reread(renewal);
}

void renewal_clear(struct renewal *renewal)
{
	watch_free(renewal->watcher);
	memset(renewal, 0, sizeof(*renewal));
}

void renewal_watch(struct renewal *renewal, const struct handover *handover)
{
	const char *path;

	watch_begin(renewal->watcher);
	for (size_t i = 0; handover->watch != WATCH_NONE &&
		(path = handover_read_file(handover, i)) != NULL; i++)
		watch_add(renewal->watcher, path, WATCHED_LIST);
	if (handover->watch == WATCH_ALL && handover->path)
		watch_add(renewal->watcher, handover->path, WATCHED_CONFIG);
	watch_end(renewal->watcher);
}

void renewal_want(struct renewal *renewal)
{
	renewal->wanted |= WATCHED_CONFIG;
}

/* What changes while the worker is at it may do so once more before it is
 * through: renewal_done has it looked at then. */
unsigned renewal_next(struct renewal *renewal, uint64_t now_ms)
{
	unsigned news = watch_look(renewal->watcher, now_ms);
	const char *file = watch_changed(renewal->watcher);

	if (renewal->busy) {
		renewal->waiting |= (news | renewal->wanted) != 0;
		return 0;
	}
	if (news != 0 && file)
		say("%s has changed", file);
	news |= renewal->wanted;
	renewal->wanted = 0;
	return news;
}

void renewal_reread(struct renewal *renewal)
{
	watch_mark(renewal->watcher, WATCHED_CONFIG);
}

void renewal_hand(struct renewal *renewal)
{
	watch_mark(renewal->watcher, WATCHED_LIST);
	renewal->busy = true;
	renewal->waiting = false;
}

void renewal_ask(struct renewal *renewal, uint64_t now_ms)
{
	renewal->until_ms = now_ms + RENEWAL_MAX_MS;
}

void renewal_done(struct renewal *renewal, uint64_t now_ms)
{
	renewal->busy = false;
	renewal->until_ms = 0;
	watch_again(renewal->watcher, now_ms);
}

bool renewal_is_late(struct renewal *renewal, uint64_t now_ms)
{
	if (!renewal->waiting || renewal->until_ms == 0 ||
	    now_ms < renewal->until_ms)
		return false;
	renewal->until_ms = 0;
	return true;
}

int renewal_wait_ms(const struct renewal *renewal, uint64_t now_ms)
{
	int wait = watch_wait_ms(renewal->watcher, now_ms), left;

	if (!renewal->waiting || renewal->until_ms == 0)
		return wait;
	left = renewal->until_ms > now_ms ?
		(int)(renewal->until_ms - now_ms) : 0;
	return wait < 0 || left < wait ? left : wait;
}
