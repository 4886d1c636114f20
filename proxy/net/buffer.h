/*
 * buffer.h - bytes in a row, added at the end, taken from the front.
 *
 * A buffer that is empty owns no memory, so that an idle connection costs
 * none. Whoever fills it bounds it; running out of memory aborts.
 *
 * Threads: one.
 */
#ifndef PROXY_NET_BUFFER_H
#define PROXY_NET_BUFFER_H

#include <stddef.h>
#include <stdint.h>

struct buffer { /* zeroed is empty */
	uint8_t *data; /* owned */
	size_t start, end, cap;
};

static inline size_t buffer_len(const struct buffer *buffer)
{
	return buffer->end - buffer->start;
}

/* buffer_at is where they are; NULL if there are none. */
static inline const uint8_t *buffer_at(const struct buffer *buffer)
{
	return buffer->data ? buffer->data + buffer->start : NULL;
}

/* buffer_reserve makes room for len bytes behind the end and returns where;
 * buffer_commit says how many of them were written. */
uint8_t *buffer_reserve(struct buffer *buffer, size_t len);
void buffer_commit(struct buffer *buffer, size_t len);

void buffer_add(struct buffer *buffer, const void *data, size_t len);

/* buffer_eat takes len bytes from the front; the last frees the memory. */
void buffer_eat(struct buffer *buffer, size_t len);
void buffer_clear(struct buffer *buffer);

/* buffer_forget_spares frees the memory that a thread keeps for its next
 * buffers; before it ends. */
void buffer_forget_spares(void);

#endif
