#include "proxy/cli/ca_passphrase.h"

#include <openssl/mem.h>
#include <stdio.h>
#include <unistd.h>

#include "pki/passphrase.h"
#include "pki/relock.h"
#include "proxy/cli/client.h"
#include "proxy/cli/setup.h"
#include "proxy/core/load.h"

const char ca_passphrase_help[] =
	"usage: sallyport ca passphrase --old FILE [-c FILE]\n"
	"\n"
	"Locks the private keys with another passphrase, while nothing runs.\n"
	"First let the new one be where it is looked for (keys.passphrase-file,\n"
	"or the variable SALLYPORT_PASSPHRASE; with neither, STATE/keys.secret,\n"
	"which is made where it is not there). Then name the old one:\n"
	"\n"
	"  --old FILE          its first line is the old passphrase, as of\n"
	"                      STATE/keys.secret\n"
	"  -c, --config FILE   the configuration (YAML)\n"
	"\n"
	"All keys are locked anew, or none. What the old one opened in copies\n"
	"of the state folder it still opens.\n";

/* is_same: who changes a passphrase that others know must not believe it done. */
static bool is_same(const struct passphrase *one, const struct passphrase *two)
{
	struct der a = passphrase_text(one), b = passphrase_text(two);

	return a.len == b.len && CRYPTO_memcmp(a.at, b.at, a.len) == 0;
}

static int relock(const struct setup *setup, const struct passphrase *old)
{
	struct keylock *before = passphrase_keylock(old);
	struct keylock *now = passphrase_keylock(setup->passphrase);
	char err[1024];
	size_t num;
	int result = relock_all(&setup->options, before, now, setup->who, &num,
		err, sizeof(err));

	keylock_free(before);
	keylock_free(now);
	if (result != 0)
		return setup_failed(err);
	printf("%zu private keys are locked with the passphrase of %s now\n",
		num, passphrase_source(setup->passphrase));
	return OPTIONS_FINE;
}

/* unlink_secret: one that was made for nothing would be taken for the right one
 * by the next start. */
static void unlink_secret(const struct config *config)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/keys.secret", config->state);
	(void)unlink(path);
}

/* relock_with: nobody starts a proxy meanwhile. */
static int relock_with(const struct config *config,
	const struct passphrase *old)
{
	struct setup setup = {.passphrase = NULL};
	char err[1024];
	bool made;
	int code;

	if (!load_has_store(config->state))
		return setup_failed("there are no private keys yet");
	if (load_lock(config->state, err, sizeof(err)) != 0)
		return setup_failed(err);
	code = setup_open_anew(config, &setup);
	if (code == OPTIONS_FINE && is_same(setup.passphrase, old))
		code = setup_failed("the new passphrase is the old one: let the "
			"configuration name another first, or move keys.secret "
			"away for one to be made");
	else if (code == OPTIONS_FINE)
		code = relock(&setup, old);
	made = setup.passphrase && passphrase_made(setup.passphrase);
	setup_close(&setup);
	if (made && code != OPTIONS_FINE)
		unlink_secret(config);
	return code;
}

int ca_passphrase(const struct command *self, int argc, char **argv)
{
	const char *file = NULL, *old = NULL;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file},
		{.name = "old", .value = &old, .needed = true},
	};
	struct passphrase *before = NULL;
	struct config *config;
	char err[512];
	int code = options_read(self, argc, argv, rows, 2);

	if (code == OPTIONS_FINE)
		code = setup_config(file, &config);
	if (code != OPTIONS_FINE)
		return code;
	if (passphrase_read(old, &before, err, sizeof(err)) != 0)
		code = setup_failed(err);
	else
		code = relock_with(config, before);
	passphrase_free(before);
	config_free(config);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}
