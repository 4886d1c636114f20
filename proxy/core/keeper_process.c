#include "proxy/core/keeper_process.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pki/keeper.h"
#include "pki/keeper_frame.h"
#include "pki/keymaker.h"
#include "pki/name.h"
#include "pki/tally.h"
#include "pki/x509.h"
#include "proxy/core/channel.h"
#include "proxy/core/frame_io.h"
#include "proxy/core/harden.h"
#include "proxy/core/say.h"

/* A BoringSSL signature needs little; a frame is on the heap. */
enum { STACK = 1024 * 1024, SERIAL_MAX = 20 };

struct serving {
	struct keeper *keeper; /* borrowed: it lives as long as the process */
	int fd;                /* owned */
};

/* --- answering ---------------------------------------------------------- */

/* tell_issued: who asks for an issuing CA may have been taken over, and keep
 * from others what it was given. That it has been comes from here. */
static void tell_issued(const struct keeper_frame *frame)
{
	char title[NAME_TITLE], serial[2 * SERIAL_MAX + 1] = "";
	CBS body = frame_body(frame);
	struct cert cert;
	struct der der;

	if (!frame_get(&body, &der) || cert_read(der, &cert) != 0 ||
	    cert.serial.len > SERIAL_MAX)
		return;
	for (size_t i = 0; i < cert.serial.len; i++)
		snprintf(serial + 2 * i, 3, "%02X", cert.serial.at[i]);
	say("keeper: the issuing CA '%s' has been made, serial %s",
		name_title(cert.subject, title), serial);
}

/* Whoever sends what is no frame is not spoken with any more. */
static void *serve(void *arg)
{
	struct serving *serving = arg;
	struct keeper_frame *frame = malloc(sizeof(*frame));

	if (!frame)
		abort();
	while (frame_receive(serving->fd, frame)) {
		keeper_answer(serving->keeper, frame);
		if (frame->kind == KEEPER_ISSUE &&
		    frame->status == KEEPER_DONE)
			tell_issued(frame);
		if (!frame_send(serving->fd, frame))
			break;
		frame_wipe(frame);
	}
	frame_wipe(frame);
	free(frame);
	close(serving->fd);
	free(serving);
	return NULL;
}

static void add_asker(struct keeper *keeper, int fd)
{
	struct serving *serving = malloc(sizeof(*serving));
	pthread_attr_t attributes;
	pthread_t thread;

	if (!serving)
		abort();
	*serving = (struct serving){keeper, fd};
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attributes, serve, serving) != 0)
		abort();
	pthread_attr_destroy(&attributes);
}

/* --- being told --------------------------------------------------------- */

static struct keeper *take_passphrase(struct message *message)
{
	struct keeper *keeper = NULL;

	if (message->number <= KEYLOCK_PASSPHRASE_MAX)
		keeper = keeper_new(keylock_new(message->text,
			message->number));
	OPENSSL_cleanse(message, sizeof(*message));
	return keeper;
}

/* take_tally: the supervisor has it for the keepers to come. */
static bool take_tally(struct keeper *keeper, int fd)
{
	void *at = mmap(NULL, sizeof(struct tally), PROT_READ | PROT_WRITE,
		MAP_SHARED, fd, 0);

	close(fd);
	if (at == MAP_FAILED)
		return false;
	keeper_set_tally(keeper, at);
	return true;
}

static void take_rules(struct keeper *keeper, const struct message *message)
{
	struct keeper_rules rules;

	_Static_assert(sizeof(rules) < MESSAGE_TEXT, "rules go into a message");
	memcpy(&rules, message->text, sizeof(rules));
	rules.crl_base[sizeof(rules.crl_base) - 1] = '\0';
	keeper_set_rules(keeper, &rules);
	/* who is not there to hear it ends this process */
	(void)!channel_tell(CHANNEL_FD, MESSAGE_RULED, message->number, NULL,
		-1);
}

/* heed: the passphrase is the first thing that it is told. */
static bool heed(struct keeper **keeper, struct message *message, int fd)
{
	if (message->kind == MESSAGE_PASSPHRASE && !*keeper) {
		*keeper = take_passphrase(message);
		return *keeper != NULL;
	}
	if (!*keeper)
		return false;
	if (message->kind == MESSAGE_TALLY && fd >= 0)
		return take_tally(*keeper, fd);
	if (message->kind == MESSAGE_RULES)
		take_rules(*keeper, message);
	else if (message->kind == MESSAGE_ASKER && fd >= 0)
		add_asker(*keeper, fd);
	else
		return false;
	return true;
}

/* listen_to does what it is told until nobody is there to tell it. */
static int listen_to(int channel)
{
	static struct keeper *keeper; /* to the end: askers have it, too */
	struct message message;
	int fd, got;

	do
		got = channel_receive(channel, &message, &fd);
	while (got > 0 && heed(&keeper, &message, fd));
	/* threads may be at work with the keys: the process's end wipes them */
	return got == 0 ? 0 : 1;
}

/* warm_up has what BoringSSL asks of the kernel once asked before it may not
 * be asked any more. */
static void warm_up(void)
{
	CRYPTO_library_init();
	EVP_PKEY_free(make_p256_key());
}

int keeper_process_run(unsigned uid, unsigned gid)
{
	char err[128];
	int result;

	harden_name("sallyport-keep");
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN); /* its channel's end ends it */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	harden_raise();
	if (harden_become(uid, gid, err, sizeof(err)) != 0) {
		say("keeper: %s", err);
		return 1;
	}
	harden_private();
	harden_die();
	if (!harden_memory())
		say("keeper: its memory can be swapped out: raise the limit of "
			"locked memory (LimitMEMLOCK, ulimit -l)");
	warm_up();
	if (!harden_calls())
		say("keeper: the kernel has no seccomp: it is not kept from "
			"anything");
	result = listen_to(CHANNEL_FD);
	harden_end();
	fflush(NULL);
	_exit(result); /* other threads may still be at work */
}
