#include "proxy/net/buffer.h"

#include <stdlib.h>
#include <string.h>

/* Either a little is held, or what one read of the socket brings, encrypted:
 * no steps between, each would be a copy. */
enum { SMALLEST = 1024, LITTLE = 4096, USUAL = 72 * 1024 };

static void grow(struct buffer *buffer, size_t need)
{
	size_t cap = buffer->cap < SMALLEST ? SMALLEST : buffer->cap;

	if (need > LITTLE && cap < USUAL)
		cap = USUAL;
	while (cap < need)
		cap *= 2;
	buffer->data = realloc(buffer->data, cap);
	if (!buffer->data)
		abort();
	buffer->cap = cap;
}

uint8_t *buffer_reserve(struct buffer *buffer, size_t len)
{
	if (buffer->cap - buffer->end >= len)
		return buffer->data + buffer->end;
	if (buffer->start > 0) {
		memmove(buffer->data, buffer_at(buffer), buffer_len(buffer));
		buffer->end -= buffer->start;
		buffer->start = 0;
	}
	if (buffer->cap - buffer->end < len)
		grow(buffer, buffer->end + len);
	return buffer->data + buffer->end;
}

void buffer_commit(struct buffer *buffer, size_t len)
{
	buffer->end += len;
}

void buffer_add(struct buffer *buffer, const void *data, size_t len)
{
	if (len == 0)
		return;
	memcpy(buffer_reserve(buffer, len), data, len);
	buffer_commit(buffer, len);
}

void buffer_eat(struct buffer *buffer, size_t len)
{
	buffer->start += len;
	if (buffer->start == buffer->end)
		buffer_clear(buffer);
}

void buffer_clear(struct buffer *buffer)
{
	free(buffer->data);
	*buffer = (struct buffer){0};
}
