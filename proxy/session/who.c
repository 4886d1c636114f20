/*
 * who.c - who asks: by password, by certificate, by address.
 *
 * In that order: a password that comes with a request, where there is an htpasswd,
 * says who it is, right or wrong; without one the certificate does that the
 * connection began with, and without that the address.
 */
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "proxy/config/htpasswd.h"
#include "proxy/session/certified.h"
#include "proxy/session/credentials.h"
#include "proxy/session/session.h"
#include "proxy/session/session_private.h"
#include "proxy/session/verifier.h"

/* A password that is looked at by another thread. */
struct login {
	struct verifier_waiter waiter;
	struct session *s;
	bool pending, answered;
	bool stale; /* nobody waits for what is under way any more */
	enum verifier_result result;
	char user[HTPASSWD_USER_MAX + 1];
	uint8_t hash[HTPASSWD_DIGEST]; /* that the password is held against */
};

static bool certificate_holds(const struct session *s)
{
	return certified_holds(s->certified, s->services->snapshot->settings);
}

/* password_holds: the user has the hash still that its password was right for. */
static bool password_holds(const struct session *s, const char *user)
{
	const struct htpasswd *users =
		s->services->snapshot->settings->htpasswd;
	uint8_t now[HTPASSWD_DIGEST];

	return users && htpasswd_digest(users, user, now) &&
		memcmp(now, s->login->hash, sizeof(now)) == 0;
}

static void is_known(struct session *s, const char *user, enum known known)
{
	words_set(&s->user, user);
	s->known = known;
	s->known_of = s->services->snapshot->generation;
}

void who_comes(struct session *s)
{
	const struct config *config = session_config(s);

	if (!config->users.given)
		is_known(s, NULL, BY_ADDRESS);
	else if (s->certified)
		is_known(s, certified_user(s->certified), BY_CERTIFICATE);
	else
		is_known(s, config_user_at(config, &s->peer.any), BY_ADDRESS);
}

/* has_moved: somebody else's address, or nobody's where that will not do. */
static bool has_moved(const struct session *s)
{
	const struct config *config = session_config(s);
	const char *now = config_user_at(config, &s->peer.any);

	if (s->user)
		return !now || strcmp(now, s->user) != 0;
	return !now && config->users.required && !s->transparent;
}

bool who_is_gone(const struct session *s)
{
	if (s->known_of == s->services->snapshot->generation ||
	    !session_config(s)->users.given)
		return false;
	switch (s->known) {
	case BY_PASSWORD:
		return !password_holds(s, s->user);
	case BY_CERTIFICATE:
		return !certificate_holds(s);
	case BY_ADDRESS:
	default:
		return has_moved(s);
	}
}

bool who_stays(struct session *s)
{
	if (who_is_gone(s))
		return false;
	if (s->known == BY_ADDRESS || !session_config(s)->users.given)
		who_comes(s);
	s->known_of = s->services->snapshot->generation;
	return true;
}

/* goes_unasked: nothing that comes from the client will be decided first. What is
 * being decided begins anew, with another connection. */
static bool goes_unasked(const struct session *s)
{
	return s->at != AT_SERVE && s->at != AT_LINGER && s->at != AT_CLOSE &&
		!s->own_pages;
}

void session_end_gone(struct services *services)
{
	struct session *s, *tmp;

	DL_FOREACH_SAFE(services->sessions, s, tmp) {
		if (!goes_unasked(s) || !who_is_gone(s))
			continue;
		(void)session_fail(s, REASON_USER_GONE, "");
		session_run(s);
	}
}

/* --- waiting ------------------------------------------------------------ */

static void on_answered(struct verifier_waiter *waiter,
	enum verifier_result result)
{
	struct login *login = (struct login *)(void *)
		((char *)waiter - offsetof(struct login, waiter));
	struct session *s = login->s;

	login->pending = false;
	login->answered = !login->stale;
	login->stale = false;
	login->result = result;
	session_run(s);
	session_unref(s);
}

void who_forget(struct session *s)
{
	if (s->login)
		s->login->answered = false;
	if (!s->login || !s->login->pending ||
	    !verifier_leave(s->services->shared->verifier,
		    &s->login->waiter)) {
		if (s->login)
			s->login->stale = s->login->pending;
		return;
	}
	s->login->pending = false;
	session_unref(s);
}

static struct login *login_of(struct session *s)
{
	if (s->login)
		return s->login;
	s->login = calloc(1, sizeof(*s->login));
	if (!s->login)
		abort();
	s->login->s = s;
	s->login->waiter.answered = on_answered;
	s->login->waiter.loop = s->services->loop;
	return s->login;
}

/* --- passwords ---------------------------------------------------------- */

