#include "proxy/portal/recipes.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proxy/portal/html.h"
#include "proxy/tools/shell.h"
#include "proxy/tools/tools.h"
#include "proxy/tools/variables.h"

/* A system, and where the files are once its lines have been run: of no home, as
 * some tools take a path as it is written. */
struct system {
	const char *id, *name;
	enum tool_system tools;
	enum shell shell;
	const char *bundle, *root;
	const char *trust; /* lines, as of tools.def */
};

#define FETCH "curl --noproxy '*' -fo sallyport-root.pem '{proxy}/ca/root.pem'\n"

static const struct system systems[] = {
	{"debian", "Linux: Debian, Ubuntu", TOOL_LINUX, SHELL_BASH,
		"/etc/ssl/certs/ca-certificates.crt",
		"/usr/local/share/ca-certificates/sallyport.crt",
		FETCH "sudo cp sallyport-root.pem {root}\n"
		"sudo update-ca-certificates"},
	{"fedora", "Linux: Fedora, Red Hat", TOOL_LINUX, SHELL_BASH,
		"/etc/pki/tls/certs/ca-bundle.crt",
		"/etc/pki/ca-trust/source/anchors/sallyport.pem",
		FETCH "sudo cp sallyport-root.pem {root}\n"
		"sudo update-ca-trust"},
	{"macos", "macOS", TOOL_MACOS, SHELL_ZSH,
		"/usr/local/share/sallyport/bundle.pem",
		"/usr/local/share/sallyport/root.pem",
		FETCH "sudo security add-trusted-cert -d -r trustRoot "
		"-k /Library/Keychains/System.keychain sallyport-root.pem\n"
		"sudo mkdir -p /usr/local/share/sallyport\n"
		"sudo cp sallyport-root.pem {root}\n"
		"cat /etc/ssl/cert.pem sallyport-root.pem | "
		"sudo tee {bundle} >/dev/null"},
	{"windows", "Windows (PowerShell as administrator)", TOOL_WINDOWS,
		SHELL_POWERSHELL,
		"C:\\ProgramData\\Sallyport\\bundle.pem",
		"C:\\ProgramData\\Sallyport\\root.pem",
		"New-Item -Force -ItemType Directory "
		"C:\\ProgramData\\Sallyport | Out-Null\n"
		"Invoke-WebRequest -UseBasicParsing '{proxy}/ca/root.pem' "
		"-OutFile {root}\n"
		"certutil -addstore -f Root {root}\n"
		"Get-ChildItem Cert:\\LocalMachine\\Root | ForEach-Object { "
		"'-----BEGIN CERTIFICATE-----'; [Convert]::ToBase64String("
		"$_.RawData, 'InsertLineBreaks'); "
		"'-----END CERTIFICATE-----' } | "
		"Set-Content -Encoding ascii {bundle}"},
};

static void add_lines(UT_string *out, const struct system *system,
	const char *what, const char *lines)
{
	utstring_printf(out, "<pre data-of=\"%s, %s\">", what, system->id);
	html_text(out, lines);
	html_add(out, "</pre>\n");
}

/* --- what a shell sets -------------------------------------------------- */

static bool set_variable(FILE *out, const struct system *system,
	const struct variable *variable, const char *url)
{
	const char *value;

	switch (variable->kind) {
	case VARIABLE_PROXY:
		value = url;
		break;
	case VARIABLE_NO_PROXY:
		value = "localhost,127.0.0.1,::1";
		break;
	case VARIABLE_BUNDLE:
		value = system->bundle;
		break;
	case VARIABLE_ROOT:
		value = system->root;
		break;
	case VARIABLE_ONE:
		value = "1";
		break;
	case VARIABLE_JAVA:   /* files that a tool of ours makes */
	case VARIABLE_JAVA_TOO:
	case VARIABLE_GIT:
	case VARIABLE_WGETRC:
	case VARIABLE_APT:
	default:
		return false;
	}
	shell_set(out, system->shell, variable->name, value);
	return true;
}

/* has_word: word is one of those in list, a blank between. */
static bool has_word(const char *list, const char *word)
{
	size_t len = strlen(word);
	const char *at = list;

	while ((at = strstr(at, word))) {
		if ((at == list || at[-1] == ' ') &&
		    (at[len] == ' ' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

/* set_some sets the variables of a list but those that name the proxy; NULL: all
 * there are. The caller frees the lines; NULL: there are none. */
static char *set_some(const struct system *system, const char *list,
	const char *url)
{
	const struct variable *all;
	char *lines = NULL;
	bool any = false;
	size_t num, len;
	FILE *out = open_memstream(&lines, &len);

	if (!out)
		abort();
	all = variables_all(&num);
	for (size_t i = 0; i < num; i++)
		if (!list || (all[i].kind != VARIABLE_PROXY &&
			has_word(list, all[i].name)))
			any = set_variable(out, system, &all[i], url) || any;
	if (fclose(out) != 0 || !lines)
		abort();
	if (any)
		return lines;
	free(lines);
	return NULL;
}

/* --- what each tool is told --------------------------------------------- */

static void add_tool(UT_string *out, const struct system *system,
	const struct tool *tool, const struct tools_words *words)
{
	const char *line = tool->lines[system->tools];
	char *text = line[0] ? tools_fill(line, words) :
		set_some(system, tool->variables, words->proxy);

	if (!text)
		return;
	utstring_printf(out, "<h5>%s</h5>\n", tool->name);
	add_lines(out, system, tool->name, text);
	free(text);
}

static void add_system(UT_string *out, const struct system *system,
	struct tools_words *words)
{
	const struct tool *tools;
	size_t num;
	char *text;

	words->bundle = system->bundle;
	words->root = system->root;
	utstring_printf(out, "<details id=\"%s\"><summary><h3>%s</h3>"
		"</summary>\n<h4>Trust the root</h4>\n", system->id, system->name);
	text = tools_fill(system->trust, words);
	add_lines(out, system, "trust the root", text);
	free(text);
	html_add(out, "<h4>Set all of it in a shell</h4>\n");
	text = set_some(system, NULL, words->proxy);
	add_lines(out, system, "variables", text ? text : "");
	free(text);
	html_add(out, "<h4>Or set up one tool for good</h4>\n"
		"<p>Beside these, it must know the proxy: by the variables "
		"<code>https_proxy</code> and <code>HTTPS_PROXY</code>, or in "
		"its own settings.</p>\n");
	tools = tools_all(&num);
	for (size_t i = 0; i < num; i++)
		add_tool(out, system, &tools[i], words);
	html_add(out, "</details>\n");
}

void recipes_write(UT_string *out, const char *proxy)
{
	const char *colon = strrchr(proxy, ':');
	size_t len = colon ? (size_t)(colon - proxy) : strlen(proxy);
	struct tools_words words = {.port = colon ? colon + 1 : ""};
	char *host = strndup(proxy, len), *url;

	if (!host || asprintf(&url, "http://%s", proxy) < 0)
		abort();
	words.host = host;
	words.proxy = url;
	for (size_t i = 0; i < sizeof(systems) / sizeof(*systems); i++)
		add_system(out, &systems[i], &words);
	free(host);
	free(url);
}
