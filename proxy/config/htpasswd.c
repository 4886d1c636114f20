#include "proxy/config/htpasswd.h"

#include <crypt.h>
#include <openssl/mem.h>
#include <openssl/sha.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pki/name.h"
#include "proxy/config/memory.h"

#define uthash_fatal(msg) abort() /* in place of exit */
#include <uthash.h>

_Static_assert((int)HTPASSWD_PASSWORD_MAX < (int)CRYPT_MAX_PASSPHRASE_SIZE,
	"libcrypt takes no more");

enum {
	LINE_SIZE = 1024, /* a user, a hash, and what shadow(5) has behind it */
	COST_SIZE = 24,   /* "$6$rounds=5000000$" */
	WHAT_SIZE = 400,
	/* What takes longer than some seconds would hold up everybody else. */
	BCRYPT_COST_MAX = 15,
	SHA_ROUNDS_MIN = 1000, /* of libcrypt */
	SHA_ROUNDS_MAX = 5 * 1000 * 1000,
	SHA_SALT_MAX = 16,
	YESCRYPT_SALT_MAX = 86,
};

struct user {
	UT_hash_handle hh;
	unsigned line;
	const char *hash; /* in text */
	size_t size;      /* of text */
	char text[];      /* name and hash, each with its NUL */
};

struct htpasswd {
	struct user *users; /* owned */
	const char *decoy;  /* a user's hash of the commonest cost; NULL: none */
};

/* --- hashes ------------------------------------------------------------- */

static const char letters[] = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	"abcdefghijklmnopqrstuvwxyz";
static const char digits[] = "0123456789";
static const char rounds[] = "rounds=";

static const char too_slow[] =
	"takes too long to check each time; make it anew at a lower cost";
static const char broken[] =
	"is cut short or mistyped; make it anew with \"htpasswd -B\"";

static bool is_letters(const char *text, size_t num)
{
	return strspn(text, letters) == num && text[num] == '\0';
}

/* is_salted: "salt$hash", the hash of so many letters. */
static bool is_salted(const char *text, size_t salt_max, size_t num)
{
	size_t salt = strspn(text, letters);

	return salt <= salt_max && text[salt] == '$' &&
		is_letters(text + salt + 1, num);
}

/* number_of reads the digits that text begins with, as far as they matter. */
static unsigned long number_of(const char *text, unsigned long most)
{
	unsigned long number = 0;

	for (; *text >= '0' && *text <= '9' && number <= most; text++)
		number = number * 10 + (unsigned long)(*text - '0');
	return number;
}

/* "$2y$10$", 22 letters of salt and 31 of hash. */
static const char *refuse_bcrypt(const char *hash)
{
	const char *cost = hash + 4;

	if (strspn(cost, digits) != 2 || cost[2] != '$' ||
	    !is_letters(cost + 3, 53))
		return broken;
	return number_of(cost, 99) > BCRYPT_COST_MAX ? too_slow : NULL;
}

/* "$6$rounds=5000$salt$hash"; the rounds may be left out. */
static const char *refuse_sha(const char *hash)
{
	unsigned long number = SHA_ROUNDS_MIN;
	const char *at = hash + 3;

	if (strncmp(at, rounds, sizeof(rounds) - 1) == 0) {
		at += sizeof(rounds) - 1;
		number = *at == '0' ? 0 : number_of(at, SHA_ROUNDS_MAX);
		at += strspn(at, digits);
		if (number < SHA_ROUNDS_MIN || *at++ != '$')
			return broken;
	}
	if (!is_salted(at, SHA_SALT_MAX, hash[1] == '6' ? 86 : 43))
		return broken;
	return number > SHA_ROUNDS_MAX ? too_slow : NULL;
}

/* "$y$j9T$salt$hash": the 9 is how much memory, and so time; at "C", mkpasswd's
 * cost 8, it is 128 MB. */
static const char *refuse_yescrypt(const char *hash)
{
	const char *cost = hash + 3;

	if (cost[0] != 'j' || cost[1] < '5' || !strchr(letters, cost[1]) ||
	    (cost[2] != '5' && cost[2] != 'T') || cost[3] != '$' ||
	    !is_salted(cost + 4, YESCRYPT_SALT_MAX, 43))
		return broken;
	return cost[1] > 'C' ? too_slow : NULL;
}

