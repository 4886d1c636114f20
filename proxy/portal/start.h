/*
 * start.h - the page at /: what this is, and how to live with it.
 *
 * Threads: any.
 */
#ifndef PROXY_PORTAL_START_H
#define PROXY_PORTAL_START_H

#include "proxy/portal/anchor.h"

void start_page(UT_string *out, const struct portal_request *request,
	const struct anchor *root);

#endif
