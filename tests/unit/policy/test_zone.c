#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "policy/zone.h"

#define FOLDER "/usr/share/zoneinfo/"

static char err[400];

/* --- files made here ------------------------------------------------------*/

struct file {
	uint8_t bytes[2000];
	size_t len;
};

static void put(struct file *file, uint64_t value, size_t size)
{
	while (size-- > 0)
		file->bytes[file->len++] = (uint8_t)(value >> 8 * size);
}

static void put_text(struct file *file, const char *text, size_t len)
{
	memcpy(file->bytes + file->len, text, len);
	file->len += len;
}

/* Counts in the order of RFC 9636: isut, isstd, leap, time, type, char. */
static void put_header(struct file *file, char version, const unsigned n[6])
{
	put_text(file, "TZif", 4);
	put(file, (uint8_t)version, 1);
	put(file, 0, 8);
	put(file, 0, 7);
	for (int i = 0; i < 6; i++)
		put(file, n[i], 4);
}

/* Two types, UTC+1 and UTC+2; transitions to the second at 1000 and back at
 * 2000. */
static const unsigned usual[6] = {2, 2, 0, 2, 2, 8};

static void put_data(struct file *file, size_t time_size)
{
	put(file, 1000, time_size);
	put(file, 2000, time_size);
	put_text(file, "\1\0", 2);
	put(file, 3600, 4);
	put_text(file, "\0\0", 2);
	put(file, 7200, 4);
	put_text(file, "\1\4", 2);
	put_text(file, "AAA\0BBB\0", 8);
	put_text(file, "\1\1\1\1", 4);
}

static struct file file_of(char version, const char *footer)
{
	struct file file = {0};

	put_header(&file, version, usual);
	put_data(&file, 4);
	if (version == '\0')
		return file;
	put_header(&file, version, usual);
	put_data(&file, 8);
	put_text(&file, "\n", 1);
	put_text(&file, footer, strlen(footer));
	put_text(&file, "\n", 1);
	return file;
}

/* In memory of its own, so that the sanitizer sees what reads beyond. */
static struct zone *read_bytes(const uint8_t *bytes, size_t len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct zone *zone;

	if (len)
		memcpy(copy, bytes, len);
	err[0] = '\0';
	zone = zone_read("Test/Zone", copy, len, err, sizeof(err));
	free(copy);
	return zone;
}

static struct zone *read_footer(const char *footer)
{
	struct file file = file_of('3', footer);

	return read_bytes(file.bytes, file.len);
}

static void refuse_bytes(const struct file *file, const char *says)
{
	struct zone *zone = read_bytes(file->bytes, file->len);

	if (zone)
		fail_msg("taken, but: %s", says);
	if (!strstr(err, says) || !strstr(err, "Test/Zone"))
		fail_msg("\"%s\" does not say \"%s\"", err, says);
}

/* --- fixed ----------------------------------------------------------------*/

static void fixed(const char *name, int32_t offset)
{
	struct zone *zone = zone_fixed(name);

	assert_non_null(zone);
	assert_int_equal(zone_offset(zone, 0), offset);
	assert_int_equal(zone_offset(zone, 4102444800), offset);
	assert_string_equal(zone_name(zone), name);
	zone_free(zone);
}

static void fixed_ones_need_no_file(void **state)
{
	static const char *none[] = {"", "utc", "UTC+1", "Europe/Berlin", "+2",
		"+02", "+02:0", "+02:000", "+0200x", "02:00", "+02-00",
		"+14:01", "-15:00", "+01:60", "+a2:00", "+", "-",
		"+:", "++02:00"};

	(void)state;
	fixed("UTC", 0);
	fixed("Z", 0);
	fixed("+00:00", 0);
	fixed("+02:00", 7200);
	fixed("+0545", 5 * 3600 + 45 * 60);
	fixed("-0330", -(3 * 3600 + 30 * 60));
	fixed("+14:00", 14 * 3600);
	fixed("-12:00", -12 * 3600);
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (zone_fixed(none[i]))
			fail_msg("\"%s\" was taken", none[i]);
	zone_free(NULL);
}

