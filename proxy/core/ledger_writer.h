/*
 * ledger_writer.h - the thread that writes the ledger to the store.
 *
 * Threads: new and free on the main one.
 */
#ifndef PROXY_CORE_LEDGER_WRITER_H
#define PROXY_CORE_LEDGER_WRITER_H

struct ledger;
struct ledger_writer;

/* ledger_writer_new starts it; state is the folder, borrowed, as is ledger. */
struct ledger_writer *ledger_writer_new(struct ledger *ledger,
	const char *state);

/* ledger_writer_free ends the ledger, and waits until all of it is written. */
void ledger_writer_free(struct ledger_writer *writer);

#endif
