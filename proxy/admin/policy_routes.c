/* policy_routes.c - the policy: shown, changed, and what it was before. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "pki/name.h"
#include "pki/store_audit.h"
#include "proxy/admin/call.h"
#include "proxy/admin/policy_json.h"
#include "proxy/admin/put.h"
#include "proxy/admin/routes.h"

/* --- showing ------------------------------------------------------------ */

static json_t *show_version(const struct version *version)
{
	json_t *object = json_object();

	put_number(object, "version", version->number);
	put_text(object, "source", version->number > 0 ? "api" : "file");
	put_time(object, "made", version->made);
	put_text(object, "who", version->who);
	put_text(object, "note", version->note);
	return object;
}

static void show(struct call *call, const struct version *version,
	const char *text, size_t len)
{
	json_t *object, *policy = policy_json(text, len, call->err,
		sizeof(call->err));

	if (!policy) {
		call_fail(call, FAULT_OURS, "The policy can't be shown: %s",
			call->err);
		return;
	}
	object = show_version(version);
	put_value(object, "policy", policy);
	call_json(call, object);
}

static const struct api_policies *policies(struct call *call)
{
	if (!call->world->policies)
		call_fail(call, FAULT_ABSENT, "The proxy does not run.");
	return call->world->policies;
}

void rest_policy(struct call *call)
{
	const struct api_policies *host = policies(call);
	struct version version;
	char *text;
	size_t len;

	if (!host)
		return;
	host->look(call->world->arg, &version, &text, &len);
	show(call, &version, text, len);
	free(text);
}

/* read_version; false: answered. */
static bool read_version(struct call *call, struct version *out, char **text,
	size_t *len)
{
	int result = call->id > VERSIONS_LAST ? VERSIONS_NONE :
		versions_read(call->world->options.state, (unsigned)call->id,
			out, text, len, call->err, sizeof(call->err));

	if (result < 0)
		call_fail(call, FAULT_OURS, "%s", call->err);
	else if (result == VERSIONS_NONE)
		call_fail(call, FAULT_UNKNOWN, "There is no version %s of the "
			"policy.", call->part);
	return result == 0;
}

void rest_policy_version(struct call *call)
{
	struct version version;
	char *text;
	size_t len;

	if (!read_version(call, &version, &text, &len))
		return;
	show(call, &version, text, len);
	free(text);
}

/* current is the number of the version in force, by who goes by it. False: it
 * is not known. */
static bool current(struct call *call, unsigned *out)
{
	const struct api_policies *host = call->world->policies;
	struct version version;
	char *text;
	size_t len;
	int result = 0;

	if (host)
		host->look(call->world->arg, &version, &text, &len);
	else
		result = versions_current(call->world->options.state, &version,
			&text, &len, call->err, sizeof(call->err));
	if (result < 0) {
		call_fail(call, FAULT_OURS, "%s", call->err);
		return false;
	}
	*out = version.number;
	free(text);
	return true;
}

static json_t *show_versions(const struct version *versions, size_t num,
	unsigned in_force)
{
	json_t *list = json_array();

	while (num-- > 0) {
		json_t *object = show_version(&versions[num]);

		put_flag(object, "current", versions[num].number == in_force);
		put_text(object, "error", versions[num].err);
		if (json_array_append_new(list, object) != 0)
			abort();
	}
	return list;
}

void rest_policy_versions(struct call *call)
{
	struct version *versions;
	unsigned in_force;
	size_t num;

	if (!current(call, &in_force))
		return;
	if (versions_list(call->world->options.state, &versions, &num,
		    call->err, sizeof(call->err)) != 0)
		call_fail(call, FAULT_OURS, "%s", call->err);
	else
		call_json(call, show_versions(versions, num, in_force));
	free(versions);
}

/* --- changing ----------------------------------------------------------- */

