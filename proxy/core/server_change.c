/* server_change.c - what changes while the worker runs: CAs, configuration,
 * policy. */
#include "proxy/core/server_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pki/authority.h"
#include "proxy/config/config.h"
#include "proxy/config/fixed.h"
#include "proxy/config/handed.h"
#include "proxy/config/memory.h"
#include "proxy/config/mistakes.h"
#include "proxy/config/snapshot.h"
#include "proxy/core/keeper_client.h"
#include "proxy/core/load.h"
#include "proxy/core/log_want.h"
#include "proxy/core/remarks.h"
#include "proxy/core/say.h"
#include "proxy/core/worker.h"
#include "proxy/report/access.h"
#include "proxy/session/keylog.h"

/* --- what is in force --------------------------------------------------- */

struct snapshot *server_snapshot(void *arg)
{
	struct server *server = arg;
	struct snapshot *snapshot;

	pthread_mutex_lock(&server->now);
	snapshot = snapshot_ref(server->snapshot);
	pthread_mutex_unlock(&server->now);
	return snapshot;
}

static void say_warnings(const struct authority *authority)
{
	const char *text;

	for (size_t i = 0; (text = authority_warning(authority, i)); i++)
		say("warning: %s", text);
}

static struct load_cas cas_of(const struct server *server,
	const struct snapshot *before)
{
	return (struct load_cas){
		.state = server->inheritance.state,
		.link = keeper_client_link(server->inheritance.keeper),
		.before = before ? before->authority : NULL,
	};
}

/* tell_root: clients that trust the root before would fail without a word. */
static void tell_root(const struct snapshot *old, const struct snapshot *now)
{
	if (strcmp(authority_root_pem(old->authority),
		authority_root_pem(now->authority)) != 0)
		say("another CA signs from now on (`sallyport ca show`); "
			"clients must trust its root: %s/root.pem",
			now->config->state);
}

static void say_policy(const struct server *server)
{
	char told[SOURCE_TOLD];

	if (source_told(&server->source, told))
		say("%s", told);
}

/* set_due is for who has server->now, or is alone. */
static void set_due(struct server *server, time_t due)
{
	server->due = due;
	server->looked = time(NULL);
}

void server_taken(struct server *server)
{
	atomic_store(&server->loaded, time(NULL));
	set_due(server, authority_due(server->snapshot->authority));
	keeper_client_ready(server->inheritance.keeper);
	say_warnings(server->snapshot->authority);
	say_policy(server);
}

/* adopt puts snapshot in force, and what it was made of (NULL: of the same as
 * the one before), and waits until every worker goes by it. It takes both. */
static void adopt(struct server *server, struct snapshot *snapshot,
	struct source *source)
{
	struct source before = {NULL};
	struct snapshot *old = server->snapshot;

	worker_adopt_all(server->workers, server->num_workers, snapshot);
	pthread_mutex_lock(&server->now);
	server->snapshot = snapshot;
	if (source) {
		before = server->source;
		server->source = *source;
	}
	set_due(server, authority_due(snapshot->authority));
	pthread_mutex_unlock(&server->now);
	source_clear(&before);
	keeper_client_ready(server->inheritance.keeper);
	say_warnings(snapshot->authority);
	tell_root(old, snapshot);
	snapshot_unref(old);
}

/* --- CAs ---------------------------------------------------------------- */

static void put_off(struct server *server)
{
	pthread_mutex_lock(&server->now);
	set_due(server, time(NULL) + SERVER_RETRY_S);
	pthread_mutex_unlock(&server->now);
}

/* refresh is for who has server->change. */
static int refresh(struct server *server, char *err, size_t err_size)
{
	struct snapshot *snapshot;
	struct load_cas cas;
	int result;

	cas = cas_of(server, server->snapshot);
	result = load_refresh(server->snapshot, &cas, &snapshot, err,
		err_size);
	if (result == 0)
		adopt(server, snapshot, NULL);
	else
		put_off(server);
	return result;
}

int server_refresh(struct server *server, char *err, size_t err_size)
{
	int result;

	pthread_mutex_lock(&server->change);
	result = refresh(server, err, err_size);
	pthread_mutex_unlock(&server->change);
	return result;
}

void server_refresh_or_say(struct server *server)
{
	char err[600];

	pthread_mutex_lock(&server->change);
	if (!server->stopping && refresh(server, err, sizeof(err)) != 0)
		say("the CAs stay as they were: %s", err);
	pthread_mutex_unlock(&server->change);
}

/* --- the configuration -------------------------------------------------- */

