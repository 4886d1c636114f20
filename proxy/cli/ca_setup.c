#include "proxy/cli/ca_setup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_steps.h"
#include "proxy/cli/client.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"

enum { ANSWER = 256, PATH_SIZE = 320, NAME_MAX_LEN = 100 };

struct talk {
	struct client *client; /* borrowed */
	char name[ANSWER];
	long long id;
	char state[40];        /* as the API has it */
};

/* --- asking ------------------------------------------------------------- */

/* ask takes a line; an empty one is the answer that is offered. False: nobody
 * answers any more. */
static bool ask(const char *question, const char *offered, char out[ANSWER])
{
	char line[ANSWER];

	if (offered && offered[0])
		printf("%s [%s]: ", question, offered);
	else
		printf("%s: ", question);
	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	snprintf(out, ANSWER, "%s", line[0] || !offered ? line : offered);
	return true;
}

static int broken_off(const struct talk *talk)
{
	printf("\n");
	if (talk->id)
		printf("What has been done stays. Go on with: sallyport ca "
			"setup, and the name \"%s\".\n",
			shown(talk->name).text);
	return EXIT_FAILED;
}

/* --- calls -------------------------------------------------------------- */

/* learn takes id and state from an object of the API's. */
static void learn(struct talk *talk, const json_t *object)
{
	const char *state = json_string_value(
		json_object_get(object, "currentState"));

	talk->id = json_integer_value(json_object_get(object, "id"));
	snprintf(talk->state, sizeof(talk->state), "%s", state ? state : "");
}

static int look(struct talk *talk)
{
	struct client_reply reply;
	char path[PATH_SIZE];
	int code;

	snprintf(path, sizeof(path), CA_PATH "/%lld", talk->id);
	code = client_call(talk->client, "GET", path, NULL, &reply);
	if (code == OPTIONS_FINE)
		learn(talk, reply.json);
	client_reply_clear(&reply);
	return code;
}

static int call(struct talk *talk, const char *method, const char *word,
	json_t *object)
{
	struct client_reply reply;
	char path[PATH_SIZE];
	int code;

	snprintf(path, sizeof(path), CA_PATH "%s/%lld", word, talk->id);
	code = client_json(talk->client, method, path, object, &reply);
	client_reply_clear(&reply);
	return code == OPTIONS_FINE ? look(talk) : code;
}

static bool is(const struct talk *talk, const char *state)
{
	return strcmp(talk->state, state) == 0;
}

/* --- which one ---------------------------------------------------------- */

static int create(struct talk *talk)
{
	struct client_reply reply;
	int code = client_json(talk->client, "POST", CA_PATH,
		json_pack("{s:s, s:s, s:s, s:s}", "name", talk->name, "type",
			"CUSTOM_SW", "region", "GLOBAL", "status", "ENABLED"),
		&reply);

	if (code == OPTIONS_FINE)
		learn(talk, reply.json);
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
	int code = client_call(talk->client, "GET", CA_PATH "?pageSize=1000",
		NULL, &reply);

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

static int choose(struct talk *talk)
{
	printf("This makes an intermediate CA that your organization's CA "
		"signs.\nAn empty answer takes what stands in brackets; Ctrl-D "
		"breaks off,\nand what has been done stays.\n\n");
	if (!ask("Name of the CA, here", "TLS inspection CA", talk->name))
		return broken_off(talk);
	return find_or_create(talk);
}

/* --- the key and the request -------------------------------------------- */

static int make_pair(struct talk *talk)
{
	char type[ANSWER];

	if (!is(talk, "GENERAL_DONE"))
		return OPTIONS_FINE;
	if (!ask("Key (EC_P256, EC_P384, RSA_2K, RSA_3K, RSA_4K)", "EC_P256",
		    type))
		return broken_off(talk);
	return call(talk, "POST", "/keyPair",
		json_pack("{s:s}", "keyType", type));
}

struct answers {
	char cn[ANSWER], o[ANSWER], ou[ANSWER], l[ANSWER], st[ANSWER];
	char c[ANSWER], path_len[ANSWER];
};

static bool ask_names(const struct talk *talk, struct answers *out)
{
	return ask("Common name, which becomes the issuer of every site's",
		       talk->name, out->cn) &&
		ask("Organization", "", out->o) &&
		ask("Department", "", out->ou) && ask("City", "", out->l) &&
		ask("State or province", "", out->st) &&
		ask("Country (two letters)", "", out->c) &&
		ask("Path length (1: a short-lived CA comes under it; 0: it "
			"signs each site itself)", "1", out->path_len);
}

/* json_pack's s* takes NULL for "not given". */
static const char *given(const char *text)
{
	return text[0] ? text : NULL;
}

static int make_request(struct talk *talk)
{
	struct answers a;
	json_t *object;

	if (!is(talk, "KEYGEN_DONE") && !is(talk, "PUBKEY_DONE"))
		return OPTIONS_FINE;
	if (!ask_names(talk, &a))
		return broken_off(talk);
	object = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}",
		"commName", a.cn, "orgName", given(a.o), "deptName",
		given(a.ou), "city", given(a.l), "state", given(a.st),
		"country", given(a.c), "pathLengthConstraint",
		given(a.path_len));
	return call(talk, "POST", "/generateCsr", object);
}

