#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/net/buffer.h"
#include "proxy/net/tls_engine.h"
#include "proxy/session/tickets.h"
#include "tests/support/tls_test.h"

enum { HOUR = 3600 };

static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

/* The monotonic clock goes ahead by this much; tickets.c asks it. */
static time_t ahead_s;

int clock_gettime(clockid_t id, struct timespec *out)
{
	int result = (int)syscall(SYS_clock_gettime, id, out);

	if (id == CLOCK_MONOTONIC)
		out->tv_sec += ahead_s;
	return result;
}

/* The last session that the client was given. */
static SSL_SESSION *given; /* owned */

static int on_session(SSL *ssl, SSL_SESSION *session)
{
	(void)ssl;
	SSL_SESSION_free(given);
	given = session;
	return 1;
}

static SSL_CTX *client_ctx;

static SSL_CTX *server_ctx(struct tickets *tickets)
{
	SSL_CTX *ctx = tls_test_server_ctx();

	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	assert_true(SSL_CTX_set_session_id_context(ctx,
		(const uint8_t *)"one", 3));
	tickets_use(tickets, ctx);
	return ctx;
}

static void pass(struct buffer *from, struct tls_engine *to)
{
	struct buffer mine = *from;
	uint8_t plain[10];
	size_t len;

	*from = (struct buffer){0};
	tls_engine_give(to, buffer_len(&mine) ? buffer_at(&mine) : NULL,
		buffer_len(&mine));
	if (tls_engine_handshake(to) == TLS_OK)
		while (tls_engine_read(to, plain, sizeof(plain), &len) ==
			TLS_OK)
			;
	assert_int_equal(tls_engine_left(to), 0);
	buffer_clear(&mine);
}

/* shakes connects, with session unless it is NULL, and says whether the server
 * took it up. given is the session that comes of it, NULL if none does. */
static bool shakes(SSL_CTX *server, uint16_t version, SSL_SESSION *session)
{
	struct buffer to_server = {0}, to_client = {0};
	struct tls_engine client, ours;
	bool reused;

	tls_engine_init(&client, tls_test_ssl(client_ctx, 0, version),
		&to_server);
	tls_engine_init(&ours, tls_test_ssl(server, 1, version), &to_client);
	if (session)
		assert_true(SSL_set_session(client.ssl, session));
	SSL_SESSION_free(given);
	given = NULL;
	for (int i = 0; i < 4; i++) {
		pass(&to_client, &client);
		pass(&to_server, &ours);
	}
	assert_true(SSL_is_init_finished(client.ssl));
	assert_true(SSL_is_init_finished(ours.ssl));
	/* with TLS 1.3 tickets go out with the first data */
	assert_int_equal(tls_engine_write(&ours, (const uint8_t *)"x", 1),
		TLS_OK);
	pass(&to_client, &client);
	reused = SSL_session_reused(ours.ssl);
	tls_engine_clear(&client);
	tls_engine_clear(&ours);
	buffer_clear(&to_server);
	buffer_clear(&to_client);
	return reused;
}

static SSL_SESSION *get_session(SSL_CTX *server, uint16_t version)
{
	SSL_SESSION *session;

	assert_false(shakes(server, version, NULL));
	assert_non_null(given);
	session = given;
	given = NULL;
	return session;
}

static void opens_its_own(void **state)
{
	struct tickets *tickets = tickets_new();
	SSL_CTX *a = server_ctx(tickets), *b = server_ctx(tickets);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_SESSION *session = get_session(a, versions[i]);

		assert_true(shakes(a, versions[i], session));
		assert_true(shakes(b, versions[i], session)); /* shared */
		SSL_SESSION_free(session);
	}
	SSL_CTX_free(a);
	SSL_CTX_free(b);
	tickets_free(tickets);
}

static void opens_nobody_elses(void **state)
{
	struct tickets *mine = tickets_new(), *others = tickets_new();
	SSL_CTX *a = server_ctx(mine), *b = server_ctx(others);

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		SSL_SESSION *session = get_session(a, versions[i]);

		assert_false(shakes(b, versions[i], session));
		assert_non_null(given); /* and gives one of its own */
		assert_true(shakes(a, versions[i], session));
		SSL_SESSION_free(session);
	}
	SSL_CTX_free(a);
	SSL_CTX_free(b);
	tickets_free(mine);
	tickets_free(others);
}

