#include "proxy/cli/dress.h"

#include <stdio.h>
#include <string.h>

#include "pki/base.h"
#include "proxy/cli/setup.h"
#include "proxy/cli/user_ask.h"

void dress_warn(void *arg, const char *what)
{
	(void)arg;
	fprintf(stderr, "sallyport: warning: %s\n", what);
}

/* warn_of_all: "*" is the one thing that can't be added to. */
static void warn_of_all(char *const *before)
{
	const char *list = environment_get(before, "no_proxy");

	if (!list)
		list = environment_get(before, "NO_PROXY");
	if (list && strcmp(list, "*") == 0)
		dress_warn(NULL, "no_proxy is *, by which nothing would use the "
			"proxy: left out");
}

int dress_make(const struct target *target, const char *folder, int at,
	char *const *before, struct dress *out)
{
	struct kit_order order = {folder, at, before, dress_warn, NULL};
	char err[FILE_ERR_SIZE];

	memset(out, 0, sizeof(*out));
	if (kit_write(&order, target->root_pem, &out->kit, err,
		    sizeof(err)) != 0)
		return setup_failed(err);
	warn_of_all(before);
	(void)user_ask(target);
	environment_make(&out->env, &(struct environment_aim){
		.proxy = target->url,
		.host = target->host,
		.port = target->port,
		.bundle = out->kit.bundle,
		.extra = out->kit.extra,
		.java_store = out->kit.java_store,
		.wgetrc = out->kit.wgetrc,
		.apt = out->kit.apt,
	}, before);
	return OPTIONS_FINE;
}

void dress_clear(struct dress *dress)
{
	kit_clear(&dress->kit);
	environment_clear(&dress->env);
}
