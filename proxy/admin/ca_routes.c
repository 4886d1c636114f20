/* ca_routes.c - the intermediate CAs: looking at them, and all that needs no
 * certificate. Their way to one is step_routes.c. */

#include <stdlib.h>
#include <string.h>

#include "proxy/admin/ca_json.h"
#include "proxy/admin/call.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"

enum { PAGE_DEFAULT = 100, PAGE_MOST = 1000, PAGES_MOST = 1000000 };

/* --- lists -------------------------------------------------------------- */

struct page {
	int64_t number, size;
	char search[STORE_NAME];
};

static bool read_page(struct call *call, struct page *out)
{
	*out = (struct page){.number = 1, .size = PAGE_DEFAULT};
	return call_query_number(call, "page", 1, PAGES_MOST, &out->number) &&
		call_query_number(call, "pageSize", 1, PAGE_MOST,
			&out->size) &&
		call_query(call, "search", out->search, sizeof(out->search));
}

typedef json_t *show_row(const struct store_ca *row);

static bool any(const struct store_ca *row)
{
	(void)row;
	return true;
}

static json_t *show_page(const struct store_ca *rows, size_t num,
	const struct page *page, bool (*wanted)(const struct store_ca *row),
	show_row *show)
{
	int64_t from = (page->number - 1) * page->size, at = 0;
	json_t *list = json_array();

	for (size_t i = 0; i < num; i++) {
		if (!wanted(&rows[i]) || !strcasestr(rows[i].name,
						 page->search))
			continue;
		if (at >= from && at < from + page->size)
			(void)json_array_append_new(list, show(&rows[i]));
		at++;
	}
	return list;
}

static void list(struct call *call, bool (*wanted)(const struct store_ca *row),
	show_row *show)
{
	struct store_ca *rows;
	struct page page;
	size_t num;

	if (!read_page(call, &page) ||
	    !call_went(call, life_list(&call->life, &rows, &num)))
		return;
	call_json(call, show_page(rows, num, &page, wanted, show));
	store_list_free(rows, num);
}

void rest_list(struct call *call)
{
	list(call, any, ca_json);
}

void rest_list_lite(struct call *call)
{
	list(call, any, ca_json_lite);
}

void rest_list_ready(struct call *call)
{
	list(call, life_usable, ca_json_ready);
}

/* --- one ---------------------------------------------------------------- */

static void show(struct call *call, show_row *as)
{
	struct store_ca row;

	if (!call_went(call, life_get(&call->life, call->id, &row)))
		return;
	call_json(call, as(&row));
	life_clear(&row);
}

void rest_get(struct call *call)
{
	show(call, ca_json);
}

void rest_get_lite(struct call *call)
{
	show(call, ca_json_lite);
}

/* Clients that have nothing to say in a field of words send it empty. */
static bool read_word(struct call *call, const json_t *body, const char *key,
	const char **out)
{
	*out = NULL;
	if (!call_text(call, body, key, out))
		return false;
	if (*out && (*out)[0] == '\0')
		*out = NULL;
	return true;
}

static bool read_draft(struct call *call, const json_t *body,
	struct life_draft *out)
{
	*out = (struct life_draft){.name = NULL};
	return call_text(call, body, "name", &out->name) &&
		call_text(call, body, "description", &out->description) &&
		read_word(call, body, "type", &out->type) &&
		read_word(call, body, "region", &out->region) &&
		read_word(call, body, "status", &out->status);
}

void rest_create(struct call *call)
{
	json_t *body = call_body(call);
	struct life_draft draft;
	struct store_ca row;

	if (body && read_draft(call, body, &draft) &&
	    call_went(call, life_create(&call->life, &draft, &row))) {
		call_json(call, ca_json(&row));
		life_clear(&row);
	}
	json_decref(body);
}

/* Rules go by name, and by whether it is enabled. */
static bool matters(const struct store_ca *before,
	const struct store_ca *after)
{
	return strcmp(before->name, after->name) != 0 ||
		before->enabled != after->enabled;
}

static void change(struct call *call, const struct life_draft *draft)
{
	struct store_ca before, after;

	if (!call_went(call, life_get(&call->life, call->id, &before)))
		return;
	if (call_went(call, life_change(&call->life, call->id, draft,
		    &after))) {
		if (!matters(&before, &after) || call_changed(call))
			call_json(call, ca_json(&after));
		life_clear(&after);
	}
	life_clear(&before);
}

void rest_change(struct call *call)
{
	json_t *body = call_body(call);
	struct life_draft draft;

	if (body && read_draft(call, body, &draft))
		change(call, &draft);
	json_decref(body);
}

void rest_delete(struct call *call)
{
	if (call_went(call, life_delete(&call->life, call->id)) &&
	    call_changed(call))
		call_nothing(call, 204);
}

void rest_make_default(struct call *call)
{
	struct store_ca row;

	if (!call_went(call, life_make_default(&call->life, call->id, &row)))
		return;
	if (call_changed(call))
		call_json(call, ca_json(&row));
	life_clear(&row);
}
