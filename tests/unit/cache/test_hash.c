#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cache/hash.h"

/* From the reference implementation: key 00 01 .. 0f, data 00 01 .. */
static void vectors(void **state)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} rows[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},
		{1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},
		{8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
		{63, UINT64_C(0x958a324ceb064572)},
	};
	static const uint64_t key[2] = {
		UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)};
	uint8_t data[64];

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_true(hash_keyed(key, data, rows[i].len) == rows[i].hash);
}

static void same_bytes_same_hash(void **state)
{
	char one[] = "xexample.com", *other = malloc(11);

	(void)state;
	assert_non_null(other);
	memcpy(other, "example.com", 11);
	assert_true(hash_bytes(one + 1, 11) == hash_bytes(other, 11));
	assert_true(hash_bytes(other, 11) != hash_bytes(other, 10));
	assert_true(hash_bytes(NULL, 0) == hash_bytes("", 0));
	free(other);
}

enum { KEYS = 64000, SHARDS = 16, BUCKETS = 64 };

/* Within one shard, all buckets of its table are used alike. */
static void shards_leave_buckets_alone(void **state)
{
	static unsigned count[SHARDS][BUCKETS];
	unsigned mean = KEYS / SHARDS / BUCKETS;

	(void)state;
	for (uint32_t i = 0; i < KEYS; i++) {
		uint64_t hash = hash_bytes(&i, sizeof(i));

		count[hash_shard(hash) % SHARDS][hash_bucket(hash) % BUCKETS]++;
	}
	for (unsigned i = 0; i < SHARDS; i++)
		for (unsigned j = 0; j < BUCKETS; j++)
			assert_in_range(count[i][j], mean / 4, mean * 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(same_bytes_same_hash),
		cmocka_unit_test(shards_leave_buckets_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