/* tell writes the line of the audit trail. */
static int tell(struct call *call, const struct api_policy *policy)
{
	char *path = state_path(call->world->options.state, STORE_FILE);
	struct store_audit line = {.time = call->now};
	struct store *store = NULL;
	int result = store_open(path, &store, call->err, sizeof(call->err));

	snprintf(line.who, sizeof(line.who), "%s", policy->who);
	snprintf(line.what, sizeof(line.what), "policy");
	if (policy->version.number > 0)
		snprintf(line.name, sizeof(line.name), "version %u",
			policy->version.number);
	else
		snprintf(line.name, sizeof(line.name), "the file's own");
	snprintf(line.detail, sizeof(line.detail), "%s", policy->note);
	if (result == 0)
		result = store_begin(store, call->err, sizeof(call->err));
	if (result == 0)
		result = store_audit_add(store, &line, call->err,
			sizeof(call->err));
	if (result == 0)
		result = store_commit(store, call->err, sizeof(call->err));
	store_close(store);
	free(path);
	return result;
}

/* lines of text as a list. */
static json_t *lines(char *text)
{
	json_t *list = json_array();
	char *line;

	while ((line = strsep(&text, "\n")) != NULL) {
		if (line[0] != '\0' && json_array_append_new(list,
			    put_string(line, strlen(line))) != 0)
			abort();
	}
	return list;
}

static void show_outcome(struct call *call, struct api_policy *policy)
{
	/* what was only tried is no version */
	json_t *object = policy->dry ? json_object() :
		show_version(&policy->version);

	put_flag(object, "dryRun", policy->dry);
	put_value(object, "warnings", lines(policy->told));
	call_json(call, object);
}

/* refuse tells every mistake, however many they are. */
static void refuse(struct call *call, const char *told)
{
	static const char before[] = "The policy is wrong, and nothing has "
		"changed:\n";
	size_t size = sizeof(before) + strlen(told);
	char *text = pki_new(size);
	int len = snprintf(text, size, "%s%s", before, told);

	while (len > 0 && text[len - 1] == '\n')
		text[--len] = '\0';
	call_fail_long(call, FAULT_INPUT, text);
	free(text);
}

/* ask has the host change it; as it does. */
static int ask(struct call *call, struct api_policy *policy, bool laid_out)
{
	int result = call->world->policies->change(call->world->arg, policy,
		call->err, sizeof(call->err));
	char *told;

	if (laid_out && policy->told) {
		told = policy_json_places(policy->text, policy->len,
			policy->told);
		free(policy->told);
		policy->told = told;
	}
	return result;
}

/* change: laid_out, the document's lines are not the caller's. */
static void change(struct call *call, struct api_policy *policy, bool laid_out)
{
	policy->who = call->caller.who;
	switch (ask(call, policy, laid_out)) {
	case 0:
		if (!policy->dry && tell(call, policy) != 0)
			call_fail(call, FAULT_OURS, "It is in force, but the "
				"audit trail has no line of that: %s",
				call->err);
		else
			show_outcome(call, policy);
		break;
	case API_POLICY_WRONG:
		refuse(call, policy->told);
		break;
	case API_POLICY_OTHER:
		call_fail(call, FAULT_CONFLICT, "The policy in force is "
			"version %u, not %lld: somebody else has changed it.",
			policy->version.number, (long long)policy->based_on);
		break;
	default:
		call_fail(call, FAULT_OURS, "Nothing has changed: %s",
			call->err);
		break;
	}
	free(policy->told);
}

static bool check_note(struct call *call, const char *note)
{
	size_t letters;

	if (strlen(note) < sizeof(((struct version *)0)->note) &&
	    (note[0] == '\0' || name_text_ok(note, &letters)))
		return true;
	call_fail(call, FAULT_INPUT, "The note must be text of at most %zu "
		"bytes, without control characters.",
		sizeof(((struct version *)0)->note) - 1);
	return false;
}

static const char *const parameters[] = {"dryRun", "version", "note", NULL};

/* read_about: what is said beside the document. note is where policy->note may
 * lie. */
