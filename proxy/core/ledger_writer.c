#include "proxy/core/ledger_writer.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "pki/store_issuing.h"
#include "proxy/core/say.h"
#include "proxy/session/ledger.h"

/* Between two transactions: a flood of names is written in few of them. */
enum { REST_MS = 200 };

struct ledger_writer {
	struct ledger *ledger;  /* borrowed */
	const char *state;      /* borrowed */
	pthread_t thread;
	int64_t there;          /* leaves in the store, at the most; -1: not known */
};

/* Names are for whoever asks to choose, and there is no end to them. */
enum { LEAVES_MAX = 200000 };

static int write_line(struct store *store, const struct ledger_line *line,
	bool named, char *err, size_t err_size)
{
	struct crl_entry none = {.serial_len = 0};

	named = named && line->site[0];
	return store_leaf_note(store, line->ca,
		named ? line->site : STORE_ALL_SITES,
		named ? &line->entry : &none, line->ends, err, err_size);
}

/* count: only where there may be too many: it takes a look at all of them. */
static int count(struct ledger_writer *writer, struct store *store, char *err,
	size_t err_size)
{
	if (writer->there >= 0 && writer->there < LEAVES_MAX)
		return 0;
	return store_num_leaves(store, &writer->there, err, err_size);
}

static int write_all(struct ledger_writer *writer, struct store *store,
	const struct ledger_line *lines, size_t num, char *err,
	size_t err_size)
{
	if (store_begin(store, err, err_size) != 0 ||
	    count(writer, store, err, err_size) != 0)
		return -1;
	for (size_t i = 0; i < num; i++) {
		if (write_line(store, &lines[i], writer->there < LEAVES_MAX,
			    err, err_size) != 0)
			return -1;
		writer->there++;
	}
	return store_commit(store, err, err_size);
}

static void write_lines(struct ledger_writer *writer,
	const struct ledger_line *lines, size_t num)
{
	char path[4096], err[512];
	struct store *store;

	snprintf(path, sizeof(path), "%s/" STORE_FILE, writer->state);
	if (store_open(path, &store, err, sizeof(err)) != 0 ||
	    write_all(writer, store, lines, num, err, sizeof(err)) != 0)
		say("what was signed is not noted: %s", err);
	store_close(store);
}

static void *run(void *arg)
{
	const struct timespec rest = {.tv_nsec = REST_MS * 1000000L};
	struct ledger_writer *writer = arg;
	struct ledger_line *lines;
	size_t num;

	while ((lines = ledger_take(writer->ledger, &num)) && num > 0) {
		write_lines(writer, lines, num);
		ledger_written(writer->ledger);
		free(lines);
		(void)nanosleep(&rest, NULL);
	}
	free(lines);
	return NULL;
}

struct ledger_writer *ledger_writer_new(struct ledger *ledger,
	const char *state)
{
	struct ledger_writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		abort();
	writer->ledger = ledger;
	writer->state = state;
	writer->there = -1;
	if (pthread_create(&writer->thread, NULL, run, writer) != 0)
		abort();
	return writer;
}

void ledger_writer_free(struct ledger_writer *writer)
{
	if (!writer)
		return;
	ledger_end(writer->ledger);
	pthread_join(writer->thread, NULL);
	free(writer);
}
