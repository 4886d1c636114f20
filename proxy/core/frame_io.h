/*
 * frame_io.h - a keeper's frames over a socket, whole or not at all.
 *
 * Owns:    nothing.
 * Threads: one a socket, at each end.
 * Errors:  false and errno; 0: the other end has gone, or sent something else.
 */
#ifndef PROXY_CORE_FRAME_IO_H
#define PROXY_CORE_FRAME_IO_H

#include <stdbool.h>

struct keeper_frame;

bool frame_send(int fd, const struct keeper_frame *frame)
	__attribute__((warn_unused_result));
bool frame_receive(int fd, struct keeper_frame *frame)
	__attribute__((warn_unused_result));

#endif
