/*
 * handover.h - what the configuration names, opened by the supervisor and sent
 * to the worker.
 *
 * The worker may be a user who can't reach these files. It gets them open: the
 * configuration itself as a copy in memory, so that both read the same, and the
 * files of roots, lists and users and the access log as descriptors (handed.h has
 * them there). Of lists the supervisor sees no more than that they can be opened.
 *
 * Threads: one.
 */
#ifndef PROXY_CORE_HANDOVER_H
#define PROXY_CORE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include "proxy/config/config.h"
#include "proxy/core/identity.h"
#include "proxy/report/log_line.h"

struct handover {
	struct config *config;  /* owned; NULL once dropped */
	char *text;             /* owned: of the configuration */
	size_t len;
	char *path;             /* owned: its own; NULL: no file */
	char *folder;           /* owned: which it is in */
	char *state;            /* owned */
	struct handover_file *files; /* owned */
	char *log;              /* owned: the file log.access; NULL: none */
	uint64_t log_rotate;    /* size it may have; 0: any */
	unsigned log_keep;
	enum log_form log_form;
	enum watch watch;       /* reload.watch */
	uint64_t validity_s, rotate_s; /* for the keeper */
	char crl_base[CRL_BASE_SIZE];
};

/* handover_load reads the configuration anew; what is wrong with it is told on
 * stderr, and out stays as it was. */
int handover_load(struct handover *out, const char *path)
	__attribute__((warn_unused_result));

/* handover_drop_config lets go of the parsed form, which may be large. */
void handover_drop_config(struct handover *handover);
void handover_clear(struct handover *handover);

/* handover_send opens all of it now and sends it; again: to a worker that has been
 * sent it all before, which keeps what has vanished since. What the worker could not
 * have opened itself is opened only where it can't have a hand in what is found there
 * (reach.h). A log is mended the first time, of which the worker may not be able to
 * read how it ends (log_ending.h). -1: the worker is gone. */
int handover_send(const struct handover *handover,
	const struct identity *worker, int channel, bool again)
	__attribute__((warn_unused_result));

/* handover_rotate_log renames a log that is full, if it is, and sends a new one.
 * -1: the worker is gone. */
int handover_rotate_log(const struct handover *handover,
	const struct identity *worker, int channel)
	__attribute__((warn_unused_result));

/* handover_read_file is a file that is opened to be read, from 0 on; NULL: there
 * are no more. Borrowed. */
const char *handover_read_file(const struct handover *handover, size_t at);

#endif
