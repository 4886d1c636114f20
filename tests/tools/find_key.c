/*
 * find_key PID < PUBLIC.pem - where in a process' memory stands the private
 * number of this P-256 public key?
 *
 * Every aligned run of 32 bytes that could be one is tried: multiplied with the
 * generator, it must give the point. Prints the number in hexadecimal, or
 * nothing; exits with 1 where it is not found. Needs root.
 */
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/ec_key.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHUNK = 1 << 20, NUMBER = 32, WORDS = 4 };

/* Larger ones are a sanitizer's: terabytes of nothing. */
static const unsigned long SHADOW = 1ul << 28;

static EC_GROUP *group;
static const EC_POINT *wanted;
static EC_POINT *point;
static BIGNUM *number;

/* could_be: chance has no word of zeros, and none that looks like an address or
 * a small number: of a random key one in thousands has. */
static int could_be(const uint64_t word[WORDS])
{
	for (int i = 0; i < WORDS; i++) {
		if (word[i] >> 48 == 0)
			return 0;
		for (int j = 0; j < i; j++) {
			if (word[i] == word[j])
				return 0;
		}
	}
	return 1;
}

static int is_it(const uint8_t *at)
{
	if (!BN_le2bn(at, NUMBER, number) ||
	    BN_cmp(number, EC_GROUP_get0_order(group)) >= 0 ||
	    !EC_POINT_mul(group, point, number, NULL, NULL, NULL))
		return 0;
	return EC_POINT_cmp(group, point, wanted, NULL) == 0;
}

static int look_at(const uint8_t *data, size_t len)
{
	uint64_t word[WORDS];

	for (size_t i = 0; i + NUMBER <= len; i += 8) {
		memcpy(word, data + i, NUMBER);
		if (!could_be(word) || !is_it(data + i))
			continue;
		for (int j = 0; j < NUMBER; j++)
			printf("%02x", data[i + (size_t)j]);
		printf("\n");
		return 1;
	}
	return 0;
}

static int look_through(FILE *memory, unsigned long low, unsigned long high)
{
	static uint8_t data[CHUNK + NUMBER];
	int found = 0;

	for (; low < high && !found; low += CHUNK) {
		size_t want = high - low < sizeof(data) ? high - low :
							  sizeof(data);

		if (fseeko(memory, (off_t)low, SEEK_SET) != 0)
			break;
		found = look_at(data, fread(data, 1, want, memory));
	}
	return found;
}

static int search(const char *pid)
{
	char path[64], line[512], rights[8];
	unsigned long low, high;
	FILE *maps, *memory;
	int found = 0;

	snprintf(path, sizeof(path), "/proc/%.16s/maps", pid);
	maps = fopen(path, "re");
	snprintf(path, sizeof(path), "/proc/%.16s/mem", pid);
	memory = fopen(path, "re");
	if (!maps || !memory) {
		perror(path);
		exit(2);
	}
	setvbuf(memory, NULL, _IONBF, 0);
	while (!found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %7s", &low, &high, rights) == 3 &&
		    strncmp(rights, "rw", 2) == 0 && !strstr(line, "[v") &&
		    high - low < SHADOW)
			found = look_through(memory, low, high);
	}
	fclose(maps);
	fclose(memory);
	return found;
}

int main(int argc, char **argv)
{
	EVP_PKEY *key = PEM_read_PUBKEY(stdin, NULL, NULL, NULL);
	const EC_KEY *ec = key ? EVP_PKEY_get0_EC_KEY(key) : NULL;
	int found;

	group = EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1);
	if (argc != 2 || !ec || !group) {
		fprintf(stderr, "usage: find_key PID < PUBLIC.pem (P-256)\n");
		return 2;
	}
	wanted = EC_KEY_get0_public_key(ec);
	point = EC_POINT_new(group);
	number = BN_new();
	found = search(argv[1]);
	EVP_PKEY_free(key);
	return found ? 0 : 1;
}
