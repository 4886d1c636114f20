#include "proxy/config/versions.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/config/memory.h"
#include "proxy/config/version_json.h"

enum {
	NAME = 32,
	/* In JSON a byte may take six, and there is what is around it. */
	FILE_MAX = 6 * VERSIONS_TEXT_MAX + 8192,
};

#define FOLDER "policy"
#define CURRENT "current"

__attribute__((format(printf, 3, 4)))
static int refuse(char *err, size_t err_size, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(err, err_size, format, args);
	va_end(args);
	return -1;
}

/* name_of: files are found by their numbers alone. */
static const char *name_of(unsigned number, char out[NAME])
{
	snprintf(out, NAME, "%06u.json", number);
	return out;
}

/* --- the folder --------------------------------------------------------- */

/* is_ours: what somebody else could have put there is not gone by. Root looks at
 * what belongs to whom it runs the proxy as. */
static bool is_ours(int folder)
{
	struct stat info;

	return fstat(folder, &info) == 0 &&
		(info.st_uid == geteuid() || geteuid() == 0) &&
		!(info.st_mode & (S_IWGRP | S_IWOTH));
}

/* open_folder; VERSIONS_NONE: there is none, and it was not to be made. */
static int open_folder(const char *state, bool make, int *out, char *err,
	size_t err_size)
{
	int above = open(state, O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd = -1;
	int why;

	*out = -1;
	if (above >= 0 && make && mkdirat(above, FOLDER, 0700) == 0)
		(void)fsync(above);
	if (above >= 0)
		fd = openat(above, FOLDER, O_RDONLY | O_DIRECTORY |
			O_NOFOLLOW | O_CLOEXEC);
	why = errno;
	if (above >= 0)
		close(above);
	if (fd < 0 && why == ENOENT && !make)
		return VERSIONS_NONE;
	if (fd < 0)
		return refuse(err, err_size, FOLDER ": %s", strerror(why));
	if (!is_ours(fd)) {
		close(fd);
		return refuse(err, err_size, FOLDER ": belongs to somebody "
			"else, or others may write to it");
	}
	*out = fd;
	return 0;
}

/* --- reading files ------------------------------------------------------ */

static int read_all(int fd, char *out, size_t max, size_t *out_len)
{
	ssize_t got = 1;

	*out_len = 0;
	while (got != 0 && *out_len < max) {
		got = read(fd, out + *out_len, max - *out_len);
		if (got < 0 && errno != EINTR)
			return -1;
		*out_len += got > 0 ? (size_t)got : 0;
	}
	return 0;
}

static int read_open(int fd, char **out, size_t *out_len)
{
	struct stat info;

	if (fstat(fd, &info) != 0)
		return -1;
	if (!S_ISREG(info.st_mode) || info.st_size > FILE_MAX) {
		errno = S_ISREG(info.st_mode) ? EFBIG : EINVAL;
		return -1;
	}
	*out = must(calloc(1, (size_t)info.st_size + 1));
	if (read_all(fd, *out, (size_t)info.st_size, out_len) == 0)
		return 0;
	free(*out);
	return -1;
}

static int read_file(int folder, const char *name, char **out,
	size_t *out_len, char *err, size_t err_size)
{
	int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
		O_CLOEXEC);
	int result, why;

	if (fd < 0 && errno == ENOENT)
		return VERSIONS_NONE;
	result = fd >= 0 ? read_open(fd, out, out_len) : -1;
	why = errno;
	if (fd >= 0)
		close(fd);
	if (result != 0)
		return refuse(err, err_size, FOLDER "/%s: %s", name,
			strerror(why));
	return 0;
}

/* --- writing files ------------------------------------------------------ */

/* write_file: with the folder flushed, too, it is there for good. */
static int write_file(int folder, const char *name, const char *text,
	size_t len, char *err, size_t err_size)
{
	static const char temp[] = "new.tmp";
	bool done;
	int fd, why;

	(void)unlinkat(folder, temp, 0);
	fd = openat(folder, temp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW |
		O_CLOEXEC, 0600);
	done = fd >= 0 && file_put(fd, text, len) == 0 && fsync(fd) == 0 &&
		renameat(folder, temp, folder, name) == 0 &&
		fsync(folder) == 0;
	why = errno;
	if (fd >= 0)
		close(fd);
	if (done)
		return 0;
	(void)unlinkat(folder, temp, 0);
	return refuse(err, err_size, FOLDER "/%s: %s", name, strerror(why));
}