static bool read_about(struct call *call, const json_t *body,
	struct api_policy *policy, char note[256])
{
	if (!call_query_number(call, "version", 0, VERSIONS_LAST,
		    &policy->based_on) ||
	    !call_query(call, "note", note, 256))
		return false;
	policy->note = note;
	return (!body || (call_number(call, body, "version", 0, VERSIONS_LAST,
				  &policy->based_on) &&
				 call_text(call, body, "note",
					 &policy->note))) &&
		check_note(call, policy->note);
}

/* read_json makes the document's text, owned. */
static bool read_json(struct call *call, const json_t *body, char **out_text)
{
	/* the last three are what GET gives with it */
	static const char *const fields[] = {"policy", "version", "note",
		"source", "made", "who", NULL};
	const json_t *document = json_object_get(body, "policy");

	if (!call_knows(call, parameters, body, fields))
		return false;
	if (!json_is_object(document)) {
		call_fail(call, FAULT_INPUT, "The field \"policy\" is "
			"required: an object with ssl-rules, url-rules and "
			"categories, or some of them.");
		return false;
	}
	if (policy_json_is_deep(document)) {
		call_fail(call, FAULT_INPUT, "The policy is wrong, and nothing "
			"has changed: it is nested too deep.");
		return false;
	}
	*out_text = policy_json_text(document, VERSIONS_TEXT_MAX);
	if (*out_text)
		return true;
	call_fail(call, FAULT_SIZE, "The policy is larger than %d KB.",
		VERSIONS_TEXT_MAX / 1024);
	return false;
}

static void put_json(struct call *call, struct api_policy *policy)
{
	json_t *body = call_body_or(call, " YAML is sent as Content-Type: "
		"application/yaml.");
	char note[256], *text = NULL;

	if (body && read_json(call, body, &text) &&
	    read_about(call, body, policy, note)) {
		policy->text = text;
		policy->len = strlen(text);
		change(call, policy, true);
	}
	free(text);
	json_decref(body);
}

/* put_yaml: the body is the document, and keeps its lines. */
static void put_yaml(struct call *call, struct api_policy *policy)
{
	char note[256];

	if (!call_knows(call, parameters, NULL, parameters) ||
	    !read_about(call, NULL, policy, note))
		return;
	policy->text = call->request->body.len > 0 ? call->request->body.at :
		"";
	policy->len = call->request->body.len;
	change(call, policy, false);
}

static bool is_yaml(struct slice type)
{
	static const char *const names[] = {"application/yaml",
		"application/x-yaml", "text/yaml"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t len = strlen(names[i]);

		if (type.len >= len &&
		    strncasecmp(type.at, names[i], len) == 0 &&
		    (type.len == len || strchr("; \t", type.at[len])))
			return true;
	}
	return false;
}

void rest_policy_put(struct call *call)
{
	struct api_policy policy = {.based_on = -1, .note = ""};

	if (!policies(call) || !call_query_flag(call, "dryRun", &policy.dry))
		return;
	if (is_yaml(call->request->content_type))
		put_yaml(call, &policy);
	else
		put_json(call, &policy);
}

/* --- going back --------------------------------------------------------- */

static void roll_back(struct call *call, struct api_policy *policy)
{
	struct version version;
	char note[64], *text = NULL;

	snprintf(note, sizeof(note), "back to version %lld",
		(long long)call->id);
	if (policy->note[0] == '\0')
		policy->note = note;
	if (strspn(call->part, "0") != strlen(call->part)) {
		if (!read_version(call, &version, &text, &policy->len))
			return;
		policy->text = text;
	}
	change(call, policy, false);
	free(text);
}

void rest_policy_rollback(struct call *call)
{
	static const char *const fields[] = {"version", "note", NULL};
	struct api_policy policy = {.based_on = -1, .note = ""};
	char note[256];
	json_t *body;

	if (!policies(call) || !call_query_flag(call, "dryRun", &policy.dry))
		return;
	body = call_body(call);
	if (body && call_knows(call, parameters, body, fields) &&
	    read_about(call, body, &policy, note))
		roll_back(call, &policy);
	json_decref(body);
}
