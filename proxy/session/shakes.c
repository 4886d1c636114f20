#include "proxy/session/shakes.h"

#include <openssl/ssl.h>

static enum tally_tls version_of(const struct stream *stream)
{
	if (!stream->secure)
		return TALLY_NO_TLS;
	return SSL_version(stream->tls.ssl) == TLS1_3_VERSION ? TALLY_TLS_1_3 :
								TALLY_TLS_1_2;
}

/* how it ended, on a stream where nobody gave up. */
static enum tally_shake how(const struct stream *stream)
{
	if (stream->secure)
		return SSL_session_reused(stream->tls.ssl) ? TALLY_RESUMED :
							     TALLY_FULL;
	if (stream->error != STREAM_TLS)
		return TALLY_CLOSED;
	return stream->tls.alert >= 0 ? TALLY_ALERT : TALLY_ERROR;
}

void shakes_client(struct tally *tally, const struct stream *stream,
	enum tally_to to, bool timed_out, uint64_t since_ms)
{
	enum tally_shake shake = how(stream);

	if (timed_out && shake == TALLY_CLOSED)
		shake = TALLY_TIMEOUT;
	count_add(&tally->client_shakes[to][shake][version_of(stream)], 1);
	if (stream->secure)
		times_add(&tally->client_shake,
			loop_now(stream->loop) - since_ms);
}

void shakes_origin(struct tally *tally, const struct stream *stream,
	bool refused, bool abandoned)
{
	enum tally_shake shake = how(stream);

	if (refused)
		shake = TALLY_ERROR;
	else if (abandoned)
		shake = TALLY_ABANDONED;
	count_add(&tally->origin_shakes[shake][version_of(stream)], 1);
}
