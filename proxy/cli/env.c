#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pki/base.h"
#include "proxy/cli/cache_folder.h"
#include "proxy/cli/dress.h"
#include "proxy/cli/setup.h"
#include "proxy/config/mistakes.h"
#include "proxy/tools/shell.h"
#include "proxy/tools/variables.h"

enum { NAME = 16 }; /* bytes of a digest, in the name */

extern char **environ;

/* --- where the files are ------------------------------------------------ */

/* name_folder is of the root and of what was set before, as the files are made of both:
 * shells with other settings have files of their own. */
static void name_folder(const char *root_pem, char out[2 * NAME + 1])
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	size_t num;
	const struct variable *all = variables_all(&num);
	SHA256_CTX sha;

	SHA256_Init(&sha);
	SHA256_Update(&sha, root_pem, strlen(root_pem));
	for (size_t i = 0; i < num; i++) {
		char *was = all[i].kind == VARIABLE_PROXY ? NULL :
			environment_was(environ, all[i].name);

		if (was) {
			SHA256_Update(&sha, all[i].name, strlen(all[i].name));
			SHA256_Update(&sha, was, strlen(was) + 1);
		}
		free(was);
	}
	for (size_t i = 0; variables_folders[i]; i++) {
		const char *is = getenv(variables_folders[i]);

		if (is)
			SHA256_Update(&sha, is, strlen(is) + 1);
	}
	SHA256_Final(sum, &sha);
	der_hex((struct der){sum, NAME}, out);
}

static int find_folder(const char *root_pem, char out[CACHE_FOLDER],
	int *out_at)
{
	char name[2 * NAME + 1], err[CACHE_FOLDER + 512];

	name_folder(root_pem, name);
	*out_at = cache_folder(name, out, err, sizeof(err));
	return *out_at >= 0 ? OPTIONS_FINE : setup_failed(err);
}

/* --- the lines ---------------------------------------------------------- */

static void print(const struct environment *env, enum shell shell)
{
	for (size_t i = 0; i < env->num; i++) {
		const struct environment_row *row = &env->at[i];

		if (row->value)
			shell_set(stdout, shell, row->name, row->value);
		else
			shell_unset(stdout, shell, row->name);
	}
}

static void print_hint(enum shell shell)
{
	static const char *const how[] = {
		[SHELL_BASH] = "eval \"$(sallyport env)\"",
		[SHELL_ZSH] = "eval \"$(sallyport env)\"",
		[SHELL_FISH] = "sallyport env | source",
		[SHELL_POWERSHELL] = "sallyport env --shell powershell | "
			"Out-String | Invoke-Expression",
	};

	if (isatty(STDOUT_FILENO))
		fprintf(stderr, "sallyport: these lines are for the shell: "
			"%s\n", how[shell]);
}

/* read_caller: the name of the program that has started us; "": not known. */
static void read_caller(char *out, int size)
{
	char path[64];
	FILE *from;

	snprintf(path, sizeof(path), "/proc/%ld/comm", (long)getppid());
	from = fopen(path, "re");
	if (!from || !fgets(out, size, from))
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	if (from)
		fclose(from);
}

/* is_csh: a shell that is known for one whose words are not known. */
static bool is_csh(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash ? slash + 1 : name;
	return strcmp(name, "csh") == 0 || strcmp(name, "tcsh") == 0;
}

/* own_shell is the shell that asks, which SHELL need not be: that is the login's, and
 * counts where the caller is no shell. */
static const char *own_shell(char *caller, int size)
{
	const char *login = getenv("SHELL");

	read_caller(caller, size);
	if (is_csh(caller) || shell_of(caller) != SHELL_UNKNOWN)
		return caller;
	if (login && (is_csh(login) || shell_of(login) != SHELL_UNKNOWN))
		return login;
	return "bash";
}

static int find_shell(const char *name, enum shell *out)
{
	char caller[64];

	if (!name)
		name = own_shell(caller, sizeof(caller));
	*out = shell_of(name);
	if (*out != SHELL_UNKNOWN)
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport env: --shell %s: it knows bash, zsh, fish "
		"and powershell; bash is for sh, dash and ksh, too\n",
		shown(name).text);
	return EXIT_WRONG;
}

static int unset(enum shell shell)
{
	struct environment env;

	environment_undo(&env, environ);
	print(&env, shell);
	environment_clear(&env);
	print_hint(shell);
	return EXIT_DONE;
}

static int print_for(const struct target *target, enum shell shell)
{
	char folder[CACHE_FOLDER];
	struct dress dress;
	int at, code = find_folder(target->root_pem, folder, &at);

	if (code != OPTIONS_FINE)
		return code;
	code = dress_make(target, folder, at, environ, &dress);
	close(at);
	if (code == OPTIONS_FINE) {
		print(&dress.env, shell);
		print_hint(shell);
		code = EXIT_DONE;
	}
	dress_clear(&dress);
	return code;
}

static int set(const struct target_order *order, enum shell shell)
{
	struct target target;
	int code = target_running(order, &target);

	if (code == OPTIONS_FINE)
		code = print_for(&target, shell);
	target_clear(&target);
	return code;
}

static int env(const struct command *self, int argc, char **argv)
{
	struct target_order order = {.config = NULL};
	const char *name = NULL;
	bool take_back = false;
	enum shell shell;
	const struct option_row rows[] = {
		TARGET_ROWS(order),
		{.name = "shell", .value = &name},
		{.name = "unset", .flag = &take_back},
	};
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = find_shell(name, &shell);
	if (code != OPTIONS_FINE)
		return code;
	return take_back ? unset(shell) : set(&order, shell);
}

const struct command command_env = {
	.name = "env",
	.summary = "print the same for a shell to take over",
	.help =
		"usage: eval \"$(sallyport env [OPTIONS])\"\n"
		"\n"
		"Prints lines that set, in the shell one works in, the variables\n"
		"that \"sallyport exec\" sets for a command. The files they name are\n"
		"in sallyport below XDG_CACHE_HOME, or ~/.cache, which has to be a\n"
		"folder of the user who calls that nobody else may write to.\n"
		"\n"
		TARGET_HELP
		"  --shell SHELL       bash, zsh, fish or powershell; without it,\n"
		"                      the one that runs this, or what the\n"
		"                      variable SHELL names\n"
		"  --unset             the lines that take it back; what was set\n"
		"                      before comes back\n"
		"\n"
		"The lines have the user's password in them.\n"
		"In fish: sallyport env | source\n",
	.run = env,
};
