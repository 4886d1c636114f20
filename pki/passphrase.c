#include "pki/passphrase.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/mem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pki/keymaker.h"
#include "pki/store.h"

#define SECRET_FILE "keys.secret"

enum {
	SECRET_BYTES = 32,
	FILE_MAX = 4096,
};

/* It is a mapping of its own, so that it can be locked and kept from dumps. */
struct passphrase {
	char text[KEYLOCK_PASSPHRASE_MAX];
	char source[2048];
	size_t len;
	bool is_secret, made, exposed;
};

static struct passphrase *make(void)
{
	struct passphrase *passphrase = mmap(NULL, sizeof(*passphrase),
		PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (passphrase == MAP_FAILED)
		abort();
	(void)mlock(passphrase, sizeof(*passphrase));
	(void)madvise(passphrase, sizeof(*passphrase), MADV_DONTDUMP);
	return passphrase;
}

struct passphrase *passphrase_new(const char *text, size_t len,
	const char *source)
{
	struct passphrase *passphrase = make();

	if (len > sizeof(passphrase->text))
		abort();
	memcpy(passphrase->text, text, len);
	passphrase->len = len;
	snprintf(passphrase->source, sizeof(passphrase->source), "%s", source);
	return passphrase;
}

void passphrase_free(struct passphrase *passphrase)
{
	if (!passphrase)
		return;
	OPENSSL_cleanse(passphrase, sizeof(*passphrase));
	(void)munmap(passphrase, sizeof(*passphrase));
}

/* --- files -------------------------------------------------------------- */

/* take_line takes the first line, as openssl's -passin file: does. */
static int take_line(char *text, size_t size, const char *source,
	struct passphrase **out, char *err, size_t err_size)
{
	size_t len = strcspn(text, "\r\n");
	int result = 0;

	if (len == 0)
		result = pki_fail(err, err_size, "%s: the passphrase (its "
			"first line) is empty", source);
	else if (len > KEYLOCK_PASSPHRASE_MAX)
		result = pki_fail(err, err_size, "%s: the passphrase (its "
			"first line) is longer than %d bytes", source,
			KEYLOCK_PASSPHRASE_MAX);
	else
		*out = passphrase_new(text, len, source);
	OPENSSL_cleanse(text, size);
	return result;
}

int passphrase_read(const char *path, struct passphrase **out, char *err,
	size_t err_size)
{
	struct stat st;
	char *text;
	size_t len;
	int result;

	*out = NULL;
	if (file_read(path, FILE_MAX, &text, &len, err, err_size) != 0)
		return -1;
	result = take_line(text, len, path, out, err, err_size);
	free(text);
	if (result == 0)
		(*out)->exposed = stat(path, &st) == 0 &&
			(st.st_mode & S_IROTH);
	return result;
}

/* --- our own file ------------------------------------------------------- */

/* Whoever comes second finds the first one's: it is linked into its place,
 * which never replaces. */
static int place(const char *path, const char *text, size_t len, char *err,
	size_t err_size)
{
	char temp[4096];
	int result = 0;

	if ((size_t)snprintf(temp, sizeof(temp), "%s.%d", path,
		    (int)getpid()) >= sizeof(temp))
		return pki_fail(err, err_size, "%s: path too long", path);
	if (file_write(temp, text, len, 0600, err, err_size) != 0)
		return -1;
	if (link(temp, path) != 0 && errno != EEXIST)
		result = pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	unlink(temp);
	return result;
}

static int make_secret(const char *path, char *err, size_t err_size)
{
	char text[2 * SECRET_BYTES + 1];
	int result;

	make_chance(SECRET_BYTES, text);
	text[2 * SECRET_BYTES] = '\n'; /* for the NUL: a line */
	result = place(path, text, sizeof(text), err, err_size);
	OPENSSL_cleanse(text, sizeof(text));
	return result;
}

/* Whoever can put a file into the folder must not choose what is read here. */
static int check_secret(const struct passphrase_options *options, int fd,
	const char *path, char *err, size_t err_size)
{
	struct stat st;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return pki_fail(err, err_size, "%s: not a file", path);
	if ((st.st_mode & 077) != 0)
		return pki_fail(err, err_size, "%s: others may read it: chmod "
			"600 it", path);
	if (st.st_uid != geteuid() && st.st_uid != options->owner)
		return pki_fail(err, err_size, "%s: belongs to the user %lu, "
			"not to who runs this (%lu): if it is the right one, "
			"give it to them with chown", path,
			(unsigned long)st.st_uid, (unsigned long)geteuid());
	return 0;
}

/* no_secret: where the keys are lost as well, the secret is the lesser loss. */
static int no_secret(const char *state, const char *path, char *err,
	size_t err_size)
{
	char store[4096];

	snprintf(store, sizeof(store), "%s/" STORE_FILE, state);
	if (store_is_none(store))
		return pki_fail(err, err_size, "%s: " STORE_DAMAGED, store);
	return pki_fail(err, err_size, "%s: is not there, and the private keys in "
		"sallyport.db can't be opened without a passphrase: bring "
		"the file back from a copy, or give the passphrase that they "
		"were made with (keys.passphrase-file, or the variable "
		PASSPHRASE_VARIABLE "; for run also the credential "
		PASSPHRASE_CREDENTIAL ", and --ask-passphrase)", path);
}

static int open_secret(const struct passphrase_options *options,
	const char *path, bool *out_made, char *err, size_t err_size)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(path, flags);

