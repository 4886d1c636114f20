#include "proxy/config/handed.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <utlist.h>

struct handed {
	struct handed *prev, *next;
	char *path;     /* owned */
	int fd, error;  /* fd -1: error says why */
	bool old;       /* since handed_begin */
};

/* The process's, as its descriptors are. */
static struct handed *files;
static char *folder_name, *state_name, *address_name; /* owned */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct handed *find(const char *path)
{
	struct handed *file;

	DL_FOREACH(files, file) {
		if (strcmp(file->path, path) == 0)
			return file;
	}
	return NULL;
}

static struct handed *add(const char *path)
{
	struct handed *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	file->path = strdup(path);
	if (!file->path)
		abort();
	file->fd = -1;
	DL_APPEND(files, file);
	return file;
}

void handed_put(const char *path, int fd, int error)
{
	struct handed *file;

	pthread_mutex_lock(&lock);
	file = find(path);
	if (!file)
		file = add(path);
	if (file->fd >= 0)
		close(file->fd);
	file->fd = fd;
	file->error = error;
	file->old = false;
	pthread_mutex_unlock(&lock);
}

static void drop(struct handed *file)
{
	DL_DELETE(files, file);
	if (file->fd >= 0)
		close(file->fd);
	free(file->path);
	free(file);
}

void handed_begin(void)
{
	struct handed *file;

	pthread_mutex_lock(&lock);
	DL_FOREACH(files, file)
		file->old = true;
	pthread_mutex_unlock(&lock);
}

void handed_end(void)
{
	struct handed *file, *next;

	pthread_mutex_lock(&lock);
	DL_FOREACH_SAFE(files, file, next) {
		if (file->old)
			drop(file);
	}
	pthread_mutex_unlock(&lock);
}

static void rename_to(char **name, const char *folder)
{
	char *copy = strdup(folder);

	if (!copy)
		abort();
	pthread_mutex_lock(&lock);
	free(*name);
	*name = copy;
	pthread_mutex_unlock(&lock);
}

static char *copy_name(char *const *name)
{
	char *copy = NULL;

	pthread_mutex_lock(&lock);
	if (*name) {
		copy = strdup(*name);
		if (!copy)
			abort();
	}
	pthread_mutex_unlock(&lock);
	return copy;
}

void handed_set_folder(const char *folder)
{
	rename_to(&folder_name, folder);
}

void handed_set_state(const char *folder)
{
	rename_to(&state_name, folder);
}

void handed_set_address(const char *address)
{
	rename_to(&address_name, address);
}

char *handed_address(void)
{
	return copy_name(&address_name);
}

char *handed_state(void)
{
	return copy_name(&state_name);
}

char *handed_folder(void)
{
	return copy_name(&folder_name);
}

bool handed_over(void)
{
	bool over;

	pthread_mutex_lock(&lock);
	over = folder_name != NULL;
	pthread_mutex_unlock(&lock);
	return over;
}

/* A copy shares its place in the file with the one that stays. */
static int copy_of(const struct handed *file)
{
	int fd = -1;

	if (file->fd < 0)
		errno = file->error;
	else
		fd = fcntl(file->fd, F_DUPFD_CLOEXEC, 3);
	if (fd >= 0)
		(void)lseek(fd, 0, SEEK_SET);
	return fd;
}

int handed_open(const char *path, int flags, unsigned mode)
{
	struct handed *file;
	int fd = -1;

	pthread_mutex_lock(&lock);
	file = find(path);
	if (file)
		fd = copy_of(file);
	pthread_mutex_unlock(&lock);
	return file ? fd : open(path, flags | O_CLOEXEC, mode);
}

static int read_all(int fd, size_t max, char *out, size_t *out_len)
{
	ssize_t got = 1;

	*out_len = 0;
	while (got != 0 && *out_len <= max) {
		got = read(fd, out + *out_len, max + 1 - *out_len);
		if (got < 0 && errno != EINTR)
			return -1;
		*out_len += got > 0 ? (size_t)got : 0;
	}
	if (*out_len > max) {
		errno = EFBIG;
		return -1;
	}
	out[*out_len] = '\0';
	return 0;
}

/* measure finds how many bytes there are to read, at most max. */
static int measure(int fd, size_t max, size_t *out)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return -1;
	*out = (size_t)st.st_size < max ? (size_t)st.st_size : max;
	if (S_ISREG(st.st_mode) ||
	    (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)))
		return 0; /* the latter is /dev/null */
	errno = S_ISDIR(st.st_mode) ? EISDIR : HANDED_NO_FILE;
	return -1;
}

static int read_open(int fd, size_t max, char **out, size_t *out_len)
{
	int result, why;

	if (measure(fd, max, &max) != 0)
		return -1;
	*out = malloc(max + 2);
	if (!*out)
		abort();
	result = read_all(fd, max, *out, out_len);
	why = errno;
	if (result != 0)
		free(*out);
	errno = why;
	return result;
}

/* Opening does not wait for who writes to a pipe: it is refused then. */
int handed_read(const char *path, size_t max, char **out, size_t *out_len)
{
	int fd = handed_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	int result, why;

	if (fd < 0)
		return -1;
	result = read_open(fd, max, out, out_len);
	why = errno;
	close(fd);
	errno = why;
	return result;
}

const char *handed_why(int error)
{
	return error == HANDED_NO_FILE ? "it is a pipe, a socket or a device; "
		"give a regular file, since it is read again at each reload" :
		strerror(error);
}

void handed_forget(void)
{
	struct handed *file, *next;

	pthread_mutex_lock(&lock);
	free(folder_name);
	free(state_name);
	free(address_name);
	folder_name = state_name = address_name = NULL;
	DL_FOREACH_SAFE(files, file, next)
		drop(file);
	pthread_mutex_unlock(&lock);
}
