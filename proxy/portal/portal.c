#include "proxy/portal/portal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <openssl/pool.h>

#include "pki/authority.h"
#include "proxy/portal/pac.h"
#include "proxy/portal/profile.h"
#include "proxy/portal/start.h"
#include "proxy/portal/way.h"

/* --- a page each -------------------------------------------------------- */

typedef void write_page(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out);

static void set_html(struct portal_page *out)
{
	out->type = "text/html; charset=utf-8";
	html_policy(out->policy, way_script, WAY_REACH);
}

static void start(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	set_html(out);
	start_page(&out->body, request, root);
}

static void check(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	if (request->html) {
		set_html(out);
		check_page(&out->body, request->way, root);
		return;
	}
	out->type = "text/plain; charset=utf-8";
	way_tell(&out->body, request->way, root);
}

static void root_pem(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	(void)root;
	out->type = "application/x-pem-file";
	out->file = "sallyport-root.pem";
	html_add(&out->body, authority_root_pem(request->authority));
}

/* What .crt opens in, Windows and Android know. */
static void root_der(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	(void)request;
	out->type = "application/x-x509-ca-cert";
	out->file = "sallyport-root.crt";
	utstring_bincpy(&out->body, CRYPTO_BUFFER_data(root->der),
		CRYPTO_BUFFER_len(root->der));
}

static void root_profile(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	(void)request;
	out->type = "application/x-apple-aspen-config";
	out->file = "sallyport-root.mobileconfig";
	profile_write(&out->body, root);
}

static void pac(const struct portal_request *request,
	const struct anchor *root, struct portal_page *out)
{
	(void)root;
	out->type = "application/x-ns-proxy-autoconfig";
	pac_write(&out->body, request->config, request->proxy);
}

/* --- CRLs --------------------------------------------------------------- */

/* crl_age: another may come at any moment (a revocation); a cache that asks
 * once an hour is no burden, and one that keeps an old one is no danger beyond
 * that. RFC 5280 has nextUpdate for the rest. */
static long long crl_age(time_t until)
{
	enum { HOUR = 3600 };
	time_t left = until - time(NULL);

	return until == 0 || left > HOUR ? HOUR : left > 0 ? left : 1;
}

/* crl serves /crl/ID.crl. */
static bool crl(const struct portal_request *request, struct slice path,
	struct portal_page *out)
{
	static const char before[] = "/crl/", after[] = ".crl";
	size_t fixed = sizeof(before) - 1 + sizeof(after) - 1;
	CRYPTO_BUFFER *list;
	time_t until;
	char id[CA_ID_MAX + 1];

	if (path.len <= fixed || path.len - fixed >= sizeof(id) ||
	    memcmp(path.at, before, sizeof(before) - 1) != 0 ||
	    memcmp(path.at + path.len - (sizeof(after) - 1), after,
		    sizeof(after) - 1) != 0)
		return false;
	snprintf(id, sizeof(id), "%.*s", (int)(path.len - fixed),
		path.at + sizeof(before) - 1);
	list = authority_crl(request->authority, id, &until);
	if (!list)
		return false;
	out->type = "application/pkix-crl";
	out->max_age = crl_age(until);
	utstring_bincpy(&out->body, CRYPTO_BUFFER_data(list),
		CRYPTO_BUFFER_len(list));
	CRYPTO_BUFFER_free(list);
	return true;
}

/* --- which -------------------------------------------------------------- */

static const struct {
	const char *path;
	write_page *write;
} pages[] = {
	{"", start}, {"/", start}, {"/check", check},
	{"/ca/root.pem", root_pem}, {"/ca/root.der", root_der},
	{"/ca/root.mobileconfig", root_profile}, {"/proxy.pac", pac},
};

static write_page *find(struct slice path)
{
	for (size_t i = 0; i < sizeof(pages) / sizeof(*pages); i++)
		if (slice_is(path, pages[i].path))
			return pages[i].write;
	return NULL;
}

static bool fill(const struct portal_request *request, struct slice path,
	struct portal_page *out)
{
	write_page *write = find(path);
	struct anchor root;

	if (!write)
		return crl(request, path, out);
	if (!anchor_read(authority_root_pem(request->authority), &root))
		return false;
	write(request, &root, out);
	anchor_clear(&root);
	return true;
}

bool portal_open(const struct portal_request *request, struct portal_page *out)
{
	struct slice path = request->path;
	const char *query = path.len > 0 ? memchr(path.at, '?', path.len) :
					   NULL;

	if (query)
		path.len = (size_t)(query - path.at);
	*out = (struct portal_page){.type = ""};
	utstring_init(&out->body);
	if (fill(request, path, out))
		return true;
	portal_clear(out);
	return false;
}

void portal_clear(struct portal_page *page)
{
	utstring_done(&page->body);
}
