/*
 * fuzz_keeper.c - any question → keeper_answer.
 *
 * The first byte is the kind, the second says which of the keys that are held
 * goes before the rest, which is the body; 0: none does. With its high bit the
 * times, which no file can hold, are put in: before a CRL's list, behind a
 * leaf's fields. Whatever is asked, the answer is a frame, and what is signed
 * is none of the things that the key that signed it must not sign.
 *
 * No key is made or opened by PBKDF2: both are too slow for each input.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pki/keeper_frame.h"
#include "pki/mint.h"
#include "pki/x509.h"
#include "tests/support/kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { DAY = 24 * 3600, HEAD = 2 };

/* The root; two intermediates, of path lengths 1 and 0; the untrusted one. */
enum { ROOT, INTER, FLAT, UNTRUSTED, NUM_HELD };

static uint8_t ids[NUM_HELD][CA_KEY_ID];
static struct keeper_frame frame;
static time_t now;

static void must(int truth)
{
	if (!truth)
		abort();
}

static CRYPTO_BUFFER *self_signed(EVP_PKEY *key, int path_len)
{
	CRYPTO_BUFFER *name = mint_name("Fuzz"), *made;
	struct mint_order order = {
		.key = key, .subject = der_of(name), .path_len = path_len,
		.from = now - DAY, .until = now + 1000 * DAY,
	};

	made = mint_ca(&order);
	must(made != NULL);
	CRYPTO_BUFFER_free(name);
	return made;
}

static void hold(int which, enum key_role role, int path_len)
{
	struct keeper_held held;
	CRYPTO_BUFFER *locked, *cert;
	EVP_PKEY *key = make_p256_key();

	cert = self_signed(key, path_len);
	locked = keylock_lock(kept_lock(), key, role);
	must(keeper_hold(kept_link(), der_of(locked), role, der_of(cert), "1",
		&held, NULL, 0) == 0);
	memcpy(ids[which], held.key_id, CA_KEY_ID);
	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(cert);
	EVP_PKEY_free(key);
}

static void set_up(void)
{
	now = time(NULL);
	hold(ROOT, KEY_ROLE_ROOT, -1);
	hold(INTER, KEY_ROLE_INTERMEDIATE, 1);
	hold(FLAT, KEY_ROLE_INTERMEDIATE, 0);
	hold(UNTRUSTED, KEY_ROLE_UNTRUSTED, 0);
}

/* is_slow: it makes a key, which may be RSA, or derives one. */
static bool is_slow(const uint8_t *data, size_t size)
{
	static const uint8_t pbkdf2[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
		0x01, 0x05, 0x0c};

	return data[0] == KEEPER_MAKE_KEY || (data[0] == KEEPER_HOLD &&
		memmem(data, size, pbkdf2, sizeof(pbkdf2)));
}

/* by says which key is named; -1: none. */
static int by(const uint8_t *data)
{
	return (data[1] & 0x7f) % (NUM_HELD + 1) - 1;
}

static void add_times(CBB *body, uint8_t kind)
{
	uint64_t from = (uint64_t)now, until = from + DAY;

	if (kind == KEEPER_CRL)
		from = 7; /* its number */
	must(frame_add_number(body, from) && frame_add_number(body, until));
}

static void ask(const uint8_t *data, size_t size)
{
	bool timed = (data[1] & 0x80) != 0;
	CBB body;

	frame_begin(&frame, (enum keeper_kind)data[0], KEEPER_ASKED, &body);
	if (by(data) >= 0)
		must(CBB_add_bytes(&body, ids[by(data)], CA_KEY_ID));
	if (timed && data[0] == KEEPER_CRL)
		add_times(&body, data[0]);
	must(CBB_add_bytes(&body, data + HEAD, size - HEAD));
	if (timed && data[0] == KEEPER_LEAF)
		add_times(&body, data[0]);
	must(frame_end(&frame, &body));
	keeper_answer(kept_keeper(), &frame);
	must(frame_ok(&frame));
	must(frame.kind == data[0]);
	must(frame.status == KEEPER_DONE || frame.status == KEEPER_REFUSED ||
		frame.status == KEEPER_LOCKED);
}

static struct cert first_cert(void)
{
	CBS in = frame_body(&frame);
	struct cert cert;
	struct der der;

	must(frame_get(&in, &der) && cert_read(der, &cert) == 0);
	return cert;
}

/* check looks at what was signed, by the key that was named. */
static void check(uint8_t kind, int key)
{
	struct cert cert;

	if (kind == KEEPER_ISSUE) {
		cert = first_cert();
		must(key == INTER && cert.is_ca && cert.path_len == 0);
		must(cert.not_after <= now + KEPT_VALIDITY_S + KEPT_ROTATE_S +
			3 * DAY);
	} else if (kind == KEEPER_LEAF) {
		cert = first_cert();
		must((key == FLAT || key == UNTRUSTED) && !cert.is_ca);
		must(!cert_self_issued(&cert) && cert.san.len > 0);
		must(cert.not_after <= now + KEPT_VALIDITY_S + DAY);
	} else if (kind == KEEPER_REQUEST) {
		must(key == INTER || key == FLAT);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (now == 0)
		set_up();
	if (size < HEAD || size > KEEPER_BODY - CA_KEY_ID - 16 ||
	    is_slow(data, size))
		return 0;
	ask(data, size);
	if (frame.status == KEEPER_DONE)
		check(data[0], by(data));
	must(ERR_peek_error() == 0);
	return 0;
}
