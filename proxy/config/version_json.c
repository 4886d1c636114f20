#include "proxy/config/version_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"
#include "proxy/config/memory.h"

static const int64_t MADE_MAX = 253402300799; /* the end of the year 9999 */

/* --- reading ------------------------------------------------------------ */

/* copy_text: it goes to logs and terminals. Who has written it, has seen to that;
 * who has changed the file, perhaps not. */
static bool copy_text(const json_t *object, const char *key, char *out,
	size_t size)
{
	const json_t *value = json_object_get(object, key);
	const char *text = json_string_value(value);
	size_t letters;

	if (!text || json_string_length(value) != strlen(text) ||
	    strlen(text) >= size ||
	    (text[0] != '\0' && !name_text_ok(text, &letters)))
		return false;
	snprintf(out, size, "%s", text);
	return true;
}

/* take_about reads what is said of the document. */
static bool take_about(const json_t *object, unsigned number,
	struct version *out)
{
	const json_t *made = json_object_get(object, "made");
	const json_t *version = json_object_get(object, "version");

	if (!json_is_integer(version) ||
	    json_integer_value(version) != (json_int_t)number ||
	    !json_is_integer(made) || json_integer_value(made) < 0 ||
	    json_integer_value(made) > MADE_MAX)
		return false;
	out->number = number;
	out->made = json_integer_value(made);
	return copy_text(object, "who", out->who, sizeof(out->who)) &&
		copy_text(object, "note", out->note, sizeof(out->note));
}

/* take reads what is in the file into out, and where out_text is not NULL the
 * document, too. False: it is none of ours. */
static bool take(const json_t *object, unsigned number, struct version *out,
	char **out_text, size_t *out_len)
{
	const json_t *policy = json_object_get(object, "policy");

	if (!json_is_string(policy) || !take_about(object, number, out))
		return false;
	if (!out_text)
		return true;
	*out_len = json_string_length(policy);
	*out_text = must(calloc(1, *out_len + 1));
	memcpy(*out_text, json_string_value(policy), *out_len);
	return true;
}

bool version_json_read(const char *text, size_t len, unsigned number,
	struct version *out, char **out_text, size_t *out_len)
{
	json_t *object = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	bool good = object && take(object, number, out, out_text, out_len);

	json_decref(object);
	return good;
}

/* head_of makes what stands before the document, as dump lays it out, a whole
 * object. NULL: it is laid out otherwise. (No text of JSON has a newline in it.) */
static json_t *head_of(char *text)
{
	char *stop = strstr(text, ",\n \"policy\": \"");

	if (!stop)
		return NULL;
	memcpy(stop, "}", 2);
	return json_loads(text, JSON_REJECT_DUPLICATES, NULL);
}

bool version_json_head(char *text, unsigned number, struct version *out)
{
	json_t *object = head_of(text);
	bool good = object && take_about(object, number, out);

	json_decref(object);
	return good;
}

/* --- writing ------------------------------------------------------------ */

static void set(json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, must(value)) != 0)
		abort();
}

char *version_json_write(const struct version *version, const char *text,
	size_t len)
{
	json_t *object = must(json_object()), *policy = json_stringn(text, len);
	char *out;

	if (!policy) {
		json_decref(object);
		return NULL;
	}
	set(object, "version", json_integer(version->number));
	set(object, "made", json_integer(version->made));
	set(object, "who", json_string(version->who));
	set(object, "note", json_string(version->note));
	set(object, "policy", policy);
	out = must(json_dumps(object, JSON_INDENT(1)));
	json_decref(object);
	return out;
}
