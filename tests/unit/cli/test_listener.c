#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/cli/listener.h"

#define ROW(address, state, uid) "   0: " address " 00000000:0000 " state \
	" 00000000:00000000 00:00000000 00000000  " uid "        0 1 1\n"
#define ANY6 "00000000000000000000000000000000"

static struct sockaddr_storage loopback(uint16_t port)
{
	struct sockaddr_storage all = {0};
	struct sockaddr_in *at = (void *)&all;

	at->sin_family = AF_INET;
	at->sin_port = htons(port);
	at->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return all;
}

static int look(const char *text, uid_t *out)
{
	struct sockaddr_storage at = loopback(0x1F90);
	FILE *table = fmemopen((char *)(uintptr_t)text, strlen(text), "r");
	int found = listener_in(table, &at, out);

	fclose(table);
	return found;
}

static void reads_tables(void **state)
{
	uid_t uid = 7;

	(void)state;
	assert_int_equal(look("  sl  local_address rem_address\n", &uid), 0);
	assert_int_equal(look(ROW("00000000:1F90", "0A", "1000"), &uid), 1);
	assert_int_equal(uid, 1000);
	assert_int_equal(look(ROW(ANY6 ":1F90", "0A", "1001"), &uid), 1);
	assert_int_equal(uid, 1001);
	assert_int_equal(look(ROW("00000000:1F90", "01", "1"), &uid), 0);
	assert_int_equal(look(ROW("00000000:1F91", "0A", "1"), &uid), 0);
	assert_int_equal(look(ROW("05060708:1F90", "0A", "1"), &uid), 0);
	assert_int_equal(look(ROW("00000000:1F90", "0A", "1")
		ROW("00000000:1F90", "0A", "2"), &uid), -1);
}

static void finds_our_own(void **state)
{
	struct sockaddr_storage at = loopback(0);
	socklen_t len = sizeof(struct sockaddr_in);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	uid_t uid = 12345;

	(void)state;
	assert_int_equal(bind(fd, (void *)&at, len), 0);
	assert_int_equal(getsockname(fd, (void *)&at, &len), 0);
	assert_false(listener_uid(&at, &uid));
	assert_int_equal(listen(fd, 1), 0);
	assert_true(listener_uid(&at, &uid));
	assert_int_equal(uid, geteuid());
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_tables),
		cmocka_unit_test(finds_our_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
