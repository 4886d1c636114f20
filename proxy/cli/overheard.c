#include "proxy/cli/overheard.h"

#include <string.h>
#include <strings.h>

enum {
	HANDSHAKE = 22, DATA = 23, /* types of records */
	KEY_EXCHANGE = 16,         /* what begins one */
	/* In TLS 1.3, with type and tag, a digest of 32 bytes at the least. */
	FINISHED_LEN = 4 + 32 + 1 + 16,
	/* Likewise; Java pads it with 16 bytes. */
	ALERT_LEN = 2 + 16 + 1 + 16,
};

static void reach(struct overheard *heard, enum overheard_step step)
{
	if (heard->step < step)
		heard->step = step;
}

/* --- heads -------------------------------------------------------------- */

static void end_head(struct overheard *heard, const char *canary)
{
	static const char method[] = "CONNECT ";
	const size_t before = sizeof(method) - 1, len = strlen(canary);

	if (heard->line_len > before + len &&
	    memcmp(heard->line, method, before) == 0 &&
	    strncasecmp(heard->line + before, canary, len) == 0 &&
	    heard->line[before + len] == ' ')
		reach(heard, OVERHEARD_CONNECT);
	else
		reach(heard, OVERHEARD_ELSEWHERE);
	heard->at = OVERHEARD_FIRST;
}

static void take_head(struct overheard *heard, const char *canary, uint8_t c)
{
	static const char end[] = "\r\n\r\n";

	if (heard->line_len < sizeof(heard->line))
		heard->line[heard->line_len++] = (char)c;
	heard->ends = c == (uint8_t)end[heard->ends] ? heard->ends + 1 :
		c == '\r';
	if (heard->ends == sizeof(end) - 1)
		end_head(heard, canary);
}

/* --- records ------------------------------------------------------------ */

/* take_data: in TLS 1.3 all that is secret looks like data. */
static void take_data(struct overheard *heard, size_t len)
{
	if (!heard->old && !heard->finished)
		heard->finished = len >= FINISHED_LEN;
	else if (heard->old || len > ALERT_LEN)
		reach(heard, OVERHEARD_REQUEST);
}

static void take_record(struct overheard *heard)
{
	size_t len = (size_t)(heard->record[3] << 8 | heard->record[4]);

	heard->left = len;
	heard->record_len = 0;
	heard->at = len > 0 ? OVERHEARD_BODY : OVERHEARD_RECORD;
	if (heard->record[0] == HANDSHAKE)
		reach(heard, OVERHEARD_TLS);
	if (heard->record[0] == DATA)
		take_data(heard, len);
	heard->first = true;
}

/* take_body skips what it can't read, but for its first byte. */
static size_t take_body(struct overheard *heard, const uint8_t *at, size_t len)
{
	size_t num = len < heard->left ? len : heard->left;

	if (heard->first && heard->record[0] == HANDSHAKE &&
	    at[0] == KEY_EXCHANGE)
		heard->old = true;
	heard->first = false;
	heard->left -= num;
	if (heard->left == 0)
		heard->at = OVERHEARD_RECORD;
	return num;
}

static void take_record_head(struct overheard *heard, uint8_t c)
{
	heard->record[heard->record_len++] = c;
	if (heard->record_len == sizeof(heard->record))
		take_record(heard);
}

/* --- both --------------------------------------------------------------- */

/* begin: a head begins with a letter, and TLS with a byte that is none. One that was told
 * to log in sends another head. */
static void begin(struct overheard *heard, uint8_t c)
{
	heard->line_len = heard->record_len = heard->ends = 0;
	heard->at = c < ' ' ? OVERHEARD_RECORD : OVERHEARD_HEAD;
}

void overheard_feed(struct overheard *heard, const char *canary,
	const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len;) {
		if (heard->at == OVERHEARD_FIRST)
			begin(heard, at[i]);
		if (heard->at == OVERHEARD_HEAD) {
			take_head(heard, canary, at[i++]);
		} else if (heard->at == OVERHEARD_RECORD) {
			take_record_head(heard, at[i++]);
		} else {
			i += take_body(heard, at + i, len - i);
		}
	}
}
