#include "proxy/core/unlock.h"

#include <openssl/mem.h>
#include <stdio.h>

#include "pki/keylock.h"
#include "pki/passphrase.h"
#include "proxy/config/config.h"
#include "proxy/core/load.h"
#include "proxy/core/say.h"

static int ask_person(int (*ask)(char *out, size_t size, bool twice),
	bool first, struct passphrase **out, char *err, size_t err_size)
{
	char text[KEYLOCK_PASSPHRASE_MAX];
	int len = ask(text, sizeof(text), first);

	passphrase_hide_variable();
	if (len > 0)
		*out = passphrase_new(text, (size_t)len,
			"what was typed");
	else
		snprintf(err, err_size, "no passphrase was given%s", len < 0 &&
			first ? ", the same twice" : "");
	OPENSSL_cleanse(text, sizeof(text));
	return len > 0 ? 0 : -1;
}

/* tell what its owner may not know. */
static void tell(const struct passphrase *passphrase)
{
	const char *source = passphrase_source(passphrase);

	if (passphrase_exposed(passphrase))
		say("%s: every user of this machine may read the passphrase: "
			"chmod 600 it", source);
	if (passphrase_made(passphrase))
		say("private keys are encrypted with %s, made now: copies of "
			"sallyport.db alone are of no use to a thief; to guard "
			"the whole folder, give a passphrase "
			"(keys.passphrase-file), then \"sallyport ca "
			"passphrase\"", source);
}

int unlock_find(int (*ask)(char *out, size_t size, bool twice),
	const struct config *config, struct passphrase **out, char *err,
	size_t err_size)
{
	struct passphrase_options options = {
		.state = config->state,
		.file = config->passphrase_file,
		.may_make = !load_has_store(config->state),
	};

	if (ask)
		return ask_person(ask, options.may_make, out, err, err_size);
	if (passphrase_find(&options, out, err, err_size) != 0)
		return -1;
	tell(*out);
	return 0;
}