#define WITH_BCRYPT "; make it anew with \"htpasswd -B\""

static const struct {
	const char *prefix;
	const char *(*refuse)(const char *hash);
	const char *why; /* without refuse */
} schemes[] = {
	{"$2y$", refuse_bcrypt, NULL},
	{"$2b$", refuse_bcrypt, NULL},
	{"$2a$", refuse_bcrypt, NULL},
	{"$6$", refuse_sha, NULL},
	{"$5$", refuse_sha, NULL},
	{"$y$", refuse_yescrypt, NULL},
	{"$apr1$", NULL, "is in Apache's MD5, soon guessed" WITH_BCRYPT},
	{"$1$", NULL, "is in MD5, soon guessed" WITH_BCRYPT},
	{"{SHA}", NULL, "is in SHA-1, soon guessed" WITH_BCRYPT},
	{"$", NULL, "is in a scheme that is not known here" WITH_BCRYPT},
	{"", NULL, "is in DES or plain text" WITH_BCRYPT},
};

/* refuse_hash says why a hash can't be used; NULL: it can. */
static const char *refuse_hash(const char *hash)
{
	size_t i = 0;

	while (strncmp(hash, schemes[i].prefix, strlen(schemes[i].prefix)) != 0)
		i++;
	return schemes[i].refuse ? schemes[i].refuse(hash) : schemes[i].why;
}

/* --- the commonest cost ------------------------------------------------- */

struct cost {
	UT_hash_handle hh;
	size_t num;
	const char *hash; /* the first user's, borrowed */
	char text[COST_SIZE];
};

/* cost_len: "$2y$10$", "$6$", "$6$rounds=5000$", "$y$j9T$". */
static size_t cost_len(const char *hash)
{
	if (hash[1] == '2' || hash[1] == 'y')
		return 7;
	if (strncmp(hash + 3, rounds, sizeof(rounds) - 1) == 0)
		return 3 + strcspn(hash + 3, "$") + 1;
	return 3;
}

static void count_cost(struct cost **costs, const char *hash)
{
	size_t len = cost_len(hash);
	struct cost *cost;

	HASH_FIND(hh, *costs, hash, len, cost);
	if (!cost) {
		cost = must(calloc(1, sizeof(*cost)));
		snprintf(cost->text, sizeof(cost->text), "%.*s", (int)len,
			hash);
		cost->hash = hash;
		HASH_ADD_KEYPTR(hh, *costs, cost->text, len, cost);
	}
	cost->num++;
}

/* commonest is a hash of the cost that most users have. One of them, so that
 * whoever is not there costs what most of those cost who are. */
static const char *commonest(struct user *users)
{
	struct cost *costs = NULL, *cost, *next;
	const char *hash = NULL;
	size_t most = 0;

	for (struct user *user = users; user; user = user->hh.next)
		count_cost(&costs, user->hash);
	HASH_ITER(hh, costs, cost, next) {
		if (cost->num > most) {
			most = cost->num;
			hash = cost->hash;
		}
		HASH_DEL(costs, cost);
		free(cost);
	}
	return hash;
}

/* --- reading ------------------------------------------------------------ */

struct reader {
	struct htpasswd *users;
	htpasswd_bad *bad;
	void *arg;
	unsigned line;
};

