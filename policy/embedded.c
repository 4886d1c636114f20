#include "policy/embedded.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

static const struct form {
	uint8_t prefix[12];
	uint8_t prefix_len; /* in bytes */
	uint8_t at[4];      /* where the IPv4 address stands */
} forms[] = {
	{{0}, 12, {12, 13, 14, 15}},
	{{[8] = 0xff, [9] = 0xff}, 12, {12, 13, 14, 15}},
	{{0x20, 0x02}, 2, {2, 3, 4, 5}},
	{{0, 0x64, 0xff, 0x9b}, 12, {12, 13, 14, 15}},
	/* cut at 96, 64, 56 or 48 bits, past the byte that is always zero */
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {12, 13, 14, 15}},
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {9, 10, 11, 12}},
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {7, 9, 10, 11}},
	{{0, 0x64, 0xff, 0x9b, 0, 1}, 6, {6, 7, 9, 10}},
};

/* is_itself: :: and ::1 are no forms of 0.0.0.0 and 0.0.0.1. */
static bool is_itself(const uint8_t ip[16])
{
	static const uint8_t zeros[15];

	return memcmp(ip, zeros, 15) == 0 && ip[15] <= 1;
}

size_t embedded_find(const struct sockaddr *address,
	struct sockaddr_in out[EMBEDDED_MAX])
{
	struct sockaddr_in6 in6;
	const uint8_t *ip = in6.sin6_addr.s6_addr;
	size_t num = 0;

	if (!address || address->sa_family != AF_INET6)
		return 0;
	memcpy(&in6, address, sizeof(in6));
	if (is_itself(ip))
		return 0;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *form = &forms[i];
		uint8_t v4[4];

		if (memcmp(ip, form->prefix, form->prefix_len) != 0)
			continue;
		for (size_t k = 0; k < 4; k++)
			v4[k] = ip[form->at[k]];
		out[num] = (struct sockaddr_in){
			.sin_family = AF_INET, .sin_port = in6.sin6_port};
		memcpy(&out[num++].sin_addr, v4, 4);
	}
	return num;
}
