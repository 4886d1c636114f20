/*
 * reason.h - the one list of what can go wrong; see reasons.def.
 *
 * It gives the words of the access log, the statuses, the pages and the
 * fields Sallyport-Error and Proxy-Status.
 *
 * Threads: any.
 */
#ifndef PROXY_REPORT_REASON_H
#define PROXY_REPORT_REASON_H

enum reason {
#define REASON(name, word, status, proxy_error, action, sentence, advice) \
	REASON_##name,
#include "proxy/report/reasons.def"
#undef REASON
	REASON_COUNT
};

const char *reason_word(enum reason reason);
unsigned reason_status(enum reason reason);
const char *reason_proxy_error(enum reason reason); /* "": none */
const char *reason_action(enum reason reason);
const char *reason_sentence(enum reason reason);
const char *reason_advice(enum reason reason);

#endif
