/*
 * man_page.h - what the man page says, for tests that hold it to the code.
 */
#ifndef TESTS_SUPPORT_MAN_PAGE_H
#define TESTS_SUPPORT_MAN_PAGE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* man_page reads it as mdoc has it: "-" as "\-". The caller frees it. */
static inline char *man_page(void)
{
	FILE *file = fopen("proxy/install/sallyport.8", "r");
	char *text = calloc(1, 1 << 17);

	if (!file || !text)
		fail_msg("proxy/install/sallyport.8: not found from here");
	assert_true(fread(text, 1, (1 << 17) - 1, file) > 0);
	fclose(file);
	return text;
}

/* man_page_find looks for text from at on, not minding how it is broken into
 * lines and that "-" is "\-"; returns what follows, and fails without. */
static inline const char *man_page_find(const char *at, const char *text)
{
	for (; *at; at++) {
		const char *a = at, *b = text;

		while (*b && (*a == *b || (*a == '\n' && *b == ' ') ||
			(a[0] == '\\' && a[1] == *b))) {
			a += *a == '\\' ? 2 : 1;
			b++;
		}
		if (!*b)
			return a;
	}
	fail_msg("the man page lacks \"%s\"; the scripts in "
		"proxy/install make its tables anew", text);
	return at;
}

#endif
