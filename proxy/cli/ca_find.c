#include "proxy/cli/ca_find.h"

#include <stdio.h>
#include <string.h>

#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"

void ca_path(const char *word, long long id, char out[CA_PATH_SIZE])
{
	snprintf(out, CA_PATH_SIZE, CA_PATH "%s/%lld", word, id);
}

int ca_get(struct client *client, const char *word, long long id,
	struct client_reply *out)
{
	char path[CA_PATH_SIZE];

	ca_path(word, id, path);
	return client_call(client, "GET", path, NULL, out);
}

static long long id_of(const json_t *object)
{
	return json_integer_value(json_object_get(object, "id"));
}

static const char *name_of(const json_t *object)
{
	const char *name = json_string_value(json_object_get(object, "name"));

	return name ? name : "";
}

static bool is_id(const json_t *object, const char *word)
{
	char id[24];

	snprintf(id, sizeof(id), "%lld", id_of(object));
	return strcmp(id, word) == 0;
}

static int list(struct client *client, struct client_reply *out)
{
	return client_call(client, "GET", CA_PATH_OF_ALL, NULL, out);
}

static int ambiguous(const char *word, const json_t *by_id,
	const json_t *by_name)
{
	fprintf(stderr, "sallyport: \"%s\" is the id of \"%s\", and the name "
		"of the CA with the id %lld: say \"%s\", or %lld\n",
		shown(word).text, shown(name_of(by_id)).text, id_of(by_name),
		shown(name_of(by_id)).text, id_of(by_name));
	return EXIT_FAILED;
}

int ca_look_up(struct client *client, const char *word, long long *out)
{
	const json_t *object, *by_id = NULL, *by_name = NULL;
	struct client_reply reply;
	size_t i;
	int code = list(client, &reply);

	json_array_foreach(reply.json, i, object) {
		if (is_id(object, word))
			by_id = object;
		if (strcmp(name_of(object), word) == 0)
			by_name = object;
	}
	*out = id_of(by_id ? by_id : by_name);
	if (by_id && by_name && by_id != by_name)
		code = ambiguous(word, by_id, by_name);
	client_reply_clear(&reply);
	return code;
}

int ca_find(struct client *client, const char *word, long long *out)
{
	int code = ca_look_up(client, word, out);

	if (code != OPTIONS_FINE || *out != 0)
		return code;
	fprintf(stderr, "sallyport: there is no CA \"%s\"; \"sallyport ca "
		"list\" shows those there are\n", shown(word).text);
	return EXIT_FAILED;
}

int ca_find_default(struct client *client, long long *out)
{
	struct client_reply reply;
	const json_t *object;
	size_t i;
	int code = list(client, &reply);

	json_array_foreach(reply.json, i, object) {
		if (json_is_true(json_object_get(object,
				"defaultCertificate")))
			*out = id_of(object);
	}
	client_reply_clear(&reply);
	return code;
}

bool ca_name_ok(const char *name)
{
	if (name[0] == '\0' || name[strspn(name, "0123456789")] != '\0')
		return true; /* as far as can be said here */
	fprintf(stderr, "sallyport: \"%s\" would be taken for a number, an "
		"id: give a name that has other letters, too\n",
		shown(name).text);
	return false;
}
