#include "policy/zone.h"

#include <stdio.h>
#include <string.h>

#include "policy/daylight.h"
#include "policy/memory.h"

enum {
	HEADER_LEN = 44,
	TYPE_LEN = 6, /* utoff 4, isdst 1, desigidx 1 */
	MINUTE = 60,
	HOUR = 3600,
	OFFSET_MAX = 26 * HOUR, /* RFC 9636 3.2: -25 h to +26 h, excluded */
	FIXED_MAX = 14 * HOUR,
};

struct zone {
	char name[ZONE_NAME_MAX + 1];
	int32_t first; /* before the first transition */
	size_t count;
	int64_t *times;   /* owned; ascending */
	int32_t *offsets; /* owned; from times[i] on */
	bool goes_on;     /* daylight counts from the last transition on */
	struct daylight daylight;
};

static struct zone *zone_new(const char *name)
{
	struct zone *zone = memory_new(sizeof(*zone));

	snprintf(zone->name, sizeof(zone->name), "%s", name);
	return zone;
}

void zone_free(struct zone *zone)
{
	if (!zone)
		return;
	free(zone->times);
	free(zone->offsets);
	free(zone);
}

const char *zone_name(const struct zone *zone)
{
	return zone->name;
}

/* --- names ----------------------------------------------------------------*/

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Without dots there is no way out of the folder. */
bool zone_is_name(const char *name)
{
	size_t len = strlen(name);

	if (len > ZONE_NAME_MAX || !is_letter(name[0]) || name[len - 1] == '/')
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] == '/' && name[i - 1] == '/')
			return false;
		if (!is_letter(name[i]) && !is_digit(name[i]) &&
			!strchr("/_+-", name[i]))
			return false;
	}
	return true;
}

static bool two_digits(const char *text, int *out)
{
	if (!is_digit(text[0]) || !is_digit(text[1]))
		return false;
	*out = (text[0] - '0') * 10 + (text[1] - '0');
	return true;
}

/* "+02:00" or "+0200"; no further than any place on Earth has it. */
static bool read_offset(const char *text, int32_t *out)
{
	int hours, minutes;

	if ((text[0] != '+' && text[0] != '-') || !two_digits(text + 1, &hours))
		return false;
	text += text[3] == ':' ? 4 : 3;
	if (!two_digits(text, &minutes) || text[2] != '\0' || minutes > 59)
		return false;
	*out = hours * HOUR + minutes * MINUTE;
	return *out <= FIXED_MAX;
}

struct zone *zone_fixed(const char *name)
{
	struct zone *zone;
	int32_t offset = 0;

	if (strcmp(name, "UTC") != 0 && strcmp(name, "Z") != 0 &&
		!read_offset(name, &offset))
		return NULL;
	zone = zone_new(name);
	zone->first = name[0] == '-' ? -offset : offset;
	return zone;
}

/* --- the file -------------------------------------------------------------*/

struct bytes {
	const uint8_t *at;
	size_t left;
};

/* What a header counts. */
struct counts {
	uint8_t version;
	size_t isut, isstd, leap, time, type, chars;
	size_t time_size; /* 4 in the first block, 8 in the second */
};

/* The parts of a data block, in their order; all borrowed from the file. */
struct block {
	const uint8_t *times, *indexes, *types, *names, *isstd, *isut;
};

static const uint8_t *take(struct bytes *bytes, size_t len)
{
	const uint8_t *at = bytes->at;

	if (len > bytes->left)
		return NULL;
	bytes->at += len;
	bytes->left -= len;
	return at;
}

static uint64_t big_endian(const uint8_t *at, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value = value << 8 | at[i];
	return value;
}

static int64_t read_time(const uint8_t *at, size_t size)
{
	uint64_t value = big_endian(at, size);

	return size == 4 ? (int32_t)(uint32_t)value : (int64_t)value;
}

/* Each is at most what 32 bits hold, and a block has six of them, none with
 * more than 12 bytes: no sum of theirs overflows 64 bits. */
static const char *take_header(
	struct bytes *file, size_t time_size, struct counts *out)
{
	const uint8_t *at = take(file, HEADER_LEN);

	if (!at)
		return "ends in a header";
	if (memcmp(at, "TZif", 4) != 0)
		return "does not begin with TZif";
	out->version = at[4];
	if (out->version != 0 && (out->version < '2' || out->version > '4'))
		return "has a version that is not known";
	out->isut = big_endian(at + 20, 4);
	out->isstd = big_endian(at + 24, 4);
	out->leap = big_endian(at + 28, 4);
	out->time = big_endian(at + 32, 4);
	out->type = big_endian(at + 36, 4);
	out->chars = big_endian(at + 40, 4);
	out->time_size = time_size;
	return NULL;
}

static size_t block_len(const struct counts *n)
{
	return n->time * (n->time_size + 1) + n->type * TYPE_LEN + n->chars +
		n->leap * (n->time_size + 4) + n->isstd + n->isut;
}

/* The first block is for programs of old, the second is what counts. */
static const char *take_second_header(struct bytes *file, struct counts *n)
{
	uint8_t version = n->version;
	const char *wrong;

	if (!take(file, block_len(n)))
		return "ends in its data";
	wrong = take_header(file, 8, n);
	if (!wrong && n->version != version)
		return "has two headers of different versions";
	return wrong;
}

