#include "proxy/core/desk_token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "pki/keymaker.h"

enum { LETTERS = 32, PATH = 4096 };

/* read_token: false and errno. */
static bool read_token(const char *path, char out[DESK_TOKEN_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	ssize_t len;

	out[0] = '\0';
	if (fd < 0)
		return false;
	len = read(fd, out, DESK_TOKEN_SIZE - 1);
	out[len > 0 ? len : 0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
	close(fd);
	return len >= 0;
}

static int make_token(const char *path, char out[DESK_TOKEN_SIZE], char *err,
	size_t err_size)
{
	size_t len = DESK_TOKEN_SIZE - 2;
	int result;

	make_chance(len / 2, out);
	out[len] = '\n';
	result = file_write(path, out, len + 1, 0600, err, err_size);
	out[len] = '\0';
	return result;
}

int desk_token_need(const char *state, char out[DESK_TOKEN_SIZE], char *err,
	size_t err_size)
{
	char path[PATH];
	bool read;

	snprintf(path, sizeof(path), "%s/admin-token", state);
	read = read_token(path, out);
	if (!read && errno != ENOENT)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if (out[0] == '\0')
		return make_token(path, out, err, err_size);
	if (strlen(out) < LETTERS)
		return pki_fail(err, err_size, "%s: is no token (at least %d "
			"letters); delete it, and a new one is made", path,
			LETTERS);
	return 0;
}
