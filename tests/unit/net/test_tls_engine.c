#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/net/tls_engine.h"
#include "tests/support/tls_test.h"

/* Two engines; each writes to a wire that the other reads. */
struct end {
	struct tls_engine tls;
	struct buffer out; /* what it says */
	bool secure;
};

struct pair {
	SSL_CTX *client_ctx, *server_ctx;
	struct end client, server;
	size_t piece; /* bytes given at a time */
};

static const uint16_t versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };
static const size_t pieces[] = { 1, 7, 100000 };

static void open_pair(struct pair *pair, uint16_t version, size_t piece)
{
	memset(pair, 0, sizeof(*pair));
	pair->piece = piece;
	pair->client_ctx = tls_test_client_ctx();
	pair->server_ctx = tls_test_server_ctx();
	tls_engine_init(&pair->client.tls,
		tls_test_ssl(pair->client_ctx, 0, version), &pair->client.out);
	tls_engine_init(&pair->server.tls,
		tls_test_ssl(pair->server_ctx, 1, version), &pair->server.out);
}

static void close_pair(struct pair *pair)
{
	tls_engine_clear(&pair->client.tls);
	tls_engine_clear(&pair->server.tls);
	buffer_clear(&pair->client.out);
	buffer_clear(&pair->server.out);
	SSL_CTX_free(pair->client_ctx);
	SSL_CTX_free(pair->server_ctx);
}

/* shake gives to what from has said, and goes on with its handshake. */
static enum tls_result shake(struct pair *pair, struct end *from,
	struct end *to)
{
	enum tls_result result = TLS_MORE;
	struct buffer *wire = &from->out;
	size_t n;

	if (buffer_len(wire) == 0)
		return tls_engine_handshake(&to->tls);
	while (result == TLS_MORE && buffer_len(wire) > 0) {
		n = buffer_len(wire) < pair->piece ? buffer_len(wire) :
						     pair->piece;
		tls_engine_give(&to->tls, buffer_at(wire), n);
		result = tls_engine_handshake(&to->tls);
		buffer_eat(wire, n - tls_engine_left(&to->tls));
	}
	return result;
}

static void shake_hands(struct pair *pair)
{
	enum tls_result result;

	for (int i = 0; i < 10; i++) {
		result = shake(pair, &pair->server, &pair->client);
		assert_true(result == TLS_OK || result == TLS_MORE);
		pair->client.secure = result == TLS_OK;
		if (pair->client.secure && pair->server.secure)
			return;
		result = shake(pair, &pair->client, &pair->server);
		assert_true(result == TLS_OK || result == TLS_MORE);
		pair->server.secure = result == TLS_OK;
	}
	fail_msg("no end of the handshake");
}

/* hear decrypts what from said, at most max bytes of it. */
static enum tls_result hear(struct pair *pair, struct end *from,
	struct end *to, struct buffer *heard)
{
	struct buffer *wire = &from->out;
	enum tls_result result;
	uint8_t plain[1000];
	size_t n, len;

	do {
		n = buffer_len(wire) < pair->piece ? buffer_len(wire) :
						     pair->piece;
		tls_engine_give(&to->tls, n ? buffer_at(wire) : NULL, n);
		do {
			result = tls_engine_read(&to->tls, plain,
				sizeof(plain), &len);
			buffer_add(heard, plain, len);
		} while (result == TLS_OK);
		assert_int_equal(len, 0);
		buffer_eat(wire, n - tls_engine_left(&to->tls));
	} while (result == TLS_MORE && buffer_len(wire) > 0);
	return result;
}

static void say(struct pair *pair, struct end *from, struct end *to,
	size_t len)
{
	uint8_t *said = malloc(len);
	struct buffer heard = {0};

	assert_non_null(said);
	for (size_t i = 0; i < len; i++)
		said[i] = (uint8_t)(i * 7 + i / 251);
	assert_int_equal(tls_engine_write(&from->tls, said, len), TLS_OK);
	assert_int_equal(hear(pair, from, to, &heard), TLS_MORE);
	assert_int_equal(buffer_len(&heard), len);
	assert_memory_equal(buffer_at(&heard), said, len);
	buffer_clear(&heard);
	free(said);
}

