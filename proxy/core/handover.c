#include "proxy/core/handover.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utlist.h>

#include "pki/base.h"
#include "proxy/core/channel.h"
#include "proxy/core/log_want.h"
#include "proxy/core/reach.h"
#include "proxy/core/rotation.h"
#include "proxy/report/log_ending.h"

enum { LOG_FLAGS = O_WRONLY | O_CREAT | O_APPEND };

struct handover_file {
	struct handover_file *prev, *next;
	char *path;     /* owned */
	int flags;
};

/* --- loading ------------------------------------------------------------ */

static void add_file(struct handover *handover, const char *path, int flags)
{
	struct handover_file *file = calloc(1, sizeof(*file));

	if (!file)
		abort();
	file->path = pki_copy(path);
	file->flags = flags;
	DL_APPEND(handover->files, file);
}

static void list_category(struct handover *handover,
	const struct category *category)
{
	for (size_t i = 0; i < category->num_files; i++)
		add_file(handover, category->files[i].path, O_RDONLY);
}

static void list_files(struct handover *handover, const struct config *config)
{
	for (size_t i = 0; i < config->origin.num_trust_files; i++)
		add_file(handover, config->origin.trust_files[i].path,
			O_RDONLY);
	for (size_t i = 0; i < config->num_categories; i++)
		list_category(handover, &config->categories[i]);
	if (config->users.htpasswd)
		add_file(handover, config->users.htpasswd, O_RDONLY);
	if (config->users.client_ca)
		add_file(handover, config->users.client_ca, O_RDONLY);
	if (config->key_log)
		add_file(handover, config->key_log,
			O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW);
	if (!config_logs_to_file(config))
		return;
	add_file(handover, config->access_log, LOG_FLAGS);
	handover->log = pki_copy(config->access_log);
}

static void take_config(struct handover *out, struct config *config)
{
	const struct log_want want = log_want_of(config);

	out->config = config;
	out->state = pki_copy(config->state);
	out->watch = config->watch;
	out->validity_s = config->issuing.validity_s;
	out->rotate_s = config->issuing.rotate_s;
	out->log_keep = config->log.keep;
	out->log_rotate = want.rotate;
	out->log_form = want.format;
	config_crl_base(config, out->crl_base, sizeof(out->crl_base));
	list_files(out, config);
}

int handover_load(struct handover *out, const char *path)
{
	struct handover now = {0};
	struct config *config;

	if (path && config_read(path, &now.text, &now.len, stderr) != 0)
		return -1;
	if (config_load_text(path, now.text ? now.text : "", now.len, &config,
		    stderr) != 0) {
		free(now.text);
		return -1;
	}
	if (path)
		now.path = pki_copy(path);
	now.folder = config_folder(path);
	take_config(&now, config);
	handover_clear(out);
	*out = now;
	return 0;
}

void handover_drop_config(struct handover *handover)
{
	config_free(handover->config);
	handover->config = NULL;
}

void handover_clear(struct handover *handover)
{
	struct handover_file *file, *next;

	DL_FOREACH_SAFE(handover->files, file, next) {
		free(file->path);
		free(file);
	}
	handover_drop_config(handover);
	free(handover->text);
	free(handover->path);
	free(handover->folder);
	free(handover->state);
	free(handover->log);
	memset(handover, 0, sizeof(*handover));
}

/* --- sending ------------------------------------------------------------ */

/* send_fd sends what fd is, or why there is none, and closes it. */
static int send_fd(int channel, enum message_kind kind, const char *text,
	int fd)
{
	uint32_t error = fd < 0 ? (uint32_t)errno : 0;
	int result = channel_tell(channel, kind, error, text, fd);

	if (fd >= 0)
		close(fd);
	return result;
}

static int memory_of(const struct handover *handover)
{
	int fd = memfd_create("configuration", MFD_CLOEXEC);

	if (fd >= 0 && file_put(fd, handover->text, handover->len) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int send_files(const struct handover *handover,
	const struct identity *worker, int channel, bool again)
{
	const struct handover_file *file;
	int fd;

	DL_FOREACH(handover->files, file) {
		fd = reach_open(file->path, file->flags, worker);
		if (again && fd < 0 && errno == ENOENT)
			continue;
		if (!again && fd >= 0 && file->flags == LOG_FLAGS)
			log_ending_mend(fd, handover->log_form);
		if (send_fd(channel, MESSAGE_FILE, file->path, fd) != 0)
			return -1;
	}
	return 0;
}

int handover_send(const struct handover *handover,
	const struct identity *worker, int channel, bool again)
{
	if (channel_tell(channel, MESSAGE_FOLDER, !again, handover->folder,
		    -1) != 0)
		return -1;
	if (handover->path && send_fd(channel, MESSAGE_FILE, handover->path,
			memory_of(handover)) != 0)
		return -1;
	if (send_files(handover, worker, channel, again) != 0)
		return -1;
	return send_fd(channel, MESSAGE_STATE, handover->state,
		open(handover->state, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

int handover_rotate_log(const struct handover *handover,
	const struct identity *worker, int channel)
{
	if (!handover->log || handover->log_rotate == 0 ||
	    rotation_turn(handover->log, handover->log_rotate,
		    handover->log_keep, worker) != 0)
		return 0;
	if (send_fd(channel, MESSAGE_FILE, handover->log,
		    reach_open(handover->log, LOG_FLAGS, worker)) != 0)
		return -1;
	return channel_tell(channel, MESSAGE_REOPEN, 0, NULL, -1);
}

const char *handover_read_file(const struct handover *handover, size_t at)
{
	const struct handover_file *file;

	DL_FOREACH(handover->files, file) {
		if ((file->flags & O_ACCMODE) == O_RDONLY && at-- == 0)
			return file->path;
	}
	return NULL;
}
