#include "proxy/cli/reply.h"

#include "proxy/http/h1_in.h"

enum reply_is reply_heed(struct h1_in *in, const char *at, const char *end,
	UT_string *body, size_t most, unsigned *status)
{
	for (;;) {
		struct slice piece;

		switch (h1_in_next(in, &at, end)) {
		case H1_HEAD:
			*status = head_status(h1_in_head(in));
			break;
		case H1_BODY:
			piece = h1_in_body(in);
			if (utstring_len(body) + piece.len > most)
				return REPLY_SENSELESS;
			utstring_bincpy(body, piece.at, piece.len);
			break;
		case H1_END:
			return REPLY_WHOLE;
		case H1_MORE:
			return REPLY_MORE;
		case H1_FAILED:
		default:
			return REPLY_SENSELESS;
		}
	}
}