/* --- the file, and how to sign it --------------------------------------- */

static void file_name(const struct talk *talk, const char *ending,
	char out[PATH_SIZE])
{
	size_t len = 0;

	for (const char *at = talk->name; *at && len < NAME_MAX_LEN; at++) {
		bool plain = (*at >= 'a' && *at <= 'z') ||
			(*at >= 'A' && *at <= 'Z') ||
			(*at >= '0' && *at <= '9');

		out[len++] = plain ? *at : '-';
	}
	snprintf(out + len, PATH_SIZE - len, "%s", ending);
}

static int write_file(const char *path, const char *data, size_t len)
{
	FILE *out = fopen(path, "we");
	bool fine = out && fwrite(data, 1, len, out) == len;
	char err[512];

	snprintf(err, sizeof(err), "%s: %s", path, strerror(errno));
	if (out && fclose(out) != 0)
		fine = false;
	return fine ? OPTIONS_FINE : setup_failed(err);
}

static const char extensions[] =
	"[v3_ca]\n"
	"basicConstraints=critical,CA:TRUE,pathlen:%d\n"
	"keyUsage=critical,keyCertSign,cRLSign\n"
	"subjectKeyIdentifier=hash\n"
	"authorityKeyIdentifier=keyid\n";

/* path_len is what was asked for, as showCsr has it. */
static int path_len(struct talk *talk, int *out)
{
	struct client_reply reply;
	char path[PATH_SIZE];
	int code;

	snprintf(path, sizeof(path), CA_PATH "/showCsr/%lld", talk->id);
	code = client_call(talk->client, "GET", path, NULL, &reply);
	*out = (int)json_integer_value(
		json_object_get(reply.json, "pathLengthConstraint"));
	client_reply_clear(&reply);
	return code;
}

static void show_how(const char *csr, const char *ext, const char *cert)
{
	printf("\nThe request is in %s. Have it signed, one of these ways:\n\n"
		"  openssl  (beside your CA's root.pem and root.key; %s is the\n"
		"           extensions, written here too)\n"
		"    openssl x509 -req -in %s -CA root.pem -CAkey root.key \\\n"
		"      -CAcreateserial -days 1095 -sha256 -extfile %s \\\n"
		"      -extensions v3_ca -out %s\n\n"
		"  AD CS    (then export as Base-64, not as PKCS#7)\n"
		"    certreq -submit -attrib CertificateTemplate:SubCA %s %s\n\n"
		"  step-ca\n"
		"    step certificate sign --profile intermediate-ca %s \\\n"
		"      root.pem root.key > %s\n\n",
		csr, ext, csr, ext, cert, csr, cert, csr, cert);
}

static int fetch_csr(struct talk *talk, const char *to)
{
	struct client_reply reply;
	char path[PATH_SIZE];
	int code;

	snprintf(path, sizeof(path), CA_PATH "/downloadCsr/%lld", talk->id);
	code = client_call(talk->client, "GET", path, NULL, &reply);
	if (code == OPTIONS_FINE)
		code = write_file(to, reply.body, reply.len);
	client_reply_clear(&reply);
	return code;
}

