#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/tools/bundle.h"
#include "proxy/tools/environment.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/kit.h"
#include "tests/support/lab.h"

static char told[4096]; /* all that was, a line each */

static void on_told(void *arg, const char *what)
{
	size_t len = strlen(told);

	(void)arg;
	snprintf(told + len, sizeof(told) - len, "%s\n", what);
}

static int make_roots(void **state)
{
	(void)state;
	lab_make_root("ours", "ec", LAB_CA_EXT);
	lab_make_root("corp", "ec", LAB_CA_EXT);
	lab_make_root("added", "ec", LAB_CA_EXT);
	return 0;
}

static int end(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

/* set makes "NAME=before PATH after", without the blanks. */
static char *set(const char *name, const char *before, const char *file,
	const char *after)
{
	char *out = malloc(8192);

	assert_non_null(out);
	snprintf(out, 8192, "%s=%s%s%s", name, before, lab_path(file), after);
	return out;
}

static int at_folder(const char *path)
{
	int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(at >= 0);
	return at;
}

static void write_kit(char *const *before, struct kit *kit)
{
	struct kit_order order = {lab_folder(), at_folder(lab_folder()), before,
		on_told, NULL};
	char err[4400], *root = lab_read("ours.pem", NULL);

	told[0] = '\0';
	memset(kit, 0, sizeof(*kit));
	if (kit_write(&order, root, kit, err, sizeof(err)) != 0)
		fail_msg("%s", err);
	close(order.at);
	free(root);
}

/* in: whether the file has the certificate that NAME.pem is. */
static bool in(const char *path, const char *name)
{
	struct bundle *bundle = bundle_new();
	CRYPTO_BUFFER *cert = lab_cert(name);
	char err[4400];
	size_t num;

	assert_int_equal(bundle_add_file(bundle, path, NULL, err,
		sizeof(err)), 0);
	num = bundle_num(bundle);
	assert_int_equal(bundle_add(bundle, lab_der(cert)), 0);
	CRYPTO_BUFFER_free(cert);
	num = bundle_num(bundle) - num;
	bundle_free(bundle);
	return num == 0;
}

static void holds_the_root(void **state)
{
	char *before[] = {NULL};
	struct stat info;
	struct kit kit;

	(void)state;
	write_kit(before, &kit);
	assert_true(in(kit.bundle, "ours.pem"));
	assert_true(in(kit.extra, "ours.pem"));
	assert_true(in(kit.java_store, "ours.pem"));
	assert_false(in(kit.bundle, "corp.pem"));
	assert_int_equal(stat(kit.bundle, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0644);
	assert_null(kit.origins);
	kit_clear(&kit);
}

static void adds_what_was_set(void **state)
{
	char *before[] = {set("REQUESTS_CA_BUNDLE", "", "corp.pem", ""),
		set("NODE_EXTRA_CA_CERTS", "", "added.pem", ""), NULL};
	struct kit kit;

	(void)state;
	write_kit(before, &kit);
	assert_true(in(kit.bundle, "corp.pem"));
	assert_true(in(kit.bundle, "added.pem"));
	assert_true(in(kit.java_store, "corp.pem"));
	assert_true(in(kit.extra, "added.pem"));
	assert_false(in(kit.extra, "corp.pem"));
	free(before[0]);
	free(before[1]);
	kit_clear(&kit);
}

static void adds_a_java_store(void **state)
{
	struct bundle *bundle = bundle_new();
	char *text = lab_read("corp.pem", NULL);
	char *before[] = {set("JAVA_TOOL_OPTIONS",
		"-Xmx1g '-Djavax.net.ssl.trustStore=", "corp.jks", "'"), NULL};
	struct kit kit;
	uint8_t *store;
	size_t len;

	(void)state;
	bundle_add_pem(bundle, text, strlen(text));
	store = jks_write(bundle, NULL, 0, &len);
	lab_write("corp.jks", store, len);
	write_kit(before, &kit);
	assert_string_equal(told, "");
	assert_true(in(kit.java_store, "corp.pem"));
	assert_true(in(kit.bundle, "corp.pem"));
	free(before[0]);
	free(store);
	free(text);
	bundle_free(bundle);
	kit_clear(&kit);
}

/* A list of folders, of which not all need be there. */
static void adds_what_is_in_folders(void **state)
{
	char *before[] = {set("SSL_CERT_DIR", "/no/such:", "certs", ":"),
		set("MAVEN_OPTS", "-Djavax.net.ssl.trustStore=", "added.pem", ""),
		NULL};
	char *text = lab_read("corp.pem", NULL);
	struct kit kit;

	(void)state;
	assert_int_equal(mkdir(lab_path("certs"), 0700), 0);
	lab_text("certs/corp.pem", text);
	write_kit(before, &kit);
	assert_string_equal(told, "");
	assert_true(in(kit.bundle, "corp.pem"));
	assert_true(in(kit.java_store, "corp.pem"));
	assert_true(in(kit.bundle, "added.pem"));
	free(text);
	free(before[0]);
	free(before[1]);
	kit_clear(&kit);
}

/* As in a shell that has taken over what env prints. */
static void adds_a_store_named_later(void **state)
{
	char *before[] = {"SALLYPORT_BEFORE=", set("MAVEN_OPTS",
		"-Djavax.net.ssl.trustStore=", "added.pem", ""), NULL};
	struct kit kit;

	(void)state;
	write_kit(before, &kit);
	assert_string_equal(told, "");
	assert_true(in(kit.java_store, "added.pem"));
	free(before[1]);
	kit_clear(&kit);
}

/* wget would not start with a line that is cut. */
static void a_folder_with_an_end_of_line(void **state)
{
	char *before[] = {NULL};
	struct kit_order order = {NULL, -1, before, on_told, NULL};
	char err[4400], folder[4096], *root = lab_read("ours.pem", NULL), *text;
	struct kit kit = {.bundle = NULL};

	(void)state;
	snprintf(folder, sizeof(folder), "%s", lab_path("two\nlines"));
	assert_int_equal(mkdir(folder, 0700), 0);
	order.folder = folder;
	order.at = at_folder(folder);
	told[0] = '\0';
	assert_int_equal(kit_write(&order, root, &kit, err, sizeof(err)), 0);
	assert_non_null(strstr(told, "wget is left out"));
	text = lab_read("two\nlines/wgetrc", NULL);
	assert_null(strstr(text, "\nlines"));
	free(text);
	free(root);
	close(order.at);
	kit_clear(&kit);
}

static void adds_to_the_files_of_wget_and_apt(void **state)
{
	char *before[] = {set("SYSTEM_WGETRC", "", "old.wgetrc", ""),
		set("APT_CONFIG", "", "old.apt", ""), NULL};
	char line[4096], *text;
	struct kit kit;

	(void)state;
	snprintf(line, sizeof(line), "tries = 3\n Ca-Certificate=%s\n"
		"# ca_certificate = /none", lab_path("corp.pem"));
	lab_text("old.wgetrc", line);
	snprintf(line, sizeof(line), "APT::X \"y\";\n"
		"acquire::HTTPS::CaInfo \"%s\";\n", lab_path("added.pem"));
	lab_text("old.apt", line);
	write_kit(before, &kit);
	assert_string_equal(told, "");
	assert_true(in(kit.bundle, "corp.pem"));
	assert_true(in(kit.bundle, "added.pem"));
	text = lab_read("wgetrc", NULL);
	assert_ptr_equal(strstr(text, "tries = 3\n"), text);
	snprintf(line, sizeof(line), "\nca_certificate = %s\n", kit.bundle);
	assert_string_equal(strstr(text, line), line); /* it is the last */
	free(text);
	text = lab_read("apt.conf", NULL);
	assert_ptr_equal(strstr(text, "APT::X \"y\";\n"), text);
	snprintf(line, sizeof(line), "\nAcquire::https::CaInfo \"%s\";\n",
		kit.bundle);
	assert_string_equal(strstr(text, line), line);
	free(text);
	free(before[0]);
	free(before[1]);
	kit_clear(&kit);
}

static void adds_the_cafile_of_npm(void **state)
{
	char *before[] = {set("HOME", "", ".", ""), set(
		"npm_config_globalconfig", "", "global", ""), NULL};
	char line[4096];
	struct kit kit;

	(void)state;
	snprintf(line, sizeof(line), "fund=false\ncafile=%s\n",
		lab_path("corp.pem"));
	lab_text(".npmrc", line);
	snprintf(line, sizeof(line), "cafile = \"%s\"", lab_path("added.pem"));
	lab_text("global", line);
	write_kit(before, &kit);
	assert_true(in(kit.bundle, "corp.pem"));
	assert_true(in(kit.bundle, "added.pem"));
	free(before[0]);
	free(before[1]);
	kit_clear(&kit);
}

static void takes_no_cafile_of_another_user(void **state)
{
	char *before[] = {set("HOME", "", ".", ""), NULL}, line[4096];
	struct kit kit;

	(void)state;
	snprintf(line, sizeof(line), "cafile=%s\n", lab_path("corp.pem"));
	lab_text(".npmrc", line);
	if (chown(lab_path(".npmrc"), 65534, 65534) != 0)
		skip();
	write_kit(before, &kit);
	assert_false(in(kit.bundle, "corp.pem"));
	assert_non_null(strstr(told, ".npmrc names certificates that are left "
		"out: the file is another user's"));
	assert_int_equal(unlink(lab_path(".npmrc")), 0);
	free(before[0]);
	kit_clear(&kit);
}

/* Whoever wrote what is in a folder is not whom one trusts. */
static void takes_no_cafile_of_a_project(void **state)
{
	char *before[] = {"HOME=/no/such", NULL}, line[4096];
	char here[4096];
	struct kit kit;

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(line, sizeof(line), "cafile=%s\n", lab_path("corp.pem"));
	lab_text(".npmrc", line);
	assert_int_equal(chdir(lab_folder()), 0);
	write_kit(before, &kit);
	assert_int_equal(chdir(here), 0);
	assert_false(in(kit.bundle, "corp.pem"));
	kit_clear(&kit);
}

static void tells_what_it_could_not_read(void **state)
{
	char *before[] = {"PIP_CERT=/no/such.pem", "AWS_CA_BUNDLE=/no/such.pem",
		"NODE_EXTRA_CA_CERTS=/nor/this.pem", "CONDA_SSL_VERIFY=true",
		"SYSTEM_WGETRC=/no/rc", NULL};
	struct kit kit;

	(void)state;
	write_kit(before, &kit);
	assert_non_null(strstr(told, "PIP_CERT names certificates that are "
		"left out: /no/such.pem: No such file"));
	assert_null(strstr(told, "AWS_CA_BUNDLE")); /* the same file */
	assert_non_null(strstr(told, "/nor/this.pem"));
	assert_null(strstr(strstr(told, "/nor/this.pem") + 1, "/nor/this"));
	assert_null(strstr(told, "CONDA"));
	assert_non_null(strstr(told, "SYSTEM_WGETRC names a file that is left "
		"out: /no/rc"));
	assert_true(in(kit.bundle, "ours.pem"));
	kit_clear(&kit);
}

static void origins_are_without_the_root(void **state)
{
	char *before[] = {set("SSL_CERT_FILE", "", "corp.pem", ""), NULL};
	struct kit_order order = {lab_folder(), at_folder(lab_folder()), before,
		on_told, NULL};
	char err[4400];
	struct kit kit;

	(void)state;
	assert_int_equal(kit_write_origins(&order, &kit, err, sizeof(err)), 0);
	assert_true(in(kit.origins, "corp.pem"));
	assert_false(in(kit.origins, "ours.pem"));
	close(order.at);
	free(before[0]);
	kit_clear(&kit);
}

static void what_is_secret_stays_so(void **state)
{
	char *before[] = {set("APT_CONFIG", "", "secret", ""),
		set("SYSTEM_WGETRC", "", "fifo", ""), NULL};
	FILE *to = fopen(lab_path("secret"), "w");
	struct stat info;
	struct kit kit;

	(void)state;
	assert_non_null(to);
	fclose(to);
	assert_int_equal(chmod(lab_path("secret"), 0640), 0);
	assert_int_equal(mkfifo(lab_path("fifo"), 0600), 0);
	write_kit(before, &kit); /* no pipe keeps it waiting */
	assert_non_null(strstr(told, "is no regular file"));
	assert_int_equal(stat(kit.apt, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(stat(kit.wgetrc, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0644);
	free(before[0]);
	free(before[1]);
	kit_clear(&kit);
}

static void fails_where_it_may_not_write(void **state)
{
	char *before[] = {NULL};
	struct kit_order order = {"/no/such/folder", -1, before, on_told, NULL};
	char err[4400], *root = lab_read("ours.pem", NULL);
	struct kit kit = {.bundle = NULL};

	(void)state;
	assert_int_equal(mkdir(lab_path("gone"), 0700), 0);
	order.at = at_folder(lab_path("gone"));
	assert_int_equal(rmdir(lab_path("gone")), 0);
	assert_int_equal(kit_write(&order, root, &kit, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "/no/such/folder/bundle.pem"));
	kit_clear(&kit);
	close(order.at);
	free(root);
}

/* What has taken the folder's place since it was looked at gets nothing. */
static void writes_to_the_folder_it_was_given(void **state)
{
	char *before[] = {NULL}, *place, *root = lab_read("ours.pem", NULL);
	struct kit_order order = {NULL, -1, before, on_told, NULL};
	struct kit kit = {.bundle = NULL};
	char err[4400];

	(void)state;
	lab_run("mkdir place other");
	place = strdup(lab_path("place"));
	order.folder = place;
	order.at = at_folder(place);
	lab_run("mv place moved && ln -s other place");
	assert_int_equal(kit_write(&order, root, &kit, err, sizeof(err)), 0);
	lab_run("ls other; ls moved");
	assert_string_equal(lab_said(), "apt.conf\nbundle.pem\nextra.pem\n"
		"trust.jks\nwgetrc\n");
	kit_clear(&kit);
	close(order.at);
	free(place);
	free(root);
}

/* apt's settings stand in blocks as well, and comments are none. */
static void asks_apt_what_its_file_says(void **state)
{
	char *before[] = {set("APT_CONFIG", "", "blocks.apt", ""), NULL};
	char text[4096];
	struct kit kit;

	(void)state;
	if (access("/usr/bin/apt-config", X_OK) != 0)
		skip();
	snprintf(text, sizeof(text), "/*\nAcquire::https::CaInfo \"/no/x\";\n"
		"*/\nAcquire { https { // here\n CaInfo \"%s\"; }; };\n",
		lab_path("corp.pem"));
	lab_text("blocks.apt", text);
	write_kit(before, &kit);
	assert_string_equal(told, "");
	assert_true(in(kit.bundle, "corp.pem"));
	kit_clear(&kit);
	free(before[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(holds_the_root),
		cmocka_unit_test(adds_what_was_set),
		cmocka_unit_test(adds_a_java_store),
		cmocka_unit_test(adds_what_is_in_folders),
		cmocka_unit_test(adds_a_store_named_later),
		cmocka_unit_test(a_folder_with_an_end_of_line),
		cmocka_unit_test(adds_to_the_files_of_wget_and_apt),
		cmocka_unit_test(asks_apt_what_its_file_says),
		cmocka_unit_test(adds_the_cafile_of_npm),
		cmocka_unit_test(takes_no_cafile_of_another_user),
		cmocka_unit_test(takes_no_cafile_of_a_project),
		cmocka_unit_test(tells_what_it_could_not_read),
		cmocka_unit_test(origins_are_without_the_root),
		cmocka_unit_test(what_is_secret_stays_so),
		cmocka_unit_test(fails_where_it_may_not_write),
		cmocka_unit_test(writes_to_the_folder_it_was_given),
	};

	return cmocka_run_group_tests(tests, make_roots, end);
}
