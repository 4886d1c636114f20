/*
 * glob.h - texts with a star in them: "curl/" and a star.
 *
 * A star is any run of bytes, also none; everything else is itself, letters of
 * ASCII in either case. There is no escape: what is compared (the user agent)
 * has no stars worth asking for.
 *
 * The text comes from a peer, so a search never goes back further than the
 * literal between two stars that it is at, and takes time in proportion to the
 * text, whatever is in it (but for literals of more than 255 bytes).
 *
 * Threads: any.
 */
#ifndef POLICY_GLOB_H
#define POLICY_GLOB_H

#include <stdbool.h>

/* glob_match says whether glob stands for the whole of text. */
bool glob_match(const char *glob, const char *text);

#endif
