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

static volatile pid_t command; /* for the handler */

/* A signal of the kernel's is the terminal's, and has gone to the command too. */
static void on_signal(int number, siginfo_t *info, void *context)
{
	int why = errno;

	(void)context;
	if (info->si_code <= 0 && command > 0)
		(void)kill(command, number);
	errno = why;
}

static void take_signals(struct sigaction before[NUM_SIGNALS])
{
	struct sigaction action = {.sa_sigaction = on_signal,
		.sa_flags = SA_SIGINFO | SA_RESTART};

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		(void)sigaction(passed_on[i], &action, &before[i]);
}

static void give_back(const struct sigaction before[NUM_SIGNALS])
{
	for (size_t i = 0; i < NUM_SIGNALS; i++)
		(void)sigaction(passed_on[i], &before[i], NULL);
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
			"there" : "there is no such command");
	_exit(why == ENOENT && !there ? NOT_FOUND : NOT_RUN);
}

static int wait_for(pid_t pid, int *out_signal)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return NOT_RUN;
	}
	if (!WIFSIGNALED(status))
		return WEXITSTATUS(status);
	*out_signal = WTERMSIG(status);
	return BY_SIGNAL + *out_signal;
}

int errand_run(char **argv, char **envp, int *out_signal)
{
	struct sigaction before[NUM_SIGNALS];
	sigset_t all, mask;
	pid_t pid;
	int code;

	*out_signal = 0;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask); /* none is lost meanwhile */
	take_signals(before);
	pid = fork();
	if (pid == 0) {
		give_back(before);
		sigprocmask(SIG_SETMASK, &mask, NULL);
		become(argv, envp);
	}
	command = pid;
	sigprocmask(SIG_SETMASK, &mask, NULL);
	if (pid < 0) {
		perror("sallyport exec");
		code = NOT_RUN;
	} else {
		code = wait_for(pid, out_signal);
	}
	command = 0;
	return code;
}