static enum who refuse(struct exchange *x, enum reason reason, const char *why,
	enum route *out)
{
	*out = exchange_refuse(x, reason, why);
	return WHO_REFUSED;
}

static void count_login(struct session *s, enum verifier_result result)
{
	static const enum tally_login logins[] = {
		[VERIFIER_RIGHT] = TALLY_RIGHT,
		[VERIFIER_WRONG] = TALLY_WRONG,
		[VERIFIER_SLOW] = TALLY_SLOWED,
		[VERIFIER_BUSY] = TALLY_BUSY,
		[VERIFIER_WAIT] = TALLY_BUSY,
	};

	count_add(&s->services->tally.logins[logins[result]], 1);
}

static enum who conclude(struct session *s, struct exchange *x,
	enum verifier_result result, enum route *out)
{
	count_login(s, result);
	switch (result) {
	case VERIFIER_RIGHT:
		if (!password_holds(s, s->login->user)) /* a reload since */
			return refuse(x, REASON_WRONG_PASSWORD, "", out);
		is_known(s, s->login->user, BY_PASSWORD);
		return WHO_KNOWN;
	case VERIFIER_WRONG:
		return refuse(x, REASON_WRONG_PASSWORD, "", out);
	case VERIFIER_SLOW:
		return refuse(x, REASON_LOGIN_SLOWED, "", out);
	case VERIFIER_BUSY:
	case VERIFIER_WAIT:
	default:
		return refuse(x, REASON_LOGIN_BUSY, "", out);
	}
}

static enum who verify(struct session *s, struct exchange *x,
	struct credentials *given, enum route *out)
{
	const struct htpasswd *users =
		s->services->snapshot->settings->htpasswd;
	struct login *login = login_of(s);
	enum verifier_result result;

	if (login->pending) /* of a request before, which waited too long */
		return refuse(x, REASON_LOGIN_BUSY, "", out);
	slice_text((struct slice){given->user, strlen(given->user)},
		login->user, sizeof(login->user));
	(void)htpasswd_digest(users, given->user, login->hash);
	result = verifier_ask(s->services->shared->verifier,
		s->services->snapshot->settings, &s->peer.any, given->user,
		given->password, session_now(s), &login->waiter);
	if (result != VERIFIER_WAIT)
		return conclude(s, x, result, out);
	login->pending = true;
	s->refs++;
	return WHO_WAIT;
}

static enum who by_password(struct session *s, struct exchange *x,
	struct slice value, enum route *out)
{
	struct credentials given;
	enum who who;

	is_known(s, NULL, BY_ADDRESS); /* who asked before does not count */
	if (!credentials_read(value, &given))
		return refuse(x, REASON_WRONG_PASSWORD,
			"Proxy-Authorization must be Basic", out);
	who = verify(s, x, &given, out);
	credentials_wipe(&given);
	return who;
}

/* goes_on: an answer came, or it takes too long. */
static enum who goes_on(struct session *s, struct exchange *x,
	enum route *out)
{
	struct login *login = s->login;

	if (login->pending && !s->timed_out)
		return WHO_WAIT;
	if (login->pending) {
		who_forget(s);
		return refuse(x, REASON_LOGIN_BUSY, "", out);
	}
	login->answered = false;
	return conclude(s, x, login->result, out);
}

/* --- whoever it is ------------------------------------------------------ */

static enum who by_place(struct session *s, struct exchange *x,
	enum route *out)
{
	const struct settings *settings = s->services->snapshot->settings;

	who_comes(s);
	if (s->certified && !certificate_holds(s)) {
		x->last = true; /* the next connection shows another */
		return refuse(x, REASON_USER_GONE, "", out);
	}
	if (s->user || !settings->config->users.required)
		return WHO_KNOWN;
	return refuse(x, settings->htpasswd ? REASON_USER_NEEDED :
		REASON_USER_UNKNOWN, "", out);
}

enum who who_asks(struct session *s, struct exchange *x,
	const struct head *head, enum route *out)
{
	const struct settings *settings = s->services->snapshot->settings;
	struct slice value = head_get(head, "Proxy-Authorization");

	if (!settings->config->users.given) {
		who_forget(s); /* of before a reload */
		who_comes(s);
		return WHO_KNOWN;
	}
	if (s->login && (s->login->answered ||
				(s->login->pending && !s->login->stale)))
		return goes_on(s, x, out);
	if (head_count(head, "Proxy-Authorization") > 1)
		return refuse(x, REASON_WRONG_PASSWORD,
			"Proxy-Authorization is there twice", out);
	if (value.at && settings->htpasswd)
		return by_password(s, x, value, out);
	return by_place(s, x, out);
}
