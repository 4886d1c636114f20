#include "pki/base.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/mem.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void *pki_new(size_t size)
{
	void *made = calloc(1, size);

	if (!made)
		abort();
	return made;
}

char *pki_copy(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

char *state_path(const char *state, const char *name)
{
	size_t size = strlen(state) + 1 + strlen(name) + 1;
	char *path = pki_new(size);

	snprintf(path, size, "%s/%s", state, name);
	return path;
}

int pki_fail(char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	ERR_clear_error();
	if (!err || err_size == 0)
		return -1;
	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return -1;
}

struct der der_of(const CRYPTO_BUFFER *buffer)
{
	return (struct der){CRYPTO_BUFFER_data(buffer),
		CRYPTO_BUFFER_len(buffer)};
}

struct der der_rest(const CBS *cbs)
{
	return (struct der){CBS_data(cbs), CBS_len(cbs)};
}

CBS der_cbs(struct der der)
{
	CBS cbs;

	CBS_init(&cbs, der.at, der.len);
	return cbs;
}

bool der_same(struct der a, struct der b)
{
	return a.len == b.len &&
		(a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

void der_hex(struct der der, char *out)
{
	out[0] = '\0';
	for (size_t i = 0; i < der.len; i++)
		snprintf(out + 2 * i, 3, "%02x", der.at[i]);
}

CRYPTO_BUFFER *der_buffer(struct der der)
{
	CRYPTO_BUFFER *buffer = CRYPTO_BUFFER_new(der.at, der.len, NULL);

	if (!buffer)
		abort();
	return buffer;
}

CRYPTO_BUFFER *der_finish(CBB *cbb)
{
	CRYPTO_BUFFER *buffer;
	uint8_t *data = NULL;
	size_t len = 0;

	if (!CBB_finish(cbb, &data, &len)) {
		CBB_cleanup(cbb);
		return NULL;
	}
	buffer = der_buffer((struct der){data, len});
	OPENSSL_free(data);
	return buffer;
}

static int read_fd(int fd, size_t max, char **out, size_t *out_len)
{
	char *data = pki_new(max + 1);
	size_t len = 0;
	ssize_t got = 1;

	while (got > 0 && len <= max) {
		got = read(fd, data + len, max + 1 - len);
		if (got > 0)
			len += (size_t)got;
		else if (got < 0 && errno == EINTR)
			got = 1;
	}
	if (got < 0 || len > max) {
		if (got >= 0)
			errno = EFBIG;
		OPENSSL_cleanse(data, len);
		free(data);
		return -1;
	}
	data[len] = '\0';
	*out = data;
	*out_len = len;
	return 0;
}

/* What is read is as large as the file, not as the limit: a limit of 16 MiB
 * costs nothing where the file is small. */
static size_t room_for(int fd, size_t max)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    (size_t)st.st_size > max)
		return max;
	return (size_t)st.st_size;
}

/* read_open reads and closes. */
static int read_open(int fd, const char *path, size_t max, char **out,
	size_t *out_len, char *err, size_t err_size)
{
	int result, why;

	result = read_fd(fd, room_for(fd, max), out, out_len);
	why = errno;
	close(fd);
	if (result != 0)
		return pki_fail(err, err_size, "%s: %s", path, strerror(why));
	return 0;
}

int file_read(const char *path, size_t max, char **out, size_t *out_len,
	char *err, size_t err_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return pki_fail(err, err_size, "%s: %s", path, strerror(errno));
	return read_open(fd, path, max, out, out_len, err, err_size);
}

int file_read_regular(const char *path, size_t max, struct stat *out_info,
	char **out, size_t *out_len, char *err, size_t err_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return pki_fail(err, err_size, "%s: %s", path, strerror(errno));
	if (fstat(fd, out_info) == 0 && S_ISREG(out_info->st_mode))
		return read_open(fd, path, max, out, out_len, err, err_size);
	close(fd);
	return pki_fail(err, err_size, "%s: is no regular file", path);
}

int file_put(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t put = write(fd, data, len);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		data += put;
		len -= (size_t)put;
	}
	return 0;
}

/* open_new makes a file beside name, which nobody else has made or linked. */
static int open_new(int at, const char *name, char temp[4096])
{
	uint64_t random;

	RAND_bytes((uint8_t *)&random, sizeof(random));
	if ((size_t)snprintf(temp, 4096, "%s.%016llx", name,
		    (unsigned long long)random) >= 4096) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return openat(at, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		O_CLOEXEC, 0600);
}

int file_write_at(int at, const char *name, const char *data, size_t len,
	unsigned mode, char *err, size_t err_size)
{
	char temp[4096];
	int fd = open_new(at, name, temp), why;
	bool good = fd >= 0 && file_put(fd, data, len) == 0 &&
		fsync(fd) == 0 && fchmod(fd, mode) == 0 &&
		renameat(at, temp, at, name) == 0;

	why = errno;
	if (fd >= 0)
		close(fd);
	if (good)
		return 0;
	if (fd >= 0)
		unlinkat(at, temp, 0);
	return pki_fail(err, err_size, "%s: %s", name, strerror(why));
}

int file_write(const char *path, const char *data, size_t len, unsigned mode,
	char *err, size_t err_size)
{
	return file_write_at(AT_FDCWD, path, data, len, mode, err, err_size);
}