/* The counts that RFC 9636 3.1 allows. */
static const char *check_counts(const struct counts *n)
{
	if (n->type == 0 || n->type > 256 || n->chars == 0)
		return "has no types of local time, or too many";
	if ((n->isut != 0 && n->isut != n->type) ||
		(n->isstd != 0 && n->isstd != n->type))
		return "has indicators for some types only";
	if (n->leap != 0)
		return "counts leap seconds, which this machine's clock does "
		       "not";
	return NULL;
}

static const char *take_block(
	struct bytes *file, const struct counts *n, struct block *out)
{
	const uint8_t *at = take(file, block_len(n));

	if (!at)
		return "ends in its data";
	out->times = at;
	out->indexes = at + n->time * n->time_size;
	out->types = out->indexes + n->time;
	out->names = out->types + n->type * TYPE_LEN;
	out->isstd = out->names + n->chars; /* no leap seconds */
	out->isut = out->isstd + n->isstd;
	return NULL;
}

static bool all_flags(const uint8_t *at, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (at[i] > 1)
			return false;
	return true;
}

static int32_t offset_of(const struct block *block, size_t type)
{
	return (int32_t)big_endian(block->types + type * TYPE_LEN, 4);
}

static bool is_type(const struct block *block, const struct counts *n, size_t i)
{
	const uint8_t *type = block->types + i * TYPE_LEN;
	int32_t offset = offset_of(block, i);
	size_t name = type[5];

	return offset < OFFSET_MAX && offset > -OFFSET_MAX + HOUR &&
		type[4] <= 1 && name < n->chars &&
		memchr(block->names + name, '\0', n->chars - name);
}

static const char *check_block(
	const struct block *block, const struct counts *n)
{
	for (size_t i = 0; i < n->type; i++)
		if (!is_type(block, n, i))
			return "has a type of local time that cannot be";
	if (!all_flags(block->isstd, n->isstd) ||
		!all_flags(block->isut, n->isut))
		return "has an indicator that is neither 0 nor 1";
	for (size_t i = 0; i < n->time; i++) {
		const uint8_t *at = block->times + i * n->time_size;

		if (block->indexes[i] >= n->type)
			return "names a type of local time that is not there";
		if (i > 0 &&
			read_time(at, n->time_size) <=
				read_time(at - n->time_size, n->time_size))
			return "has transitions that are not in order";
	}
	return NULL;
}

static void copy_block(
	struct zone *zone, const struct block *block, const struct counts *n)
{
	zone->first = offset_of(block, 0);
	zone->times = memory_new(n->time * sizeof(*zone->times) + 1);
	zone->offsets = memory_new(n->time * sizeof(*zone->offsets) + 1);
	zone->count = n->time;
	for (size_t i = 0; i < n->time; i++) {
		zone->times[i] = read_time(
			block->times + i * n->time_size, n->time_size);
		zone->offsets[i] = offset_of(block, block->indexes[i]);
	}
}

/* A line of its own, between two newlines; it may be empty. */
static const char *take_footer(struct bytes *file, struct zone *zone)
{
	const char *text = (const char *)file->at;
	size_t len = file->left;

	if (len < 2 || text[0] != '\n' || text[len - 1] != '\n')
		return "ends in its last line";
	if (len == 2)
		return NULL;
	if (daylight_read(text + 1, len - 2, &zone->daylight) != 0)
		return "has a last line that cannot be read (RFC 9636 3.3)";
	zone->goes_on = true;
	return NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *read_file(struct zone *zone, struct bytes file)
{
	struct counts n;
	struct block block;
	const char *wrong = take_header(&file, 4, &n);
	bool old = !wrong && n.version == 0;

	if (!wrong && !old)
		wrong = take_second_header(&file, &n);
	if (!wrong)
		wrong = check_counts(&n);
	if (!wrong)
		wrong = take_block(&file, &n, &block);
	if (!wrong)
		wrong = check_block(&block, &n);
	if (wrong)
		return wrong;
	copy_block(zone, &block, &n);
	if (old)
		return file.left == 0 ? NULL : "goes on behind its end";
	return take_footer(&file, zone);
}

struct zone *zone_read(const char *name, const void *data, size_t len,
	char *err, size_t err_size)
{
	struct zone *zone = zone_new(name);
	const char *wrong = "is too large";

	if (len <= ZONE_FILE_MAX)
		wrong = read_file(zone, (struct bytes){data, len});
	if (!wrong)
		return zone;
	snprintf(err, err_size,
		"the file of time zone \"%s\" %s; see that it is what the "
		"package tzdata brings",
		zone->name, wrong);
	zone_free(zone);
	return NULL;
}

struct zone *zone_rule(const char *name, const char *text)
{
	struct daylight daylight;
	struct zone *zone;

	if (daylight_read(text, strlen(text), &daylight) != 0)
		return NULL;
	zone = zone_new(name);
	zone->daylight = daylight;
	zone->goes_on = true;
	return zone;
}

/* --- asking ---------------------------------------------------------------*/

/* How many transitions are not after at. */
static size_t passed(const struct zone *zone, int64_t at)
{
	size_t low = 0, high = zone->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (zone->times[middle] <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int32_t zone_offset(const struct zone *zone, time_t at)
{
	size_t number = passed(zone, at);

	if (number == zone->count && zone->goes_on)
		return daylight_offset(&zone->daylight, at);
	return number == 0 ? zone->first : zone->offsets[number - 1];
}