/* --- a version ---------------------------------------------------------- */

/* damaged says so of the version. */
static int damaged(unsigned number, char *err, size_t err_size)
{
	char name[NAME];

	return refuse(err, err_size, FOLDER "/%s is damaged: it is not what "
		"the API has written; another version's number in " FOLDER
		"/" CURRENT ", or 0 for the configuration file's own policy, "
		"has that one used", name_of(number, name));
}

static int parse(const char *text, size_t len, unsigned number,
	struct version *out, char **out_text, size_t *out_len, char *err,
	size_t err_size)
{
	if (version_json_read(text, len, number, out, out_text, out_len))
		return 0;
	return damaged(number, err, err_size);
}

static int read_version(int folder, unsigned number, struct version *out,
	char **out_text, size_t *out_len, char *err, size_t err_size)
{
	char name[NAME], *text;
	size_t len;
	int result;

	memset(out, 0, sizeof(*out));
	result = read_file(folder, name_of(number, name), &text, &len, err,
		err_size);
	if (result != 0)
		return result;
	result = parse(text, len, number, out, out_text, out_len, err,
		err_size);
	free(text);
	return result;
}

/* --- all of them -------------------------------------------------------- */

/* number_in: 0 for a name that is not a version's. */
static unsigned number_in(const char *name)
{
	char again[NAME];
	unsigned long number;

	if (strspn(name, "0123456789") != 6)
		return 0;
	number = strtoul(name, NULL, 10);
	return strcmp(name_of((unsigned)number, again), name) == 0 ?
		(unsigned)number : 0;
}

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

static int list_numbers(int folder, unsigned **out, size_t *out_num, char *err,
	size_t err_size)
{
	int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *file;
	unsigned number;

	*out = NULL;
	*out_num = 0;
	if (!files) {
		if (copy >= 0)
			close(copy);
		return refuse(err, err_size, FOLDER ": %s", strerror(errno));
	}
	while ((file = readdir(files)) != NULL) {
		number = number_in(file->d_name);
		if (number == 0)
			continue;
		*out = must(realloc(*out, (*out_num + 1) * sizeof(**out)));
		(*out)[(*out_num)++] = number;
	}
	closedir(files);
	if (*out_num > 0)
		qsort(*out, *out_num, sizeof(**out), by_number);
	return 0;
}

/* without_current: before there is any version it is the file's own; later the one
 * in force is not known. */
static int without_current(int folder, char *err, size_t err_size)
{
	unsigned *numbers;
	size_t num;
	int result = list_numbers(folder, &numbers, &num, err, err_size);

	free(numbers);
	if (result != 0 || num == 0)
		return result;
	return refuse(err, err_size, FOLDER "/" CURRENT " is gone, but "
		"versions of the policy are there: write the number of the "
		"one to be used into it, or 0 for the configuration file's "
		"own policy");
}

static int read_current(int folder, unsigned *out, char *err, size_t err_size)
{
	char *text;
	size_t len, digits;
	int result = read_file(folder, CURRENT, &text, &len, err, err_size);

	*out = 0;
	if (result != 0)
		return result == VERSIONS_NONE ?
			without_current(folder, err, err_size) : -1;
	digits = strspn(text, "0123456789");
	if (digits > 0 && digits <= 6 &&
	    (len == digits || (len == digits + 1 && text[digits] == '\n')))
		*out = (unsigned)strtoul(text, NULL, 10);
	else
		result = refuse(err, err_size, FOLDER "/" CURRENT " is "
			"damaged: it is to be the number of a version, or 0 "
			"for the configuration file's own policy");
	free(text);
	return result;
}

