/*
 * fuzz_h1_response.c - responses from any bytes (h1_check.h says what holds).
 *
 * The first byte draws the pieces and chooses the limit on heads, and whether
 * HEAD was asked.
 */
#include "tests/fuzz/h1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct h1_run run = {.kind = H1_RESPONSE};

	if (size == 0)
		return 0;
	run.max_head = data[0] & 1 ? 0 : 100;
	run.to_head = data[0] & 2;
	h1_check(&run, (const char *)data + 1, size - 1, data[0]);
	return 0;
}
