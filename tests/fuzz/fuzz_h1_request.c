/*
 * fuzz_h1_request.c - requests from any bytes (h1_check.h says what holds).
 *
 * The first byte draws the pieces and chooses the limit on heads.
 */
#include "tests/fuzz/h1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h1_run run = {.kind = H1_REQUEST};

	if (size == 0)
		return 0;
	run.max_head = data[0] & 1 ? 0 : 100;
	h1_check(&run, (const char *)data + 1, size - 1, data[0]);
	return 0;
}
