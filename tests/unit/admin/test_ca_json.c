#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/admin/ca_json.h"
#include "tests/support/lab.h"

static int set_up_all(void **state)
{
	(void)state;
	lab_make_root("root", "ec", LAB_CA_EXT);
	return 0;
}

static int end_all(void **state)
{
	(void)state;
	lab_end();
	return 0;
}

static void shows(json_t *made, const char *text)
{
	char *said = json_dumps(made, JSON_COMPACT);

	assert_string_equal(said, text);
	free(said);
	json_decref(made);
}

static void leaves_out_what_is_absent(void **state)
{
	struct store_ca row = {.id = 4, .name = "Corp", .type = "CUSTOM_SW",
		.region = "GLOBAL"};

	(void)state;
	shows(ca_json(&row), "{\"id\":4,\"name\":\"Corp\",\"type\":"
		"\"CUSTOM_SW\",\"region\":\"GLOBAL\",\"status\":\"DISABLED\","
		"\"defaultCertificate\":false,\"currentState\":"
		"\"GENERAL_DONE\"}");
	shows(ca_json_ready(&row), "{\"id\":4,\"name\":\"Corp\","
		"\"defaultCertificate\":false}");
	shows(ca_json_key(&row), "{\"certId\":4}");
}

static struct store_ca whole(void)
{
	return (struct store_ca){.id = 4, .is_default = true, .enabled = true,
		.state = STATE_CERT_READY, .name = "Corp",
		.description = "d", .type = "CUSTOM_SW", .region = "GLOBAL",
		.key_type = "EC_P256", .key_time = 5, .csr_file = "a.csr",
		.csr_time = 6, .cert_file = "a.pem",
		.cert = lab_cert("root.pem")};
}

static void shows_all_there_is(void **state)
{
	static const char *const keys[] = {"id", "name", "type", "region",
		"status", "defaultCertificate", "keyType", "certStartDate",
		"certExpDate", "description", "currentState", "publicKey",
		"keyGenerationTime", "csrFileName", "csrGenerationTime",
		"uploadedCertFileName"};
	struct store_ca row = whole();
	json_t *made = ca_json(&row);

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		assert_non_null(json_object_get(made, keys[i]));
	assert_int_equal(json_object_size(made),
		sizeof(keys) / sizeof(*keys));
	/* from the certificate, where the row has no key of its own */
	lab_text("pub.pem", json_string_value(json_object_get(made,
		"publicKey")));
	lab_run("openssl x509 -in root.pem -noout -pubkey | cmp - pub.pem");
	json_decref(made);
	shows(ca_json_lite(&row), "{\"id\":4,\"name\":\"Corp\",\"type\":"
		"\"CUSTOM_SW\",\"region\":\"GLOBAL\",\"status\":\"ENABLED\","
		"\"defaultCertificate\":true,\"keyType\":\"EC_P256\","
		"\"description\":\"d\",\"currentState\":\"CERT_READY\"}");
	CRYPTO_BUFFER_free(row.cert);
}

static void shows_damaged_rows(void **state)
{
	struct store_ca row = {.id = 4, .name = "a\xff", .type = "CUSTOM_SW",
		.region = "GLOBAL"};
	struct store_issuing issuing = {.id = 1};

	(void)state;
	row.cert = issuing.cert =
		CRYPTO_BUFFER_new((const uint8_t *)"0\0", 2, NULL);
	shows(ca_json(&row), "{\"id\":4,\"name\":\"a\xef\xbf\xbd\",\"type\":"
		"\"CUSTOM_SW\",\"region\":\"GLOBAL\",\"status\":\"DISABLED\","
		"\"defaultCertificate\":false,\"currentState\":"
		"\"GENERAL_DONE\"}");
	assert_null(ca_json_issuing(&issuing));
	CRYPTO_BUFFER_free(row.cert);
}

static void shows_issuing_cas(void **state)
{
	struct store_issuing issuing = {.id = 1, .parent = 4,
		.key_id = "00ff", .revoked = 9, .cert = lab_cert("root.pem")};
	json_t *made = ca_json_issuing(&issuing);

	(void)state;
	assert_string_equal(json_string_value(json_object_get(made, "name")),
		"root");
	assert_string_equal(json_string_value(json_object_get(made, "keyId")),
		"00ff");
	assert_int_equal(json_integer_value(json_object_get(made, "ca")), 4);
	assert_int_equal(json_integer_value(json_object_get(made, "revoked")),
		9);
	lab_run("openssl x509 -in root.pem -noout -serial");
	assert_non_null(strstr(lab_said(), json_string_value(json_object_get(
		made, "serialNumber"))));
	json_decref(made);
	CRYPTO_BUFFER_free(issuing.cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_out_what_is_absent),
		cmocka_unit_test(shows_all_there_is),
		cmocka_unit_test(shows_damaged_rows),
		cmocka_unit_test(shows_issuing_cas),
	};

	return cmocka_run_group_tests(tests, set_up_all, end_all);
}