static void names_stay_in_the_folder(void **state)
{
	static const char *good[] = {"Europe/Berlin", "UTC", "EST5EDT",
		"America/Argentina/Buenos_Aires", "Etc/GMT-14", "Etc/GMT+1",
		"America/Port-au-Prince"};
	static const char *bad[] = {"", "/etc/passwd", "../x", "Europe/..",
		"Europe/../../x", "Europe/./Berlin", "Europe//Berlin",
		"Europe/", "/", "tzdata.zi", "Europe/Ber lin", "-x", "_",
		"Europe\\Berlin", "Z\xc3\xbcrich", "a:b", "%s",
		"Aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aa"};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!zone_is_name(good[i]))
			fail_msg("\"%s\" was refused", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (zone_is_name(bad[i]))
			fail_msg("\"%s\" was taken", bad[i]);
	assert_true(zone_is_name(bad[17] + 1)); /* 63 bytes */
}

/* --- the C library's opinion ----------------------------------------------*/

static const char *zones[] = {"Europe/Berlin", "Europe/London", "Europe/Dublin",
	"Europe/Lisbon", "Europe/Moscow", "Europe/Istanbul", "Europe/Chisinau",
	"Europe/Volgograd", "Africa/Casablanca", "Africa/El_Aaiun",
	"Africa/Cairo", "Africa/Monrovia", "Africa/Juba", "Africa/Windhoek",
	"America/New_York", "America/Los_Angeles", "America/St_Johns",
	"America/Sao_Paulo", "America/Santiago", "America/Asuncion",
	"America/Caracas", "America/Nuuk", "America/Scoresbysund",
	"America/Havana", "America/Mexico_City", "America/Argentina/San_Luis",
	"Asia/Kolkata", "Asia/Kathmandu", "Asia/Tehran", "Asia/Jerusalem",
	"Asia/Gaza", "Asia/Tokyo", "Asia/Pyongyang", "Asia/Shanghai",
	"Asia/Almaty", "Asia/Dhaka", "Australia/Sydney", "Australia/Lord_Howe",
	"Australia/Eucla", "Pacific/Auckland", "Pacific/Chatham",
	"Pacific/Apia", "Pacific/Kiritimati", "Pacific/Easter",
	"Pacific/Norfolk", "Antarctica/Troll", "Antarctica/Casey",
	"Atlantic/Azores", "Etc/GMT-14", "Etc/UTC", "EST5EDT"};

static int32_t library(time_t at)
{
	struct tm tm;

	localtime_r(&at, &tm);
	return (int32_t)tm.tm_gmtoff;
}

