#include "proxy/cli/explain_dns.h"

#include <stdlib.h>
#include <string.h>

struct asking {
	struct resolve_waiter waiter; /* first */
	struct addresses *out;        /* borrowed */
	bool answered, closed;
};

static void on_resolved(struct resolve_waiter *waiter,
	enum resolve_status status, const struct addresses *addresses)
{
	struct asking *asking = (struct asking *)waiter;

	if (status == RESOLVE_OK)
		*asking->out = *addresses;
	asking->answered = true;
}

static void on_closed(void *arg)
{
	struct asking *asking = arg;

	asking->closed = true;
}

static void ask(uv_loop_t *loop, struct resolver *resolver, const char *name,
	struct asking *asking)
{
	asking->waiter.resolved = on_resolved;
	resolver_ask(resolver, name, true, &asking->waiter);
	while (!asking->answered)
		(void)uv_run(loop, UV_RUN_ONCE);
	resolver_close(resolver, on_closed, asking);
	while (!asking->closed)
		(void)uv_run(loop, UV_RUN_ONCE);
}

void explain_dns(const char *servers, const char *name, struct addresses *out)
{
	struct asking asking = {.out = out};
	struct resolver *resolver;
	uv_loop_t loop;
	char err[256];

	memset(out, 0, sizeof(*out));
	if (uv_loop_init(&loop) != 0)
		abort();
	if (resolver_new(&loop, servers, &resolver, err, sizeof(err)) == 0)
		ask(&loop, resolver, name, &asking);
	(void)uv_run(&loop, UV_RUN_DEFAULT);
	(void)uv_loop_close(&loop);
}
