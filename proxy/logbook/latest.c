#include "proxy/logbook/latest.h"

#include <stdlib.h>
#include <string.h>

void latest_open(struct latest *latest, size_t max)
{
	*latest = (struct latest){.max = max};
	latest->at = calloc(max + 1, sizeof(*latest->at));
	if (!latest->at)
		abort();
}

static void forget_first(struct latest *latest)
{
	char **place = &latest->at[latest->first];

	latest->bytes -= strlen(*place);
	free(*place);
	*place = NULL;
	latest->first = (latest->first + 1) % latest->max;
	latest->num--;
}

/* copy_of: what has no text of JSON gets it. */
static char *copy_of(struct latest *latest, const struct entry *entry)
{
	struct json_line *line = &latest->line;
	char *copy;

	if (entry->is_json) {
		copy = strndup(entry->line, entry->len);
	} else {
		line->len = 0;
		entry_write(line, LOG_JSON, entry);
		copy = strndup(line->text, line->len - 1);
	}
	if (!copy)
		abort();
	return copy;
}

void latest_add(struct latest *latest, const struct entry *entry)
{
	char *copy;

	if (latest->max == 0)
		return;
	copy = copy_of(latest, entry);
	latest->seen++;
	if (latest->num == latest->max)
		forget_first(latest);
	latest->at[(latest->first + latest->num++) % latest->max] = copy;
	latest->bytes += strlen(copy);
	while (latest->bytes > LATEST_BYTES && latest->num > 1)
		forget_first(latest);
}

uint64_t latest_missing(const struct latest *latest)
{
	uint64_t due = latest->seen < latest->max ? latest->seen : latest->max;

	return due - latest->num;
}

const char *latest_at(const struct latest *latest, size_t place)
{
	return latest->at[(latest->first + place) % latest->max];
}

void latest_close(struct latest *latest)
{
	while (latest->num > 0)
		forget_first(latest);
	free(latest->at);
	free(latest->line.text);
	*latest = (struct latest){.at = NULL};
}
