#include "proxy/cli/client.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/admin/api.h"
#include "proxy/cli/reply.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"
#include "proxy/core/desk.h"
#include "proxy/core/load.h"
#include "proxy/http/h1_in.h"

enum {
	HEAD_MAX = 16 * 1024,
	REPLY_MAX = 64 << 20,
	READ = 16 * 1024,
	WAIT_S = 120,         /* for an answer: a large key takes its time */
};

#define BASE "/api/v1"
#define BOUNDARY "sallyport-8f14e45fceea167a"

struct client {
	bool running;         /* a proxy is; else it is by itself */
	int fd;               /* of the control socket; -1: none */
	struct setup setup;
	struct api *api;      /* owned; where it is by itself */
	struct life_rule *rules; /* owned */
	const struct config *config; /* borrowed */
	char who[API_WHO];
};

/* --- the running proxy -------------------------------------------------- */

/* dial: -1 and errno, which tells whether anybody is there. */
static int dial(const char *state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	struct timeval wait = {.tv_sec = WAIT_S};
	int folder = open(state, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), why;

	snprintf(at.sun_path, sizeof(at.sun_path),
		"/proc/self/fd/%d/" DESK_CONTROL, folder);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	if (folder >= 0 && fd >= 0 &&
	    connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0) {
		close(folder);
		return fd;
	}
	why = errno;
	if (folder >= 0)
		close(folder);
	if (fd >= 0)
		close(fd);
	errno = why;
	return -1;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t put = send(fd, data, len, MSG_NOSIGNAL);

		if (put < 0 && errno != EINTR)
			return false;
		if (put > 0) {
			data += put;
			len -= (size_t)put;
		}
	}
	return true;
}

static bool send_request(int fd, const char *method, const char *path,
	const struct client_body *body)
{
	UT_string head;
	bool sent;

	utstring_init(&head);
	utstring_printf(&head, "%s " BASE "%s HTTP/1.1\r\nHost: localhost\r\n",
		method, path);
	if (body)
		utstring_printf(&head, "Content-Type: %s\r\n"
			"Content-Length: %zu\r\n", body->type, body->len);
	utstring_printf(&head, "\r\n");
	sent = send_all(fd, utstring_body(&head), utstring_len(&head)) &&
		(!body || send_all(fd, body->at, body->len));
	utstring_done(&head);
	return sent;
}

static bool receive(int fd, UT_string *body, unsigned *status)
{
	struct h1_in *in = h1_in_new(H1_RESPONSE, HEAD_MAX);
	char data[READ];
	enum reply_is state = REPLY_MORE;

	while (state == REPLY_MORE) {
		ssize_t got = recv(fd, data, sizeof(data), 0);

		if (got < 0 && errno == EINTR)
			continue;
		state = got <= 0 ? REPLY_SENSELESS :
			reply_heed(in, data, data + got, body, REPLY_MAX,
				status);
	}
	h1_in_free(in);
	return state == REPLY_WHOLE;
}

/* is_over: the proxy lets go of who has been silent for a minute, as people are
 * who read or have something signed; and it may have been started anew. */
static bool is_over(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0 ||
		errno != EAGAIN;
}

static int call_running(struct client *client, const char *method,
	const char *path, const struct client_body *body, UT_string *answer,
	unsigned *status)
{
	if (is_over(client->fd)) {
		close(client->fd);
		client->fd = dial(client->config->state);
	}
	/* What is refused may not be read to its end: the answer counts. */
	if (client->fd >= 0)
		(void)send_request(client->fd, method, path, body);
	if (client->fd >= 0 && receive(client->fd, answer, status))
		return OPTIONS_FINE;
	*status = 0;
	return setup_failed("the running proxy does not answer at its control "
		"socket");
}

/* --- by itself ---------------------------------------------------------- */

static void fill_world(const struct client *client, struct api_world *world)
{
	const struct config *config = client->config;

	*world = (struct api_world){
		.options = client->setup.options,
		.rules = client->rules,
		.num_rules = config->num_named,
		.zia = config->compat == COMPAT_ZIA,
	};
	world->options.rotate_s = config->issuing.rotate_s;
	world->options.validity_s = config->issuing.validity_s;
}

static struct slice slice_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

static int call_alone(struct client *client, const char *method,
	const char *path, const struct client_body *body, UT_string *answer,
	unsigned *status)
{
	char *target, *query;
	struct api_request request = {
		.caller = API_LOCAL,
		.method = slice_of(method),
		.host = slice_of("localhost"),
	};
	struct api_reply reply;
	struct api_world world;

	if (asprintf(&target, BASE "%s", path) < 0)
		abort();
	query = strchr(target, '?');
	if (query)
		*query++ = '\0';
	request.path = slice_of(target);
	request.query = slice_of(query ? query : "");
	snprintf(request.who, sizeof(request.who), "%s", client->who);
	if (body) {
		request.content_type = slice_of(body->type);
		request.body = (struct slice){body->at, body->len};
	}
	fill_world(client, &world);
	api_handle(client->api, &world, &request, &reply);
	*status = reply.status;
	if (reply.content_type)
		utstring_bincpy(answer, utstring_body(&reply.body),
			utstring_len(&reply.body));
	api_reply_clear(&reply);
	free(target);
	return OPTIONS_FINE;
}

/* --- life --------------------------------------------------------------- */

