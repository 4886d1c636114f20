#include "proxy/core/inherit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/config/handed.h"
#include "proxy/core/channel.h"
#include "proxy/core/identity.h"
#include "proxy/core/keeper_client.h"

static bool add_listener(struct inheritance *inheritance, uint32_t number,
	int fd)
{
	uint32_t thread = number / NUM_LISTENER_KINDS;
	enum listener_kind kind = number % NUM_LISTENER_KINDS;
	struct inherited_fds *fds;
	int *grown;

	if (thread >= WORKER_THREADS_MAX || fd < 0)
		return false;
	fds = kind == LISTENER_ADMIN ? &inheritance->admin :
		&inheritance->threads[thread];
	grown = realloc(fds->at, (fds->num + 1) * sizeof(*grown));
	if (!grown)
		abort();
	fds->at = grown;
	fds->at[fds->num++] = fd;
	fds->of_kind[kind]++;
	return true;
}

/* take_state: a folder that can't be reached by its name can by its
 * descriptor. */
static bool take_state(struct inheritance *inheritance, const char *path,
	int fd)
{
	char reach[MESSAGE_TEXT];

	if (fd < 0)
		return false;
	handed_set_state(path);
	if (inheritance->state) {
		close(fd);
		return true;
	}
	identity_reach(path, fd, reach, sizeof(reach));
	inheritance->state = pki_copy(reach);
	inheritance->state_fd = fd;
	return true;
}

/* tell: where nobody is there to hear it, the next message is the end. */
static void tell(enum message_kind kind)
{
	(void)!channel_tell(CHANNEL_FD, kind, 0, NULL, -1);
}

static void tell_deaf(void)
{
	tell(MESSAGE_DEAF);
}

static bool take_keeper(struct inheritance *inheritance, uint32_t way, int fd)
{
	if (!inheritance->keeper || way >= NUM_ASKERS || fd < 0)
		return false;
	keeper_client_connect(inheritance->keeper, (enum asker)way, fd);
	return true;
}

static enum inherit_event wrong(int fd)
{
	if (fd >= 0)
		close(fd);
	return INHERIT_END;
}

static enum inherit_event heed(struct inheritance *inheritance,
	const struct message *message, int fd)
{
	switch (message->kind) {
	case MESSAGE_FILE:
		handed_put(message->text, fd, (int)message->number);
		return INHERIT_NOTHING;
	case MESSAGE_FOLDER:
		if (message->number)
			handed_begin();
		handed_set_folder(message->text);
		return INHERIT_NOTHING;
	case MESSAGE_LISTENER:
		return add_listener(inheritance, message->number, fd) ?
			INHERIT_NOTHING : wrong(fd);
	case MESSAGE_ADDRESS:
		handed_set_address(message->text);
		return INHERIT_NOTHING;
	case MESSAGE_STATE:
		return take_state(inheritance, message->text, fd) ?
			INHERIT_NOTHING : wrong(fd);
	case MESSAGE_SOURCE:
		inheritance->keeper = keeper_client_new(message->text,
			tell_deaf);
		return INHERIT_NOTHING;
	case MESSAGE_KEEPER:
		if (!take_keeper(inheritance, message->number, fd))
			return wrong(fd);
		return message->number == NUM_ASKERS - 1 ? INHERIT_KEEPER :
							   INHERIT_NOTHING;
	case MESSAGE_START:
		inheritance->config =
			message->text[0] ? pki_copy(message->text) : NULL;
		return INHERIT_START;
	case MESSAGE_RELOAD:
		handed_end();
		return INHERIT_RELOAD;
	case MESSAGE_REOPEN:
		return INHERIT_REOPEN;
	case MESSAGE_NO_RELOAD:
		return INHERIT_NO_RELOAD;
	default:
		return wrong(fd);
	}
}

enum inherit_event inherit_next(struct inheritance *inheritance)
{
	struct message message;
	int fd;

	if (channel_receive(CHANNEL_FD, &message, &fd) != 1)
		return INHERIT_END;
	return heed(inheritance, &message, fd);
}

unsigned inherit_threads(const struct inheritance *inheritance)
{
	unsigned num = 0;

	while (num < WORKER_THREADS_MAX && inheritance->threads[num].num > 0)
		num++;
	return num;
}

void inherit_ready(void)
{
	tell(MESSAGE_READY);
}

void inherit_reloaded(void)
{
	tell(MESSAGE_RELOADED);
}

void inherit_full(void)
{
	tell(MESSAGE_FULL);
}

void inherit_clear(struct inheritance *inheritance)
{
	for (size_t i = 0; i < WORKER_THREADS_MAX; i++)
		free(inheritance->threads[i].at);
	free(inheritance->admin.at);
	keeper_client_free(inheritance->keeper);
	free(inheritance->config);
	free(inheritance->state);
	if (inheritance->state_fd > 0)
		close(inheritance->state_fd);
	handed_forget();
	memset(inheritance, 0, sizeof(*inheritance));
}
