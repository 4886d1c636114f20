#include "proxy/tools/bundle.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "pki/base.h"
#include "proxy/cli/dress.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/target.h"
#include "proxy/cli/workbench.h"
#include "proxy/config/mistakes.h"
#include "proxy/tools/jks.h"
#include "proxy/tools/kit.h"
#include "proxy/tools/program.h"

enum { FILE_MODE = 0644, SAID = 64 * 1024 };

extern char **environ;

struct places { /* borrowed from argv; NULL: not wanted */
	const char *pem, *jks, *pkcs12;
};

static bool is_out(const char *path)
{
	return path && strcmp(path, "-") == 0;
}

/* is_kept: what is no file is written to; a file takes the place of the one before, but
 * not of /dev/stdout, nor of /dev/null. */
static bool is_kept(const char *path)
{
	struct stat is;

	return stat(path, &is) == 0 && !S_ISDIR(is.st_mode) &&
		(!S_ISREG(is.st_mode) || strncmp(path, "/dev/std", 8) == 0);
}

static int write_into(const char *path, const void *data, size_t len)
{
	FILE *to = fopen(path, "ae");
	bool good = to && fwrite(data, 1, len, to) == len;
	char err[FILE_ERR_SIZE];

	if (to && fclose(to) == 0 && good)
		return OPTIONS_FINE;
	(void)pki_fail(err, sizeof(err), "%s: %s", path, strerror(errno));
	return setup_failed(err);
}

static int write_out(const char *path, const void *data, size_t len)
{
	char err[FILE_ERR_SIZE];

	if (is_out(path)) {
		fwrite(data, 1, len, stdout);
		return OPTIONS_FINE;
	}
	if (is_kept(path))
		return write_into(path, data, len);
	if (file_write(path, data, len, FILE_MODE, err, sizeof(err)) != 0)
		return setup_failed(err);
	return OPTIONS_FINE;
}

static int write_pem(const struct bundle *bundle, const char *path)
{
	size_t len;
	char *text = bundle_pem(bundle, &len);
	int code = write_out(path ? path : "-", text, len);

	free(text);
	return code;
}

static int write_jks(const struct bundle *bundle, const char *root_pem,
	const char *path)
{
	size_t len;
	uint8_t *store = jks_write(bundle, root_pem,
		(uint64_t)time(NULL) * 1000, &len);
	int code = write_out(path, store, len);

	free(store);
	return code;
}

/* --- PKCS#12, which is left to Java ------------------------------------- */

/* convert has keytool make one store of another. */
static int convert(const char *from, const char *to)
{
	const char *argv[] = {"keytool", "-importkeystore", "-noprompt",
		"-srckeystore", from, "-srcstoretype", "JKS", "-srcstorepass",
		JKS_PASSWORD, "-destkeystore", to, "-deststoretype", "PKCS12",
		"-deststorepass", JKS_PASSWORD, "-J-Duser.language=en", NULL};
	char said[SAID] = "", err[SAID + 64], *there = program_find(argv[0]);
	const char *why;

	if (!there)
		return setup_failed("--pkcs12 needs keytool, which comes with "
			"Java; --jks does not, and every Java reads that");
	free(there);
	if (program_run(argv, NULL, said, sizeof(said)) == 0)
		return OPTIONS_FINE;
	why = strstr(said, "rror: "); /* it tells each entry, too */
	(void)program_fail(argv[0], why ? why + 6 : said, err, sizeof(err));
	return setup_failed(err);
}

