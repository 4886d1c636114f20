/*
 * fuzz_api.c - any bytes as a request to the API.
 *
 *	A POST /api/v1/path?query    A: the admin token, L: a local command,
 *	Content-Type                 else nobody
 *	Authorization
 *	Cookie
 *	body …
 *
 * Targets: api_handle and all below it but the keeper, who is away: no key is
 * made and nothing is signed for an input. The state folder is made once, with a
 * CA that has a request; an input that has changed it is undone. Every answer
 * must be one that clients can take (CA-API.md, "What breaks clients").
 */
#include <assert.h>
#include <jansson.h>
#include <openssl/err.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/keeper.h"
#include "pki/keeper_link.h"
#include "proxy/admin/api.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CAS "/api/v1/intermediateCaCertificate"

static char folder[64], db[96];
static char *kept;            /* the store, as it was made */
static size_t kept_len;
static struct api *api;
static struct api_world world;
static struct keeper_link link_, away;

static struct slice of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static int nobody(void *arg, struct keeper_frame *frame, char *err,
	size_t err_size)
{
	(void)arg;
	(void)frame;
	snprintf(err, err_size, "the keeper is away");
	return -1;
}

static void clean_up(void)
{
	(void)unlink(db);
	(void)rmdir(folder);
}

static void make(const char *path, const char *body)
{
	struct api_request request = {.caller = API_LOCAL, .who = "fuzz",
		.method = of("POST"), .path = of(path), .body = of(body)};
	struct api_reply reply;

	api_handle(api, &world, &request, &reply);
	assert(reply.status == 200);
	api_reply_clear(&reply);
}

static void keep(void)
{
	FILE *file = fopen(db, "rb");

	assert(file);
	kept = malloc(1 << 20);
	assert(kept);
	kept_len = fread(kept, 1, 1 << 20, file);
	assert(kept_len > 0 && kept_len < 1 << 20);
	fclose(file);
}

static void put_back(void)
{
	FILE *file = fopen(db, "wb");

	assert(file && fwrite(kept, 1, kept_len, file) == kept_len);
	assert(fclose(file) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	struct keeper_rules rules = {.validity_s = 86400, .rotate_s = 86400};
	struct keeper *keeper = keeper_new(keylock_new("fuzz", 4));

	(void)argc;
	(void)argv;
	snprintf(folder, sizeof(folder), "%s/sallyport-fuzz.XXXXXX",
		access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert(mkdtemp(folder));
	snprintf(db, sizeof(db), "%s/sallyport.db", folder);
	atexit(clean_up);
	keeper_set_rules(keeper, &rules);
	link_ = (struct keeper_link){keeper_local, keeper, "fuzz"};
	away = (struct keeper_link){nobody, NULL, "fuzz"};
	world.options = (struct authority_options){.state = folder,
		.crl_base = "http://127.0.0.1:8080", .link = &link_,
		.rotate_s = 86400, .validity_s = 86400};
	api = api_new("AdminToken");
	make(CAS, "{\"name\":\"Corp\",\"type\":\"CUSTOM_SW\"}");
	make(CAS "/keyPair/4", "{\"keyType\":\"EC_P256\"}");
	make(CAS "/generateCsr/4", "{\"commName\":\"Corp Proxy\"}");
	world.options.link = &away;
	keeper_free(keeper);
	keep();
	return 0;
}

/* --- requests ----------------------------------------------------------- */

static struct slice take(struct slice *from, char mark)
{
	const char *end = from->len ? memchr(from->at, mark, from->len) :
				      NULL;
	struct slice taken = *from;

	if (!end) {
		from->at += from->len;
		from->len = 0;
		return taken;
	}
	taken.len = (size_t)(end - from->at);
	from->at = end + 1;
	from->len -= taken.len + 1;
	return taken;
}

static void read_request(struct slice all, struct api_request *out)
{
	struct slice first = take(&all, '\n'), who = take(&first, ' ');

	memset(out, 0, sizeof(*out));
	snprintf(out->who, sizeof(out->who), "fuzz");
	out->method = take(&first, ' ');
	out->path = take(&first, '?');
	out->query = first;
	out->host = of("127.0.0.1:8081");
	out->content_type = take(&all, '\n');
	out->authorization = take(&all, '\n');
	out->cookie = take(&all, '\n');
	out->body = all;
	if (slice_is(who, "L"))
		out->caller = API_LOCAL;
	else if (slice_is(who, "A"))
		out->authorization = of("Bearer AdminToken");
}

/* --- answers ------------------------------------------------------------ */

static void check_json(const struct api_reply *reply)
{
	json_t *json = json_loadb(reply->body.d, reply->body.i,
		JSON_REJECT_DUPLICATES, NULL);

	assert(json);
	if (reply->status != 200)
		assert(json_is_string(json_object_get(json, "code")) &&
			json_is_string(json_object_get(json, "message")));
	json_decref(json);
}

static void check(const struct api_reply *reply)
{
	assert(ERR_peek_error() == 0);
	assert(reply->status >= 200 && reply->status <= 500);
	assert((reply->body.i == 0) == (reply->content_type == NULL));
	assert((reply->status == 405) == (reply->allow != NULL));
	assert((reply->status == 401) == reply->challenge);
	assert(!strpbrk(reply->cookie, "\r\n"));
	assert(!strpbrk(reply->disposition, "\r\n"));
	if (!reply->content_type)
		assert(reply->status == 204 || reply->status == 415);
	else if (strcmp(reply->content_type, "application/json") == 0)
		check_json(reply);
	else
		assert(reply->status == 200);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_request request;
	struct api_reply reply;

	read_request((struct slice){size ? (const char *)data : "", size},
		&request);
	if (!api_is_mine(request.path))
		return 0;
	api_handle(api, &world, &request, &reply);
	check(&reply);
	if (reply.status < 300 && !slice_is(request.method, "HEAD"))
		put_back();
	api_reply_clear(&reply);
	return 0;
}
