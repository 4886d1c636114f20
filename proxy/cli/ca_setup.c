#include "proxy/cli/ca_setup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/cli/ca_ask.h"
#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_request.h"
#include "proxy/cli/ca_steps.h"
#include "proxy/cli/client.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"

/* What a step may end with beside OPTIONS_FINE and an exit code: it has been
 * told why not, and other answers may do. */
enum { AGAIN = -2 };

enum { STATE = 40 };

/* The questions for a request, and what the API calls the answers. */
static const struct {
	const char *question, *member;
} parts[] = {
	{"Common name, which becomes the issuer of every site's", "commName"},
	{"Organization", "orgName"},
	{"Department", "deptName"},
	{"City", "city"},
	{"State or province", "state"},
	{"Country (two letters)", "country"},
	{"Path length (1: a short-lived CA comes under it; 0: it signs each "
		"site itself)", "pathLengthConstraint"},
};

enum { NUM_PARTS = sizeof(parts) / sizeof(*parts) };

struct talk {
	struct client *client; /* borrowed */
	const char *config;    /* borrowed; NULL: none was given */
	char name[ASK_ANSWER];
	long long id;          /* 0: not yet */
	char state[STATE];     /* as the API has it */
	bool is_default;
	char answers[NUM_PARTS][ASK_ANSWER];
};

/* --- calls -------------------------------------------------------------- */

/* learn takes what goes on from an object of the API's. */
static void learn(struct talk *talk, const json_t *object)
{
	const char *state = json_string_value(
		json_object_get(object, "currentState"));

	talk->id = json_integer_value(json_object_get(object, "id"));
	talk->is_default = json_is_true(
		json_object_get(object, "defaultCertificate"));
	snprintf(talk->state, sizeof(talk->state), "%s", state ? state : "");
}

static int look(struct talk *talk)
{
	struct client_reply reply;
	int code = ca_get(talk->client, "", talk->id, &reply);

	if (code == OPTIONS_FINE)
		learn(talk, reply.json);
	client_reply_clear(&reply);
	return code;
}

/* settle learns how it is after a call, which it clears: somebody else may have
 * gone on with this CA, too. */
static int settle(struct talk *talk, int code, struct client_reply *reply)
{
	bool refused = client_refused(reply);

	client_reply_clear(reply);
	if (code != OPTIONS_FINE && !refused)
		return code;
	code = look(talk);
	return code == OPTIONS_FINE && refused ? AGAIN : code;
}

static int call(struct talk *talk, const char *method, const char *word,
	json_t *object)
{
	struct client_reply reply;
	char path[CA_PATH_SIZE];
	int code;

	ca_path(word, talk->id, path);
	code = client_json(talk->client, method, path, object, &reply);
	return settle(talk, code, &reply);
}

static bool is(const struct talk *talk, const char *state)
{
	return strcmp(talk->state, state) == 0;
}

/* print_config: behind a command that is to be typed. */
static void print_config(const struct talk *talk)
{
	if (talk->config)
		printf(" -c %s", talk->config);
}

/* --- which one ---------------------------------------------------------- */

static int create(struct talk *talk)
{
	struct client_reply reply;
	int code;

	if (!ca_name_ok(talk->name))
		return AGAIN;
	code = client_json(talk->client, "POST", CA_PATH,
		json_pack("{s:s, s:s, s:s, s:s}", "name", talk->name, "type",
			"CUSTOM_SW", "region", "GLOBAL", "status", "ENABLED"),
		&reply);
	if (code == OPTIONS_FINE)
		learn(talk, reply.json);
	else if (client_refused(&reply))
		code = AGAIN;
	client_reply_clear(&reply);
	return code;
}