static void talk_however_cut(void **state)
{
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		open_pair(&pair, versions[i % 2], pieces[i / 2]);
		shake_hands(&pair);
		say(&pair, &pair.client, &pair.server, 1);
		say(&pair, &pair.server, &pair.client, 5);
		say(&pair, &pair.client, &pair.server, 16384);
		say(&pair, &pair.server, &pair.client, 50000);
		assert_false(pair.client.tls.failed || pair.server.tls.failed);
		close_pair(&pair);
	}
}

/* The client has spoken before it is asked for; both in one piece. */
static void data_may_come_with_the_last_of_the_handshake(void **state)
{
	struct buffer heard = {0};
	struct pair pair;

	(void)state;
	open_pair(&pair, TLS1_3_VERSION, 100000);
	assert_int_equal(shake(&pair, &pair.server, &pair.client), TLS_MORE);
	assert_int_equal(shake(&pair, &pair.client, &pair.server), TLS_MORE);
	assert_int_equal(shake(&pair, &pair.server, &pair.client), TLS_OK);
	assert_int_equal(tls_engine_write(&pair.client.tls,
		(const uint8_t *)"hello", 5), TLS_OK);
	assert_int_equal(shake(&pair, &pair.client, &pair.server), TLS_OK);
	assert_true(buffer_len(&pair.client.out) > 0); /* left, not lost */
	assert_int_equal(hear(&pair, &pair.client, &pair.server, &heard),
		TLS_MORE);
	assert_int_equal(buffer_len(&heard), 5);
	buffer_clear(&heard);
	close_pair(&pair);
}

static void close_notify_is_an_end(void **state)
{
	struct buffer heard = {0};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < 6; i++) {
		open_pair(&pair, versions[i % 2], pieces[i / 2]);
		shake_hands(&pair);
		assert_int_equal(tls_engine_write(&pair.client.tls,
			(const uint8_t *)"bye", 3), TLS_OK);
		tls_engine_close(&pair.client.tls);
		assert_int_equal(hear(&pair, &pair.client, &pair.server,
			&heard), TLS_CLOSED);
		assert_int_equal(buffer_len(&heard), 3);
		buffer_clear(&heard);
		assert_int_equal(hear(&pair, &pair.client, &pair.server,
			&heard), TLS_CLOSED);
		/* the other way it still speaks */
		say(&pair, &pair.server, &pair.client, 5000);
		assert_false(pair.server.tls.failed);
		close_pair(&pair);
	}
}

static void closing_before_the_handshake_says_nothing(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, 0, 1);
	tls_engine_close(&pair.server.tls);
	tls_engine_close(&pair.client.tls);
	assert_int_equal(buffer_len(&pair.server.out), 0);
	assert_int_equal(buffer_len(&pair.client.out), 0);
	close_pair(&pair);
}

static void garbage_fails_for_good(void **state)
{
	static const uint8_t garbage[] = "GET / HTTP/1.1\r\n\r\n";
	struct pair pair;
	uint8_t plain[10];
	size_t len = 7;

	(void)state;
	open_pair(&pair, 0, 1);
	tls_engine_give(&pair.server.tls, garbage, sizeof(garbage));
	assert_int_equal(tls_engine_handshake(&pair.server.tls), TLS_FAILED);
	(void)tls_engine_left(&pair.server.tls);
	assert_true(pair.server.tls.failed);
	assert_true(strlen(pair.server.tls.why) > 0);
	assert_int_equal(pair.server.tls.alert, -1);
	(void)shake(&pair, &pair.server, &pair.client);
	assert_int_equal(tls_engine_handshake(&pair.server.tls), TLS_FAILED);
	assert_int_equal(tls_engine_read(&pair.server.tls, plain,
		sizeof(plain), &len), TLS_FAILED);
	assert_int_equal(len, 0);
	assert_int_equal(tls_engine_write(&pair.server.tls, plain, 1),
		TLS_FAILED);
	tls_engine_close(&pair.server.tls);
	close_pair(&pair);
}

