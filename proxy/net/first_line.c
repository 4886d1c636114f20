#include "proxy/net/first_line.h"

enum { MISSED = UINT8_MAX };

bool first_line_blank(uint8_t c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1c && c <= 0x1f);
}

/* any_blank: of Latin 1, as Python's str.split() has it. */
static bool any_blank(uint8_t c)
{
	return first_line_blank(c) || c == 0x85 || c == 0xa0;
}

static bool is_control(uint8_t c)
{
	return c < ' ' || c == 0x7f;
}

static uint8_t capital(uint8_t c)
{
	return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

/* more: how much of word there is with c behind so much of it; MISSED: another. */
static uint8_t more(uint8_t so_far, const char *word, uint8_t c)
{
	if (so_far == MISSED || c != (uint8_t)word[so_far])
		return MISSED;
	return (uint8_t)(so_far + 1);
}

static void read_target(struct first_line_words *words, uint8_t c)
{
	if (is_control(c))
		words->path = false;
	if (words->scheme == 3)
		return;
	words->scheme = more(words->scheme, "://", c);
	if (words->scheme == MISSED)
		words->scheme = c == ':';
}

/* read_word takes a byte of one. */
static void read_word(struct first_line_words *words, uint8_t c)
{
	bool begins = words->num == 0 || words->between;

	words->between = false;
	words->num += begins;
	if (words->num == 1)
		words->get = words->get == 3 ? MISSED :
					       more(words->get, "GET", c);
	if (words->num == 2 && begins)
		words->path = c == '/';
	if (words->num == 2)
		read_target(words, c);
	if (words->num == 3)
		words->version = more(words->version, "HTTP/", capital(c));
	/* nothing more can make a request of it */
	words->over = words->num > 3 || words->version == MISSED;
}

/* by_space: true: a request. */
static bool by_space(struct first_line_words *words, uint8_t c)
{
	uint8_t last = words->last;

	words->last = c;
	if (c == '\n' && last == '\r') {
		words->over = true;
		return false;
	}
	if (c != ' ') {
		read_word(words, c);
		return words->version == 5;
	}
	if (words->between)
		return false;
	words->between = true;
	return words->num == 2 && (words->path || words->scheme == 3);
}

static bool by_blank(struct first_line_words *words, uint8_t c)
{
	if (c == '\n') {
		words->over = true;
		return words->num == 2 && words->get == 3;
	}
	if (any_blank(c)) {
		words->between = true;
		return false;
	}
	read_word(words, c);
	return words->version == 5;
}

static bool read_by(bool (*by)(struct first_line_words *words, uint8_t c),
	struct first_line_words *words, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len && !words->over; i++) {
		if (words->num == 0 && first_line_blank(data[i]))
			continue;
		if (by(words, data[i]))
			return true;
	}
	return false;
}

enum first_line_is first_line_read(struct first_line *line,
	const uint8_t *data, size_t len)
{
	if (read_by(by_space, &line->by_space, data, len) ||
	    read_by(by_blank, &line->by_blank, data, len))
		return FIRST_LINE_REQUEST;
	return line->by_space.over && line->by_blank.over ? FIRST_LINE_NONE :
							    FIRST_LINE_OPEN;
}
