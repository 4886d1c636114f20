#include "proxy/config/nearest.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 64, FAR = 1000, SHORT = 5 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int fold(char c)
{
	return tolower((unsigned char)c);
}

/* fill_row computes one row of the matrix of distances between the beginnings
 * of a and b (optimal string alignment): row[i] from the two rows above. */
static void fill_row(unsigned rows[3][LONGEST + 1], size_t i, const char *a,
	const char *b, size_t len_b)
{
	unsigned *row = rows[i % 3], *above = rows[(i + 2) % 3];
	unsigned *above2 = rows[(i + 1) % 3];

	row[0] = (unsigned)i;
	for (size_t j = 1; j <= len_b; j++) {
		unsigned change = fold(a[i - 1]) != fold(b[j - 1]);

		row[j] = least(least(above[j], row[j - 1]) + 1,
			above[j - 1] + change);
		if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
			fold(a[i - 2]) == fold(b[j - 1]))
			row[j] = least(row[j], above2[j - 2] + 1);
	}
}

unsigned nearest_distance(const char *a, const char *b)
{
	size_t len_a = strnlen(a, LONGEST + 1), len_b = strnlen(b, LONGEST + 1);
	unsigned rows[3][LONGEST + 1];

	if (len_a > LONGEST || len_b > LONGEST)
		return FAR;
	for (size_t j = 0; j <= len_b; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= len_a; i++)
		fill_row(rows, i, a, b, len_b);
	return rows[len_a % 3][len_b];
}

const char *nearest(const char *word, const char *const *candidates,
	size_t num)
{
	size_t len = strnlen(word, LONGEST + 1);
	unsigned best = len < SHORT ? 2 : (unsigned)len / 3 + 2;
	const char *found = NULL;

	for (size_t i = 0; i < num; i++) {
		unsigned distance = nearest_distance(word, candidates[i]);

		if (distance < best) {
			best = distance;
			found = candidates[i];
		}
	}
	return found;
}
