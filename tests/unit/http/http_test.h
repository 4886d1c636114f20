/* http_test.h - what the tests of this room share. */
#ifndef TESTS_UNIT_HTTP_HTTP_TEST_H
#define TESTS_UNIT_HTTP_HTTP_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/http/message.h"

#define COUNT(array) (sizeof array / sizeof array[0])
#define BYTES(text) ((struct slice){text, sizeof text - 1})

static inline struct slice text_of(const char *text)
{
	return (struct slice){text, strlen(text)};
}

#define assert_slice(s, text) \
	do { \
		struct slice got_ = (s); \
		assert_int_equal(got_.len, strlen(text)); \
		assert_memory_equal(got_.at, text, got_.len); \
	} while (0)

/* The fields of a head as "Name=value,Name=value", in a buffer of the test. */
static inline const char *fields_of(
	const struct head *head, char *out, size_t size)
{
	size_t len = 0;

	for (size_t i = 0; i < head_num_fields(head); i++) {
		struct slice name, value;

		head_field(head, i, &name, &value);
		assert_true(len + name.len + value.len + 3 < size);
		if (i > 0)
			out[len++] = ',';
		memcpy(out + len, name.at, name.len);
		len += name.len;
		out[len++] = '=';
		memcpy(out + len, value.at, value.len);
		len += value.len;
	}
	out[len] = '\0';
	return out;
}

/* Adds fields written as "Name: value\nName: value". */
static inline void add_fields(struct head *head, const char *text)
{
	while (*text) {
		size_t len = strcspn(text, "\n"), name = strcspn(text, ":");

		head_add(head, (struct slice){text, name},
			(struct slice){text + name + 2, len - name - 2});
		text += len + (text[len] == '\n');
	}
}

#endif
