#include "proxy/config/mistakes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "pki/name.h"

enum { KEPT = 100, SHOWN = 64 };

struct mistake {
	const char *file;  /* borrowed; NULL: none */
	size_t file_order; /* of the first mistake of that file */
	unsigned line;
	bool warning;
	size_t order;
	char *text; /* owned */
};

static bool same_file(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static size_t file_order(const struct mistakes *mistakes)
{
	for (size_t i = 0; i < mistakes->num; i++) {
		if (same_file(mistakes->at[i].file, mistakes->file))
			return i;
	}
	return mistakes->num;
}

__attribute__((format(printf, 3, 0)))
static void add(struct mistakes *mistakes, struct mistake mistake,
	const char *format, va_list args)
{
	char text[512];

	if (mistakes->num == KEPT)
		return;
	if (!mistakes->at)
		mistakes->at = calloc(KEPT, sizeof(struct mistake));
	vsnprintf(text, sizeof(text), format, args);
	mistake.text = strdup(text);
	if (!mistakes->at || !mistake.text)
		abort();
	mistake.file = mistakes->file;
	mistake.file_order = file_order(mistakes);
	mistake.order = mistakes->num;
	mistakes->at[mistakes->num++] = mistake;
}

void mistakes_error(struct mistakes *mistakes, unsigned line,
	const char *format, ...)
{
	va_list args;

	mistakes->errors++;
	va_start(args, format);
	add(mistakes, (struct mistake){.line = line}, format, args);
	va_end(args);
}

void mistakes_in(struct mistakes *mistakes, const char *from)
{
	mistakes->file = from && from[0] ? from : NULL;
}

void mistakes_warning(struct mistakes *mistakes, unsigned line,
	const char *format, ...)
{
	va_list args;

	mistakes->warnings++;
	va_start(args, format);
	add(mistakes, (struct mistake){.line = line, .warning = true}, format,
		args);
	va_end(args);
}

static int by_line(const void *a, const void *b)
{
	const struct mistake *x = a, *y = b;

	if (x->file_order != y->file_order)
		return x->file_order < y->file_order ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

static const char *name_of(const char *file)
{
	return file ? file : "configuration";
}

void mistakes_print(const struct mistakes *mistakes, FILE *out)
{
	size_t errors = mistakes->errors, warnings = mistakes->warnings;

	if (mistakes->num > 0)
		qsort(mistakes->at, mistakes->num, sizeof(struct mistake),
			by_line);
	for (size_t i = 0; i < mistakes->num; i++) {
		const struct mistake *m = &mistakes->at[i];

		*(m->warning ? &warnings : &errors) -= 1;
		fputs(name_of(m->file), out);
		if (m->line > 0)
			fprintf(out, ":%u", m->line);
		fprintf(out, ": %s%s\n", m->warning ? "warning: " : "",
			m->text);
	}
	if (warnings > 0)
		fprintf(out, "%s: warning: and %zu more\n",
			name_of(mistakes->file), warnings);
	if (errors > 0)
		fprintf(out, "%s: and %zu more\n", name_of(mistakes->file),
			errors);
}

void mistakes_clear(struct mistakes *mistakes)
{
	for (size_t i = 0; i < mistakes->num; i++)
		free(mistakes->at[i].text);
	free(mistakes->at);
	*mistakes = (struct mistakes){.file = mistakes->file};
}

void shown_mask(char *text)
{
	const uint8_t *at = (const uint8_t *)text, *from = at;

	for (; *from; from = at) {
		if (name_next_letter(&at))
			continue;
		text[from - (const uint8_t *)text] = '?';
		at = from + 1;
	}
}

struct shown shown(const char *text)
{
	size_t len = strnlen(text, SHOWN + 1);
	struct shown out = {""};

	if (len > SHOWN) {
		len = SHOWN; /* not in the middle of a character */
		while (len > 0 && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		memcpy(out.text + len, "...", 4);
	}
	memcpy(out.text, text, len);
	shown_mask(out.text);
	return out;
}