static void set_library(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void same_at(const struct zone *zone, const char *name, time_t at)
{
	if (zone_offset(zone, at) != library(at))
		fail_msg("%s at %lld: %d, but the C library says %d", name,
			(long long)at, zone_offset(zone, at), library(at));
}

/* The second at which the library's offset changes, between two times. */
static time_t change_between(time_t low, time_t high)
{
	int32_t before = library(low);

	while (high - low > 1) {
		time_t middle = low + (high - low) / 2;

		if (library(middle) == before)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/* Every ten days or so, and at each side of every change. */
static int compare(const struct zone *zone, const char *name)
{
	const time_t end = 4133980800, step = 10 * 86400 + 6173; /* to 2101 */
	int changes = 0;

	for (time_t at = 0; at < end; at += step) {
		same_at(zone, name, at);
		if (library(at) != library(at + step)) {
			time_t change = change_between(at, at + step);

			same_at(zone, name, change - 1);
			same_at(zone, name, change);
			changes++;
		}
	}
	return changes;
}

static size_t load(const char *name, uint8_t bytes[ZONE_FILE_MAX])
{
	char path[200];
	size_t len = 0;
	FILE *file;

	snprintf(path, sizeof(path), FOLDER "%s", name);
	file = fopen(path, "rb");
	if (file) {
		len = fread(bytes, 1, ZONE_FILE_MAX, file);
		fclose(file);
	}
	return len;
}

static bool have_tzdata(void)
{
	static uint8_t bytes[ZONE_FILE_MAX];

	if (load("Europe/Berlin", bytes) > 0)
		return true;
	print_message("skipped: no " FOLDER " here (package tzdata)\n");
	return false;
}

static void real_zones_are_as_the_c_library_says(void **state)
{
	static uint8_t bytes[ZONE_FILE_MAX];
	int changes = 0;

	(void)state;
	if (!have_tzdata())
		skip();
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		size_t len = load(zones[i], bytes);
		struct zone *zone;

		if (len == 0)
			continue; /* of a newer tzdata, or an older one */
		zone = read_bytes(bytes, len);
		if (!zone)
			fail_msg("%s", err);
		set_library(zones[i]);
		changes += compare(zone, zones[i]);
		zone_free(zone);
	}
	assert_true(changes > 5000);
}

/* Where files go on to 2037, the last line is hardly asked in the test above:
 * here it is all there is from 2000 s on. */
static void last_lines_are_as_the_c_library_says(void **state)
{
	static const char *lines[] = {"CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "IST-1GMT0,M10.5.0,M3.5.0/1",
		"EST5EDT,M3.2.0,M11.1.0", "IST-2IDT,M3.4.4/26,M10.5.0",
		"EET-2EEST,M3.4.4/50,M10.4.4/50", "UTC0",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"NZST-12NZDT,M9.5.0,M4.1.0/3", "NST3:30NDT,M3.2.0,M11.1.0",
		"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
		"AAA-1BBB,J60,J300", "AAA-1BBB,59,299", "AAA-1BBB,J300,J60/0",
		"AAA10BBB,60/12:34:56,J59/1", "AAA-1BBB,M2.5.6,M9.4.3",
		"AAA-1BBB,M3.5.0/-167,M10.1.1/167",
		"AAA+3:00:30BBB,M2.1.0,M8.5.5", "AAA-24BBB-23,M4.1.0,M9.1.0"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct zone *zone = read_footer(lines[i]);

		if (!zone)
			fail_msg("%s: %s", lines[i], err);
		set_library(lines[i]);
		for (time_t at = 2001; at < 4133980800; at += 43201 * 7)
			same_at(zone, lines[i], at);
		zone_free(zone);
	}
}

/* --- what the format says -------------------------------------------------*/

static void summer_all_year(void **state)
{
	struct zone *zone = read_footer("XXX3EDT4,0/0,J365/23");

	(void)state;
	assert_non_null(zone);
	for (time_t at = 2000; at < 4133980800; at += 3599 * 5)
		assert_int_equal(zone_offset(zone, at), -4 * 3600);
	zone_free(zone);
}

static void before_between_and_after(void **state)
{
	static const char versions[] = {'\0', '2', '3', '4'};

	(void)state;
	for (size_t i = 0; i < sizeof(versions); i++) {
		struct file file = file_of(versions[i], "");
		struct zone *zone = read_bytes(file.bytes, file.len);

		assert_non_null(zone);
		assert_int_equal(zone_offset(zone, INT64_MIN), 3600);
		assert_int_equal(zone_offset(zone, 999), 3600);
		assert_int_equal(zone_offset(zone, 1000), 7200);
		assert_int_equal(zone_offset(zone, 1999), 7200);
		assert_int_equal(zone_offset(zone, 2000), 3600);
		assert_int_equal(zone_offset(zone, INT64_MAX), 3600);
		assert_string_equal(zone_name(zone), "Test/Zone");
		zone_free(zone);
	}
}

static void the_last_line_counts_from_the_last_transition_on(void **state)
{
	struct zone *zone = read_footer("<-05>5");

	(void)state;
	assert_int_equal(zone_offset(zone, 999), 3600);
	assert_int_equal(zone_offset(zone, 1999), 7200);
	assert_int_equal(zone_offset(zone, 2000), -5 * 3600);
	zone_free(zone);
}

static void the_end_of_time(void **state)
{
	const int64_t cycle = (int64_t)146097 * 86400;
	struct zone *zone = read_footer("CET-1CEST,M3.5.0,M10.5.0/3");

	(void)state;
	assert_int_equal(zone_offset(zone, INT64_MIN), 3600);
	(void)zone_offset(zone, INT64_MAX);
	for (int64_t at = 1774742400; at < 1774742400 + 7 * 3600; at += 600) {
		assert_int_equal(
			zone_offset(zone, at), zone_offset(zone, at + cycle));
		assert_int_equal(zone_offset(zone, at),
			zone_offset(zone, at + 1000 * cycle));
	}
	zone_free(zone);
}

/* In a file without transitions the last line is all there is; after 400 years
 * all days are the same again. */
static void long_before_1970(void **state)
{
	static const unsigned counts[6] = {0, 0, 0, 0, 1, 4};
	const int64_t cycle = (int64_t)146097 * 86400;
	struct file file = {0};
	struct zone *zone;

	(void)state;
	for (int i = 0; i < 2; i++) {
		put_header(&file, '2', counts);
		put(&file, 3600, 4);
		put_text(&file, "\0\0AAA\0", 6);
	}
	put_text(&file, "\nEST5EDT,M3.2.0,M11.1.0\n", 24);
	zone = read_bytes(file.bytes, file.len);
	assert_non_null(zone);
	for (int64_t at = -30000000000; at < 100; at += 43201 * 71)
		assert_int_equal(zone_offset(zone, at),
			zone_offset(zone, at + 3 * cycle));
	assert_int_equal(zone_offset(zone, -1), -5 * 3600);
	zone_free(zone);
}

static void bad_last_lines_are_refused(void **state)
{
	static const char *lines[] = {"CET", "CET-", "CE-1", "<C>-1", "<CET-1",
		"CET-1CEST", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,",
		"CET-1CEST,M3.5.0,M10.5.0/3,", "CET-1CEST,M3.5.0,M10.5.0/3 ",
		"CET-1CEST,M0.5.0,M10.5.0", "CET-1CEST,M13.5.0,M10.5.0",
		"CET-1CEST,M3.0.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0",
		"CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,M3.5,M10.5.0",
		"CET-1CEST,J0,J300", "CET-1CEST,J366,J300", "CET-1CEST,366,3",
		"CET-1CEST,J60/168,J300", "CET-1CEST,J60/-168,J300",
		"CET-1CEST,J60/2:60,J300", "CET-1CEST,J60/2:00:60,J300",
		"CET-1CEST,J60/,J300", "CET-25", "CET-1:", "CET-1CEST-25,J1,J2",
		"CET-99999999999999999999", "CET-1CEST,M3.5.0,M10.5.0\n",
		"CET-1CEST;M3.5.0;M10.5.0", "C3T-1", "<CE_T>-1", "-1"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		if (read_footer(lines[i]))
			fail_msg("\"%s\" was taken", lines[i]);
		assert_non_null(strstr(err, "last line"));
	}
}

/* A byte of the second block, by its place there; the headers have 44 bytes,
 * the first block's data 34. */
static void refuse_with(size_t at, uint8_t byte, const char *says)
{
	struct file file = file_of('2', "UTC0");

	file.bytes[44 + 34 + at] = byte;
	refuse_bytes(&file, says);
}

static void malformed_files_are_refused(void **state)
{
	struct file file = file_of('5', "UTC0");

	(void)state;
	refuse_bytes(&file, "version");
	file = file_of('\0', "");
	put(&file, 0, 1);
	refuse_bytes(&file, "goes on");
	file = file_of('2', "UTC0");
	file.bytes[0] = 't';
	refuse_bytes(&file, "TZif");
	refuse_with(0, 't', "TZif");
	refuse_with(4, '3', "different versions");
	refuse_with(23, 1, "indicators");
	refuse_with(27, 1, "indicators");
	refuse_with(31, 1, "leap seconds");
	refuse_with(32, 0xff, "ends in its data");
	refuse_with(39, 0, "no types");
	refuse_with(38, 2, "too many");
	refuse_with(43, 0, "no types");
	refuse_with(40, 0xff, "ends in its data");
	/* from here on data: times 8 + 8, indexes 2, types 6 + 6, names 8 */
	refuse_with(44 + 0, 0x7f, "not in order");
	refuse_with(44 + 8, 0x80, "not in order");
	refuse_with(44 + 16, 2, "not there");
	refuse_with(44 + 17, 255, "not there");
	refuse_with(44 + 18, 0x7f, "cannot be");
	refuse_with(44 + 18, 0x80, "cannot be");
	refuse_with(44 + 22, 2, "cannot be");
	refuse_with(44 + 23, 8, "cannot be");
	refuse_with(44 + 37, 'x', "cannot be"); /* a name without its NUL */
	refuse_with(44 + 38, 2, "indicator");
	refuse_with(44 + 41, 2, "indicator");
	refuse_with(44 + 42, 'x', "last line");
}

static void equal_times_are_not_in_order(void **state)
{
	struct file file = file_of('2', "");

	(void)state;
	memcpy(file.bytes + 122 + 8, file.bytes + 122, 8);
	refuse_bytes(&file, "not in order");
}

static void a_file_that_is_too_large_is_not_looked_at(void **state)
{
	uint8_t *bytes = calloc(1, ZONE_FILE_MAX + 1);

	(void)state;
	assert_null(zone_read(
		"Test/Zone", bytes, ZONE_FILE_MAX + 1, err, sizeof(err)));
	assert_non_null(strstr(err, "too large"));
	free(bytes);
}

static void every_part_of_a_file_is_refused(void **state)
{
	static uint8_t real[ZONE_FILE_MAX];
	struct file file = file_of('3', "CET-1CEST,M3.5.0,M10.5.0/3");
	size_t len = load("Europe/Berlin", real);

	(void)state;
	for (size_t i = 0; i < file.len; i++)
		assert_null(read_bytes(file.bytes, i));
	for (size_t i = 0; i < len; i++)
		assert_null(read_bytes(real, i));
}

/* Whatever is taken can be asked. */
static void broken_bytes_break_nothing(void **state)
{
	struct file file = file_of('3', "CET-1CEST,M3.5.0,M10.5.0/3");
	int taken = 0;

	(void)state;
	for (size_t i = 0; i < file.len; i++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t was = file.bytes[i];
			struct zone *zone;

			file.bytes[i] = (uint8_t)value;
			zone = read_bytes(file.bytes, file.len);
			file.bytes[i] = was;
			if (!zone)
				continue;
			taken++;
			for (int64_t at = -10000; at < 4133980800;
				at += 2000000000)
				assert_in_range(
					zone_offset(zone, at) + 30 * 3600, 0,
					60 * 3600);
			zone_free(zone);
		}
	assert_true(taken > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_ones_need_no_file),
		cmocka_unit_test(names_stay_in_the_folder),
		cmocka_unit_test(real_zones_are_as_the_c_library_says),
		cmocka_unit_test(last_lines_are_as_the_c_library_says),
		cmocka_unit_test(summer_all_year),
		cmocka_unit_test(before_between_and_after),
		cmocka_unit_test(
			the_last_line_counts_from_the_last_transition_on),
		cmocka_unit_test(the_end_of_time),
		cmocka_unit_test(long_before_1970),
		cmocka_unit_test(bad_last_lines_are_refused),
		cmocka_unit_test(malformed_files_are_refused),
		cmocka_unit_test(equal_times_are_not_in_order),
		cmocka_unit_test(a_file_that_is_too_large_is_not_looked_at),
		cmocka_unit_test(every_part_of_a_file_is_refused),
		cmocka_unit_test(broken_bytes_break_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
