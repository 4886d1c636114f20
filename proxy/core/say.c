#include "proxy/core/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* As one write(2): other processes have the same standard error. */
void say(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	fprintf(stderr, "sallyport: %s\n", text);
	free(text);
}