static void tell(struct reader *reader, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* What is behind the colon is not for a log, a line without one neither. */
static void tell(struct reader *reader, const char *format, ...)
{
	char what[WHAT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	reader->bad(reader->arg, reader->line, what);
}

static struct user *find(const struct htpasswd *users, const char *name)
{
	struct user *user;

	HASH_FIND_STR(users->users, name, user);
	return user;
}

static bool is_name(const char *name)
{
	size_t letters_num;

	return name[0] != '\0' && strlen(name) <= HTPASSWD_USER_MAX &&
		name_text_ok(name, &letters_num);
}

static void add(struct reader *reader, const char *name, const char *hash)
{
	size_t name_size = strlen(name) + 1, hash_size = strlen(hash) + 1;
	struct user *user = must(calloc(1,
		sizeof(*user) + name_size + hash_size));

	user->line = reader->line;
	user->size = name_size + hash_size;
	user->hash = user->text + name_size;
	memcpy(user->text, name, name_size);
	memcpy(user->text + name_size, hash, hash_size);
	HASH_ADD_KEYPTR(hh, reader->users->users, user->text, name_size - 1,
		user);
}

/* read_user takes line apart. */
static void read_user(struct reader *reader, char *line)
{
	char *hash = strchr(line, ':');
	const struct user *before;
	const char *why;

	if (!hash) {
		tell(reader, "there is no \":\" in it; write USER:HASH, as "
			"\"htpasswd -B\" does");
		return;
	}
	*hash++ = '\0';
	hash[strcspn(hash, ":")] = '\0';
	before = find(reader->users, line);
	why = refuse_hash(hash);
	if (!is_name(line))
		tell(reader, "a user's name is of 1 to %d bytes, in UTF-8 and "
			"without control characters", HTPASSWD_USER_MAX);
	else if (before)
		tell(reader, "the user \"%s\" is on line %u already, which "
			"holds; remove one of the two", line, before->line);
	else if (why)
		tell(reader, "the password of \"%s\" %s", line, why);
	else
		add(reader, line, hash);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void read_line(struct reader *reader, const char *at, size_t len)
{
	char line[LINE_SIZE];

	for (; len > 0 && is_blank(at[0]); at++)
		len--;
	while (len > 0 && is_blank(at[len - 1]))
		len--;
	if (len == 0 || at[0] == '#')
		return;
	if (len >= sizeof(line) || memchr(at, '\0', len)) {
		tell(reader, len >= sizeof(line) ? "it is too long for a user" :
			"there is a NUL byte in it");
		return;
	}
	memcpy(line, at, len);
	line[len] = '\0';
	read_user(reader, line);
	OPENSSL_cleanse(line, sizeof(line));
}

struct htpasswd *htpasswd_read(const char *text, size_t len,
	htpasswd_bad *bad, void *arg)
{
	struct htpasswd *users = must(calloc(1, sizeof(*users)));
	struct reader reader = {users, bad, arg, 0};

	while (len > 0) {
		const char *end = memchr(text, '\n', len);
		size_t line = end ? (size_t)(end - text) : len;

		reader.line++;
		read_line(&reader, text, line);
		text += line + (end ? 1 : 0);
		len -= line + (end ? 1 : 0);
	}
	users->decoy = commonest(users->users);
	return users;
}

void htpasswd_free(struct htpasswd *users)
{
	struct user *user, *next;

	if (!users)
		return;
	HASH_ITER(hh, users->users, user, next) {
		HASH_DEL(users->users, user);
		OPENSSL_cleanse(user->text, user->size);
		free(user);
	}
	free(users);
}

/* --- asking ------------------------------------------------------------- */

size_t htpasswd_num(const struct htpasswd *users)
{
	return HASH_COUNT(users->users);
}

const char *htpasswd_hash(const struct htpasswd *users, const char *user)
{
	const struct user *found = find(users, user);

	return found ? found->hash : NULL;
}

bool htpasswd_digest(const struct htpasswd *users, const char *user,
	uint8_t out[HTPASSWD_DIGEST])
{
	const char *hash = htpasswd_hash(users, user);

	if (hash)
		SHA256((const uint8_t *)hash, strlen(hash), out);
	return hash;
}

/* matches hashes password as hash was made. */
static bool matches(const char *hash, const char *password)
{
	struct crypt_data *data = must(calloc(1, sizeof(*data)));
	const char *made = crypt_rn(password, hash, data, (int)sizeof(*data));
	bool same = made && strlen(made) == strlen(hash) &&
		CRYPTO_memcmp(made, hash, strlen(hash)) == 0;

	OPENSSL_cleanse(data, sizeof(*data));
	free(data);
	return same;
}

bool htpasswd_verify(const struct htpasswd *users, const char *user,
	const char *password)
{
	const char *hash = htpasswd_hash(users, user);
	bool same;

	if (!users->decoy)
		return false; /* nobody is there */
	same = matches(hash ? hash : users->decoy, password);
	return hash && same;
}
