/*
 * zones.h - the time zone that a rule names.
 *
 * "local" is that of the environment's TZ, as tzset(3) has it, but of files of
 * tzdata alone; else, and where that is no zone, the machine's: /etc/localtime, and
 * UTC where that is not there, as localtime(5) has it. Other names are files of
 * tzdata, and never of another folder; "UTC" and offsets need none.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_ZONES_H
#define PROXY_CONFIG_ZONES_H

#include <stddef.h>

struct zone;

#define ZONES_FOLDER "/usr/share/zoneinfo"

/* zones_open gives the zone called name, the caller's, of the files in folder.
 * NULL: err says what is wrong and what to do. */
struct zone *zones_open(const char *folder, const char *name, char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
