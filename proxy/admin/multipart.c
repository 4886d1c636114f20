#include "proxy/admin/multipart.h"

#include <stdio.h>
#include <string.h>

struct form {
	char mark[4 + MULTIPART_BOUNDARY_MAX + 1]; /* CR LF "--" boundary */
	size_t mark_len;
	struct slice rest;         /* behind the last mark */
	char *err;
	size_t err_size;
};

/* What a part's head says. */
struct part {
	struct slice name, file_name;
	bool has_name, has_file_name, encoded;
};

static int refuse(const struct form *form, const char *sentence)
{
	if (form->err_size > 0)
		snprintf(form->err, form->err_size, "%s", sentence);
	return -1;
}

/* --- slices ------------------------------------------------------------- */

static void skip(struct slice *text, size_t num)
{
	if (num == 0)
		return; /* it may be nowhere */
	text->at += num;
	text->len -= num;
}

static bool starts(struct slice text, const char *with)
{
	size_t len = strlen(with);

	return text.len >= len && memcmp(text.at, with, len) == 0;
}

static void skip_blanks(struct slice *text)
{
	while (text->len > 0 && (text->at[0] == ' ' || text->at[0] == '\t'))
		skip(text, 1);
}

/* until takes what stands before any of the marks; all, where none is. */
static struct slice until(struct slice *text, const char *marks)
{
	struct slice taken = {text->at, 0};

	while (taken.len < text->len &&
		!memchr(marks, text->at[taken.len], strlen(marks)))
		taken.len++;
	skip(text, taken.len);
	return taken;
}

