#include "proxy/report/reason.h"

static const struct row {
	const char *word;
	unsigned status;
	const char *proxy_error, *action, *sentence, *advice;
} rows[] = {
#define REASON(name, word, status, proxy_error, action, sentence, advice) \
	[REASON_##name] = {word, status, proxy_error, action, sentence, advice},
#include "proxy/report/reasons.def"
#undef REASON
};

const char *reason_word(enum reason reason)
{
	return rows[reason].word;
}

unsigned reason_status(enum reason reason)
{
	return rows[reason].status;
}

const char *reason_proxy_error(enum reason reason)
{
	return rows[reason].proxy_error;
}

const char *reason_action(enum reason reason)
{
	return rows[reason].action;
}

const char *reason_sentence(enum reason reason)
{
	return rows[reason].sentence;
}

const char *reason_advice(enum reason reason)
{
	return rows[reason].advice;
}
