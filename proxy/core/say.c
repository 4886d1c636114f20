#include "proxy/core/say.h"

#include <stdarg.h>
#include <stdio.h>

void say(const char *format, ...)
{
	va_list args;

	flockfile(stderr);
	va_start(args, format);
	fputs("sallyport: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	funlockfile(stderr);
}