static int write_request(struct talk *talk)
{
	char csr[PATH_SIZE], ext[PATH_SIZE], cert[PATH_SIZE], text[512];
	int len, code;

	if (!is(talk, "CSRGEN_DONE"))
		return OPTIONS_FINE;
	file_name(talk, ".csr", csr);
	file_name(talk, ".ext", ext);
	file_name(talk, ".pem", cert);
	code = path_len(talk, &len);
	if (code == OPTIONS_FINE)
		code = fetch_csr(talk, csr);
	if (code != OPTIONS_FINE)
		return code;
	snprintf(text, sizeof(text), extensions, len);
	code = write_file(ext, text, strlen(text));
	if (code == OPTIONS_FINE)
		show_how(csr, ext, cert);
	return code;
}

/* --- what comes back ---------------------------------------------------- */

/* bring uploads a file; what is wrong with it is told. */
static bool bring(struct talk *talk, const char *word, const char *file)
{
	struct client_reply reply;
	char path[PATH_SIZE], *data;
	size_t len;
	bool fine;

	if (ca_read_file(file, &data, &len) != OPTIONS_FINE)
		return false;
	snprintf(path, sizeof(path), CA_PATH "%s/%lld", word, talk->id);
	fine = client_upload(talk->client, path, ca_file_name(file), data,
		       len, &reply) == OPTIONS_FINE;
	if (fine)
		learn(talk, reply.json);
	client_reply_clear(&reply);
	free(data);
	return fine;
}

static int take_cert(struct talk *talk)
{
	char offered[PATH_SIZE], file[ANSWER];

	if (!is(talk, "CSRGEN_DONE"))
		return OPTIONS_FINE;
	file_name(talk, ".pem", offered);
	do {
		if (!ask("The signed certificate (PEM)", offered, file))
			return broken_off(talk);
	} while (!bring(talk, "/uploadCert", file));
	return OPTIONS_FINE;
}

static int take_chain(struct talk *talk)
{
	char file[ANSWER];

	if (!is(talk, "INTCERT_UPLOAD_DONE"))
		return OPTIONS_FINE;
	do {
		if (!ask("The certificates above it, up to the root (PEM; "
			    "empty: none)", "", file))
			return broken_off(talk);
		if (file[0] == '\0') {
			printf("Without them, clients must have all of them "
				"already.\n");
			return OPTIONS_FINE;
		}
	} while (!bring(talk, "/uploadCertChain", file));
	return OPTIONS_FINE;
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
	char answer[ANSWER];

	if (!ask("Have it sign from now on, as the default (yes, no)", "yes",
		    answer))
		return broken_off(talk);
	if (answer[0] != 'y' && answer[0] != 'Y') {
		printf("It is ready: \"sallyport ca default %lld\" has it "
			"sign, or a rule's intermediate-ca.\n", talk->id);
		return OPTIONS_FINE;
	}
	return call(talk, "PUT", "/makeDefault", NULL);
}

static int tell(struct talk *talk)
{
	printf("\n\"%s\" is ready. Clients must trust its root; \"sallyport "
		"ca root\" prints the one in use.\n", shown(talk->name).text);
	return client_running(talk->client) ? OPTIONS_FINE :
		(printf("It takes effect when Sallyport is started.\n"),
			OPTIONS_FINE);
}

static int go(struct talk *talk)
{
	static int (*const steps[])(struct talk *) = {
		choose, make_pair, make_request, write_request, take_cert,
		take_chain, finalize, make_default, tell,
	};
	int code = OPTIONS_FINE;

	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps) &&
		code == OPTIONS_FINE; i++)
		code = steps[i](talk);
	return code;
}

int ca_setup(const struct command *self, int argc, char **argv)
{
	struct talk talk = {.client = NULL};
	struct config *config;
	const char *file = NULL;
	const struct option_row rows[] = {
		{.letter = 'c', .name = "config", .value = &file}};
	int code = options_read(self, argc, argv, rows, 1);

	if (code == OPTIONS_FINE)
		code = setup_config(file, &config);
	if (code != OPTIONS_FINE)
		return code;
	code = client_open(config, true, &talk.client);
	if (code == OPTIONS_FINE)
		code = go(&talk);
	client_close(talk.client);
	config_free(config);
	return code == OPTIONS_FINE ? EXIT_DONE : code;
}
