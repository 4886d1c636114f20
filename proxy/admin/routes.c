#include "proxy/admin/routes.h"

#include <string.h>

#include "proxy/config/nearest.h"

static const struct route routes[] = {
#define ROUTE(method, pattern, handler, access, summary) \
	{#method, pattern, handler, ACCESS_##access, summary},
#include "proxy/admin/routes.def"
#undef ROUTE
};

enum { NUM_ROUTES = sizeof(routes) / sizeof(*routes) };

static const char *const bases[] = {"/zia/api/v1", "/api/v1"};

enum { NUM_BASES = sizeof(bases) / sizeof(*bases) };

/* Methods as bits, and what an Allow header says of each set of them. */
enum { CAN_GET = 1, CAN_POST = 2, CAN_PUT = 4, CAN_DELETE = 8, NUM_SETS = 16 };

static const char *const allows[NUM_SETS] = {
	[CAN_GET] = "GET, HEAD",
	[CAN_POST] = "POST",
	[CAN_PUT] = "PUT",
	[CAN_DELETE] = "DELETE",
	[CAN_GET | CAN_POST] = "GET, HEAD, POST",
	[CAN_GET | CAN_PUT] = "GET, HEAD, PUT",
	[CAN_GET | CAN_DELETE] = "GET, HEAD, DELETE",
	[CAN_POST | CAN_PUT] = "POST, PUT",
	[CAN_POST | CAN_DELETE] = "POST, DELETE",
	[CAN_PUT | CAN_DELETE] = "PUT, DELETE",
	[CAN_GET | CAN_POST | CAN_PUT] = "GET, HEAD, POST, PUT",
	[CAN_GET | CAN_POST | CAN_DELETE] = "GET, HEAD, POST, DELETE",
	[CAN_GET | CAN_PUT | CAN_DELETE] = "GET, HEAD, PUT, DELETE",
	[CAN_POST | CAN_PUT | CAN_DELETE] = "POST, PUT, DELETE",
	[CAN_GET | CAN_POST | CAN_PUT | CAN_DELETE] =
		"GET, HEAD, POST, PUT, DELETE",
};

static unsigned bit_of(const char *method)
{
	static const struct {
		const char *method;
		unsigned bit;
	} bits[] = {{"GET", CAN_GET}, {"POST", CAN_POST}, {"PUT", CAN_PUT},
		{"DELETE", CAN_DELETE}};

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++) {
		if (strcmp(method, bits[i].method) == 0)
			return bits[i].bit;
	}
	return 0;
}

/* --- matching ----------------------------------------------------------- */

static bool digits(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	}
	return true;
}

/* piece takes the path up to its next slash. */
static struct slice piece(struct slice *path)
{
	struct slice taken = {path->at, 0};

	while (taken.len < path->len && taken.at[taken.len] != '/')
		taken.len++;
	path->at += taken.len;
	path->len -= taken.len;
	return taken;
}

/* fits holds a path against a pattern; *out is what stands for {…}. */
static bool fits(const char *pattern, struct slice path, struct slice *out)
{
	const char *hole = strchr(pattern, '{');
	size_t len = hole ? (size_t)(hole - pattern) : strlen(pattern);

	*out = (struct slice){NULL, 0};
	if (path.len < len || memcmp(path.at, pattern, len) != 0)
		return false;
	path.at += len;
	path.len -= len;
	if (!hole)
		return path.len == 0;
	*out = piece(&path);
	return path.len == 0 && out->len > 0 &&
		(strcmp(hole, "{id}") != 0 || digits(*out));
}

/* below takes the base away; false: it is not below one. */
static bool below(struct slice *path)
{
	for (size_t i = 0; i < NUM_BASES; i++) {
		size_t len = strlen(bases[i]);

		if (path->len <= len || path->at[len] != '/' ||
		    memcmp(path->at, bases[i], len) != 0)
			continue;
		path->at += len;
		path->len -= len;
		return true;
	}
	return false;
}

static bool is_own_base(const char *pattern)
{
	return strncmp(pattern, "/oauth2/", 8) == 0 ||
		strcmp(pattern, "/metrics") == 0;
}

enum routes_found routes_find(struct slice method, struct slice path,
	struct routes_match *out)
{
	bool based, get = slice_is(method, "HEAD");
	unsigned set = 0;
	struct slice part;

	memset(out, 0, sizeof(*out));
	if (path.len > 1 && path.at[path.len - 1] == '/')
		path.len--;
	based = below(&path);
	for (size_t i = 0; i < NUM_ROUTES; i++) {
		const struct route *route = &routes[i];

		if (is_own_base(route->pattern) == based ||
		    !fits(route->pattern, path, &part))
			continue;
		set |= bit_of(route->method);
		out->open |= route->access == ACCESS_OPEN;
		if (!slice_is(method, route->method) &&
		    !(get && strcmp(route->method, "GET") == 0))
			continue;
		out->route = route;
		out->part = part;
	}
	out->allow = allows[set];
	if (out->route)
		return ROUTES_FOUND;
	return set != 0 ? ROUTES_OTHER_METHOD : ROUTES_UNKNOWN;
}

const char *routes_nearest(struct slice path)
{
	const char *patterns[NUM_ROUTES];
	char text[65];

	(void)below(&path);
	if (path.len >= sizeof(text))
		return NULL;
	slice_text(path, text, sizeof(text));
	for (size_t i = 0; i < NUM_ROUTES; i++)
		patterns[i] = routes[i].pattern;
	return nearest(text, patterns, NUM_ROUTES);
}
