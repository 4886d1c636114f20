/* Files of the log: headings, full disks, rotation. */
#include "tests/unit/report/log_target_test.h"

/* --- files -------------------------------------------------------------- */

static void csv_has_its_columns_once_a_file(void **state)
{
	struct log_want want = { .where = path, .format = LOG_CSV };
	const char *text;

	(void)state;
	log_one(&want);
	log_one(&want); /* added to what is there */
	text = read_file(path);
	assert_memory_equal(text, "Event Time,User,Policy Action,", 30);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "a.example"), 4); /* URL and host */
	assert_int_equal(count(text, "\r\n"), 3);
	assert_int_equal(rename(path, moved), 0);
	log_one(&want);
	assert_int_equal(count(read_file(path), "Event Time,"), 1);
}

static void another_format_begins_in_its_own_file(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = moved, .format = LOG_CSV };
	struct access_log *log = open_log(&json, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	struct access_buffer *late = access_buffer_new(log);

	(void)state;
	access_write(buffer, &record);
	access_write(late, &record);
	assert_int_equal(access_reopen(log, &csv, err, sizeof(err)), 0);
	access_write(buffer, &record);
	access_buffer_free(buffer);
	access_buffer_free(late); /* JSON still */
	access_close(log);
	assert_int_equal(count(read_file(path), "{\"time\":"), 2);
	assert_int_equal(count(read_file(path), "\n"), 2);
	assert_int_equal(count(read_file(moved), "{"), 0);
	assert_int_equal(count(read_file(moved), "\r\n"), 2);
}

static void another_format_in_one_file_has_its_columns(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = path, .format = LOG_CSV };
	struct access_log *log = open_log(&json, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	const char *text;

	(void)state;
	access_write(buffer, &record);
	access_buffer_free(buffer);
	assert_int_equal(access_reopen(log, &csv, err, sizeof(err)), 0);
	access_close(log);
	log_one(&csv);
	text = read_file(path);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "\r\n"), 2);
}

static void another_format_after_a_restart_has_its_columns(void **state)
{
	struct log_want json = { .where = path };
	struct log_want csv = { .where = path, .format = LOG_CSV };
	const char *text;

	(void)state;
	log_one(&json);
	log_one(&csv);
	log_one(&csv);
	text = read_file(path);
	assert_memory_equal(text, "{\"time\":", 8);
	assert_int_equal(count(text, "}\nEvent Time,"), 1);
	assert_int_equal(count(text, "Event Time,"), 1);
	assert_int_equal(count(text, "\n"), 4);
	log_one(&json);
	log_one(&csv);
	text = read_file(path);
	assert_int_equal(count(text, "}\nEvent Time,"), 2);
	assert_int_equal(count(text, "\n"), 7);
}

