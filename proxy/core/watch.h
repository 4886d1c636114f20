/*
 * watch.h - which files have become others than those in use.
 *
 *	watch_begin(w); watch_add(w, …); watch_end(w);     what to watch
 *	watch_mark(w, WATCHED_LIST);    what they are now is what is opened next
 *	…poll watch_fd for at most watch_wait_ms…
 *	if (watch_look(w, now) & WATCHED_LIST) …
 *
 * The folders are watched, by inotify: files are mostly replaced, not written
 * to. What has happened in them makes no news; that does a file that is another,
 * or has changed, once it has been quiet for a moment. A file that is being
 * written is no news yet, nor is any other then: who opens one opens all. It has
 * been written whole when it is closed, or renamed to where it is; one that
 * nobody is seen to close (mapped memory, another machine's doing, a folder
 * that can't be watched) when nothing has changed in it for some time. Now and
 * then all of them are looked at, whatever inotify says or is lost of it.
 *
 * Links count as what they lead to.
 *
 * Owns:    an inotify descriptor, copies of paths.
 * Threads: one.
 * Errors:  told on stderr, once each: a file that vanished, what can't be watched.
 */
#ifndef PROXY_CORE_WATCH_H
#define PROXY_CORE_WATCH_H

#include <stdint.h>

struct watcher;

enum {
	WATCH_QUIET_MS = 300,     /* without an event, but at most ... */
	WATCH_LONGEST_MS = 3000,  /* ... since the first */
	WATCH_LOOK_MS = 10000,    /* from one look at all files to the next */
	WATCH_STILL_MS = 20000,   /* without a change: it is whole */
	WATCH_FOLDERS = 256,
};

/* One bit each: of both there may be news at a time. */
enum watch_kind { WATCHED_LIST = 1, WATCHED_CONFIG = 2 };

struct watcher *watch_new(void);
void watch_free(struct watcher *watcher);

/* watch_begin and watch_end are around all the files that are to be watched: of
 * those that were so before it stays known what is in use. */
void watch_begin(struct watcher *watcher);
void watch_add(struct watcher *watcher, const char *path,
	enum watch_kind kind);
void watch_end(struct watcher *watcher);

/* watch_mark is called right before files of that kind are opened: what they are
 * now is what is in use. */
void watch_mark(struct watcher *watcher, enum watch_kind kind);

/* watch_fd is to be polled for reading; below 0: there is none. */
int watch_fd(const struct watcher *watcher);

/* watch_now is the clock of what follows, in milliseconds. */
uint64_t watch_now(void);

/* watch_wait_ms is when to look at the latest; below 0: there are no files. */
int watch_wait_ms(const struct watcher *watcher, uint64_t now_ms);

/* watch_look reads what there is to be read, and gives the news, if it is time to
 * look: those that are not marked come again with a later look. */
unsigned watch_look(struct watcher *watcher, uint64_t now_ms);

/* watch_again has all files looked at in a moment: who could not heed the news
 * can now. */
void watch_again(struct watcher *watcher, uint64_t now_ms);

/* watch_changed is a file that is news, to be shown; NULL: none is. Borrowed. */
const char *watch_changed(const struct watcher *watcher);

#endif
