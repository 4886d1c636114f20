#include "proxy/cli/ephemeral.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utstring.h>

#include "pki/base.h"
#include "proxy/cli/client.h"
#include "proxy/cli/setup.h"
#include "proxy/config/config.h"

enum {
	LOOK_MS = 10,
	START_MS = 60000,  /* a large CA, a slow machine */
	END_MS = 2000,     /* for connections, after SIGTERM */
	LAST_MS = 5000,    /* ... and after another */
	SAID_MAX = 64 * 1024,
};

static void pause_ms(unsigned ms)
{
	const struct timespec time = {ms / 1000,
		(long)(ms % 1000) * 1000000};

	(void)nanosleep(&time, NULL);
}

/* --- what it runs by ---------------------------------------------------- */

/* free_port: nobody else has it now; should somebody take it before the proxy does,
 * that does not start, and says so. */
static int free_port(uint16_t *out)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool good = fd >= 0 &&
		bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 &&
		getsockname(fd, (struct sockaddr *)&at, &len) == 0;

	if (fd >= 0)
		close(fd);
	*out = ntohs(at.sin_port);
	return good ? 0 : -1;
}

/* quoted is a text as YAML has it between double quotes, which is JSON's way. */
static char *quoted(const char *text)
{
	json_t *json = json_string_nocheck(text);
	char *out = json_dumps(json, JSON_ENCODE_ANY);

	json_decref(json);
	return out ? out : pki_copy("\"\"");
}

static int write_config(const struct ephemeral_order *order,
	const char *path, char *err, size_t err_size)
{
	char *folder = state_path(order->folder, "state");
	char *state = quoted(folder);
	char *origins = quoted(order->origins ? order->origins : "system");
	uint16_t port;
	UT_string text;
	int result;

	if (free_port(&port) != 0)
		port = 0;
	utstring_init(&text);
	utstring_printf(&text, "listen: {proxy: \"127.0.0.1:%u\", admin: []}\n"
		"clients: local\nstate: %s\norigin: {trust: [%s]}\n"
		"log: {access: none}\nlimits: {drain-timeout: 1s}\n", port,
		state, origins);
	result = port == 0 ? pki_fail(err, err_size, "no port is free") :
		file_write(path, utstring_body(&text), utstring_len(&text),
			0600, err, err_size);
	utstring_done(&text);
	free(folder);
	free(state);
	free(origins);
	return result;
}

/* --- the process -------------------------------------------------------- */

/* become: by its name, as the others are started. */
static void become(const char *config, int said) __attribute__((noreturn));
static void become(const char *config, int said)
{
	char *argv[] = {"sallyport", "run", "-c", (char *)(uintptr_t)config,
		NULL};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(said, STDOUT_FILENO) < 0 ||
	    dup2(said, STDERR_FILENO) < 0)
		_exit(EXIT_FAILED);
	execv("/proc/self/exe", argv);
	perror("sallyport: can't start itself");
	_exit(EXIT_FAILED);
}

/* guard stands between us and the proxy, and ends when that does: the kernel tells it
 * when we are gone. The proxy it would not tell, which has been other users by then. The
 * folder goes when neither of us has its workbench any more. */
static void guard(const char *config, int said, pid_t parent)
	__attribute__((noreturn));
static void guard(const char *config, int said, pid_t parent)
{
	sigset_t set;
	pid_t proxy;
	int number;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	(void)setpgid(0, 0);
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(EXIT_FAILED);
	proxy = fork();
	if (proxy == 0)
		become(config, said);
	while (proxy > 0 && waitpid(proxy, NULL, WNOHANG) != proxy) {
		if (sigwait(&set, &number) == 0 && number == SIGTERM)
			(void)kill(proxy, SIGTERM);
	}
	_exit(EXIT_DONE);
}

static int launch(struct ephemeral *proxy)
{
	int said = open(proxy->said, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC,
		0600);
	pid_t self = getpid();

	if (said < 0)
		return setup_failed(strerror(errno));
	proxy->pid = fork();
	if (proxy->pid == 0)
		guard(proxy->config, said, self);
	close(said);
	if (proxy->pid > 0)
		return OPTIONS_FINE;
	proxy->pid = 0;
	return setup_failed(strerror(errno));
}

/* has_ended: it has, and is forgotten. */
static bool has_ended(struct ephemeral *proxy)
{
	if (waitpid(proxy->pid, NULL, WNOHANG) != proxy->pid)
		return false;
	proxy->pid = 0;
	return true;
}

/* answers: its control socket does, which comes after its listeners. */
static bool answers(const struct config *config)
{
	struct client *client = NULL;
	bool good = client_dial(config, &client) == OPTIONS_FINE && client;

	client_close(client);
	return good;
}

static int await(struct ephemeral *proxy)
{
	struct config *config;
	int code = setup_config(proxy->config, &config);

	if (code != OPTIONS_FINE)
		return code;
	code = EXIT_FAILED;
	for (unsigned ms = 0; ms < START_MS && code == EXIT_FAILED;
		ms += LOOK_MS) {
		if (has_ended(proxy))
			break;
		if (answers(config))
			code = OPTIONS_FINE;
		else
			pause_ms(LOOK_MS);
	}
	config_free(config);
	return code;
}

static void tell_why(const struct ephemeral *proxy, const char *what)
{
	char err[FILE_ERR_SIZE], *text;
	size_t len;

	fprintf(stderr, "sallyport: the proxy of its own %s; it says:\n", what);
	if (file_read(proxy->said, SAID_MAX, &text, &len, err,
		    sizeof(err)) != 0)
		return;
	fwrite(text, 1, len, stderr);
	free(text);
}

int ephemeral_start(const struct ephemeral_order *order,
	struct ephemeral *out)
{
	int code = OPTIONS_FINE;
	char err[FILE_ERR_SIZE];

	*out = (struct ephemeral){
		.said = state_path(order->folder, "proxy.log")};
	if (order->config) {
		out->config = pki_copy(order->config);
	} else {
		out->config = state_path(order->folder, "sallyport.yaml");
		if (write_config(order, out->config, err, sizeof(err)) != 0)
			code = setup_failed(err);
	}
	if (code == OPTIONS_FINE)
		code = launch(out);
	if (code == OPTIONS_FINE) {
		code = await(out);
		if (code != OPTIONS_FINE)
			tell_why(out, "does not start");
	}
	return code;
}

/* end_within waits so long for it; false: it is still there. */
static bool end_within(struct ephemeral *proxy, unsigned limit_ms)
{
	for (unsigned ms = 0; ms < limit_ms; ms += LOOK_MS) {
		if (has_ended(proxy))
			return true;
		pause_ms(LOOK_MS);
	}
	return false;
}

void ephemeral_stop(struct ephemeral *proxy)
{
	if (proxy->pid > 0 && has_ended(proxy))
		tell_why(proxy, "had ended before the command did");
	if (proxy->pid > 0) {
		(void)kill(proxy->pid, SIGTERM);
		if (!end_within(proxy, END_MS)) {
			(void)kill(proxy->pid, SIGTERM);
			if (!end_within(proxy, LAST_MS)) {
				(void)kill(-proxy->pid, SIGKILL);
				(void)waitpid(proxy->pid, NULL, 0);
			}
		}
	}
	free(proxy->config);
	free(proxy->said);
	*proxy = (struct ephemeral){.pid = 0};
}
