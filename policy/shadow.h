/*
 * shadow.h - rules that can never decide: one before takes all they match, or
 * their own `not` leaves it out.
 *
 * For `sallyport check`: what it finds is certain; what it does not find may be
 * so all the same.
 *
 * Threads: any.
 */
#ifndef POLICY_SHADOW_H
#define POLICY_SHADOW_H

#include "policy/policy.h"

/* shadow_each calls tell for each enabled rule of the list, SSL's or URL's, that
 * never decides, with the first rule that stands in its light; with the rule
 * itself, where it can match nothing. */
typedef void shadow_tell(void *arg, const char *rule, unsigned line,
	const char *by, unsigned by_line);
void shadow_each(const struct policy *policy, bool url_rules,
	shadow_tell *tell, void *arg);

/* policy_category_used says whether an enabled rule of either list names the
 * category (its number, as in policy.h). */
bool policy_category_used(const struct policy *policy, unsigned category);

#endif