static int write_pkcs12(const struct bundle *bundle, const char *root_pem,
	const char *path)
{
	char err[FILE_ERR_SIZE], *data = NULL, *jks, *p12;
	struct workbench bench;
	size_t len;
	int code;

	if (workbench_open(&bench, err, sizeof(err)) != 0)
		return setup_failed(err);
	jks = state_path(bench.folder, "trust.jks");
	p12 = state_path(bench.folder, "trust.p12");
	code = write_jks(bundle, root_pem, jks);
	if (code == OPTIONS_FINE)
		code = convert(jks, p12);
	if (code == OPTIONS_FINE && file_read(p12, BUNDLE_FILE_MAX, &data,
		    &len, err, sizeof(err)) != 0)
		code = setup_failed(err);
	if (code == OPTIONS_FINE)
		code = write_out(path, data, len);
	free(data);
	free(jks);
	free(p12);
	workbench_close(&bench);
	return code;
}

/* --- all of it ---------------------------------------------------------- */

static int write_all(const struct bundle *bundle, const char *root_pem,
	const struct places *to)
{
	int code = OPTIONS_FINE;

	if (to->pem || (!to->jks && !to->pkcs12))
		code = write_pem(bundle, to->pem);
	if (code == OPTIONS_FINE && to->jks)
		code = write_jks(bundle, root_pem, to->jks);
	if (code == OPTIONS_FINE && to->pkcs12)
		code = write_pkcs12(bundle, root_pem, to->pkcs12);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

static int gather(const char *root_pem, const struct places *to)
{
	struct kit_order order = {NULL, -1, environ, dress_warn, NULL};
	struct bundle *bundle = kit_trusted(&order);
	int code;

	if (bundle_add_pem(bundle, root_pem, strlen(root_pem)) == 0)
		code = setup_failed("there are too many certificates");
	else
		code = write_all(bundle, root_pem, to);
	bundle_free(bundle);
	return code;
}

/* no_stray: a file by itself says not what it is. */
static int no_stray(const char *stray)
{
	if (!stray)
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport bundle: does not take %s by itself: \"-o "
		"FILE\" writes the bundle there, \"--ca FILE\" takes the "
		"proxy's root from there, \"-c FILE\" is the configuration\n",
		shown(stray).text);
	return EXIT_WRONG;
}

static int bundle_(const struct command *self, int argc, char **argv)
{
	struct target_order order = {.config = NULL};
	struct places to = {.pem = NULL};
	const char *stray = NULL;
	const struct option_row rows[] = {
		TARGET_ROOT_ROWS(order),
		{.letter = 'o', .name = "out", .value = &to.pem},
		{.name = "jks", .value = &to.jks},
		{.name = "pkcs12", .value = &to.pkcs12},
		{.name = "a file", .value = &stray, .operand = true},
	};
	char *root_pem;
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = no_stray(stray);
	if (code == OPTIONS_FINE &&
	    is_out(to.pem) + is_out(to.jks) + is_out(to.pkcs12) > 1) {
		fputs("sallyport bundle: only one of -o, --jks and --pkcs12 "
			"can go to standard output (-)\n", stderr);
		code = EXIT_WRONG;
	}
	if (code == OPTIONS_FINE)
		code = target_root_sure(&order, &root_pem);
	if (code != OPTIONS_FINE)
		return code;
	code = gather(root_pem, &to);
	free(root_pem);
	return code;
}

const struct command command_bundle = {
	.name = "bundle",
	.summary = "write the system's certificates and the root as one file",
	.help =
		"usage: sallyport bundle [-c FILE] [--proxy HOST:PORT] [--ca FILE]\n"
		"                        [-o FILE] [--jks FILE] [--pkcs12 FILE]\n"
		"\n"
		"Writes what this machine trusts, what variables such as SSL_CERT_FILE\n"
		"and REQUESTS_CA_BUNDLE name, and the proxy's root certificate: for\n"
		"tools that are told of one file. A FILE that is - is standard output.\n"
		"\n"
		"  -o, --out FILE      as PEM, which without any of these three is\n"
		"                      printed\n"
		"  --jks FILE          as a trust store for Java; its password is\n"
		"                      changeit, and the root's alias sallyport\n"
		"  --pkcs12 FILE       likewise, made by keytool, which must be there\n"
		TARGET_ROOT_HELP,
	.run = bundle_,
};
