#include "proxy/core/keeper_child.h"

#include <errno.h>
#include <openssl/mem.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "pki/keeper.h"
#include "pki/passphrase.h"
#include "pki/tally.h"
#include "proxy/core/channel.h"
#include "proxy/core/handover.h"
#include "proxy/core/say.h"

enum {
	RULES_S = 5,
	END_S = 5,
};

int keeper_child_prepare(struct keeper_child *keeper, char *err,
	size_t err_size)
{
	keeper->tally = memfd_create("tally", MFD_CLOEXEC);
	if (keeper->tally >= 0 &&
	    ftruncate(keeper->tally, sizeof(struct tally)) == 0)
		return 0;
	snprintf(err, err_size, "no memory for the keeper: %s",
		strerror(errno));
	return -1;
}

/* --- what it is told ---------------------------------------------------- */

static void fill_rules(const struct handover *handover,
	struct keeper_rules *out)
{
	memset(out, 0, sizeof(*out));
	out->validity_s = handover->validity_s;
	out->rotate_s = handover->rotate_s;
	snprintf(out->crl_base, sizeof(out->crl_base), "%s",
		handover->crl_base);
}

static int tell_rules(struct keeper_child *keeper,
	const struct handover *handover)
{
	struct message message = {.kind = MESSAGE_RULES,
		.number = ++keeper->num_rules};
	struct keeper_rules rules;

	fill_rules(handover, &rules);
	memcpy(message.text, &rules, sizeof(rules));
	return channel_send(keeper->child.channel, &message, -1);
}

static int tell_passphrase(const struct keeper_child *keeper,
	const struct passphrase *passphrase)
{
	struct message message = {.kind = MESSAGE_PASSPHRASE};
	struct der text = passphrase_text(passphrase);
	int result;

	memcpy(message.text, text.at, text.len);
	message.number = (uint32_t)text.len;
	result = channel_send(keeper->child.channel, &message, -1);
	OPENSSL_cleanse(&message, sizeof(message));
	return result;
}

/* --- its life ----------------------------------------------------------- */

int keeper_child_start(struct keeper_child *keeper,
	const struct passphrase *passphrase, const struct handover *handover)
{
	if (child_start(&keeper->child) != 0)
		return -1;
	if (tell_passphrase(keeper, passphrase) != 0 ||
	    channel_tell(keeper->child.channel, MESSAGE_TALLY, 0, NULL,
		    keeper->tally) != 0)
		return -1;
	return tell_rules(keeper, handover);
}

int keeper_child_change(struct keeper_child *keeper,
	const struct handover *handover)
{
	if (tell_rules(keeper, handover) != 0)
		return -1;
	if (channel_await(keeper->child.channel, MESSAGE_RULED,
		    keeper->num_rules, RULES_S) == 0)
		return 0;
	if (errno != ETIMEDOUT)
		return -1;
	say("the keeper does not say yet that it goes by the rules of this "
	    "reload");
	return 0;
}

void keeper_child_end(struct keeper_child *keeper)
{
	time_t until = child_now() + END_S;
	struct timespec nap = {.tv_nsec = 5 * 1000 * 1000};
	pid_t pid = keeper->child.pid;

	if (!pid)
		return;
	child_forget(&keeper->child);
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (child_now() >= until)
			(void)kill(pid, SIGKILL);
		(void)nanosleep(&nap, NULL);
	}
}
