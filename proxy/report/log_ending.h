/*
 * log_ending.h - how a file of the access log ends, before more is added to it.
 *
 * A file outlives the process that writes it: the format may be another one since,
 * or the columns those of another version, and whoever wrote last may have been
 * killed within a line.
 *
 * Owns:    nothing. Threads: any.
 * Errors:  of a file that may be written but not read nothing is known; it is taken
 *          to end as it should.
 */
#ifndef PROXY_REPORT_LOG_ENDING_H
#define PROXY_REPORT_LOG_ENDING_H

#include "proxy/report/log_line.h"

struct log_ending {
	bool cut;    /* its last line has no end */
	bool titled; /* what would be added in that form needs no headings */
};

/* log_ending_of reads the end, and at most a bit more, of the regular file fd is
 * of, which is not empty. */
struct log_ending log_ending_of(int fd, enum log_form form);

/* log_ending_mend writes what is wanting there: for who can read the file, before
 * somebody gets it who can't. */
void log_ending_mend(int fd, enum log_form form);

#endif
