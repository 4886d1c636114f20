#include <openssl/mem.h>
#include <stdio.h>
#include <string.h>

#include "pki/import.h"
#include "pki/passphrase.h"
#include "proxy/cli/ca_passphrase.h"
#include "proxy/cli/ca_steps.h"
#include "proxy/cli/ca_text.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"

enum { PASSPHRASE_SIZE = KEYLOCK_PASSPHRASE_MAX + 1 };

/* read_passphrase takes the first line of file. */
static int read_passphrase(const char *file, char out[PASSPHRASE_SIZE])
{
	struct passphrase *passphrase;
	struct der text;
	char err[512];

	if (passphrase_read(file, &passphrase, err, sizeof(err)) != 0)
		return setup_failed(err);
	text = passphrase_text(passphrase);
	memcpy(out, text.at, text.len);
	out[text.len] = '\0';
	passphrase_free(passphrase);
	return OPTIONS_FINE;
}

struct import {
	const char *config, *cert, *key, *chain, *passphrase_file;
};

static int tell_imported(const struct authority_options *options)
{
	struct authority_view view;
	char err[512] = "there is no CA";
	int code = OPTIONS_FINE;

	if (authority_look(options, &view, err, sizeof(err)) != 0)
		code = setup_failed(err);
	else if (ca_text_imported(&view, stdout, stderr) != 0)
		code = setup_failed("the CA's certificate does not parse");
	authority_view_clear(&view);
	return code;
}

static int read_import(const struct import *import, struct parcel **out)
{
	char passphrase[PASSPHRASE_SIZE] = "", err[1024];
	struct import_files files = {
		.cert = import->cert,
		.key = import->key,
		.chain = import->chain,
		.passphrase = import->passphrase_file ? passphrase : NULL,
	};
	int code = OPTIONS_FINE;

	if (import->passphrase_file)
		code = read_passphrase(import->passphrase_file, passphrase);
	if (code == OPTIONS_FINE &&
	    import_read(&files, out, err, sizeof(err)) != 0)
		code = setup_failed(err);
	OPENSSL_cleanse(passphrase, sizeof(passphrase));
	return code;
}

static int keep(const struct setup *setup, const struct parcel *parcel)
{
	struct keylock *lock = passphrase_keylock(setup->passphrase);
	char err[1024];
	int result = import_keep(&setup->options, parcel, lock, setup->who,
		err, sizeof(err));

	keylock_free(lock);
	return result == 0 ? OPTIONS_FINE : setup_failed(err);
}

/* The files are the caller's to read: they may be root's alone. */
static int import_with(const struct config *config,
	const struct import *import)
{
	struct parcel *parcel = NULL;
	struct setup setup = {.passphrase = NULL};
	struct client *running = NULL;
	int code = read_import(import, &parcel);

	if (code == OPTIONS_FINE)
		code = client_dial(config, &running);
	if (code == OPTIONS_FINE)
		code = setup_open(config, &setup);
	if (code == OPTIONS_FINE)
		code = keep(&setup, parcel);
	if (code == OPTIONS_FINE)
		code = tell_imported(&setup.options);
	if (code == OPTIONS_FINE)
		code = ca_refresh(running);
	client_close(running);
	setup_close(&setup);
	import_free(parcel);
	return code;
}

static int ca_import(const struct command *self, int argc,
	char **argv)
{
	struct import import = {.cert = NULL};
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &import.config},
		{.name = "cert", .value = &import.cert, .needed = true},
		{.name = "key", .value = &import.key, .needed = true},
		{.name = "chain", .value = &import.chain},
		{.name = "passphrase-file", .value = &import.passphrase_file},
	};
	struct config *config;
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(rows[0]));

	if (code == OPTIONS_FINE)
		code = setup_config(import.config, &config);
	if (code != OPTIONS_FINE)
		return code;
	code = import_with(config, &import);
	config_free(config);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}

