/*
 * policy_json.h - a policy's document, in YAML or JSON, as JSON.
 *
 * Of a whole configuration, the part of it that is policy: ssl-rules, url-rules
 * and categories, those that are there. What is not in quotes and looks like a
 * number or a truth is one; anything else is text, as it stands. Read again it
 * means the same.
 *
 * Threads: any.
 */
#ifndef PROXY_ADMIN_POLICY_JSON_H
#define PROXY_ADMIN_POLICY_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* policy_json gives an object, owned; NULL: it is no document, err says why. */
json_t *policy_json(const char *text, size_t len, char *err, size_t err_size);

/* policy_json_is_deep: it nests deeper than any configuration may. */
bool policy_json_is_deep(const json_t *policy);

/* policy_json_text lays a policy, which is not deep, out so that a line number is
 * of use, as long as that takes no more than most bytes; owned, NULL: it has more
 * in any case. */
char *policy_json_text(const json_t *policy, size_t most);

/* policy_json_places is told, lines of "policy:3: what", with the places of what
 * stands there in the policy (RFC 6901: "policy /ssl-rules/0/action: what") instead
 * of lines of text, which policy_json_text has made and nobody else has seen; owned.
 * Where that is all one line, or a line is about something else, it stays. */
char *policy_json_places(const char *text, size_t len, const char *told);

#endif