static void what_was_changed_is_not_taken_up(void **state)
{
	struct tickets *tickets = tickets_new();
	SSL_CTX *ctx = server_ctx(tickets);
	static const size_t at[] = { 0, 15, 16, 40, SIZE_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		SSL_SESSION *session = get_session(ctx, TLS1_2_VERSION);
		uint8_t ticket[2000];
		const uint8_t *was;
		size_t len;

		SSL_SESSION_get0_ticket(session, &was, &len);
		assert_in_range(len, 16 + 16 + 32, sizeof(ticket));
		memcpy(ticket, was, len);
		assert_true(SSL_SESSION_set_ticket(session, ticket, len));
		assert_true(shakes(ctx, TLS1_2_VERSION, session));
		ticket[at[i] < len ? at[i] : len - 1] ^= 1;
		assert_true(SSL_SESSION_set_ticket(session, ticket, len));
		assert_false(shakes(ctx, TLS1_2_VERSION, session));
		SSL_SESSION_free(session);
	}
	SSL_CTX_free(ctx);
	tickets_free(tickets);
}

static void key_name(const SSL_SESSION *session, uint8_t out[16])
{
	const uint8_t *ticket;
	size_t len;

	SSL_SESSION_get0_ticket(session, &ticket, &len);
	assert_true(len >= 16);
	memcpy(out, ticket, 16);
}

static void keys_change(void **state)
{
	uint8_t first[16], second[16];

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct tickets *tickets = tickets_new();
		SSL_CTX *ctx = server_ctx(tickets);
		SSL_SESSION *old, *newer;

		old = get_session(ctx, versions[i]);
		key_name(old, first);
		ahead_s += 12 * HOUR - 60;
		assert_true(shakes(ctx, versions[i], old));
		newer = get_session(ctx, versions[i]);
		key_name(newer, second);
		assert_memory_equal(first, second, 16);
		SSL_SESSION_free(newer);
		ahead_s += 120; /* the old one is read, and renewed */
		assert_true(shakes(ctx, versions[i], old));
		assert_non_null(given);
		key_name(given, second);
		assert_memory_not_equal(first, second, 16);
		newer = given;
		given = NULL;
		ahead_s += 12 * HOUR;
		assert_true(shakes(ctx, versions[i], newer));
		assert_false(shakes(ctx, versions[i], old));
		SSL_SESSION_free(old);
		SSL_SESSION_free(newer);
		SSL_CTX_free(ctx);
		tickets_free(tickets);
		ahead_s = 0;
	}
}

/* A ticket lives a day at most, though nobody came by for longer. */
static void old_keys_do_not_outlive_a_quiet_day(void **state)
{
	struct tickets *tickets = tickets_new();
	SSL_CTX *ctx = server_ctx(tickets);
	SSL_SESSION *session = get_session(ctx, TLS1_3_VERSION);

	(void)state;
	ahead_s = 25 * HOUR;
	assert_false(shakes(ctx, TLS1_3_VERSION, session));
	ahead_s = 0;
	SSL_SESSION_free(session);
	SSL_CTX_free(ctx);
	tickets_free(tickets);
}

static void free_takes_nothing(void **state)
{
	(void)state;
	tickets_free(NULL);
}

static int begin(void **state)
{
	(void)state;
	client_ctx = tls_test_client_ctx();
	SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT |
		SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(client_ctx, on_session);
	return 0;
}

static int finish(void **state)
{
	(void)state;
	SSL_SESSION_free(given);
	SSL_CTX_free(client_ctx);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(opens_its_own),
		cmocka_unit_test(opens_nobody_elses),
		cmocka_unit_test(what_was_changed_is_not_taken_up),
		cmocka_unit_test(keys_change),
		cmocka_unit_test(old_keys_do_not_outlive_a_quiet_day),
		cmocka_unit_test(free_takes_nothing),
	};

	return cmocka_run_group_tests(tests, begin, finish);
}