static void columns_of_another_version_are_others(void **state)
{
	static const char old[] = "Event Time,User\r\n2026-11-20,ann\r\n";
	struct log_want csv = { .where = path, .format = LOG_CSV };
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fputs(old, f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	log_one(&csv);
	log_one(&csv);
	assert_memory_equal(read_file(path), old, sizeof(old) - 1);
	assert_int_equal(count(read_file(path), "Event Time,"), 2);
	assert_int_equal(count(read_file(path), "\r\n"), 5);
}

static void columns_far_above_are_known(void **state)
{
	struct log_want csv = { .where = path, .format = LOG_CSV };
	struct access_log *log = open_log(&csv, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)state;
	for (int i = 0; i < 15000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	log_one(&csv);
	assert_in_range(strlen(read_file(path)), 1500000, 4000000);
	assert_int_equal(count(read_file(path), "Event Time,"), 1);
}

/* Whoever wrote it was killed within a line. */
static void what_was_cut_is_ended(void **state)
{
	struct log_want want = { .where = path };
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fputs("{\"time\":\"20", f) >= 0, 1);
	assert_int_equal(fclose(f), 0);
	log_one(&want);
	assert_memory_equal(read_file(path), "{\"time\":\"20\n{\"time\":", 20);
	assert_int_equal(count(read_file(path), "\n"), 2);
}

/* --- what is lost ------------------------------------------------------- */

static void let_files_grow(rlim_t size)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_cuts_no_line(void **state)
{
	struct log_want want = { .where = path };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);
	unsigned lost = 0;
	const char *text;

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	for (int round = 1; round <= 2; round++) {
		let_files_grow((rlim_t)round * 10007);
		for (int i = 0; i < 100; i++)
			access_write(buffer, &record);
		access_flush(buffer);
		wait_for_drops(log, lost + 1);
		lost = (unsigned)access_dropped(log);
	}
	assert_in_range(lost, 1, 199);
	let_files_grow(RLIM_INFINITY);
	for (int i = 0; i < 100; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	text = read_file(path);
	assert_whole(text, "{\"time\":");
	assert_int_equal(count(text, "\"dropped\":"), 1);
	lost = number_before(said, " were lost");
	assert_int_equal(count(text, "}\n{") + 1, 301 - lost);
	assert_int_equal(count(said, "File too large; lines are lost"), 1);
	assert_int_equal(count(said, "takes lines again"), 1);
	assert_int_equal(count(said, "\n"), 2);
}

static void what_no_device_takes_is_counted(void **state)
{
	struct log_want want = { .where = "/dev/full", .format = LOG_CSV };
	struct access_log *log = open_log(&want, NULL, NULL);
	struct access_buffer *buffer = access_buffer_new(log);

	(void)state;
	for (int i = 0; i < 500; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(log);
	assert_string_equal(said,
		"log.access: /dev/full: No space left on device; lines are "
		"lost until it takes them again\n"
		"log.access: /dev/full: 500 lines were lost\n");
}

/* --- rotation ----------------------------------------------------------- */

struct turner {
	struct access_log *log;
	struct log_want want;
	atomic_uint asked, turned;
};

static void turn(void *arg)
{
	struct turner *turner = arg;

	atomic_fetch_add(&turner->asked, 1);
	if (atomic_load(&turner->turned) > 0)
		return;
	atomic_fetch_add(&turner->turned, 1);
	assert_int_equal(rename(path, moved), 0);
	assert_int_equal(access_reopen(turner->log, &turner->want, err,
		sizeof(err)), 0);
}

static void a_full_file_is_told_of_and_no_line_is_lost(void **state)
{
	struct turner turner = { .want = { .where = path, .format = LOG_CSV,
		.rotate = 100000 } };
	struct access_buffer *buffer;
	const char *text;
	unsigned lines;

	(void)state;
	turner.log = open_log(&turner.want, turn, &turner);
	buffer = access_buffer_new(turner.log);
	for (int i = 0; i < 2000; i++)
		access_write(buffer, &record);
	access_flush(buffer);
	for (int i = 0; i < 10000 && !atomic_load(&turner.turned); i++)
		usleep(1000); /* the writing thread may be late */
	for (int i = 0; i < 2000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(turner.log);
	assert_int_equal(atomic_load(&turner.turned), 1);
	text = read_file(moved);
	lines = count(text, "\r\n") - 1;
	assert_memory_equal(text, "Event Time,", 11);
	assert_string_equal(text + strlen(text) - 2, "\r\n");
	text = read_file(path);
	assert_memory_equal(text, "Event Time,", 11);
	assert_int_equal(lines + count(text, "\r\n") - 1, 4000);
}

/* Nobody who can: it grows on, and is not told of with every block. */
static void a_file_that_can_not_be_turned_grows(void **state)
{
	struct turner turner = { .want = { .where = path, .rotate = 100000 },
		.turned = 1 };
	struct access_buffer *buffer;

	(void)state;
	turner.log = open_log(&turner.want, turn, &turner);
	buffer = access_buffer_new(turner.log);
	for (int i = 0; i < 4000; i++)
		access_write(buffer, &record);
	access_buffer_free(buffer);
	access_close(turner.log);
	assert_int_equal(count(read_file(path), "\n"), 4000);
	assert_in_range(atomic_load(&turner.asked), 1, 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(csv_has_its_columns_once_a_file),
		TEST(another_format_begins_in_its_own_file),
		TEST(another_format_in_one_file_has_its_columns),
		TEST(another_format_after_a_restart_has_its_columns),
		TEST(columns_of_another_version_are_others),
		TEST(columns_far_above_are_known),
		TEST(what_was_cut_is_ended),
		TEST(a_full_disk_cuts_no_line),
		TEST(what_no_device_takes_is_counted),
		TEST(a_full_file_is_told_of_and_no_line_is_lost),
		TEST(a_file_that_can_not_be_turned_grows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