/* view_for looks at the CA for a command that has no options but -c. */
static int view_for(const struct command *self, int argc, char **argv,
	char crl_base[CRL_BASE_SIZE], struct authority_view *out)
{
	const char *file = NULL;
	const struct option_row rows[] = {{.letter = 'c', .name = "config", .value = &file}};
	int code = options_read(self, argc, argv, rows, 1);

	return code == OPTIONS_FINE ? setup_view(file, crl_base, out) : code;
}

static int ca_root(const struct command *self, int argc,
	char **argv)
{
	char crl_base[CRL_BASE_SIZE];
	struct authority_view view;
	int code = view_for(self, argc, argv, crl_base, &view);

	if (code != OPTIONS_FINE)
		return code;
	fputs(view.root_pem, stdout);
	authority_view_clear(&view);
	return EXIT_DONE;
}

/* One that is named is shown as the API has it. */
static bool names_one(int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			return true;
		if (strcmp(argv[i], "-c") == 0 ||
		    strcmp(argv[i], "--config") == 0)
			i++;
		else if (argv[i][0] != '-')
			return true;
	}
	return false;
}

static int ca_show(const struct command *self, int argc,
	char **argv)
{
	char crl_base[CRL_BASE_SIZE];
	struct authority_view view;
	int code;

	if (names_one(argc, argv))
		return ca_show_one(self, argc, argv);
	code = view_for(self, argc, argv, crl_base, &view);

	if (code != OPTIONS_FINE)
		return code;
	code = ca_text_print(&view, crl_base, stdout) == 0 ? EXIT_DONE :
		setup_failed("the CA's certificate does not parse");
	authority_view_clear(&view);
	return code;
}

static const char ca_help[] =
	"usage: sallyport ca WORD ... [-c FILE]\n"
	"\n"
	"The CAs that certificates of sites are made under.\n"
	"\n"
	"  setup      a CA signed by your organization's, step by step\n"
	"  list       all intermediate CAs      show      one of them\n"
	"  root       the root to trust         issuing   the short-lived ones\n"
	"  create, keypair, csr, upload, chain, finalize, default\n"
	"             the steps of setup, one by one\n"
	"  disable    take one out of use       delete    ... and its key away\n"
	"  revoke     take back what was signed\n"
	"  crl        a revocation list         audit     who did what\n"
	"  import     bring a CA with its private key\n"
	"  passphrase lock the keys with another passphrase\n"
	"\n"
	"\"sallyport ca WORD --help\" says more.\n";

static const char root_help[] =
	"usage: sallyport ca root [-c FILE]\n"
	"\n"
	"Prints the root certificate (PEM) that clients must trust. Fails where\n"
	"there is none yet: run makes one, or import brings it.\n";

static const char show_help[] =
	"usage: sallyport ca show [CA] [--json] [-c FILE]\n"
	"\n"
	"Tells about a CA, by its id or name; without one, about the default,\n"
	"which signs the certificates of sites.\n";

static const char import_help[] =
	"usage: sallyport ca import --cert FILE --key FILE [--chain FILE]\n"
	"                 [--passphrase-file FILE] [-c FILE]\n"
	"\n"
	"Brings a CA that exists, to sign in place of the one that Sallyport\n"
	"made for itself. Better not to move private keys at all: see setup.\n"
	"\n"
	"  --cert FILE             its certificate (PEM), a CA's\n"
	"  --key FILE              its private key (PEM)\n"
	"  --chain FILE            the certificates above it, root last (PEM)\n"
	"  --passphrase-file FILE  its first line opens an encrypted key\n"
	"  -c, --config FILE       the configuration (YAML), which says where\n"
	"                          the state folder is\n"
	"\n"
	"Keys are kept encrypted in the state folder; the files imported are not\n"
	"needed afterwards.\n";

const struct command ca_words[] = {
	{"ca import", "bring a CA", import_help, ca_import},
	{"ca root", "print the root", root_help, ca_root},
	{"ca show", "show a CA", show_help, ca_show},
	{"ca passphrase", "lock the keys with another passphrase",
		ca_passphrase_help, ca_passphrase},
	{NULL, NULL, NULL, NULL},
};

const struct command command_ca = {
	.name = "ca",
	.summary = "the CAs: list, set up, import, revoke",
	.help = ca_help,
	.run = command_group,
};