/* load_failed: at a start the file by itself has been found right before. */
static int load_failed(const struct server *server)
{
	char *state = handed_state();

	source_tell_way_out(&server->source, state ? state : "STATE", stderr);
	free(state);
	return 2;
}

int server_load(struct server *server)
{
	struct config *config;
	struct load_cas cas;
	char err[600];
	int result;

	if (source_read(server->inheritance.config, server->inheritance.state,
		    &server->source, stderr) != 0)
		return 2;
	if (source_load(&server->source, &config, stderr) != 0)
		return load_failed(server);
	cas = cas_of(server, NULL);
	result = load_snapshot(config, NULL, 1, &cas, stderr, &server->snapshot,
		err, sizeof(err));
	if (result < 0)
		say("%s", err);
	return result < 0 ? 1 : result == LOAD_WRONG ? load_failed(server) : 0;
}

/* warn_fixed names the settings that only a start can change. */
static void warn_fixed(const struct config *old, const struct config *new)
{
	const char *path;
	size_t at = 0;

	while ((path = fixed_next(old, new, &at)) != NULL)
		say("reload: `%s` has changed; that needs a restart", path);
}

static int load_source(struct server *server, const struct source *source,
	struct snapshot **out)
{
	const struct config *old = server->started->config;
	struct load_cas cas = cas_of(server, server->snapshot);
	struct config *config;
	char err[600];
	int result;

	if (source_load(source, &config, stderr) != 0)
		return -1;
	if (strcmp(old->state, config->state) != 0) {
		say("reload: a change of `state` needs a restart");
		config_free(config);
		return -1;
	}
	warn_fixed(old, config);
	result = load_snapshot(config, server->snapshot->settings,
		server->snapshot->generation + 1, &cas, stderr, out, err,
		sizeof(err));
	if (result < 0)
		say("reload: %s", err);
	return result;
}

/* --- the access log ----------------------------------------------------- */

static void reopen_log(struct server *server, const struct config *config)
{
	struct log_want want = log_want_of(config);
	char err[512];

	if (access_reopen(server->log, &want, err, sizeof(err)) != 0)
		say("reload: %s; the log stays where it was", err);
}

void server_reopen_log(struct server *server)
{
	pthread_mutex_lock(&server->change);
	reopen_log(server, server->snapshot->config);
	pthread_mutex_unlock(&server->change);
}

/* --- the key log ------------------------------------------------------- */

int server_open_keylog(struct server *server, const struct config *config,
	char *err, size_t err_size)
{
	if (keylog_open(server->shared.keylog, config->key_log, err,
		    err_size) != 0)
		return -1;
	if (config->key_log)
		say("warning: the secrets of all TLS connections are written to "
			"%s (log.keys): who reads that can read them all",
			config->key_log);
	return 0;
}

/* --- loading anew ------------------------------------------------------- */

static int reload(struct server *server)
{
	const char *path = server->inheritance.config;
	struct source source = {NULL};
	struct snapshot *snapshot;
	char err[512];

	if (source_read(path, server->inheritance.state, &source,
		    stderr) != 0 ||
	    load_source(server, &source, &snapshot) != 0) {
		source_clear(&source);
		return -1;
	}
	reopen_log(server, snapshot->config);
	if (server_open_keylog(server, snapshot->config, err,
		    sizeof(err)) != 0)
		say("reload: %s; secrets are not written any more", err);
	adopt(server, snapshot, &source);
	say("reloaded %s", path ? path : "(no file)");
	say_policy(server);
	return 0;
}

static void count_reload(struct server *server, bool went)
{
	atomic_fetch_add(went ? &server->reloads : &server->failed_reloads, 1);
	if (went)
		atomic_store(&server->loaded, time(NULL));
	else
		say("reload failed; the configuration before stays in force");
}

void server_reload(struct server *server)
{
	pthread_mutex_lock(&server->change);
	if (!server->stopping)
		count_reload(server, reload(server) == 0);
	pthread_mutex_unlock(&server->change);
}

/* --- the policy --------------------------------------------------------- */

static FILE *begin_telling(struct api_policy *policy)
{
	free(policy->told);
	policy->told = NULL;
	return must(open_memstream(&policy->told, &policy->told_len));
}

static void end_telling(FILE *told)
{
	if (fclose(told) != 0)
		abort(); /* for want of memory */
}

/* tell_all tells what `check` would: also of lines of lists that are as they were
 * before, and had not to be read again. */
static void tell_all(const struct snapshot *snapshot,
	const struct settings *before, FILE *told)
{
	const struct settings *settings = snapshot->settings;

	if (settings->catalog == before->catalog)
		fputs(settings->lists_told, told);
	remarks_print(settings, told);
}