/* find_or_create goes on with the CA of that name, if there is one. */
static int find_or_create(struct talk *talk)
{
	struct client_reply reply;
	const json_t *object;
	const char *name;
	size_t i;
	int code = client_call(talk->client, "GET", CA_PATH_OF_ALL, NULL,
		&reply);

	json_array_foreach(reply.json, i, object) {
		name = json_string_value(json_object_get(object, "name"));
		if (name && strcmp(name, talk->name) == 0)
			learn(talk, object);
	}
	client_reply_clear(&reply);
	if (code != OPTIONS_FINE)
		return code;
	if (!talk->id)
		return create(talk);
	printf("Going on with \"%s\", whose state is %s.\n",
		shown(talk->name).text, talk->state);
	return OPTIONS_FINE;
}

static int greet(struct talk *talk)
{
	(void)talk;
	printf("This makes an intermediate CA that your organization's CA "
		"signs.\nAn empty answer takes what stands in brackets; Ctrl-D "
		"breaks off,\nand what has been done stays.\n\n");
	return OPTIONS_FINE;
}

static int choose(struct talk *talk)
{
	snprintf(talk->name, sizeof(talk->name), "TLS inspection CA");
	if (!ask("Name of the CA, here", talk->name))
		return EXIT_FAILED;
	return find_or_create(talk);
}

/* --- the key and the request -------------------------------------------- */

static int make_pair(struct talk *talk)
{
	char type[ASK_ANSWER] = "EC_P256";

	if (!is(talk, "GENERAL_DONE"))
		return OPTIONS_FINE;
	if (!ask("Key (EC_P256, EC_P384, RSA_2K, RSA_3K, RSA_4K)", type))
		return EXIT_FAILED;
	return call(talk, "POST", "/keyPair",
		json_pack("{s:s}", "keyType", type));
}

/* ask_parts offers what was answered the time before, if any. */
static bool ask_parts(struct talk *talk)
{
	for (size_t i = 0; i < NUM_PARTS; i++) {
		if (!ask(parts[i].question, talk->answers[i]))
			return false;
		if (strcmp(talk->answers[i], "-") == 0)
			talk->answers[i][0] = '\0';
	}
	return true;
}

static json_t *request_of(const struct talk *talk)
{
	json_t *object = json_object();

	for (size_t i = 0; i < NUM_PARTS; i++) {
		if (talk->answers[i][0])
			(void)json_object_set_new(object, parts[i].member,
				json_string(talk->answers[i]));
	}
	return object;
}

static int make_request(struct talk *talk)
{
	char *name = talk->answers[0], *path_len = talk->answers[NUM_PARTS - 1];
	int code;

	if (!is(talk, "KEYGEN_DONE") && !is(talk, "PUBKEY_DONE"))
		return OPTIONS_FINE;
	if (!name[0])
		snprintf(name, ASK_ANSWER, "%s", talk->name);
	if (!path_len[0])
		snprintf(path_len, ASK_ANSWER, "1");
	if (!ask_parts(talk))
		return EXIT_FAILED;
	code = call(talk, "POST", "/generateCsr", request_of(talk));
	if (code == AGAIN)
		printf("Once more, then; \"-\" leaves one of them out.\n");
	return code;
}

static int write_request(struct talk *talk)
{
	if (!is(talk, "CSRGEN_DONE"))
		return OPTIONS_FINE;
	return ca_request_write(talk->client, talk->name, talk->id);
}

/* --- what comes back ---------------------------------------------------- */

/* bring uploads a file; what is wrong with it is told. */
static int bring(struct talk *talk, const char *word, const char *file)
{
	struct client_reply reply;
	char path[CA_PATH_SIZE], *data;
	size_t len;
	int code;

	if (ca_read_file(file, &data, &len) != OPTIONS_FINE)
		return AGAIN;
	ca_path(word, talk->id, path);
	code = client_upload(talk->client, path, ca_file_name(file), data, len,
		&reply);
	free(data);
	return settle(talk, code, &reply);
}

