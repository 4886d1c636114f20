/*
 * intern.h - words that live as long as the process.
 *
 * A decision outlives the configuration that it was made by, and names a CA;
 * there are few such names.
 *
 * Threads: any.
 */
#ifndef PROXY_CONFIG_INTERN_H
#define PROXY_CONFIG_INTERN_H

/* intern gives the one copy of text; NULL for NULL. */
const char *intern(const char *text);

#endif