/* try_source loads source as a start would; what is wrong, and the warnings, are
 * in policy->told. */
static int try_source(struct server *server, const struct source *source,
	struct api_policy *policy, struct snapshot **out, char *err,
	size_t err_size)
{
	struct load_cas cas = cas_of(server, server->snapshot);
	FILE *told = begin_telling(policy);
	struct config *config;
	int result = LOAD_WRONG;

	if (source_load(source, &config, told) == 0)
		result = load_snapshot(config, server->snapshot->settings,
			server->snapshot->generation + 1, &cas, told, out, err,
			err_size);
	if (result == 0)
		tell_all(*out, server->snapshot->settings, told);
	end_telling(told);
	return result == LOAD_WRONG ? API_POLICY_WRONG : result;
}

/* try_document finds most of what can be wrong, before the document has the name
 * of a version that perhaps never comes to be. */
static int try_document(struct source *source, struct api_policy *policy)
{
	unsigned number = source->version.number;
	FILE *told = begin_telling(policy);
	struct config *config;
	int result;

	source->version.number = 0;
	result = source_load(source, &config, told);
	source->version.number = number;
	end_telling(told);
	if (result != 0)
		return API_POLICY_WRONG;
	config_free(config);
	return 0;
}

static int store(struct server *server, const struct source *source, char *err,
	size_t err_size)
{
	const char *state = server->inheritance.state;

	if (source->policy && versions_add(state, &source->version,
			source->policy, source->policy_len, err,
			err_size) != 0)
		return -1;
	if (versions_set_current(state, source->version.number, err,
		    err_size) == 0)
		return 0;
	if (source->policy)
		versions_remove(state, source->version.number);
	return -1;
}

/* put stores source, and has the proxy go by it. It takes neither where it
 * fails: then what was in force is so still, and what is stored, too. */
static int put(struct server *server, struct source *source,
	struct snapshot *snapshot, struct api_policy *policy, char *err,
	size_t err_size)
{
	struct shown who = shown(policy->who);

	if (store(server, source, err, err_size) != 0)
		return -1;
	policy->version = source->version;
	adopt(server, snapshot, source);
	if (server->source.policy)
		say("policy version %u by %s is in force",
			policy->version.number, who.text);
	else
		say("the configuration file's own policy is in force, by %s",
			who.text);
	return 0;
}

static int name_version(struct server *server, const struct api_policy *policy,
	struct version *out, char *err, size_t err_size)
{
	memset(out, 0, sizeof(*out));
	if (!policy->text)
		return 0;
	out->made = time(NULL);
	snprintf(out->who, sizeof(out->who), "%s", policy->who);
	shown_mask(out->who); /* where it was cut off, too */
	snprintf(out->note, sizeof(out->note), "%s", policy->note);
	return versions_next(server->inheritance.state, &out->number, err,
		err_size);
}

static int change(struct server *server, struct api_policy *policy, char *err,
	size_t err_size)
{
	struct snapshot *snapshot = NULL;
	struct version version;
	struct source source;
	int result;

	policy->version = server->source.version;
	if (policy->based_on >= 0 &&
	    policy->based_on != policy->version.number)
		return API_POLICY_OTHER;
	if (name_version(server, policy, &version, err, err_size) != 0)
		return -1;
	source_with(&server->source, &version, policy->text, policy->len,
		&source);
	result = try_document(&source, policy);
	if (result == 0)
		result = try_source(server, &source, policy, &snapshot, err,
			err_size);
	if (result == 0 && !policy->dry) {
		result = put(server, &source, snapshot, policy, err, err_size);
		if (result == 0)
			return 0;
	}
	snapshot_unref(snapshot);
	source_clear(&source);
	return result;
}

static int on_policy(void *arg, struct api_policy *policy, char *err,
	size_t err_size)
{
	struct server *server = arg;
	int result = -1;

	pthread_mutex_lock(&server->change);
	if (server->stopping)
		snprintf(err, err_size, "the proxy is ending");
	else
		result = change(server, policy, err, err_size);
	pthread_mutex_unlock(&server->change);
	return result;
}

static void on_look(void *arg, struct version *out, char **out_text,
	size_t *out_len)
{
	struct server *server = arg;
	const struct source *source = &server->source;
	const char *text;

	pthread_mutex_lock(&server->now);
	*out = source->version;
	text = source->policy ? source->policy : source->text;
	*out_len = source->policy ? source->policy_len : source->len;
	*out_text = must(malloc(*out_len + 1));
	memcpy(*out_text, text, *out_len);
	(*out_text)[*out_len] = '\0';
	pthread_mutex_unlock(&server->now);
}

const struct api_policies server_policies = {on_policy, on_look};
