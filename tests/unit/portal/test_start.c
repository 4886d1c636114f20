#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/config.h"
#include "proxy/portal/start.h"

/* What stands on the page of a proxy there. */
static void shows_to(const struct config *config, const char *proxy,
	const char *lines)
{
	struct portal_request request = {.config = config, .proxy = proxy};
	struct anchor root = {.name = "R", .fingerprint = "AB", .until = "U"};
	UT_string out;

	utstring_init(&out);
	start_page(&out, &request, &root);
	if (!strstr(utstring_body(&out), lines))
		fail_msg("of %s the page has not: %s", proxy, lines);
	utstring_done(&out);
}

static void shows(const char *proxy, const char *lines)
{
	const struct config config = {.portal = {NULL, 0}};

	shows_to(&config, proxy, lines);
}

/* exec knows the address that is usual, and on this machine the root, too. */
static void exec_is_told_what_it_does_not_know(void **state)
{
	(void)state;
	shows("127.0.0.1:8080", ">sallyport exec -- npm ci</pre>");
	shows("127.0.0.1:99",
		">sallyport exec --proxy 127.0.0.1:99 -- npm ci</pre>");
	shows("[::1]:99", ">sallyport exec --proxy [::1]:99 -- npm ci</pre>");
	shows("192.0.2.1:99",
		">curl --noproxy '*' -fo sallyport-root.pem "
		"'http://192.0.2.1:99/ca/root.pem'\nsallyport exec --proxy "
		"192.0.2.1:99 --ca sallyport-root.pem -- npm ci</pre>");
}

/* Without a user the copied line ends in a 407. */
static void exec_is_told_that_a_user_is_wanted(void **state)
{
	char users[] = "/users";
	const struct config config = {.users = {.htpasswd = users}};

	(void)state;
	shows_to(&config, "127.0.0.1:8080",
		">sallyport exec --user NAME -- npm ci</pre>");
	shows_to(&config, "192.0.2.1:99", " --ca sallyport-root.pem "
		"--user NAME -- npm ci</pre>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exec_is_told_what_it_does_not_know),
		cmocka_unit_test(exec_is_told_that_a_user_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
