/*
 * explain_inquiry.h - what `sallyport explain` is asked, taken apart.
 *
 * A URL as a person writes it ("github.com/x" is https://github.com/x), and who
 * would ask for it, from where, how and when.
 *
 * Owns:    all it holds but for user and user agent, which are argv's.
 * Threads: the main one.
 * Errors:  -1 with a sentence in err: what is wrong and what would be right.
 */
#ifndef PROXY_CLI_EXPLAIN_INQUIRY_H
#define PROXY_CLI_EXPLAIN_INQUIRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <time.h>

#include "policy/facts.h"
#include "policy/host.h"
#include "policy/path.h"
#include "proxy/net/resolve.h"

enum { INQUIRY_URL_MAX = 8192, INQUIRY_ADDRESSES = RESOLVE_MAX };

/* The options as they are given; NULL: not given. */
struct inquiry_words {
	const char *url, *user, *from, *method, *user_agent, *to, *sni, *at,
		*certificate;
};

struct inquiry {
	bool https;
	char host[HOST_SIZE];      /* normalized */
	bool host_is_address;
	uint16_t port;
	char *url;                 /* owned: in one spelling, with its query */
	char *exact, *lax;         /* owned: two readings of its path (path.h) */
	struct path_readings readings; /* all of them */
	char sni[HOST_SIZE];       /* another than host; "": none other */
	char method[32];
	const char *user;          /* borrowed; NULL: not given */
	const char *user_agent;    /* borrowed; NULL: none */
	bool has_from;
	struct sockaddr_storage from;
	/* What the host resolves to, where it was given or has been asked. */
	struct sockaddr_storage to[INQUIRY_ADDRESSES];
	size_t num_to;
	enum certificate certificate; /* CERTIFICATE_UNKNOWN: not given */
	time_t now;
};

/* inquiry_read makes out of words; out is to be cleared whatever the result. */
int inquiry_read(const struct inquiry_words *words, struct inquiry *out,
	char *err, size_t err_size) __attribute__((warn_unused_result));
void inquiry_clear(struct inquiry *inquiry);

/* inquiry_path is a reading of a path fit to be shown, the caller's to free:
 * blanks and what is not ASCII percent-encoded. */
char *inquiry_path(const char *reading);

/* inquiry_time reads "2026-11-30 12:00", in UTC, or with an offset behind it:
 * "2026-11-30 12:00 +01:00". */
int inquiry_time(const char *text, time_t *out)
	__attribute__((warn_unused_result));

#endif
