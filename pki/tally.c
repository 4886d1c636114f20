#include "pki/tally.h"

#include <string.h>

/* row_of is the CA's own, else one that is of no use to another any more. */
static struct tally_row *row_of(struct tally *tally,
	const uint8_t id[CA_KEY_ID], int64_t now)
{
	struct tally_row *free_row = NULL;

	for (size_t i = 0; i < TALLY_CAS; i++) {
		struct tally_row *row = &tally->rows[i];

		if (row->num > 0 && memcmp(row->id, id, CA_KEY_ID) == 0)
			return row;
		if (!free_row && (row->num == 0 || now >= row->until))
			free_row = row;
	}
	if (free_row) {
		memset(free_row, 0, sizeof(*free_row));
		memcpy(free_row->id, id, CA_KEY_ID);
	}
	return free_row;
}

bool tally_add(struct tally *tally, const uint8_t id[CA_KEY_ID], int64_t now,
	int64_t per_s)
{
	struct tally_row *row = row_of(tally, id, now);
	int64_t *oldest;

	if (!row)
		return false;
	oldest = &row->at[row->num % TALLY_MOST];
	if (row->num >= TALLY_MOST && now - *oldest < per_s)
		return false;
	*oldest = now;
	row->num++;
	if (row->until < now + per_s)
		row->until = now + per_s;
	return true;
}
