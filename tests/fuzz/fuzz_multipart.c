/*
 * fuzz_multipart.c - any bytes as a form: the first line is its Content-Type.
 *
 * Targets: multipart_find. What is found lies inside the body; what is not has
 * a sentence.
 */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/admin/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool inside(struct slice part, struct slice whole)
{
	return part.len == 0 || (part.at >= whole.at &&
		part.at + part.len <= whole.at + whole.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice all = {(const char *)data, size}, type = all, body = all;
	const char *end = size > 0 ? memchr(data, '\n', size) : NULL;
	struct multipart_file file;
	char err[128] = "";
	int result;

	if (end) {
		type.len = (size_t)(end - all.at);
		body.at = end + 1;
		body.len = size - type.len - 1;
	}
	result = multipart_find(type, body, "fileUpload", &file, err,
		sizeof(err));
	assert(result == 0 || result == MULTIPART_OTHER || result == -1);
	assert((result == -1) == (err[0] != '\0'));
	if (result == 0)
		assert(inside(file.bytes, body) && inside(file.name, body));
	return 0;
}