static void list_rules(struct client *client)
{
	const struct config *config = client->config;

	client->rules = calloc(config->num_named + 1,
		sizeof(*client->rules));
	if (!client->rules)
		abort();
	for (size_t i = 0; i < config->num_named; i++)
		client->rules[i] = (struct life_rule){config->named[i].name,
			config->named[i].rule};
}

/* Nobody starts a proxy while the command is at work. */
static int open_alone(struct client *client, bool signs)
{
	const struct config *config = client->config;
	char err[1024];
	int code;

	if (signs && (config_prepare_state(config, err, sizeof(err)) != 0 ||
		load_lock(config->state, err, sizeof(err)) != 0))
		return setup_failed(err);
	code = signs ? setup_open(config, &client->setup) :
		       setup_open_to_look(config, &client->setup);
	if (code != OPTIONS_FINE)
		return code;
	snprintf(client->who, sizeof(client->who), "%s", client->setup.who);
	client->api = api_new(NULL);
	list_rules(client);
	return OPTIONS_FINE;
}

static struct client *make(const struct config *config)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		abort();
	client->config = config;
	client->fd = -1;
	return client;
}

int client_dial(const struct config *config, struct client **out)
{
	int fd = dial(config->state);
	char err[FILE_ERR_SIZE];

	*out = NULL;
	if (fd >= 0) {
		*out = make(config);
		(*out)->running = true;
		(*out)->fd = fd;
		return OPTIONS_FINE;
	}
	if (errno != EACCES)
		return OPTIONS_FINE;
	snprintf(err, sizeof(err), "%s: %s; run this as its owner, or as root",
		shown(config->state).text, strerror(errno));
	return setup_failed(err);
}

int client_open(const struct config *config, bool signs, struct client **out)
{
	int code = client_dial(config, out);

	if (code != OPTIONS_FINE || *out)
		return code;
	*out = make(config);
	code = open_alone(*out, signs);
	if (code == OPTIONS_FINE)
		return code;
	client_close(*out);
	*out = NULL;
	return code;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	api_free(client->api);
	setup_close(&client->setup);
	free(client->rules);
	free(client);
}

bool client_running(const struct client *client)
{
	return client->running;
}

/* --- calling ------------------------------------------------------------ */

char *client_path(const char *before, const char *word)
{
	static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		"abcdefghijklmnopqrstuvwxyz0123456789-._~";
	size_t len = strlen(before), size = len + 3 * strlen(word) + 1;
	char *path = malloc(size);

	if (!path)
		abort();
	memcpy(path, before, len + 1);
	for (; *word; word++)
		len += (size_t)snprintf(path + len, size - len,
			strchr(unreserved, *word) ? "%c" : "%%%02X",
			(unsigned char)*word);
	return path;
}

static void take_answer(UT_string *answer, struct client_reply *out)
{
	out->len = utstring_len(answer);
	out->body = malloc(out->len + 1);
	if (!out->body)
		abort();
	memcpy(out->body, utstring_body(answer), out->len);
	out->body[out->len] = '\0';
	out->json = json_loadb(out->body, out->len, JSON_ALLOW_NUL, NULL);
}

static int ask(struct client *client, const char *method, const char *path,
	const struct client_body *body, struct client_reply *out)
{
	UT_string answer;
	int code;

	memset(out, 0, sizeof(*out));
	utstring_init(&answer);
	code = client->running ?
		call_running(client, method, path, body, &answer,
			&out->status) :
		call_alone(client, method, path, body, &answer, &out->status);
	take_answer(&answer, out);
	utstring_done(&answer);
	return code;
}

static void tell(const struct client_reply *reply)
{
	const char *message = json_string_value(
		json_object_get(reply->json, "message"));
	char text[64];

	snprintf(text, sizeof(text), "refused with status %u", reply->status);
	(void)setup_failed(message ? message : text);
}

int client_call(struct client *client, const char *method, const char *path,
	const struct client_body *body, struct client_reply *out)
{
	int code = ask(client, method, path, body, out);

	if (code != OPTIONS_FINE || out->status / 100 == 2)
		return code;
	tell(out);
	return EXIT_FAILED;
}

bool client_refused(const struct client_reply *reply)
{
	return reply->status / 100 == 4;
}

void client_reply_clear(struct client_reply *reply)
{
	free(reply->body);
	json_decref(reply->json);
	memset(reply, 0, sizeof(*reply));
}

int client_json(struct client *client, const char *method, const char *path,
	json_t *object, struct client_reply *out)
{
	char *text = object ? json_dumps(object, JSON_COMPACT) : strdup("{}");
	struct client_body body = {"application/json", text,
		text ? strlen(text) : 0};
	int code;

	if (!text)
		abort();
	json_decref(object);
	code = client_call(client, method, path, &body, out);
	free(text);
	return code;
}

int client_upload(struct client *client, const char *path,
	const char *file_name, const char *data, size_t len,
	struct client_reply *out)
{
	struct client_body body = {
		.type = "multipart/form-data; boundary=" BOUNDARY};
	UT_string text;
	int code;

	utstring_init(&text);
	utstring_printf(&text, "--" BOUNDARY "\r\nContent-Disposition: "
		"form-data; name=\"fileUpload\"; filename=\"%s\"\r\n"
		"Content-Type: application/octet-stream\r\n\r\n", file_name);
	utstring_bincpy(&text, data, len);
	utstring_printf(&text, "\r\n--" BOUNDARY "--\r\n");
	body.at = utstring_body(&text);
	body.len = utstring_len(&text);
	code = client_call(client, "POST", path, &body, out);
	utstring_done(&text);
	return code;
}
