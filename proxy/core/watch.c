#include "proxy/core/watch.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <utlist.h>

#include "proxy/config/memory.h"
#include "proxy/core/say.h"
#include "proxy/net/clock.h"

enum {
	EVENTS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE |
		IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF,
	READS_MAX = 16,         /* of a buffer full, in one look */
};

/* Which file it is, and in which state. */
struct print {
	dev_t dev;
	ino_t ino;              /* 0: there is none */
	off_t size;
	struct timespec mtime, ctime;
};

/* A place where a file is called something: itself, or a link to it. */
struct place {
	char *folder, *name;    /* owned; NULL: nowhere */
	int wd;                 /* of the folder; below 0: not watched */
};

struct file {
	struct file *prev, *next;
	char *path;             /* owned */
	enum watch_kind kind;
	struct place link;      /* as it is named */
	struct place real;      /* where that leads to */
	struct print used;      /* which was opened */
	struct print closed;    /* as it was when it was last written whole */
	struct print last;      /* as it was seen last, and ... */
	uint64_t since_ms;      /* ... since when */
	bool made;              /* there is a new one, not closed yet */
	bool kept;              /* between watch_begin and watch_end */
	bool told;              /* that it has vanished */
	bool news;
};

struct watcher {
	int fd;                 /* -1: there is no inotify to be had */
	struct file *files;
	int wds[WATCH_FOLDERS]; /* of folders that are watched */
	size_t num_wds;
	bool told;              /* that not all can be watched */
	bool lost;              /* a folder is not watched any more */
	bool pending;           /* there were events, not looked into yet */
	uint64_t first_ms, last_ms; /* of these */
	uint64_t looked_ms;     /* at all files */
};

/* --- prints ------------------------------------------------------------- */

static struct print print_of(const char *path)
{
	struct stat info;

	if (stat(path, &info) != 0)
		return (struct print){0};
	return (struct print){info.st_dev, info.st_ino, info.st_size,
		info.st_mtim, info.st_ctim};
}

