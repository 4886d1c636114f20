/*
 * handed.h - files that were opened for this process before it gave up the
 * right to open them.
 *
 * A proxy that was started as root carries connections as another user, who may
 * not reach what the configuration names. Whoever started it opens those files
 * and hands them over; here they are found again by their names.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_HANDED_H
#define PROXY_CONFIG_HANDED_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>

/* handed_put keeps fd for who opens path; error instead of an fd (below 0): why
 * it could not be opened. What was kept for path before is closed. */
void handed_put(const char *path, int fd, int error);

/* Between handed_begin and handed_end all is handed over anew: what is not, nobody
 * names any more, and it is closed. handed_end alone does nothing. */
void handed_begin(void);
void handed_end(void);

/* handed_set_folder says what the configuration's folder is called, which may
 * not be found out any more; handed_folder gives a copy, the caller's; NULL:
 * nobody has. */
void handed_set_folder(const char *folder);
char *handed_folder(void);

/* handed_set_state says which folder `state` is where the file has none: who
 * handed it over may be another user. handed_state gives a copy, the caller's;
 * NULL: nobody has. */
void handed_set_state(const char *folder);
char *handed_state(void);

/* handed_set_address says where clients find the proxy, "host:port": its sockets
 * were opened at the start, whatever the file has come to say since. handed_address
 * gives a copy, the caller's; NULL: nobody has. */
void handed_set_address(const char *address);
char *handed_address(void);

/* handed_over: somebody else has opened, and so looked at, what the
 * configuration names. */
bool handed_over(void);

/* handed_open gives a descriptor of the caller's own: of the file that was
 * handed over, or of path, opened with flags. -1 and errno. */
int handed_open(const char *path, int flags, unsigned mode);

/* handed_read reads a file whole, of at most max bytes; *out is the caller's,
 * NUL-ended. -1 and errno, HANDED_NO_FILE for what is neither a regular file nor
 * /dev/null: a pipe that nobody writes to would be empty without anybody having
 * said so. */
enum { HANDED_NO_FILE = ESPIPE };

int handed_read(const char *path, size_t max, char **out, size_t *out_len)
	__attribute__((warn_unused_result));

/* handed_why says what errno of handed_read means. */
const char *handed_why(int error);

/* handed_forget closes them all. */
void handed_forget(void);

#endif
