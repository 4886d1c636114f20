#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/err.h>

#include "pki/pem.h"

#define CERT(body) "-----BEGIN CERTIFICATE-----\n" body \
	"\n-----END CERTIFICATE-----\n"

static void expect(struct pem *pem, const char *content)
{
	CRYPTO_BUFFER *der;

	assert_int_equal(pem_next_cert(pem, &der), PEM_CERT);
	assert_int_equal(CRYPTO_BUFFER_len(der), strlen(content));
	assert_memory_equal(CRYPTO_BUFFER_data(der), content, strlen(content));
	CRYPTO_BUFFER_free(der);
}

static void expect_result(struct pem *pem, int result)
{
	CRYPTO_BUFFER *der;

	assert_int_equal(pem_next_cert(pem, &der), result);
	assert_int_equal(ERR_peek_error(), 0);
}

static void passes_over_what_is_no_certificate(void **state)
{
	static const char text[] = "# a comment\n" CERT("b25l") "\nsubject=x\n"
		"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"
		CERT("dHdv") "behind";
	struct pem *pem = pem_new(text, strlen(text));

	(void)state;
	expect(pem, "one");
	expect(pem, "two");
	expect_result(pem, PEM_END);
	expect_result(pem, PEM_END);
	pem_free(pem);
}

static void goes_on_behind_what_is_damaged(void **state)
{
	static const char text[] = CERT("b25l") CERT("!!!") CERT("dHdv");
	struct pem *pem = pem_new(text, strlen(text));

	(void)state;
	expect(pem, "one");
	expect_result(pem, -1);
	expect(pem, "two");
	expect_result(pem, PEM_END);
	pem_free(pem);
}

static void ends_with_a_cut_file(void **state)
{
	static const char text[] = "-----BEGIN CERTIFICATE-----\nb25l\n";
	struct pem *pem = pem_new(text, strlen(text));

	(void)state;
	expect_result(pem, -1);
	expect_result(pem, PEM_END);
	pem_free(pem);
	pem = pem_new("", 0);
	expect_result(pem, PEM_END);
	pem_free(pem);
	pem_free(NULL);
}

static void writes(void **state)
{
	char *text = pem_of_cert((struct der){(const uint8_t *)"one", 3});

	(void)state;
	assert_string_equal(text, CERT("b25l"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_over_what_is_no_certificate),
		cmocka_unit_test(goes_on_behind_what_is_damaged),
		cmocka_unit_test(ends_with_a_cut_file),
		cmocka_unit_test(writes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
