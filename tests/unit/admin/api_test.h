/*
 * api_test.h - the API, asked as the admin listener asks it: a state folder, a
 * keeper in this process, requests and what came back.
 */
#ifndef TESTS_UNIT_ADMIN_API_TEST_H
#define TESTS_UNIT_ADMIN_API_TEST_H

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "pki/keeper.h"
#include "pki/keeper_link.h"
#include "proxy/admin/api.h"
#include "tests/support/lab.h"

#define BASE "/api/v1"
#define CAS BASE "/intermediateCaCertificate"
#define ADMIN "AdminTokenOfTheLab"

static struct lab_api {
	struct api *api;
	struct keeper *keeper;
	struct keeper_link link;
	struct api_world world;
	int num_changed, changed_result;
	struct api_request request;  /* what the next ask starts from */
	struct api_reply reply;      /* the last */
	json_t *json;                /* of it; NULL: it is none */
	char type[128];
} t;

static struct slice of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static int on_changed(void *arg, char *err, size_t err_size)
{
	(void)arg;
	t.num_changed++;
	if (t.changed_result != 0)
		snprintf(err, err_size, "the worker is asleep");
	return t.changed_result;
}

/* as_admin: what asks next has the administrator's token. */
static inline void as_admin(void)
{
	memset(&t.request, 0, sizeof(t.request));
	t.request.authorization = of("Bearer " ADMIN);
	t.request.host = of("127.0.0.1:8081");
}

static inline void as_nobody(void)
{
	as_admin();
	t.request.authorization = (struct slice){NULL, 0};
}

static inline void as_root(void)
{
	as_nobody();
	t.request.caller = API_LOCAL;
	snprintf(t.request.who, sizeof(t.request.who), "root (uid 0)");
}

static inline void start(void)
{
	struct keeper_rules rules = {.validity_s = 14 * 86400,
		.rotate_s = 7 * 86400, .crl_base = "http://127.0.0.1:8080"};

	lab_run("rm -rf state; mkdir -m 700 state");
	memset(&t, 0, sizeof(t));
	t.keeper = keeper_new(keylock_new("pass", 4));
	keeper_set_rules(t.keeper, &rules);
	t.link = (struct keeper_link){keeper_local, t.keeper, "test"};
	t.world.options.state = strdup(lab_path("state"));
	t.world.options.crl_base = "http://127.0.0.1:8080";
	t.world.options.link = &t.link;
	t.world.options.rotate_s = 7 * 86400;
	t.world.options.validity_s = 14 * 86400;
	t.world.changed = on_changed;
	t.api = api_new(ADMIN);
	as_admin();
}

static inline void stop(void)
{
	json_decref(t.json);
	api_reply_clear(&t.reply);
	api_free(t.api);
	keeper_free(t.keeper);
	free((char *)t.world.options.state);
	memset(&t, 0, sizeof(t));
}

/* For cmocka: before a test, after it, and after the last. */
static inline int start_api(void **state)
{
	(void)state;
	start();
	return 0;
}

static inline int stop_api(void **state)
{
	(void)state;
	stop();
	return 0;
}

static inline int end_lab(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static inline const char *body_of_reply(void)
{
	return t.reply.body.d;
}

/* send asks with what t.request has, and reads the answer: that its type and its
 * body fit each other holds for every call. */
static inline unsigned send_request(const char *method, const char *path)
{
	const char *query = strchr(path, '?');

	json_decref(t.json);
	t.json = NULL;
	api_reply_clear(&t.reply);
	t.request.method = of(method);
	t.request.path = of(path);
	t.request.query = of(query ? query + 1 : "");
	if (query)
		t.request.path.len = (size_t)(query - path);
	api_handle(t.api, &t.world, &t.request, &t.reply);
	assert_int_equal(ERR_peek_error(), 0);
	assert_int_equal(t.reply.body.i == 0, t.reply.content_type == NULL);
	if (t.reply.content_type &&
	    strcmp(t.reply.content_type, "application/json") == 0) {
		t.json = json_loadb(t.reply.body.d, t.reply.body.i, 0, NULL);
		assert_non_null(t.json);
	}
	return t.reply.status;
}

static inline unsigned ask(const char *method, const char *path,
	const char *body)
{
	t.request.body = of(body ? body : "");
	t.request.content_type = of(body ? "application/json" : "");
	return send_request(method, path);
}

static inline const char *text_at(const char *key)
{
	const char *text = json_string_value(json_object_get(t.json, key));

	return text ? text : "";
}

static inline int64_t number_at(const char *key)
{
	return json_integer_value(json_object_get(t.json, key));
}

static inline void expect(unsigned got, unsigned status)
{
	if (got != status)
		fail_msg("%u, not %u: %s", got, status,
			t.reply.body.d ? t.reply.body.d : "");
}

/* refused: an error object, with that code and those words in its sentence. */
static inline void refused(unsigned got, unsigned status, const char *code,
	const char *words)
{
	expect(got, status);
	assert_int_equal(json_object_size(t.json), 2);
	assert_string_equal(text_at("code"), code);
	if (!strstr(text_at("message"), words))
		fail_msg("no '%s' in: %s", words, text_at("message"));
}

/* upload sends a file as the vendor's clients do. */
static inline unsigned upload_bytes(const char *path, const char *file_name,
	const void *data, size_t len)
{
	static const char head[] = "--x9\r\nContent-Disposition: form-data; "
		"name=\"fileUpload\"; filename=\"%s\"\r\nContent-Type: "
		"application/octet-stream\r\n\r\n";
	static const char tail[] = "\r\n--x9--\r\n";
	char *body = malloc(len + sizeof(head) + sizeof(tail) + 512);
	int num;
	unsigned status;

	assert_non_null(body);
	num = snprintf(body, sizeof(head) + 500, head, file_name);
	memcpy(body + num, data, len);
	memcpy(body + (size_t)num + len, tail, sizeof(tail) - 1);
	t.request.body = (struct slice){body,
		(size_t)num + len + sizeof(tail) - 1};
	t.request.content_type = of("multipart/form-data; boundary=x9");
	status = send_request("POST", path);
	free(body);
	t.request.body = (struct slice){NULL, 0};
	return status;
}

static inline unsigned upload_file(const char *path, const char *file)
{
	size_t len;
	char *data = lab_read(file, &len);
	unsigned status = upload_bytes(path, file, data, len);

	free(data);
	return status;
}

/* at makes a path that ends in an id. */
static inline const char *at(const char *path, int64_t id)
{
	static char paths[4][256];
	static unsigned next;
	char *made = paths[next++ % 4];

	snprintf(made, sizeof(paths[0]), "%s/%lld", path, (long long)id);
	return made;
}

#endif