static bool same_time(struct timespec a, struct timespec b)
{
	return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

static bool same_file(const struct print *a, const struct print *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

/* same_content: the mode, say, may be another. */
static bool same_content(const struct print *a, const struct print *b)
{
	return same_file(a, b) && a->size == b->size &&
		same_time(a->mtime, b->mtime);
}

static bool same(const struct print *a, const struct print *b)
{
	return same_content(a, b) && same_time(a->ctime, b->ctime);
}

/* --- folders ------------------------------------------------------------ */

static void clear_place(struct place *place)
{
	free(place->folder);
	free(place->name);
	*place = (struct place){.wd = -1};
}

/* set_place cuts path in two. */
static void set_place(struct place *place, const char *path)
{
	const char *slash = strrchr(path, '/');

	clear_place(place);
	if (!slash)
		place->folder = must(strdup("."));
	else
		place->folder = must(strndup(path, slash == path ? 1 :
			(size_t)(slash - path)));
	place->name = must(strdup(slash ? slash + 1 : path));
}

static void find_places(struct file *file)
{
	char real[PATH_MAX];

	set_place(&file->link, file->path);
	if (realpath(file->path, real))
		set_place(&file->real, real);
	else
		clear_place(&file->real);
}

static bool knows(const struct watcher *watcher, int wd)
{
	for (size_t i = 0; i < watcher->num_wds; i++) {
		if (watcher->wds[i] == wd)
			return true;
	}
	return false;
}

static void tell_unwatched(struct watcher *watcher, const char *folder,
	const char *why)
{
	if (watcher->told)
		return;
	watcher->told = true;
	say("%s can't be watched: %s; files there are looked at every %d s "
		"instead", folder, why, WATCH_LOOK_MS / 1000);
}

/* watch_folder: one that is watched already has the same number again. */
static void watch_folder(struct watcher *watcher, struct place *place)
{
	place->wd = -1;
	if (watcher->fd < 0 || !place->folder)
		return;
	place->wd = inotify_add_watch(watcher->fd, place->folder,
		EVENTS | IN_ONLYDIR);
	if (place->wd < 0) {
		if (errno != ENOENT && errno != ENOTDIR)
			tell_unwatched(watcher, place->folder,
				strerror(errno));
	} else if (!knows(watcher, place->wd)) {
		if (watcher->num_wds < WATCH_FOLDERS) {
			watcher->wds[watcher->num_wds++] = place->wd;
			return;
		}
		(void)inotify_rm_watch(watcher->fd, place->wd);
		place->wd = -1;
		tell_unwatched(watcher, place->folder, "there are too many");
	}
}

static bool uses(const struct watcher *watcher, int wd)
{
	const struct file *file;

	DL_FOREACH(watcher->files, file) {
		if (file->link.wd == wd || file->real.wd == wd)
			return true;
	}
	return false;
}

static void drop_unused(struct watcher *watcher)
{
	for (size_t i = 0; i < watcher->num_wds;) {
		if (uses(watcher, watcher->wds[i])) {
			i++;
			continue;
		}
		(void)inotify_rm_watch(watcher->fd, watcher->wds[i]);
		watcher->wds[i] = watcher->wds[--watcher->num_wds];
	}
}

/* is_watched: who writes to it is seen to close it. */
static bool is_watched(const struct file *file)
{
	return file->real.wd >= 0;
}

/* arm watches the folders as they are now. What a file was before its folder was
 * watched is not known: it counts as whole. */
static void arm(struct watcher *watcher)
{
	struct file *file;
	bool was, named;

	watcher->lost = false;
	DL_FOREACH(watcher->files, file) {
		was = is_watched(file);
		named = file->link.wd >= 0;
		find_places(file);
		watch_folder(watcher, &file->link);
		watch_folder(watcher, &file->real);
		if (was || !is_watched(file))
			continue;
		file->closed = print_of(file->path);
		file->made = file->made && named;
	}
	drop_unused(watcher);
}

/* --- events ------------------------------------------------------------- */

static bool is_at(const struct place *place,
	const struct inotify_event *event)
{
	return place->wd == event->wd && place->wd >= 0 && event->len > 0 &&
		strcmp(place->name, event->name) == 0;
}

/* is_new_file: not a link, of either kind: what that leads to is whole. */
static bool is_new_file(const struct place *place)
{
	char path[PATH_MAX];
	struct stat info;

	snprintf(path, sizeof(path), "%s/%s", place->folder, place->name);
	return lstat(path, &info) == 0 && S_ISREG(info.st_mode) &&
		info.st_nlink == 1;
}

static void heed_at(struct watcher *watcher, struct file *file,
	const struct place *place, const struct inotify_event *event)
{
	if (!is_at(place, event))
		return;
	if (!is_watched(file))
		watcher->lost = true; /* there was none until now */
	if (event->mask & (IN_CLOSE_WRITE | IN_MOVED_TO)) {
		file->closed = print_of(file->path);
		file->made = false;
	} else if (event->mask & IN_CREATE) {
		file->made = is_new_file(place);
	}
}

/* forget: the folder is not where it was, or has gone. */
static void forget(struct watcher *watcher, int wd)
{
	struct file *file;

	DL_FOREACH(watcher->files, file) {
		if (file->link.wd == wd)
			file->link.wd = -1;
		if (file->real.wd == wd)
			file->real.wd = -1;
	}
	drop_unused(watcher);
	watcher->lost = true;
}

/* forget_all: events were lost. */
static void forget_all(struct watcher *watcher)
{
	while (watcher->num_wds > 0)
		forget(watcher, watcher->wds[0]);
}

/* heed; false: it is of a folder that was let go of. */
static bool heed(struct watcher *watcher, const struct inotify_event *event)
{
	struct file *file;

	if (event->mask & IN_Q_OVERFLOW)
		forget_all(watcher);
	else if (!knows(watcher, event->wd))
		return false;
	else if (event->mask & (IN_IGNORED | IN_MOVE_SELF | IN_DELETE_SELF))
		forget(watcher, event->wd);
	DL_FOREACH(watcher->files, file) {
		heed_at(watcher, file, &file->link, event);
		heed_at(watcher, file, &file->real, event);
	}
	return true;
}

static void note_event(struct watcher *watcher, uint64_t now_ms)
{
	if (!watcher->pending)
		watcher->first_ms = now_ms;
	watcher->pending = true;
	watcher->last_ms = now_ms;
}

static void read_events(struct watcher *watcher, uint64_t now_ms)
{
	_Alignas(struct inotify_event) char buffer[16 * 1024];
	ssize_t got;

	for (int i = 0; watcher->fd >= 0 && i < READS_MAX; i++) {
		got = read(watcher->fd, buffer, sizeof(buffer));
		if (got <= 0)
			return;
		for (char *at = buffer; at < buffer + got;) {
			const struct inotify_event *event = (const void *)at;

			if (heed(watcher, event))
				note_event(watcher, now_ms);
			at += sizeof(*event) + event->len;
		}
	}
}

/* --- looking ------------------------------------------------------------ */

static void tell_vanished(struct file *file)
{
	if (!file->told && file->used.ino != 0)
		say("%s is gone; what was in it stays in force", file->path);
	file->told = true;
}

/* is_whole: nobody is writing to it any more. */
static bool is_whole(const struct file *file, uint64_t now_ms)
{
	if (now_ms - file->since_ms >= WATCH_STILL_MS)
		return true;
	if (!is_watched(file) || file->made)
		return false;
	return !same_file(&file->last, &file->used) ||
		same_content(&file->last, &file->used) ||
		same_content(&file->last, &file->closed);
}

/* look_at: false: wait, it is being written. */
static bool look_at(struct file *file, uint64_t now_ms)
{
	struct print now = print_of(file->path);

	file->news = false;
	if (!same(&now, &file->last)) {
		file->last = now;
		file->since_ms = now_ms;
	}
	if (now.ino == 0) {
		tell_vanished(file);
		return true;
	}
	file->told = false;
	if (same(&now, &file->used))
		return true;
	file->news = is_whole(file, now_ms);
	return file->news;
}

static unsigned look_at_all(struct watcher *watcher, uint64_t now_ms)
{
	struct file *file;
	unsigned news = 0;
	bool whole = true;

	watcher->pending = false;
	DL_FOREACH(watcher->files, file) {
		whole = look_at(file, now_ms) && whole;
		if (file->news)
			news |= file->kind;
	}
	return whole ? news : 0;
}

/* due is when what has happened is to be looked into. */
static uint64_t due(const struct watcher *watcher)
{
	uint64_t look = watcher->looked_ms + WATCH_LOOK_MS;
	uint64_t quiet = watcher->last_ms + WATCH_QUIET_MS;
	uint64_t longest = watcher->first_ms + WATCH_LONGEST_MS;

	if (!watcher->pending)
		return look;
	quiet = quiet < longest ? quiet : longest;
	return quiet < look ? quiet : look;
}

unsigned watch_look(struct watcher *watcher, uint64_t now_ms)
{
	read_events(watcher, now_ms);
	if (now_ms < due(watcher))
		return 0;
	if (now_ms >= watcher->looked_ms + WATCH_LOOK_MS) {
		watcher->looked_ms = now_ms;
		watcher->lost = true;
	}
	if (watcher->lost)
		arm(watcher);
	return look_at_all(watcher, now_ms);
}

void watch_again(struct watcher *watcher, uint64_t now_ms)
{
	note_event(watcher, now_ms);
}

const char *watch_changed(const struct watcher *watcher)
{
	const struct file *file;

	DL_FOREACH(watcher->files, file) {
		if (file->news)
			return file->path;
	}
	return NULL;
}

int watch_fd(const struct watcher *watcher)
{
	return watcher->fd;
}

uint64_t watch_now(void)
{
	return (uint64_t)clock_ms();
}

int watch_wait_ms(const struct watcher *watcher, uint64_t now_ms)
{
	uint64_t at = due(watcher);

	if (!watcher->files)
		return -1;
	return at > now_ms ? (int)(at - now_ms) : 0;
}

/* --- which files -------------------------------------------------------- */

struct watcher *watch_new(void)
{
	struct watcher *watcher = must(calloc(1, sizeof(*watcher)));

	watcher->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watcher->looked_ms = watch_now();
	return watcher;
}

static void drop(struct watcher *watcher, struct file *file)
{
	DL_DELETE(watcher->files, file);
	clear_place(&file->link);
	clear_place(&file->real);
	free(file->path);
	free(file);
}

void watch_free(struct watcher *watcher)
{
	if (!watcher)
		return;
	while (watcher->files)
		drop(watcher, watcher->files);
	if (watcher->fd >= 0)
		close(watcher->fd);
	free(watcher);
}

void watch_begin(struct watcher *watcher)
{
	struct file *file;

	DL_FOREACH(watcher->files, file)
		file->kept = false;
}

void watch_add(struct watcher *watcher, const char *path,
	enum watch_kind kind)
{
	struct file *file;

	DL_FOREACH(watcher->files, file) {
		if (file->kind == kind && strcmp(file->path, path) == 0) {
			file->kept = true;
			return;
		}
	}
	file = must(calloc(1, sizeof(*file)));
	file->path = must(strdup(path));
	file->kind = kind;
	file->kept = true;
	clear_place(&file->link);
	clear_place(&file->real);
	DL_APPEND(watcher->files, file);
}

void watch_end(struct watcher *watcher)
{
	struct file *file, *next;

	DL_FOREACH_SAFE(watcher->files, file, next) {
		if (!file->kept)
			drop(watcher, file);
	}
	arm(watcher);
}

void watch_mark(struct watcher *watcher, enum watch_kind kind)
{
	struct file *file;

	arm(watcher);
	DL_FOREACH(watcher->files, file) {
		if (file->kind != kind)
			continue;
		file->used = print_of(file->path);
		file->news = false;
	}
}
