#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <openssl/base64.h>
#include <openssl/err.h>

#include "proxy/session/credentials.h"

/* read_exact reads from memory that ends where the value does. */
static bool read_exact(const char *value, size_t len, struct credentials *out)
{
	char *copy = malloc(len > 0 ? len : 1);
	bool read;

	assert_non_null(copy);
	memcpy(copy, value, len);
	memset(out, 'x', sizeof(*out));
	read = credentials_read((struct slice){copy, len}, out);
	free(copy);
	assert_int_equal(ERR_peek_error(), 0);
	return read;
}

static bool is_empty(const struct credentials *credentials)
{
	static const struct credentials none;

	return memcmp(credentials, &none, sizeof(none)) == 0;
}

static void check(const char *value, const char *user, const char *password)
{
	struct credentials got;

	assert_true(read_exact(value, strlen(value), &got));
	assert_string_equal(got.user, user);
	assert_string_equal(got.password, password);
	credentials_wipe(&got);
	assert_true(is_empty(&got));
}

static void check_nobody(const char *value)
{
	struct credentials got;

	if (read_exact(value, strlen(value), &got) || !is_empty(&got))
		fail_msg("\"%s\" gives somebody", value);
}

/* code writes "Basic " and base64 of len bytes. */
static const char *code(const void *text, size_t len)
{
	static char out[4096];
	size_t used = (size_t)snprintf(out, sizeof(out), "Basic ");

	EVP_EncodeBlock((uint8_t *)out + used, text, len);
	return out;
}

static void check_text_is_nobody(const void *text, size_t len)
{
	check_nobody(code(text, len));
}

static void reads_user_and_password(void **state)
{
	(void)state;
	/* RFC 7617, 2 and 2.1 */
	check("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame");
	check("Basic dGVzdDoxMjPCow==", "test", "123\xc2\xa3");
	check("basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin", "open sesame");
	check("BASIC  \tQWxhZGRpbjpvcGVuIHNlc2FtZQ== \t", "Aladdin",
		"open sesame");
	check(code("u:a:b:", 6), "u", "a:b:");
	check(code("u:", 2), "u", "");
	check(code("u:\xa3", 3), "u", "\xa3"); /* Latin-1 */
	check(code("J\xc3\xbcrgen M:x", 11), "J\xc3\xbcrgen M", "x");
}

static void takes_no_other_scheme(void **state)
{
	(void)state;
	check_nobody("");
	check_nobody("B");
	check_nobody("Basic");
	check_nobody("Basic ");
	check_nobody("Basic    ");
	check_nobody("Basi QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody("BasicQWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody("Basics QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody(" Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody("Bearer QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody("Negotiate QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
	check_nobody("Digest username=\"Aladdin\", realm=\"x\"");
}

static void takes_nothing_malformed(void **state)
{
	(void)state;
	check_nobody("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ");
	check_nobody("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=");
	check_nobody("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ===");
	check_nobody("Basic QWxhZGRpbjpvcGVu IHNlc2FtZQ==");
	check_nobody("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==, Basic eDp5");
	check_nobody("Basic Aladdin:open sesame");
	check_nobody("Basic dTp\xff");
	check_text_is_nobody("no colon", 8);
	check_text_is_nobody(":password", 9);
	check_text_is_nobody(":", 1);
	check_text_is_nobody("u\0:p", 4);
	check_text_is_nobody("u:p\0", 4);
	check_text_is_nobody("u:p\r\nX: y", 9);
	check_text_is_nobody("u:p\x7f", 4);
	check_text_is_nobody("u\x1f:p", 4);
	check_text_is_nobody("J\xfcrgen:p", 8);
	check_text_is_nobody("a\xc2\x9b:p", 5);
	check_text_is_nobody("a\xe2\x80\xae:p", 6);
}

static void bounds_both(void **state)
{
	char text[1024];
	struct credentials got;
	const char *value;

	(void)state;
	memset(text, 'a', sizeof(text));
	text[HTPASSWD_USER_MAX] = ':';
	value = code(text, HTPASSWD_USER_MAX + 1 + HTPASSWD_PASSWORD_MAX);
	assert_true(read_exact(value, strlen(value), &got));
	assert_int_equal(strlen(got.user), HTPASSWD_USER_MAX);
	assert_int_equal(strlen(got.password), HTPASSWD_PASSWORD_MAX);
	check_text_is_nobody(text, HTPASSWD_USER_MAX + 2 +
		HTPASSWD_PASSWORD_MAX);
	check_text_is_nobody(text, sizeof(text));
	text[HTPASSWD_USER_MAX] = 'a';
	text[HTPASSWD_USER_MAX + 1] = ':';
	check_text_is_nobody(text, HTPASSWD_USER_MAX + 3);
	text[1] = ':';
	check_text_is_nobody(text, 2 + HTPASSWD_PASSWORD_MAX + 1);
	value = code(text, 2 + HTPASSWD_PASSWORD_MAX);
	assert_true(read_exact(value, strlen(value), &got));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_user_and_password),
		cmocka_unit_test(takes_no_other_scheme),
		cmocka_unit_test(takes_nothing_malformed),
		cmocka_unit_test(bounds_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
