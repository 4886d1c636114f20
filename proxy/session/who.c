/* who.c - who asks: by password, by certificate, by address. */
#include <stdlib.h>
#include <string.h>

#include "proxy/config/htpasswd.h"
#include "proxy/session/credentials.h"
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
};

void who_comes(struct session *s)
{
	const struct config *config = session_config(s);

	if (!config->users.given)
		return;
	words_set(&s->user, s->certified ? s->certified :
		config_user_at(config, &s->peer.any));
	s->by_password = false;
}

bool who_is_gone(const struct session *s)
{
	const struct htpasswd *users =
		s->services->snapshot->settings->htpasswd;

	return s->user && s->by_password && session_config(s)->users.given &&
		(!users || !htpasswd_hash(users, s->user));
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

static enum who conclude(struct session *s, struct exchange *x,
	enum verifier_result result, enum route *out)
{
	switch (result) {
	case VERIFIER_RIGHT:
		words_set(&s->user, s->login->user);
		s->by_password = true;
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
	struct login *login = login_of(s);
	enum verifier_result result;

	if (login->pending) /* of a request before, which waited too long */
		return refuse(x, REASON_LOGIN_BUSY, "", out);
	slice_text((struct slice){given->user, strlen(given->user)},
		login->user, sizeof(login->user));
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

	words_clear(&s->user); /* of a request before */
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

	if (!settings->config->users.given)
		return WHO_KNOWN;
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
