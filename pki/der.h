/*
 * der.h - a borrowed piece of DER.
 *
 * Whoever is given one sees to it that what it points into outlives it.
 */
#ifndef PKI_DER_H
#define PKI_DER_H

#include <stddef.h>
#include <stdint.h>

struct der {
	const uint8_t *at;
	size_t len;
};

#endif
