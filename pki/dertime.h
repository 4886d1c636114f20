/*
 * dertime.h - the times of certificates (RFC 5280, 4.1.2.5): UTCTime until
 * 2049, GeneralizedTime from 2050, always to the second and in Z.
 *
 * Threads: any.
 */
#ifndef PKI_DERTIME_H
#define PKI_DERTIME_H

#include <time.h>

#include "pki/base.h"

enum { DERTIME_TEXT = 32 };

/* dertime_read takes one time of either kind from in; any other form than
 * RFC 5280's is -1. */
int dertime_read(CBS *in, time_t *out) MUST_CHECK;

/* dertime_write adds the right kind for the year (0 to 9999). */
bool dertime_write(CBB *out, time_t at) MUST_CHECK;

/* dertime_text writes "2026-08-01 12:00:00 UTC"; returns out. */
const char *dertime_text(time_t at, char out[DERTIME_TEXT]);

#endif
