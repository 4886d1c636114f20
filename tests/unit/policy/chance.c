#include "tests/unit/policy/chance.h"

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

static uint64_t state = GOLDEN; /* xorshift's: never 0 */

void chance_start(uint64_t seed)
{
	state = (seed + 1) * GOLDEN | 1;
}

unsigned chance(unsigned num)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 11) % num);
}

bool one_in(unsigned num)
{
	return chance(num) == 0;
}
