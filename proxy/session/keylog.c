#include "proxy/session/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proxy/config/handed.h"

enum { LINE = 512 }; /* a label, a random of 32 bytes, a secret of 48 */

struct keylog {
	pthread_mutex_t lock; /* over fd */
	int fd;               /* owned; -1: off */
};

struct keylog *keylog_new(void)
{
	struct keylog *keylog = calloc(1, sizeof(*keylog));

	if (!keylog)
		abort();
	keylog->fd = -1;
	pthread_mutex_init(&keylog->lock, NULL);
	return keylog;
}

void keylog_free(struct keylog *keylog)
{
	if (!keylog)
		return;
	if (keylog->fd >= 0)
		close(keylog->fd);
	pthread_mutex_destroy(&keylog->lock);
	free(keylog);
}

/* --- the file ----------------------------------------------------------- */

/* amiss tells what is wrong with a file for secrets; NULL: nothing. */
static const char *amiss(int fd)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return strerror(errno);
	if (!S_ISREG(info.st_mode))
		return "it is no plain file";
	if (info.st_nlink > 1)
		return "it has another name, too";
	if (info.st_mode & 077)
		return "others may read or write it: chmod 600 it first";
	return NULL;
}

/* open_file: -1 and err ""; it is not there, and was not to be made. */
static int open_file(const char *path, int make, char *err, size_t err_size)
{
	int fd = handed_open(path, O_WRONLY | O_APPEND | O_NOFOLLOW |
		O_NONBLOCK | make, 0600);
	const char *why = NULL;

	err[0] = '\0';
	if (fd >= 0)
		why = amiss(fd);
	else if (make || errno != ENOENT)
		why = errno == ELOOP ? "it is a link; name the file itself" :
			strerror(errno);
	if (!why)
		return fd;
	snprintf(err, err_size, "log.keys: %s: %s", path, why);
	if (fd >= 0)
		close(fd);
	return -1;
}

int keylog_open(struct keylog *keylog, const char *path, char *err,
	size_t err_size)
{
	int fd = path ? open_file(path, O_CREAT, err, err_size) : -1, old;

	pthread_mutex_lock(&keylog->lock);
	old = keylog->fd;
	keylog->fd = fd;
	pthread_mutex_unlock(&keylog->lock);
	if (old >= 0)
		close(old);
	return path && fd < 0 ? -1 : 0;
}

int keylog_check(const char *path, char *err, size_t err_size)
{
	int fd = open_file(path, 0, err, err_size);

	if (fd >= 0)
		close(fd);
	return err[0] ? -1 : 0;
}

bool keylog_is_on(struct keylog *keylog)
{
	bool on;

	pthread_mutex_lock(&keylog->lock);
	on = keylog->fd >= 0;
	pthread_mutex_unlock(&keylog->lock);
	return on;
}

/* --- lines -------------------------------------------------------------- */

static int keylog_index = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void make_index(void)
{
	keylog_index = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
}

/* on_line writes a line whole, with one call: those of others stay whole, too. */
static void on_line(const SSL *ssl, const char *text)
{
	struct keylog *keylog =
		SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), keylog_index);
	char line[LINE];
	int len = snprintf(line, sizeof(line), "%s\n", text);

	if (len > 0 && (size_t)len < sizeof(line)) {
		pthread_mutex_lock(&keylog->lock);
		if (keylog->fd >= 0)
			(void)!write(keylog->fd, line, (size_t)len);
		pthread_mutex_unlock(&keylog->lock);
	}
	OPENSSL_cleanse(line, sizeof(line));
}

void keylog_use(struct keylog *keylog, SSL_CTX *ctx)
{
	(void)pthread_once(&once, make_index);
	if (!SSL_CTX_set_ex_data(ctx, keylog_index, keylog))
		abort();
	SSL_CTX_set_keylog_callback(ctx,
		keylog_is_on(keylog) ? on_line : NULL);
}
