#include "proxy/net/buffer.h"

#include <stdlib.h>
#include <string.h>

/* Either a little is held, or what one read of the socket brings, encrypted:
 * no steps between, each would be a copy. */
enum { LITTLE = 4096, USUAL = 72 * 1024 };

/* Blocks of LITTLE come and go with every message: a thread keeps some. Not
 * where a sanitizer is to see who uses one that is gone. */
#ifdef __SANITIZE_ADDRESS__
enum { SPARES = 64, KEEPS_SPARES = 0 };
#else
enum { SPARES = 64, KEEPS_SPARES = 1 };
#endif
static _Thread_local uint8_t *spares[SPARES];
static _Thread_local unsigned num_spares;

static uint8_t *take_little(void)
{
	return num_spares > 0 ? spares[--num_spares] : malloc(LITTLE);
}

static void give(uint8_t *data, size_t cap)
{
	if (KEEPS_SPARES && cap == LITTLE && num_spares < SPARES)
		spares[num_spares++] = data;
	else
		free(data);
}

void buffer_forget_spares(void)
{
	while (num_spares > 0)
		free(spares[--num_spares]);
}

static void grow(struct buffer *buffer, size_t need)
{
	size_t cap = need <= LITTLE ? LITTLE : USUAL;
	uint8_t *data;

	while (cap < need)
		cap *= 2;
	if (cap == LITTLE)
		data = take_little();
	else if (buffer->cap > LITTLE)
		data = realloc(buffer->data, cap);
	else
		data = malloc(cap);
	if (!data)
		abort();
	if (buffer->cap == LITTLE) {
		memcpy(data, buffer->data, buffer->end);
		give(buffer->data, LITTLE);
	}
	buffer->data = data;
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
	if (buffer->data)
		give(buffer->data, buffer->cap);
	*buffer = (struct buffer){0};
}
