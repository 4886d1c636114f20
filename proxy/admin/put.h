/*
 * put.h - putting things into JSON objects.
 *
 * What is not there is left out: "", NULL and, of times, 0. Text comes from
 * certificates, too, where it may be any bytes: what is not UTF-8 becomes
 * U+FFFD, as a reader would show it.
 *
 * Threads: any, each its own object.
 */
#ifndef PROXY_ADMIN_PUT_H
#define PROXY_ADMIN_PUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pki/der.h"

/* put_string is a string of any bytes; owned. */
json_t *put_string(const char *at, size_t len);

void put_bytes(json_t *object, const char *key, const char *at, size_t len);
void put_text(json_t *object, const char *key, const char *text);
void put_number(json_t *object, const char *key, int64_t number);
void put_time(json_t *object, const char *key, int64_t time);
void put_flag(json_t *object, const char *key, bool flag);

/* put_serial puts a serial number, the content of its INTEGER, as everybody
 * writes it: in hexadecimal, without the byte that only says that it is not
 * negative. */
void put_serial(json_t *object, const char *key, struct der serial);

/* put_pem puts DER as PEM, under a title such as "CERTIFICATE". */
void put_pem(json_t *object, const char *key, const char *title,
	struct der der);

/* put_value takes value. */
void put_value(json_t *object, const char *key, json_t *value);

#endif
