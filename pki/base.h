/*
 * base.h - what every file of this room needs: memory and sentences.
 *
 * Threads: any.
 */
#ifndef PKI_BASE_H
#define PKI_BASE_H

#include <openssl/base.h>
#include <openssl/bytestring.h>
#include <openssl/pool.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#include "pki/der.h"

#define MUST_CHECK __attribute__((warn_unused_result))

/* pki_new is calloc of one small thing; it ends the program for want of
 * memory, as all fixed-size allocations here do. pki_copy is strdup so. */
void *pki_new(size_t size);
char *pki_copy(const char *text);

/* state_path is the path of a file in the state folder, owned. */
char *state_path(const char *state, const char *name);

/* pki_fail writes the sentence, empties BoringSSL's error queue of this thread
 * (what is left there would be taken for an error of the next TLS call) and
 * returns -1. */
int pki_fail(char *err, size_t err_size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Between the three ways in which DER is held. */
struct der der_of(const CRYPTO_BUFFER *buffer);
struct der der_rest(const CBS *cbs);
CBS der_cbs(struct der der);
bool der_same(struct der a, struct der b);

/* der_hex writes two small digits a byte, and a NUL. */
void der_hex(struct der der, char *out);

/* der_buffer copies; der_finish takes what cbb holds and ends cbb (NULL: cbb
 * had failed). */
CRYPTO_BUFFER *der_buffer(struct der der);
CRYPTO_BUFFER *der_finish(CBB *cbb);

/* Room for a sentence that begins with a path. */
enum { FILE_ERR_SIZE = 4096 + 304 };

/* file_read reads a whole file of at most max bytes; *out is owned by the
 * caller and NUL-ended. */
int file_read(const char *path, size_t max, char **out, size_t *out_len,
	char *err, size_t err_size) MUST_CHECK;

/* file_read_regular refuses a pipe or a device, which could keep one waiting for
 * ever: for files that somebody else names. */
int file_read_regular(const char *path, size_t max, struct stat *out_info,
	char **out, size_t *out_len, char *err, size_t err_size) MUST_CHECK;

/* file_put writes all of it to a file that is open. -1 and errno. */
int file_put(int fd, const char *data, size_t len) MUST_CHECK;

/* file_write writes it at once (a temporary file beside it, renamed), with the
 * mode given. file_write_at does so in a folder that is open, at, so that it is
 * that one whatever stands in its place by then. */
int file_write(const char *path, const char *data, size_t len,
	unsigned mode, char *err, size_t err_size) MUST_CHECK;
int file_write_at(int at, const char *name, const char *data, size_t len,
	unsigned mode, char *err, size_t err_size) MUST_CHECK;

#endif