static void a_changed_record_fails(void **state)
{
	struct buffer heard = {0};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_pair(&pair, versions[i], 100000);
		shake_hands(&pair);
		say(&pair, &pair.server, &pair.client, 1); /* and tickets */
		assert_int_equal(tls_engine_write(&pair.client.tls,
			(const uint8_t *)"hello", 5), TLS_OK);
		pair.client.out.data[pair.client.out.end - 1] ^= 1;
		assert_int_equal(hear(&pair, &pair.client, &pair.server,
			&heard), TLS_FAILED);
		assert_int_equal(buffer_len(&heard), 0);
		assert_non_null(strstr(pair.server.tls.why, "DECRYPT"));
		/* it says so, and the client keeps what it says */
		assert_int_equal(hear(&pair, &pair.server, &pair.client,
			&heard), TLS_FAILED);
		assert_int_equal(pair.client.tls.alert,
			SSL_AD_BAD_RECORD_MAC);
		close_pair(&pair);
	}
}

static enum ssl_verify_result_t disbelieve(SSL *ssl, uint8_t *out_alert)
{
	(void)ssl;
	*out_alert = SSL_AD_UNKNOWN_CA;
	return ssl_verify_invalid;
}

/* What a client says that does not know our root. */
static void keeps_the_peers_alert(void **state)
{
	enum tls_result result = TLS_MORE;
	struct buffer heard = {0};
	struct pair pair;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		open_pair(&pair, versions[i], 100000);
		SSL_set_custom_verify(pair.client.tls.ssl, SSL_VERIFY_PEER,
			disbelieve);
		for (int k = 0; k < 5 && result == TLS_MORE; k++) {
			result = shake(&pair, &pair.server, &pair.client);
			if (result == TLS_MORE)
				(void)shake(&pair, &pair.client,
					&pair.server);
		}
		assert_int_equal(result, TLS_FAILED);
		assert_int_equal(pair.client.tls.alert, -1);
		result = shake(&pair, &pair.client, &pair.server);
		assert_int_equal(result, TLS_FAILED);
		assert_int_equal(pair.server.tls.alert, SSL_AD_UNKNOWN_CA);
		assert_true(strlen(pair.server.tls.why) > 0);
		result = TLS_MORE;
		buffer_clear(&heard);
		close_pair(&pair);
	}
}

static void nothing_in_common_fails(void **state)
{
	struct pair pair;

	(void)state;
	open_pair(&pair, TLS1_2_VERSION, 100000);
	assert_true(SSL_set_max_proto_version(pair.server.tls.ssl,
		TLS1_3_VERSION));
	assert_true(SSL_set_min_proto_version(pair.server.tls.ssl,
		TLS1_3_VERSION));
	(void)shake(&pair, &pair.server, &pair.client);
	assert_int_equal(shake(&pair, &pair.client, &pair.server), TLS_FAILED);
	assert_int_equal(shake(&pair, &pair.server, &pair.client), TLS_FAILED);
	assert_int_equal(pair.client.tls.alert, SSL_AD_PROTOCOL_VERSION);
	close_pair(&pair);
}

/* Between calls the engine holds none of the lent bytes. */
static void the_loan_ends(void **state)
{
	uint8_t bytes[3] = { 0x16, 3, 1 };
	struct pair pair;

	(void)state;
	open_pair(&pair, 0, 1);
	tls_engine_give(&pair.server.tls, bytes, sizeof(bytes));
	assert_int_equal(tls_engine_handshake(&pair.server.tls), TLS_MORE);
	assert_int_equal(tls_engine_left(&pair.server.tls), 0);
	assert_null(pair.server.tls.in);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(tls_engine_handshake(&pair.server.tls), TLS_MORE);
	tls_engine_give(&pair.server.tls, bytes, sizeof(bytes));
	assert_int_equal(tls_engine_left(&pair.server.tls), 3);
	close_pair(&pair);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(talk_however_cut),
		cmocka_unit_test(
			data_may_come_with_the_last_of_the_handshake),
		cmocka_unit_test(close_notify_is_an_end),
		cmocka_unit_test(closing_before_the_handshake_says_nothing),
		cmocka_unit_test(garbage_fails_for_good),
		cmocka_unit_test(a_changed_record_fails),
		cmocka_unit_test(keeps_the_peers_alert),
		cmocka_unit_test(nothing_in_common_fails),
		cmocka_unit_test(the_loan_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
