#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/zone.h"
#include "proxy/config/zones.h"

/* RFC 9636: version 1, one type of local time, an hour and "XYZ". */
static const char plus_one[] = "TZif\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\4"
	"\0\0\x0e\x10\0\0XYZ";

static void names_that_need_no_file(void **state)
{
	static const struct {
		const char *name;
		int32_t offset;
	} rows[] = {{"UTC", 0}, {"+02:00", 7200}, {"-03:30", -12600}};
	struct zone *zone;
	char err[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		zone = zones_open("/nowhere", rows[i].name, err, sizeof(err));
		assert_non_null(zone);
		assert_int_equal(zone_offset(zone, 0), rows[i].offset);
		zone_free(zone);
	}
	zone = zones_open("/nowhere", "local", err, sizeof(err));
	assert_non_null(zone);
	zone_free(zone);
}

static void names_of_files(void **state)
{
	char folder[] = "/tmp/sallyport-zones.XXXXXX", path[64], err[256];
	struct zone *zone;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Here", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(plus_one, 1, sizeof(plus_one), file);
	fclose(file);
	zone = zones_open(folder, "Here", err, sizeof(err));
	assert_non_null(zone);
	assert_int_equal(zone_offset(zone, 0), 3600);
	assert_string_equal(zone_name(zone), "Here");
	zone_free(zone);
	file = fopen(path, "w");
	fclose(file);
	assert_null(zones_open(folder, "Here", err, sizeof(err)));
	assert_non_null(strstr(err, "Here"));
	unlink(path);
	assert_null(zones_open(folder, "Here", err, sizeof(err)));
	assert_non_null(strstr(err, "there is no time zone \"Here\" in "));
	rmdir(folder);
}

static void names_of_none(void **state)
{
	char err[256];

	(void)state;
	assert_null(zones_open("/nowhere", "Europe/Berlin", err, sizeof(err)));
	assert_string_equal(err, "\"Europe/Berlin\": this machine has no time "
		"zones; install tzdata, or give an offset, as +02:00");
	assert_null(zones_open("/", "../etc/localtime", err, sizeof(err)));
	assert_string_equal(err, "\"../etc/localtime\" is no time zone; as "
		"Europe/Berlin, +02:00, UTC or local");
	assert_null(zones_open("/", "", err, sizeof(err)));
}

static void local_is(const char *folder, const char *tz, int32_t offset)
{
	struct zone *zone;
	char err[256];

	assert_int_equal(setenv("TZ", tz, 1), 0);
	zone = zones_open(folder, "local", err, sizeof(err));
	assert_non_null(zone);
	if (zone_offset(zone, 0) != offset)
		fail_msg("%s: %d", tz, (int)zone_offset(zone, 0));
	zone_free(zone);
}

static int32_t machine_offset(void)
{
	struct zone *zone;
	int32_t offset;
	char err[256];

	unsetenv("TZ");
	zone = zones_open("/nowhere", "local", err, sizeof(err));
	assert_non_null(zone);
	offset = zone_offset(zone, 0);
	zone_free(zone);
	return offset;
}

static void local_heeds_the_environment(void **state)
{
	char folder[] = "/tmp/sallyport-zones.XXXXXX", path[64], text[96];
	int32_t machine = machine_offset();
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Here", folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fwrite(plus_one, 1, sizeof(plus_one), file);
	fclose(file);
	local_is(folder, "Here", 3600);
	local_is(folder, ":Here", 3600);
	local_is(folder, path, 3600);
	snprintf(text, sizeof(text), ":%s", path);
	local_is(folder, text, 3600);
	local_is(folder, "", 0);
	local_is(folder, "XYZ-5", 18000);
	local_is(folder, "EST5EDT,M3.2.0,M11.1.0", -18000);
	/* no zones, or of other folders: the machine's */
	local_is(folder, "There", machine);
	snprintf(text, sizeof(text), "../%s/Here", strrchr(folder, '/') + 1);
	local_is(folder, text, machine);
	snprintf(text, sizeof(text), "%s/../%s", folder, path + 5);
	local_is(folder, text, machine);
	local_is("/nowhere", path, machine);
	unsetenv("TZ");
	unlink(path);
	rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_need_no_file),
		cmocka_unit_test(names_of_files),
		cmocka_unit_test(names_of_none),
		cmocka_unit_test(local_heeds_the_environment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
