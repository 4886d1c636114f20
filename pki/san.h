/*
 * san.h - subject alternative names (RFC 5280, 4.2.1.6): which of an origin's
 * may stand in a forged leaf, and which fit the name asked for (RFC 9525, 6).
 *
 * Only dNSName and iPAddress count, and of these only the well-formed.
 *
 * Threads: any.
 */
#ifndef PKI_SAN_H
#define PKI_SAN_H

#include "pki/base.h"

enum { SAN_MAX = 16 * 1024 }; /* bytes of SAN that a leaf carries */

struct san_name {
	const uint8_t *at; /* borrowed, but for addresses read from text */
	size_t len;
	bool is_address;   /* 4 or 16 bytes; else letters */
	uint8_t bytes[16];
};

/* san_name_read reads a normalized name or address; false: neither. */
bool san_name_read(const char *text, struct san_name *out);

/* san_next gives the next well-formed dNSName or iPAddress of list (what is
 * in the SEQUENCE), passing over all else; false at the end. */
bool san_next(CBS *list, struct san_name *out);

/* san_covers: does any name of the extension's value fit? A wildcard is the
 * whole left-most label and stands for exactly one, over at least two more. */
bool san_covers(struct der san, const char *name);

/* san_plain: nothing is in the extension's value but what may stand in a leaf,
 * of at most SAN_MAX bytes. */
bool san_plain(struct der san);

/* san_write_one writes the value with name alone, san_write_copy with what is
 * fit to be copied of origin: all in their order while that takes no more
 * than SAN_MAX; beyond it, the one that fits name and as many more as go in.
 * Where nothing is fit, name alone. */
bool san_write_one(CBB *out, const char *name) MUST_CHECK;
bool san_write_copy(CBB *out, struct der origin, const char *name) MUST_CHECK;

#endif
