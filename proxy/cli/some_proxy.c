#include "proxy/cli/some_proxy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/base.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"
#include "proxy/tools/environment.h"

extern char **environ;

/* find_own: the control socket may be there a moment before all that listens. */
static int find_own(const struct target_order *order, struct target *out)
{
	const struct timespec pause = {.tv_nsec = 50 * 1000 * 1000};
	int code = OPTIONS_FINE;

	for (unsigned i = 0; i < 100; i++) {
		target_clear(out);
		code = target_find(order, out);
		if (code != OPTIONS_FINE || out->root_pem)
			return code;
		(void)nanosleep(&pause, NULL);
	}
	target_clear(out);
	return target_running(order, out);
}

/* tell_others: it has no proxy of its own to go through. A password that a variable has
 * is not shown. */
static void tell_others(const char *command)
{
	static const char *const names[] = {"https_proxy", "HTTPS_PROXY",
		"http_proxy", "HTTP_PROXY"};
	const char *named = NULL;
	size_t i;

	for (i = 0; i < 4 && (!named || !named[0]); i++)
		named = environment_get(environ, names[i]);
	if (named && named[0]) {
		const char *at = strrchr(named, '@');

		fprintf(stderr, "sallyport %s: warning: it does not go through "
			"%s, which %s names, but straight to sites\n", command,
			shown(at ? at + 1 : named).text, names[i - 1]);
	}
}

static int start(const struct target_order *asked, const char *command,
	struct some_proxy *proxy)
{
	struct kit_order kit = {proxy->bench.folder, proxy->bench.at,
		environ, NULL, NULL};
	struct ephemeral_order order = {.config = asked->config,
		.folder = proxy->bench.folder};
	struct target_order again = {.user = asked->user};
	char err[FILE_ERR_SIZE];
	int code;

	if (!order.config && kit_write_origins(&kit, &proxy->origins, err,
		    sizeof(err)) != 0)
		return setup_failed(err);
	order.origins = proxy->origins.origins;
	code = ephemeral_start(&order, &proxy->own);
	if (code != OPTIONS_FINE)
		return code == EXIT_WRONG ? code : EXIT_FAILED;
	again.config = proxy->own.config;
	code = find_own(&again, &proxy->target);
	if (code == OPTIONS_FINE) {
		fprintf(stderr, "sallyport %s: a proxy of its own, %s:%u, "
			"ends with the command\n", command,
			proxy->target.host, proxy->target.port);
		tell_others(command);
	}
	return code;
}

int some_proxy_find(const struct target_order *order, const char *command,
	struct some_proxy *out)
{
	char err[FILE_ERR_SIZE];
	int code;

	*out = (struct some_proxy){.bench = {.folder = NULL}};
	code = target_find(order, &out->target);
	if (code != OPTIONS_FINE)
		return code;
	if (workbench_open(&out->bench, err, sizeof(err)) != 0)
		return setup_failed(err);
	return out->target.root_pem ? OPTIONS_FINE :
				      start(order, command, out);
}

void some_proxy_end(struct some_proxy *proxy)
{
	ephemeral_stop(&proxy->own);
	kit_clear(&proxy->origins);
	workbench_close(&proxy->bench);
	target_clear(&proxy->target);
}
