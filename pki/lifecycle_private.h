/*
 * lifecycle_private.h - what the steps of a CA's life share.
 *
 * Threads, errors: as in lifecycle.h.
 */
#ifndef PKI_LIFECYCLE_PRIVATE_H
#define PKI_LIFECYCLE_PRIVATE_H

#include <stdarg.h>

#include "pki/estate.h"
#include "pki/lifecycle.h"

/* life_no writes the sentence and gives back the outcome. */
enum life_outcome life_no(const struct life *life, enum life_outcome outcome,
	const char *format, ...) __attribute__((format(printf, 3, 4)));

/* life_begin opens the estate, which estate_close closes whatever the outcome,
 * and finds the row. built_in: the step is for that CA too. */
enum life_outcome life_begin(const struct life *life, int64_t id,
	bool built_in, struct estate *estate, struct store_ca **out)
	MUST_CHECK;

/* life_tell adds a line to the audit trail. */
int life_tell(const struct life *life, struct estate *estate, int64_t id,
	const char *name, const char *what, const char *detail) MUST_CHECK;

/* life_out_of_order refuses a step that comes at the wrong time. */
enum life_outcome life_out_of_order(const struct life *life,
	const struct store_ca *row, const char *what);

/* life_copy gives out its own references. */
void life_copy(const struct store_ca *row, struct store_ca *out);

/* life_finish commits what was written, and gives the row as it is then;
 * life_save writes the row and its line first. */
enum life_outcome life_finish(const struct life *life,
	struct estate *estate, int64_t id, struct store_ca *out) MUST_CHECK;
enum life_outcome life_save(const struct life *life, struct estate *estate,
	const struct store_ca *row, const char *what, const char *detail,
	struct store_ca *out) MUST_CHECK;

#endif
