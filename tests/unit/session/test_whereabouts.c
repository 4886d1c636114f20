#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "proxy/session/whereabouts.h"

/* The client came to 192.0.2.1:8080. */
static void came_by(struct config *config, bool local, const char *host,
	uint16_t port, const char *told)
{
	union address to = {.in4 = {.sin_family = AF_INET,
		.sin_port = htons(8080)}};
	struct came came = {.to = &to.any, .local = local, .host = host,
		.port = port};
	char out[PROXY_ADDRESS_SIZE];

	assert_int_equal(inet_pton(AF_INET, "192.0.2.1", &to.in4.sin_addr), 1);
	whereabouts_tell(config, &came, out);
	assert_string_equal(out, told);
}

static struct config *config_of(struct endpoint *listen)
{
	struct config *config = calloc(1, sizeof(*config));

	assert_non_null(config);
	strncpy(listen->text, "192.0.2.1:8080", sizeof(listen->text) - 1);
	listen->address.ss_family = AF_INET;
	((struct sockaddr_in *)&listen->address)->sin_addr.s_addr = 1;
	config->proxy.at = listen;
	config->proxy.num = 1;
	return config;
}

static void by_its_address(void **state)
{
	struct endpoint listen = {.text = ""};
	struct config *config = config_of(&listen);

	(void)state;
	came_by(config, false, "", 0, "192.0.2.1:8080");
	came_by(config, false, "192.0.2.1", 8080, "192.0.2.1:8080");
	free(config);
}

static void not_by_what_anybody_calls_it(void **state)
{
	struct endpoint listen = {.text = ""};
	struct config *config = config_of(&listen);
	char machine[HOST_SIZE] = "";

	(void)state;
	assert_int_equal(gethostname(machine, sizeof(machine) - 1), 0);
	came_by(config, false, "evil.test", 8080, "192.0.2.1:8080");
	came_by(config, false, "198.51.100.1", 8080, "192.0.2.1:8080");
	came_by(config, false, "192.0.2.1", 99, "192.0.2.1:8080");
	came_by(config, false, machine, 99, "192.0.2.1:8080");
	came_by(config, true, "localhost", 99, "192.0.2.1:8080");
	came_by(config, false, "localhost", 8080, "192.0.2.1:8080");
	free(config);
}

static void by_its_own_names(void **state)
{
	struct endpoint listen = {.text = ""};
	struct config *config = config_of(&listen);
	char machine[HOST_SIZE] = "", told[HOST_SIZE + 8];

	(void)state;
	assert_int_equal(gethostname(machine, sizeof(machine) - 1), 0);
	address_with_port(machine, 8080, told, sizeof(told));
	came_by(config, false, machine, 8080, told);
	came_by(config, true, "localhost", 8080, "localhost:8080");
	free(config);
}

static void by_the_name_in_cdps(void **state)
{
	struct endpoint listen = {.text = ""};
	struct config *config = config_of(&listen);

	(void)state;
	config->issuing.crl_url = "http://Proxy.test:99/crls";
	came_by(config, false, "proxy.test", 99, "proxy.test:99");
	came_by(config, false, "proxy.test", 8080, "192.0.2.1:8080");
	config->issuing.crl_url = "http://proxy.test";
	came_by(config, false, "proxy.test", 80, "proxy.test:80");
	free(config);
}

/* ... to another listener than the proxy's. */
static void otherwise(void **state)
{
	struct endpoint listen = {.text = ""};
	struct config *config = config_of(&listen);
	struct came came = {.to = NULL, .local = true, .host = "localhost",
		.port = 8081};
	char out[PROXY_ADDRESS_SIZE];

	(void)state;
	whereabouts_tell(config, &came, out);
	assert_string_equal(out, "192.0.2.1:8080");
	free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(by_its_address),
		cmocka_unit_test(not_by_what_anybody_calls_it),
		cmocka_unit_test(by_its_own_names),
		cmocka_unit_test(by_the_name_in_cdps),
		cmocka_unit_test(otherwise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
