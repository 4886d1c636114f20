#include "proxy/cli/some_proxy.h"

#include <stdio.h>
#include <time.h>

#include "proxy/cli/setup.h"

extern char **environ;

static void hush(void *arg, const char *what)
{
	(void)arg;
	(void)what;
}

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

static int start(const struct target_order *asked, const char *command,
	struct some_proxy *proxy)
{
	struct kit_order kit = {proxy->bench.folder, proxy->bench.at,
		environ, hush, NULL};
	struct ephemeral_order order = {.config = asked->config,
		.folder = proxy->bench.folder};
	struct target_order again = {.user = asked->user};
	char err[4400];
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
	if (code == OPTIONS_FINE)
		fprintf(stderr, "sallyport %s: a proxy of its own, %s:%u, "
			"ends with the command\n", command,
			proxy->target.host, proxy->target.port);
	return code;
}

int some_proxy_find(const struct target_order *order, const char *command,
	struct some_proxy *out)
{
	char err[4400];
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
