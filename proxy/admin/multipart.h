/*
 * multipart.h - the file in a form (multipart/form-data, RFC 7578).
 *
 *	--BOUNDARY
 *	Content-Disposition: form-data; name="fileUpload"; filename="ca.pem"
 *
 *	-----BEGIN CERTIFICATE----- …
 *	--BOUNDARY--
 *
 * Only the part that is asked for is looked at; the others are passed over,
 * but have to be well-formed. Nothing is copied: what is found points into the
 * body.
 *
 * Threads: any.
 * Errors:  -1 and a sentence for each way in which a form can be broken.
 */
#ifndef PROXY_ADMIN_MULTIPART_H
#define PROXY_ADMIN_MULTIPART_H

#include "proxy/http/message.h"

enum {
	MULTIPART_PARTS_MAX = 32,
	MULTIPART_HEAD_MAX = 4096,    /* of a part */
	MULTIPART_BOUNDARY_MAX = 70,  /* RFC 2046, 5.1.1 */
};

struct multipart_file {
	struct slice bytes;
	struct slice name;            /* the file's; as it was sent */
	bool has_name;
};

/* multipart_find: MULTIPART_OTHER, the body is of another type. */
enum { MULTIPART_OTHER = 1 };
int multipart_find(struct slice content_type, struct slice body,
	const char *part, struct multipart_file *out, char *err,
	size_t err_size) __attribute__((warn_unused_result));

#endif
