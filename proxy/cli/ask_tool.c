#include "proxy/cli/ask_tool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/net/clock.h"

enum { TURN_MS = 20, NOT_FOUND = 127 };

/* --- its process -------------------------------------------------------- */

static void become(const struct tool_order *order, int said)
	__attribute__((noreturn));
static void become(const struct tool_order *order, int said)
{
	char *argv[] = {"sh", "-c", (char *)(uintptr_t)order->command, NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGINT, SIG_DFL);
	(void)signal(SIGTERM, SIG_DFL);
	(void)signal(SIGHUP, SIG_DFL);
	if (chdir(order->folder) == 0 && dup2(null, STDIN_FILENO) >= 0 &&
	    dup2(said, STDOUT_FILENO) >= 0 && dup2(said, STDERR_FILENO) >= 0)
		execve("/bin/sh", argv, order->envp);
	_exit(NOT_FOUND);
}

/* watch returns when it has ended, or has what we wanted of it; what there is of it then
 * is ended. */
static int watch(const struct tool_order *order, pid_t pid, bool *out_late)
{
	int64_t until = clock_ms() + TOOL_LIMIT_S * 1000;
	int status = 0;
	pid_t ended = 0;

	while (!*order->stop && clock_ms() < until &&
		tap_heard(order->tap).step != OVERHEARD_REQUEST) {
		ended = waitpid(pid, &status, WNOHANG);
		if (ended != 0)
			break;
		tap_turn(order->tap, TURN_MS);
	}
	*out_late = ended == 0;
	tap_turn(order->tap, 0);
	(void)kill(-pid, SIGKILL);
	if (ended == 0)
		(void)waitpid(pid, NULL, 0);
	return ended > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* --- what it said ------------------------------------------------------- */

/* tells: a line of those that say why. */
static bool tells(const char *line)
{
	static const char *const words[] = {"certificate", "CERT", "SSL",
		"PKIX", "x509", "rror: "};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

/* pick takes the first line that tells, or the last; out is of TOOL_SAID bytes. */
static void pick(char *text, char *out)
{
	out[0] = '\0';
	for (char *at = text, *line; (line = strsep(&at, "\r\n"));) {
		if (line[0] == '\0')
			continue;
		snprintf(out, TOOL_SAID, "%s", line);
		if (tells(line))
			break;
	}
	for (; *out; out++) {
		if ((unsigned char)*out < ' ' || *out == 0x7f)
			*out = ' ';
	}
}

/* lacks: what asks is there, and what it asks with is not. */
static bool lacks(const char *text)
{
	return strstr(text, "No module named") ||
		strstr(text, "Can't locate ");
}

static enum tool_answer judge(const struct tool_order *order, int status,
	bool late, const char *text)
{
	switch (tap_heard(order->tap).step) {
	case OVERHEARD_REQUEST:
		return TOOL_WORKS;
	case OVERHEARD_TLS:
		return late ? TOOL_TOO_LONG : TOOL_DISTRUSTS;
	case OVERHEARD_CONNECT:
		return TOOL_NOT_LET;
	case OVERHEARD_NOTHING:
	case OVERHEARD_ELSEWHERE:
		break;
	}
	if (strstr(text, "rustup could not choose a version"))
		return TOOL_UNFIT;
	if (status == NOT_FOUND || lacks(text))
		return TOOL_ABSENT;
	return late ? TOOL_TOO_LONG : TOOL_PASSES_BY;
}

/* take is what was said so far, into TOOL_SAID bytes. */
static void take(int said, char *text)
{
	ssize_t got = pread(said, text, TOOL_SAID - 1, 0);

	text[got > 0 ? got : 0] = '\0';
}

enum tool_answer ask_tool(const struct tool_order *order,
	struct tool_said *out)
{
	int said = memfd_create("said", MFD_CLOEXEC), status = NOT_FOUND;
	enum tool_answer answer;
	char text[TOOL_SAID];
	bool late = false;
	pid_t pid;

	*out = (struct tool_said){.status = 0};
	tap_begin(order->tap);
	pid = fork();
	if (pid == 0)
		become(order, said);
	if (pid > 0)
		status = watch(order, pid, &late);
	take(said, text);
	if (said >= 0)
		close(said);
	out->status = tap_heard(order->tap).status;
	answer = judge(order, status, late, text);
	pick(text, out->line);
	tap_begin(order->tap);
	return answer;
}