/* read_ends reads a file's first bytes, and sees that its last are there. */
static bool read_ends(int fd, char head[VERSION_HEAD_MAX + 1])
{
	static const char last[] = "\"\n}";
	char tail[sizeof(last) - 1];
	struct stat info;
	ssize_t got;

	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
	    info.st_size > FILE_MAX || info.st_size < (off_t)sizeof(tail))
		return false;
	got = pread(fd, head, VERSION_HEAD_MAX, 0);
	head[got > 0 ? got : 0] = '\0';
	return pread(fd, tail, sizeof(tail), info.st_size -
		(off_t)sizeof(tail)) == (ssize_t)sizeof(tail) &&
		memcmp(tail, last, sizeof(tail)) == 0;
}

/* read_head reads what is said of a version, and not its document, of which there
 * may be a megabyte. False: it has to be read whole, or is damaged. */
static bool read_head(int folder, unsigned number, struct version *out)
{
	char name[NAME], head[VERSION_HEAD_MAX + 1];
	int fd = openat(folder, name_of(number, name), O_RDONLY | O_NOFOLLOW |
		O_NONBLOCK | O_CLOEXEC);
	bool good;

	if (fd < 0)
		return false;
	good = read_ends(fd, head);
	close(fd);
	memset(out, 0, sizeof(*out));
	return good && version_json_head(head, number, out);
}

/* read_one: VERSIONS_NONE: it has gone since. */
static int read_one(int folder, unsigned number, struct version *out)
{
	char err[VERSIONS_ERR];
	size_t len;
	int result = 0;

	if (!read_head(folder, number, out))
		result = read_version(folder, number, out, NULL, &len, err,
			sizeof(err));
	out->number = number;
	if (result < 0)
		snprintf(out->err, sizeof(out->err), "%s", err);
	return result;
}

/* read_each reads those that versions_add keeps, and no more, should there be
 * thousands; a damaged one is told of. */
static size_t read_each(int folder, const unsigned *numbers, size_t num,
	struct version *out)
{
	char err[VERSIONS_ERR];
	unsigned current = 0;
	size_t got = 0;

	if (read_current(folder, &current, err, sizeof(err)) != 0)
		current = 0;
	for (size_t i = 0; i < num; i++) {
		if (num - i > VERSIONS_KEPT && numbers[i] != current)
			continue;
		if (read_one(folder, numbers[i], &out[got]) != VERSIONS_NONE)
			got++;
	}
	return got;
}

int versions_list(const char *state, struct version **out, size_t *out_num,
	char *err, size_t err_size)
{
	unsigned *numbers;
	size_t num;
	int folder, result;

	*out = NULL;
	*out_num = 0;
	result = open_folder(state, false, &folder, err, err_size);
	if (result != 0)
		return result == VERSIONS_NONE ? 0 : -1;
	result = list_numbers(folder, &numbers, &num, err, err_size);
	if (result == 0) {
		*out = must(calloc(VERSIONS_KEPT + 1, sizeof(**out)));
		*out_num = read_each(folder, numbers, num, *out);
	}
	free(numbers);
	close(folder);
	return result;
}

int versions_read(const char *state, unsigned number, struct version *out,
	char **out_text, size_t *out_len, char *err, size_t err_size)
{
	int folder, result;

	*out_text = NULL;
	*out_len = 0;
	if (number == 0 || number > VERSIONS_LAST)
		return VERSIONS_NONE;
	result = open_folder(state, false, &folder, err, err_size);
	if (result != 0)
		return result;
	result = read_version(folder, number, out, out_text, out_len, err,
		err_size);
	close(folder);
	return result;
}

/* --- which is in force -------------------------------------------------- */

int versions_current(const char *state, struct version *out, char **out_text,
	size_t *out_len, char *err, size_t err_size)
{
	unsigned number;
	int folder, result;

	memset(out, 0, sizeof(*out));
	*out_text = NULL;
	*out_len = 0;
	result = open_folder(state, false, &folder, err, err_size);
	if (result != 0)
		return result;
	result = read_current(folder, &number, err, err_size);
	close(folder);
	if (result != 0)
		return result;
	if (number == 0)
		return VERSIONS_NONE;
	result = versions_read(state, number, out, out_text, out_len, err,
		err_size);
	if (result != VERSIONS_NONE)
		return result;
	return refuse(err, err_size, FOLDER "/" CURRENT " names version %u, "
		"which is not there", number);
}