	if (fd < 0 && errno == ENOENT && options->may_make) {
		if (make_secret(path, err, err_size) != 0)
			return -1;
		*out_made = true;
		fd = open(path, flags);
	}
	if (fd < 0 && errno == ENOENT)
		return no_secret(options->state, path, err, err_size);
	if (fd < 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	if (check_secret(options, fd, path, err, err_size) == 0)
		return fd;
	close(fd);
	return -1;
}

static int read_secret(int fd, const char *path, struct passphrase **out,
	char *err, size_t err_size)
{
	char text[FILE_MAX];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len < 0)
		return pki_fail(err, err_size, "%s: %s", path,
			strerror(errno));
	text[len] = '\0';
	return take_line(text, sizeof(text), path, out, err, err_size);
}

static int from_secret(const struct passphrase_options *options,
	struct passphrase **out, char *err, size_t err_size)
{
	char *path = state_path(options->state, SECRET_FILE);
	bool made = false;
	int fd = open_secret(options, path, &made, err, err_size);
	int result = fd < 0 ? -1 : read_secret(fd, path, out, err, err_size);

	if (fd >= 0)
		close(fd);
	if (result == 0) {
		(*out)->is_secret = true;
		(*out)->made = made;
	}
	free(path);
	return result;
}

/* --- the environment ---------------------------------------------------- */

/* unsetenv only forgets where it stood. */
void passphrase_hide_variable(void)
{
	char *value = getenv(PASSPHRASE_VARIABLE);

	if (value)
		OPENSSL_cleanse(value, strlen(value));
	(void)unsetenv(PASSPHRASE_VARIABLE);
}

/* credential_path is where systemd has put it; NULL: nowhere. */
static char *credential_path(void)
{
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	char *path;

	if (!folder || folder[0] == '\0')
		return NULL;
	path = state_path(folder, PASSPHRASE_CREDENTIAL);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	return NULL;
}

static int find(const struct passphrase_options *options,
	struct passphrase **out, char *err, size_t err_size)
{
	char *value = getenv(PASSPHRASE_VARIABLE), *path;
	int result;

	if (options->file)
		return passphrase_read(options->file, out, err, err_size);
	if (value)
		return take_line(value, strlen(value), "the variable "
			PASSPHRASE_VARIABLE, out, err, err_size);
	path = credential_path();
	if (!path)
		return from_secret(options, out, err, err_size);
	result = passphrase_read(path, out, err, err_size);
	free(path);
	return result;
}

int passphrase_find(const struct passphrase_options *options,
	struct passphrase **out, char *err, size_t err_size)
{
	int result;

	*out = NULL;
	result = find(options, out, err, err_size);
	passphrase_hide_variable();
	return result;
}

/* --- what it is --------------------------------------------------------- */

struct der passphrase_text(const struct passphrase *passphrase)
{
	return (struct der){(const uint8_t *)passphrase->text,
		passphrase->len};
}

const char *passphrase_source(const struct passphrase *passphrase)
{
	return passphrase->source;
}

bool passphrase_is_secret(const struct passphrase *passphrase)
{
	return passphrase->is_secret;
}

bool passphrase_exposed(const struct passphrase *passphrase)
{
	return passphrase->exposed;
}

bool passphrase_made(const struct passphrase *passphrase)
{
	return passphrase->made;
}

struct keylock *passphrase_keylock(const struct passphrase *passphrase)
{
	return keylock_new(passphrase->text, passphrase->len);
}
