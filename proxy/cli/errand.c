#include "proxy/cli/errand.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proxy/config/mistakes.h"

enum { NOT_RUN = 126, NOT_FOUND = 127, BY_SIGNAL = 128 };

static const int passed_on[] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1,
	SIGUSR2};
#define NUM_SIGNALS (sizeof(passed_on) / sizeof(*passed_on))

/* What comes when the command has ended stops nobody from tidying up. */
static void on_signal(int number)
{
	(void)number;
}

static void take_signals(struct sigaction before[NUM_SIGNALS])
{
	struct sigaction action = {.sa_handler = on_signal,
		.sa_flags = SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		(void)sigaction(passed_on[i], &action, &before[i]);
}

static void give_back(const struct sigaction before[NUM_SIGNALS])
{
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		(void)sigaction(passed_on[i], &before[i], NULL);
}

/* not_found: with what is often meant instead. */
static const char *not_found(const char *name)
{
	if (strchr(name, ' '))
		return "there is no such command; its words go apart, not in "
			"quotes together, and a shell's line is sh -c 'LINE'";
	if (strchr(name, '='))
		return "there is no such command; \"env NAME=VALUE COMMAND\" "
			"sets a variable for one";
	return "there is no such command";
}

static void become(char **argv, char **envp) __attribute__((noreturn));
static void become(char **argv, char **envp)
{
	bool there;
	int why;

	execvpe(argv[0], argv, envp);
	why = errno;
	there = strchr(argv[0], '/') && access(argv[0], F_OK) == 0;
	fprintf(stderr, "sallyport exec: %s: %s\n", shown(argv[0]).text,
		why != ENOENT ? strerror(why) :
		there ? "what should run it (its #! line, or a library) is not "
			"there" : not_found(argv[0]));
	_exit(why == ENOENT && !there ? NOT_FOUND : NOT_RUN);
}

/* wait_for its end, and hand on what is sent to us. A signal of the kernel's is the
 * terminal's, and has gone to the command too. */
static int wait_for(pid_t pid, const sigset_t *set, int *out_signal)
{
	siginfo_t info;
	int status, number;
	pid_t ended;

	while ((ended = waitpid(pid, &status, WNOHANG)) != pid) {
		if (ended < 0)
			return NOT_RUN;
		number = sigwaitinfo(set, &info);
		if (number > 0 && number != SIGCHLD && info.si_code <= 0)
			(void)kill(pid, number);
	}
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	*out_signal = WTERMSIG(status);
	return BY_SIGNAL + *out_signal;
}

int errand_run(char **argv, char **envp, int *out_signal)
{
	struct sigaction before[NUM_SIGNALS];
	sigset_t set, mask;
	pid_t pid;
	int code;

	*out_signal = 0;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		sigaddset(&set, passed_on[i]);
	sigprocmask(SIG_BLOCK, &set, &mask);
	take_signals(before);
	pid = fork();
	if (pid == 0) {
		give_back(before);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		become(argv, envp);
	}
	if (pid < 0) {
		perror("sallyport exec");
		code = NOT_RUN;
	} else {
		code = wait_for(pid, &set, out_signal);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	return code;
}