static struct slice trimmed(struct slice text)
{
	skip_blanks(&text);
	while (text.len > 0 && (text.at[text.len - 1] == ' ' ||
				text.at[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* --- parameters --------------------------------------------------------- */

static bool take_quoted(struct slice *text, struct slice *out)
{
	skip(text, 1);
	*out = (struct slice){text->at, 0};
	while (out->len < text->len && out->at[out->len] != '"') {
		/* a quoted pair, RFC 9110, 5.6.4: its second is no end */
		out->len += out->at[out->len] == '\\' ? 2 : 1;
	}
	if (out->len >= text->len)
		return false;
	skip(text, out->len + 1);
	return true;
}

/* next_parameter takes '; name=value' or '; name="value"'. 1: there was one;
 * 0: none is left; -1: it is none. */
static int next_parameter(struct slice *text, struct slice *out_name,
	struct slice *out_value)
{
	skip_blanks(text);
	if (text->len == 0)
		return 0;
	if (text->at[0] != ';')
		return -1;
	skip(text, 1);
	*out_name = trimmed(until(text, "=;"));
	*out_value = (struct slice){NULL, 0};
	if (text->len == 0 || text->at[0] == ';')
		return out_name->len == 0 ? next_parameter(text, out_name,
						    out_value) : -1;
	skip(text, 1);
	skip_blanks(text);
	if (text->len > 0 && text->at[0] == '"')
		return take_quoted(text, out_value) ? 1 : -1;
	*out_value = trimmed(until(text, ";"));
	return 1;
}

/* --- the boundary ------------------------------------------------------- */

static int keep_boundary(struct form *form, struct slice boundary)
{
	if (boundary.len == 0 || boundary.len > MULTIPART_BOUNDARY_MAX)
		return refuse(form, "The form's boundary (Content-Type) must "
			"have 1 to 70 characters.");
	for (size_t i = 0; i < boundary.len; i++) {
		if (boundary.at[i] < ' ' || boundary.at[i] > '~')
			return refuse(form, "The form's boundary "
				"(Content-Type) holds what can't stand "
				"there.");
	}
	memcpy(form->mark, "\r\n--", 4);
	memcpy(form->mark + 4, boundary.at, boundary.len);
	form->mark_len = 4 + boundary.len;
	return 0;
}

static int read_type(struct form *form, struct slice type)
{
	struct slice boundary = {NULL, 0}, name, value;
	bool found = false;
	int got;

	if (!slice_is_nocase(trimmed(until(&type, ";")),
		    "multipart/form-data"))
		return MULTIPART_OTHER;
	while ((got = next_parameter(&type, &name, &value)) > 0) {
		if (!slice_is_nocase(name, "boundary"))
			continue;
		if (found)
			return refuse(form, "The form's Content-Type has two "
				"boundaries.");
		found = true;
		boundary = value;
	}
	if (got < 0)
		return refuse(form, "The form's Content-Type is malformed.");
	if (!found)
		return refuse(form, "The form's Content-Type has no boundary: "
			"leave that header to the program that sends the "
			"form.");
	return keep_boundary(form, boundary);
}

/* --- parts -------------------------------------------------------------- */

/* find_mark: where the next boundary's line begins, from its CR on. */
static const char *find_mark(const struct form *form, struct slice in)
{
	return in.len == 0 ? NULL :
		memmem(in.at, in.len, form->mark, form->mark_len);
}

/* begin skips what stands before the first boundary, which needs no line end
 * before it where it is the very first. */
static int begin(struct form *form, struct slice body)
{
	struct slice bare = {form->mark + 2, form->mark_len - 2};
	const char *found;

	form->rest = body;
	if (body.len == 0)
		return refuse(form, "The form is empty.");
	if (body.len >= bare.len && memcmp(body.at, bare.at, bare.len) == 0) {
		skip(&form->rest, bare.len);
		return 0;
	}
	found = find_mark(form, body);
	if (!found)
		return refuse(form, "The form does not hold its boundary: the "
			"one in Content-Type is another than the body's.");
	skip(&form->rest, (size_t)(found - body.at) + form->mark_len);
	return 0;
}

/* enter goes from behind a boundary to the part's head. 1: there is one; 0:
 * that was the last boundary. */
static int enter(struct form *form)
{
	if (starts(form->rest, "--"))
		return 0;
	skip_blanks(&form->rest); /* transport padding, RFC 2046, 5.1.1 */
	if (!starts(form->rest, "\r\n"))
		return refuse(form, form->rest.len < 2 ?
			"The form ends in the middle: the last boundary is "
			"missing." :
			"A boundary of the form does not end its line.");
	skip(&form->rest, 2);
	return 1;
}

static int read_disposition(const struct form *form, struct slice value,
	struct part *out)
{
	struct slice name, got;
	int more;

	if (!slice_is_nocase(trimmed(until(&value, ";")), "form-data"))
		return refuse(form, "A part's Content-Disposition is not "
			"form-data.");
	while ((more = next_parameter(&value, &name, &got)) > 0) {
		if (slice_is_nocase(name, "name") && !out->has_name) {
			out->name = got;
			out->has_name = true;
		} else if (slice_is_nocase(name, "filename") &&
			!out->has_file_name) {
			out->file_name = got;
			out->has_file_name = true;
		}
	}
	return more == 0 ? 0 : refuse(form,
		"A part's Content-Disposition is malformed.");
}

static bool plain_coding(struct slice value)
{
	return slice_is_nocase(value, "7bit") ||
		slice_is_nocase(value, "8bit") ||
		slice_is_nocase(value, "binary");
}

static int read_field(const struct form *form, struct slice line,
	struct part *out)
{
	struct slice name = until(&line, ":");

	if (line.len == 0 || name.len == 0)
		return refuse(form, "A part of the form has a header line "
			"without a name.");
	skip(&line, 1);
	if (slice_is_nocase(name, "content-transfer-encoding"))
		out->encoded = !plain_coding(trimmed(line));
	if (!slice_is_nocase(name, "content-disposition"))
		return 0;
	if (out->has_name)
		return refuse(form, "A part of the form has two "
			"Content-Disposition headers.");
	return read_disposition(form, line, out);
}

/* read_head reads the header lines, up to the empty one. */
static int read_head(struct form *form, struct part *out)
{
	const char *start = form->rest.at;

	memset(out, 0, sizeof(*out));
	while (!starts(form->rest, "\r\n")) {
		const char *end = form->rest.len == 0 ? NULL :
			memmem(form->rest.at, form->rest.len, "\r\n", 2);
		struct slice line = {form->rest.at, 0};

		if (!end)
			return refuse(form, "The form ends in the middle of a "
				"part's header.");
		line.len = (size_t)(end - line.at);
		if ((size_t)(end - start) > MULTIPART_HEAD_MAX)
			return refuse(form, "A part's header is longer than "
				"4 KB.");
		if (read_field(form, line, out) != 0)
			return -1;
		skip(&form->rest, line.len + 2);
	}
	if (!out->has_name)
		return refuse(form, "A part of the form has no name.");
	/* What follows a part may follow the empty line at once: then its CR LF
	 * is the boundary's, too. */
	if (form->rest.len >= form->mark_len &&
	    memcmp(form->rest.at, form->mark, form->mark_len) == 0)
		return 0;
	skip(&form->rest, 2);
	return 0;
}

/* read_bytes takes what stands before the next boundary. */
static int read_bytes(struct form *form, struct slice *out)
{
	const char *end = find_mark(form, form->rest);

	*out = form->rest;
	if (!end)
		return refuse(form, "The form ends in the middle: the last "
			"boundary is missing.");
	out->len = (size_t)(end - out->at);
	skip(&form->rest, out->len + form->mark_len);
	return 0;
}

static int keep(const struct form *form, const struct part *part,
	struct slice bytes, bool *found, struct multipart_file *out)
{
	if (*found)
		return refuse(form, "The form holds the file twice.");
	if (part->encoded)
		return refuse(form, "The file is encoded "
			"(Content-Transfer-Encoding): send it as it is.");
	*found = true;
	out->bytes = bytes;
	out->name = part->file_name;
	out->has_name = part->has_file_name;
	return 0;
}

static int read_parts(struct form *form, const char *wanted,
	struct multipart_file *out)
{
	bool found = false;
	struct slice bytes;
	struct part part;
	int got;

	for (int num = 0; (got = enter(form)) > 0; num++) {
		if (num == MULTIPART_PARTS_MAX)
			return refuse(form, "The form has more than 32 parts.");
		if (read_head(form, &part) != 0 ||
		    read_bytes(form, &bytes) != 0)
			return -1;
		if (slice_is(part.name, wanted) &&
		    keep(form, &part, bytes, &found, out) != 0)
			return -1;
	}
	if (got < 0 || found)
		return got;
	if (form->err_size > 0)
		snprintf(form->err, form->err_size, "No file was selected: the "
			"form has no part called \"%s\".", wanted);
	return -1;
}

int multipart_find(struct slice content_type, struct slice body,
	const char *part, struct multipart_file *out, char *err,
	size_t err_size)
{
	struct form form = {.err = err, .err_size = err_size};
	int result = read_type(&form, content_type);

	memset(out, 0, sizeof(*out));
	if (result == 0)
		result = begin(&form, body);
	return result != 0 ? result : read_parts(&form, part, out);
}
