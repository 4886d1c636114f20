#include <fcntl.h>
#include <sqlite3.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pki/store_ca.h"
#include "pki/store_issuing.h"
#include "pki/store_private.h"
#include "tests/unit/pki/store_test.h"

static void set(const char *sql)
{
	char *why = NULL;
	sqlite3 *db;

	assert_int_equal(sqlite3_open(lab_path("s.db"), &db), SQLITE_OK);
	if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
		fail_msg("%s", why);
	sqlite3_close(db);
}

static void commit(struct store *store)
{
	if (store_commit(store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static void begin(struct store *store)
{
	if (store_begin(store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
}

static int64_t number(struct store *store, const char *sql)
{
	int64_t value = -1;

	if (store_number(store, sql, &value, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	return value;
}

static void is_made_with_our_marks(void **state)
{
	struct store *store = open_store();
	struct stat st;

	(void)state;
	assert_int_equal(stat(lab_path("s.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(number(store, "PRAGMA user_version"), 2);
	assert_int_equal(number(store, "PRAGMA application_id"), 0x53616c79);
	assert_int_equal(number(store, "SELECT count(*) FROM ca"), 0);
	assert_int_equal(number(store, "SELECT count(*) FROM issuing"), 0);
	assert_int_equal(number(store, "SELECT count(*) FROM revoked"), 0);
	assert_int_equal(number(store, "SELECT count(*) FROM leaf"), 0);
	assert_int_equal(number(store, "SELECT count(*) FROM audit"), 0);
	assert_int_equal(number(store, "SELECT count(*) FROM token"), 0);
	store_close(store);
}

static void undoes_what_is_not_committed(void **state)
{
	static const char insert[] = "INSERT INTO audit (time, who, what) "
		"VALUES (1, 'a', 'b')";
	struct store *store = open_store();

	(void)state;
	begin(store);
	assert_int_equal(store_run(store, insert, err, sizeof(err)), 0);
	store_close(store);
	store = open_store();
	assert_int_equal(number(store, "SELECT count(*) FROM audit"), 0);
	begin(store);
	assert_int_equal(store_run(store, insert, err, sizeof(err)), 0);
	commit(store);
	store_close(store);
	store = open_store();
	assert_int_equal(number(store, "SELECT count(*) FROM audit"), 1);
	store_close(store);
}

/* What is gone is overwritten: keys are among it. */
static void leaves_nothing_of_what_is_deleted(void **state)
{
	struct store *store = open_store();
	char *file;
	size_t len;

	(void)state;
	assert_int_equal(store_run(store, "INSERT INTO audit (time, who, what)"
		" VALUES (1, 'NEEDLEINHAY', 'b')", err, sizeof(err)), 0);
	assert_int_equal(store_run(store, "DELETE FROM audit", err,
		sizeof(err)), 0);
	store_close(store);
	file = lab_read("s.db", &len);
	assert_null(memmem(file, len, "NEEDLEINHAY", 11));
	free(file);
}

static void says_what_sqlite_does(void **state)
{
	struct store *store = open_store();

	(void)state;
	assert_int_equal(store_run(store, "INSERT INTO nowhere VALUES (1)",
		err, sizeof(err)), -1);
	assert_non_null(strstr(err, "s.db: no such table"));
	store_close(store);
}

/* --- older ones --------------------------------------------------------- */

/* The first schema, as it was released; and a start's CAs, brought one. */
static const char version_1[] =
	"CREATE TABLE ca ("
	" id INTEGER PRIMARY KEY AUTOINCREMENT,"
	" purpose TEXT NOT NULL CHECK (purpose IN"
	"  ('root', 'intermediate', 'issuing', 'untrusted')),"
	" parent INTEGER REFERENCES ca (id),"
	" name TEXT NOT NULL UNIQUE,"
	" description TEXT,"
	" type TEXT NOT NULL DEFAULT 'CUSTOM_SW',"
	" region TEXT NOT NULL DEFAULT 'GLOBAL',"
	" status TEXT NOT NULL DEFAULT 'ENABLED',"
	" state TEXT NOT NULL DEFAULT 'GENERAL_DONE',"
	" is_default INTEGER NOT NULL DEFAULT 0,"
	" fallback INTEGER REFERENCES ca (id),"
	" key_type TEXT,"
	" key BLOB,"
	" key_time INTEGER,"
	" csr BLOB, csr_file TEXT, csr_time INTEGER,"
	" cert BLOB, cert_file TEXT,"
	" chain BLOB,"
	" crl BLOB, crl_number INTEGER NOT NULL DEFAULT 0, crl_time INTEGER"
	");"
	"CREATE UNIQUE INDEX one_default ON ca (is_default)"
	" WHERE is_default = 1;"
	"PRAGMA application_id = 0x53616c79;"
	"PRAGMA user_version = 1;";

/* As version 1 wrote them: the root first. */
static const char rows_1[] =
	"INSERT INTO ca (id, purpose, name, state, key_type, key, key_time,"
	" cert, crl, crl_number, crl_time) VALUES (2, 'root', 'Our Root',"
	" 'CERT_READY', 'EC_P256', 'key 2', 100, 'cert 2', 'crl 2', 8, 900);"
	"INSERT INTO ca (id, purpose, name, state, key_type, key, key_time,"
	" cert) VALUES (3, 'untrusted', 'Nobody', 'CERT_READY', 'EC_P256',"
	" 'key 3', 100, 'cert 3');"
	"INSERT INTO ca (id, purpose, parent, name, state, key_type, key,"
	" key_time, cert, chain) VALUES (1, 'intermediate', 2, 'Ours',"
	" 'CERT_READY', 'EC_P256', 'key 1', 100, 'cert 1', 'cert 2');"
	"INSERT INTO ca (purpose, name, state, key_type, key, key_time, cert,"
	" is_default) VALUES ('intermediate', 'Corp', 'CERT_READY', 'RSA_2K',"
	" 'key 4', 200, 'cert 4', 1);";

/* as_it_was: row i of what rows_1 made. */
static void as_it_was(const struct store_ca *row, int64_t id)
{
	static const struct {
		enum store_purpose purpose;
		const char *name, *type, *key_type;
		int64_t parent;
	} rows[] = {
		[1] = {STORE_INTERMEDIATE, "Ours", "ZSCALER", "EC_P256", 2},
		[2] = {STORE_ROOT, "Our Root", "CUSTOM_SW", "EC_P256", 0},
		[3] = {STORE_UNTRUSTED, "Nobody", "CUSTOM_SW", "EC_P256", 0},
		[4] = {STORE_INTERMEDIATE, "Corp", "CUSTOM_SW", "RSA_2K", 0},
	};
	char text[32];

	assert_int_equal(row->id, id);
	assert_int_equal(row->purpose, rows[id].purpose);
	assert_int_equal(row->parent, rows[id].parent);
	assert_string_equal(row->name, rows[id].name);
	assert_string_equal(row->type, rows[id].type);
	assert_string_equal(row->key_type, rows[id].key_type);
	assert_int_equal(row->state, STATE_CERT_READY);
	assert_true(row->enabled);
	assert_int_equal(row->is_default, id == 4);
	assert_int_equal(row->retired, 0);
	assert_null(row->spki);
	snprintf(text, sizeof(text), "key %d", (int)id);
	assert_blob(row->key, text);
	snprintf(text, sizeof(text), "cert %d", (int)id);
	assert_blob(row->cert, text);
}

static void brings_an_older_one_up(void **state)
{
	struct store_issuing issuing = {.parent = 1, .key_id = "aa",
		.made = 1, .ends = 9};
	struct store_ca *list;
	struct store *store;
	size_t num;

	(void)state;
	set(version_1);
	set(rows_1);
	for (int i = 0; i < 2; i++) { /* and once only */
		store = open_store();
		assert_int_equal(number(store, "PRAGMA user_version"), 2);
		assert_int_equal(store_list(store, &list, &num, err,
			sizeof(err)), 0);
		assert_int_equal(num, 4);
		for (size_t j = 0; j < num; j++)
			as_it_was(&list[j], (int64_t)j + 1);
		assert_blob(list[1].crl, "crl 2");
		assert_int_equal(list[1].crl_number, 8);
		assert_int_equal(list[1].crl_time, 900);
		assert_blob(list[0].chain, "cert 2");
		assert_int_equal(list[3].key_time, 200);
		store_list_free(list, num);
		store_close(store);
	}
	store = open_store(); /* and what is new works on it */
	assert_int_equal(store_issuing_next(store, &issuing.id, err,
		sizeof(err)), 0);
	issuing.cert = der_buffer((struct der){(const uint8_t *)"c", 1});
	if (store_issuing_add(store, &issuing, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	CRYPTO_BUFFER_free(issuing.cert);
	store_close(store);
}

/* Half a migration is none: what can't be brought up stays what it was. */
static void leaves_alone_what_it_cannot_bring_up(void **state)
{
	struct store *store;

	(void)state;
	set(version_1);
	set(rows_1);
	set("CREATE TABLE audit (x)"); /* which version 1 has not */
	assert_int_equal(store_open(lab_path("s.db"), &store, err,
		sizeof(err)), -1);
	set("DROP TABLE audit");
	lab_run("test -z \"$(ls s.db-journal 2>/dev/null)\"");
	store = open_store();
	assert_int_equal(number(store, "SELECT count(*) FROM ca"), 4);
	store_close(store);
}

/* --- what is refused ---------------------------------------------------- */

static void refuse(const char *file, const char *why)
{
	struct store *store;

	assert_int_equal(store_open(lab_path(file), &store, err, sizeof(err)),
		-1);
	assert_null(store);
	if (!strstr(err, why))
		fail_msg("no '%s' in: %s", why, err);
}

static void refuses_what_is_not_its_own(void **state)
{
	(void)state;
	store_close(open_store());
	set("PRAGMA user_version = 3");
	refuse("s.db", "newer Sallyport (schema 3");
	set("PRAGMA user_version = 0");
	refuse("s.db", "schema 0");
	set("PRAGMA user_version = 1; PRAGMA application_id = 5");
	refuse("s.db", "not Sallyport's");
	lab_text("text.db", "this is a text, and long enough to be looked at "
		"as a database header of one hundred bytes or so, is it not");
	refuse("text.db", "not a database");
	refuse("no/such/folder.db", "No such file");
}

static void closes_what_stood_open(void **state)
{
	struct stat st;

	(void)state;
	store_close(open_store());
	chmod(lab_path("s.db"), 0644);
	store_close(open_store());
	assert_int_equal(stat(lab_path("s.db"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

/* Its folder may be one that this process can't reach by name. */
static void opens_by_a_descriptor_of_its_folder(void **state)
{
	int folder = open(lab_folder(), O_RDONLY | O_DIRECTORY);
	struct store *store;
	char path[64];

	(void)state;
	assert_true(folder >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d/s.db", folder);
	if (store_open(path, &store, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	begin(store);
	assert_int_equal(store_run(store, "INSERT INTO audit (time, who, what)"
		" VALUES (1, 'a', 'b')", err, sizeof(err)), 0);
	commit(store);
	store_close(store);
	close(folder);
	store = open_store();
	assert_int_equal(number(store, "SELECT count(*) FROM audit"), 1);
	store_close(store);
}

/* open_as_nobody opens what is in the folder behind fd, as a user who can't
 * get there by name; the process's exit code. */
static int open_as_nobody(int fd)
{
	struct store *store;
	char path[64];

	if (setgid(65534) != 0 || setuid(65534) != 0 ||
	    prctl(PR_SET_DUMPABLE, 1) != 0)
		return 2;
	snprintf(path, sizeof(path), "/proc/self/fd/%d/s.db", fd);
	if (store_open(path, &store, err, sizeof(err)) != 0) {
		fprintf(stderr, "%s\n", err);
		return 1;
	}
	store_close(store);
	return 0;
}

static void opens_what_it_cannot_name(void **state)
{
	int folder, status;
	pid_t pid;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(mkdir(lab_path("in"), 0700), 0);
	assert_int_equal(chown(lab_path("in"), 65534, 65534), 0);
	folder = open(lab_path("in"), O_RDONLY | O_DIRECTORY);
	assert_true(folder >= 0);
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		_exit(open_as_nobody(folder));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(access(lab_path("in/s.db"), F_OK), 0);
	close(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(is_made_with_our_marks, set_up),
		cmocka_unit_test_setup(undoes_what_is_not_committed, set_up),
		cmocka_unit_test_setup(leaves_nothing_of_what_is_deleted,
			set_up),
		cmocka_unit_test_setup(says_what_sqlite_does, set_up),
		cmocka_unit_test_setup(brings_an_older_one_up, set_up),
		cmocka_unit_test_setup(leaves_alone_what_it_cannot_bring_up,
			set_up),
		cmocka_unit_test_setup(refuses_what_is_not_its_own, set_up),
		cmocka_unit_test_setup(closes_what_stood_open, set_up),
		cmocka_unit_test_setup(opens_by_a_descriptor_of_its_folder,
			set_up),
		cmocka_unit_test_setup(opens_what_it_cannot_name, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down);
}
