#include "proxy/core/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/core/channel.h"
#include "proxy/core/say.h"

enum {
	QUICK_S = 10,        /* a life shorter than that is a failure */
	REST_MAX_S = 30,
	PATIENCE_S = 5,      /* for one that does not listen */
};

static int program = -1; /* this one, to be executed again */

time_t child_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec;
}

/* become_child never comes back. The child's end of the channel gets its fixed
 * number; all other descriptors are close-on-exec. It is a process group of its
 * own, so that a terminal's Ctrl-C comes from here alone. */
static void become_child(const struct child *child, int channel)
{
	char uid[24], gid[24], path[48];
	char *args[] = {"sallyport", (char *)(uintptr_t)child->word, uid, gid,
		NULL};
	sigset_t none;

	snprintf(uid, sizeof(uid), "%lu", (unsigned long)child->identity.uid);
	snprintf(gid, sizeof(gid), "%lu", (unsigned long)child->identity.gid);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setpgid(0, 0);
	if (channel == CHANNEL_FD)
		(void)fcntl(channel, F_SETFD, 0);
	else if (dup2(channel, CHANNEL_FD) != CHANNEL_FD)
		_exit(1);
	(void)fcntl(program, F_SETFD, 0); /* valgrind opens it once more */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", program);
	(void)execv(path, args);
	_exit(127);
}

/* The file is held open from the start: a newer one that takes its place later
 * speaks another language, perhaps. (By its name, not by /proc/self/exe, which
 * under valgrind is valgrind.) */
int child_prepare(char *err, size_t err_size)
{
	char path[4096];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
	int fd;

	/* what this process was started with is not for the others */
	(void)close_range(CHANNEL_FD, ~0u, CLOSE_RANGE_CLOEXEC);
	if (len > 0) {
		path[len] = '\0';
		fd = open(path, O_RDONLY | O_CLOEXEC);
		program = fcntl(fd, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
		close(fd);
	}
	if (program >= 0)
		return 0;
	snprintf(err, err_size, "this program can't find itself: %s",
		strerror(errno));
	return -1;
}

int child_start(struct child *child)
{
	int ends[2];

	if (channel_pair(ends) != 0)
		return -1;
	child->pid = fork(); /* there are no other threads */
	if (child->pid == 0)
		become_child(child, ends[1]);
	close(ends[1]);
	if (child->pid < 0) {
		close(ends[0]);
		child->pid = 0;
		return -1;
	}
	channel_set_patience(ends[0], PATIENCE_S);
	child->channel = ends[0];
	child->started = child_now();
	return 0;
}

/* --- its end --------------------------------------------------------------- */

void child_forget(struct child *child)
{
	if (child->channel >= 0)
		close(child->channel);
	child->channel = -1;
	child->pid = 0;
}

void child_tell_end(const struct child *child, int status)
{
	if (WIFSIGNALED(status))
		say("the %s was ended by signal %d; another is started",
			child->word + 1, WTERMSIG(status));
	else
		say("the %s ended with code %d; another is started",
			child->word + 1, WEXITSTATUS(status));
}

void child_rest(struct child *child)
{
	time_t now = child_now(), wait = 0;

	if (now - child->started >= QUICK_S)
		child->failures = 0;
	if (child->failures > 0)
		wait = child->failures < 5 ? 1 << (child->failures - 1) :
					     REST_MAX_S;
	child->failures++;
	child->again = now + wait;
}