static int take_cert(struct talk *talk)
{
	char name[CA_REQUEST_FILE], file[ASK_ANSWER];
	int code;

	if (!is(talk, "CSRGEN_DONE"))
		return OPTIONS_FINE;
	ca_request_file(talk->name, talk->id, ".pem", name);
	snprintf(file, sizeof(file), "%s", name);
	if (!ask("The signed certificate (PEM)", file))
		return EXIT_FAILED;
	code = bring(talk, "/uploadCert", file);
	return code == OPTIONS_FINE ?
		ca_request_note(talk->client, talk->id) : code;
}

static int go_without(void)
{
	bool sure = false;

	printf("Without them, root.pem and \"sallyport ca root\" give out this "
		"certificate,\nwhich is no root: many clients (openssl, "
		"Python, curl) refuse it. Once the CA\nis finalized, which is "
		"next, they can't be brought any more.\n");
	if (!ask_yes("Go on without them (yes, no)", &sure))
		return EXIT_FAILED;
	return sure ? OPTIONS_FINE : AGAIN;
}

static int take_chain(struct talk *talk)
{
	char file[ASK_ANSWER] = "";

	if (!is(talk, "INTCERT_UPLOAD_DONE"))
		return OPTIONS_FINE;
	if (!ask("The certificates above it, up to the root (PEM; empty: "
		    "none)", file))
		return EXIT_FAILED;
	return file[0] ? bring(talk, "/uploadCertChain", file) : go_without();
}

/* --- putting it to use -------------------------------------------------- */

static int finalize(struct talk *talk)
{
	if (is(talk, "CERT_READY"))
		return OPTIONS_FINE;
	return call(talk, "POST", "/finalizeCert", NULL);
}

static int make_default(struct talk *talk)
{
	bool wanted = true;

	if (!ask_yes("Have it sign from now on, as the default (yes, no)",
		    &wanted))
		return EXIT_FAILED;
	return wanted ? call(talk, "PUT", "/makeDefault", NULL) :
			OPTIONS_FINE;
}

static int tell(struct talk *talk)
{
	printf("\n\"%s\" is ready. ", shown(talk->name).text);
	if (talk->is_default) {
		printf("Clients must trust its root, which this prints:\n"
			"  sallyport ca root");
	} else {
		printf("Before it signs, clients must trust its root, the last "
			"of the\ncertificates above it. A rule's "
			"intermediate-ca has it sign, or, for all:\n"
			"  sallyport ca default %lld", talk->id);
	}
	print_config(talk);
	printf("\n");
	if (!client_running(talk->client))
		printf("It takes effect when Sallyport is started.\n");
	return OPTIONS_FINE;
}

static void tell_how_to_go_on(const struct talk *talk)
{
	printf("What has been done stays. Go on with: sallyport ca setup");
	print_config(talk);
	printf("\nand the name \"%s\".\n", shown(talk->name).text);
}

/* go takes the steps; one that asks is taken until it gets its answer. */
static int go(struct talk *talk)
{
	static const struct {
		int (*take)(struct talk *);
		bool asks;
	} steps[] = {
		{greet, false}, {choose, true}, {make_pair, true},
		{make_request, true}, {write_request, false},
		{take_cert, true}, {take_chain, true}, {finalize, false},
		{make_default, true}, {tell, false},
	};
	int code = OPTIONS_FINE;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) &&
		code == OPTIONS_FINE; i++) {
		do {
			code = steps[i].take(talk);
		} while (code == AGAIN && steps[i].asks);
	}
	if (code != OPTIONS_FINE && talk->id)
		tell_how_to_go_on(talk);
	return code == AGAIN ? EXIT_FAILED : code;
}

int ca_setup(const struct command *self, int argc, char **argv)
{
	struct talk talk = {.client = NULL};
	struct config *config;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &talk.config}};
	int code = options_read(self, argc, argv, rows, 1);

	if (code == OPTIONS_FINE)
		code = setup_config(talk.config, &config);
	if (code != OPTIONS_FINE)
		return code;
	code = client_open(config, true, &talk.client);
	if (code == OPTIONS_FINE)
		code = go(&talk);
	client_close(talk.client);
	config_free(config);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}
