/* live_routes.c - the connections that there are now. */
#include <stdlib.h>

#include "proxy/admin/call.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"
#include "proxy/session/live.h"

enum { LIMIT_DEFAULT = 1000, LIMIT_MOST = 10000 };

static json_t *show(const struct live *live)
{
	json_t *object = json_object();

	put_number(object, "ageMs", (int64_t)live->age_ms);
	put_text(object, "client", live->client);
	put_number(object, "clientPort", live->client_port);
	put_text(object, "listener", live->listener);
	if (live->user[0])
		put_text(object, "user", live->user);
	if (live->host[0])
		put_text(object, "host", live->host);
	if (live->port)
		put_number(object, "port", live->port);
	put_text(object, "step", live->step);
	put_number(object, "stepMs", (int64_t)live->step_ms);
	put_text(object, "waitsFor", live->waits);
	put_number(object, "bytesIn", (int64_t)live->bytes_in);
	put_number(object, "bytesOut", (int64_t)live->bytes_out);
	return object;
}

static json_t *show_all(const struct live_list *list)
{
	json_t *object = json_object(), *sessions = json_array();

	put_number(object, "all", (int64_t)list->all);
	for (size_t i = 0; i < list->num; i++)
		(void)json_array_append_new(sessions, show(&list->at[i]));
	(void)json_object_set_new(object, "sessions", sessions);
	return object;
}

void rest_live(struct call *call)
{
	static const char *const knows[] = {"limit", NULL};
	struct live_list list = {.most = 0};
	int64_t limit = LIMIT_DEFAULT;

	if (!call_knows(call, knows, NULL, NULL) ||
	    !call_query_number(call, "limit", 0, LIMIT_MOST, &limit))
		return;
	if (!call->world->live) {
		call_fail(call, FAULT_ABSENT, "No proxy runs: there are no "
			"connections.");
		return;
	}
	list.most = (size_t)limit;
	call->world->live(call->world->arg, &list);
	call_json(call, show_all(&list));
	free(list.at);
}
