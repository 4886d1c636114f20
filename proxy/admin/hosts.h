/*
 * hosts.h - by which names the admin listener may be called.
 *
 * A page of somebody else's, whose name is made to lead here (DNS rebinding),
 * brings that name in its Host field: only our own addresses, this machine's
 * name, localhost and sallyport.internal are answered.
 *
 * Threads: any.
 */
#ifndef PROXY_ADMIN_HOSTS_H
#define PROXY_ADMIN_HOSTS_H

#include "proxy/http/message.h"

/* hosts_know: field is a Host header's value; self the address of our end of
 * the connection, "127.0.0.1:8081". */
bool hosts_know(struct slice field, const char *self);

/* hosts_name takes the port off, and brackets; lower case. False: too long. */
bool hosts_name(struct slice field, char *out, size_t size);

#endif