int versions_set_current(const char *state, unsigned number, char *err,
	size_t err_size)
{
	char name[NAME], text[16];
	int folder, result, len;

	if (open_folder(state, true, &folder, err, err_size) != 0)
		return -1;
	if (number != 0 && faccessat(folder, name_of(number, name), R_OK,
		    AT_EACCESS) != 0) {
		result = refuse(err, err_size, FOLDER "/%s: %s", name,
			strerror(errno));
	} else {
		len = snprintf(text, sizeof(text), "%u\n", number);
		result = write_file(folder, CURRENT, text, (size_t)len, err,
			err_size);
	}
	close(folder);
	return result;
}

/* --- another one -------------------------------------------------------- */

int versions_next(const char *state, unsigned *out, char *err, size_t err_size)
{
	unsigned *numbers;
	size_t num;
	int folder, result;

	*out = 1;
	result = open_folder(state, false, &folder, err, err_size);
	if (result != 0)
		return result == VERSIONS_NONE ? 0 : -1;
	result = list_numbers(folder, &numbers, &num, err, err_size);
	close(folder);
	if (result == 0 && num > 0)
		*out = numbers[num - 1] + 1;
	free(numbers);
	if (*out > VERSIONS_LAST)
		result = refuse(err, err_size, FOLDER ": there are no more "
			"numbers");
	return result;
}

/* prune lets go of the oldest, but of neither that in force nor, where nobody
 * knows which that is, of any. What can't be removed stays. */
static void prune(int folder, unsigned newest)
{
	char name[NAME], err[VERSIONS_ERR];
	unsigned *numbers, current;
	size_t num;

	if (read_current(folder, &current, err, sizeof(err)) != 0 ||
	    list_numbers(folder, &numbers, &num, err, sizeof(err)) != 0)
		return;
	for (size_t i = 0; num - i > VERSIONS_KEPT; i++) {
		if (numbers[i] != current && numbers[i] != newest)
			(void)unlinkat(folder, name_of(numbers[i], name), 0);
	}
	free(numbers);
}

static int write_version(int folder, const struct version *version,
	const char *text, size_t len, char *err, size_t err_size)
{
	struct stat info;
	char name[NAME], *json;
	int result;

	name_of(version->number, name);
	if (fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) == 0)
		return refuse(err, err_size, FOLDER "/%s is there already",
			name);
	json = version_json_write(version, text, len);
	if (!json)
		return refuse(err, err_size, "the policy is not UTF-8");
	result = write_file(folder, name, json, strlen(json), err, err_size);
	free(json);
	return result;
}

void versions_remove(const char *state, unsigned number)
{
	char name[NAME], err[VERSIONS_ERR];
	int folder;

	if (open_folder(state, false, &folder, err, sizeof(err)) != 0)
		return;
	(void)unlinkat(folder, name_of(number, name), 0);
	close(folder);
}

/* begin says, before the first version is there, that none is in force: its file
 * gone later is so no state that anything of ours leaves behind. */
static int begin(int folder, char *err, size_t err_size)
{
	unsigned *numbers;
	size_t num;
	int result = list_numbers(folder, &numbers, &num, err, err_size);

	free(numbers);
	if (result != 0 || num > 0 ||
	    faccessat(folder, CURRENT, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return result;
	return write_file(folder, CURRENT, "0\n", 2, err, err_size);
}

int versions_add(const char *state, const struct version *version,
	const char *text, size_t len, char *err, size_t err_size)
{
	int folder, result;

	if (version->number == 0 || version->number > VERSIONS_LAST)
		return refuse(err, err_size, "there is no version %u",
			version->number);
	if (len > VERSIONS_TEXT_MAX)
		return refuse(err, err_size, "the policy has more than %d "
			"bytes", VERSIONS_TEXT_MAX);
	if (open_folder(state, true, &folder, err, err_size) != 0)
		return -1;
	result = begin(folder, err, err_size);
	if (result == 0)
		result = write_version(folder, version, text, len, err,
			err_size);
	if (result == 0)
		prune(folder, version->number);
	close(folder);
	return result;
}
