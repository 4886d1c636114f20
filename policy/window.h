/*
 * window.h - times of the week: "mon-fri 08:00-18:00 Europe/Berlin".
 *
 * Days are those on which the window begins: "fri 22:00-06:00" goes on into
 * Saturday morning. The end is not in it. 00:00-24:00 is the whole day, and is
 * what counts where hours are not given; all days, where days are not.
 *
 * Owns:    its zone.
 * Threads: immutable once made.
 */
#ifndef POLICY_WINDOW_H
#define POLICY_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

struct window;
struct zone;

/* window_new reads "mon-fri", "sat,sun", "fri-mon"; "08:00-18:00"; either may be
 * NULL. zone is taken on success. NULL: err says what is wrong with which. */
struct window *window_new(const char *days, const char *hours,
	struct zone *zone, char *err, size_t err_size)
	__attribute__((warn_unused_result));
void window_free(struct window *window);

bool window_holds(const struct window *window, time_t now);

/* window_within: whenever a holds, b does. A false may be wrong where they are in
 * different zones. */
bool window_within(const struct window *a, const struct window *b);

/* window_text writes it as a person would: "mon-fri 08:00-18:00 UTC". */
void window_text(const struct window *window, char *out, size_t size);

#endif
