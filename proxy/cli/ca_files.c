#include "proxy/cli/ca_steps.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proxy/cli/ca_find.h"
#include "proxy/cli/ca_request.h"
#include "proxy/cli/ca_step.h"
#include "proxy/cli/table.h"
#include "proxy/config/mistakes.h"

enum { FILE_MAX = 1 << 20 };

/* --- the request -------------------------------------------------------- */

struct names {
	const char *cn, *o, *ou, *l, *st, *c, *path_len, *digest, *out;
};

/* print_download shows it, or writes it where it was asked to. */
static int print_download(const struct client_reply *reply, const char *path)
{
	int fd = path ? setup_open_file(path, O_WRONLY | O_CREAT | O_EXCL) : -1;
	FILE *out = !path ? stdout : fd >= 0 ? fdopen(fd, "w") : NULL;
	char err[512];

	if (!out) {
		snprintf(err, sizeof(err), "%s: %s%s", shown(path).text,
			strerror(errno), errno == EEXIST ? "; take it away, "
			"or give another name" : "");
		return setup_failed(err);
	}
	fwrite(reply->body, 1, reply->len, out);
	if (path && fclose(out) != 0)
		return setup_failed("the file can't be written");
	return OPTIONS_FINE;
}

static int download_csr(struct step *step, const char *out)
{
	struct client_reply reply;
	int code = ca_get(step->client, "/downloadCsr", step->id, &reply);

	if (code == OPTIONS_FINE)
		code = print_download(&reply, out);
	client_reply_clear(&reply);
	return code;
}

/* show_csr: as JSON, with -o in the file, too. */
static int show_csr(struct step *step, const char *out)
{
	int code = OPTIONS_FINE;

	if (!step->json || out)
		code = download_csr(step, out);
	if (code != OPTIONS_FINE || !step->json)
		return code;
	code = ca_get(step->client, "/showCsr", step->id, &step->reply);
	if (code == OPTIONS_FINE)
		table_json(stdout, step->reply.json);
	return code;
}

static json_t *csr_body(const struct names *names)
{
	return json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*, s:s*}",
		"commName", names->cn, "orgName", names->o, "deptName",
		names->ou, "city", names->l, "state", names->st, "country",
		names->c, "pathLengthConstraint", names->path_len,
		"signatureAlgorithm", names->digest);
}

/* has_csr: a request has been made, told where not. */
static int has_csr(struct step *step)
{
	struct client_reply ca;
	int code = ca_get(step->client, "", step->id, &ca);

	if (code == OPTIONS_FINE &&
	    !json_object_get(ca.json, "csrGenerationTime")) {
		fprintf(stderr, "sallyport ca csr: there is no request of this "
			"CA yet: --cn NAME makes one with that common name\n");
		code = EXIT_FAILED;
	}
	client_reply_clear(&ca);
	return code;
}

/* make_csr: without a name, the one that there is stays. */
static int make_csr(struct step *step, const struct names *names)
{
	struct client_reply reply;
	char path[CA_PATH_SIZE];
	int code;

	if (!names->cn)
		return has_csr(step);
	ca_path("/generateCsr", step->id, path);
	code = client_json(step->client, "POST", path, csr_body(names),
		&reply);
	client_reply_clear(&reply);
	return code;
}

/* check_names: nothing that was typed is left aside silently. */
static int check_names(const struct names *names)
{
	if (names->cn || !(names->o || names->ou || names->l || names->st ||
			  names->c || names->path_len || names->digest))
		return OPTIONS_FINE;
	fprintf(stderr, "sallyport ca csr: needs --cn for a new request; "
		"without it, there are no names to give\n");
	return EXIT_WRONG;
}

int step_csr(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	struct names names = {.cn = NULL};
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step), ROW_CA(step),
		{.name = "cn", .value = &names.cn},
		{.name = "o", .value = &names.o},
		{.name = "ou", .value = &names.ou},
		{.name = "l", .value = &names.l},
		{.name = "st", .value = &names.st},
		{.name = "country", .value = &names.c},
		{.name = "path-length", .value = &names.path_len},
		{.name = "digest", .value = &names.digest},
		{.letter = 'o', .name = "out", .value = &names.out},
	};
	int code = options_read(self, argc, argv, rows,
		sizeof(rows) / sizeof(*rows));

	if (code == OPTIONS_FINE)
		code = check_names(&names);
	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE)
		code = make_csr(&step, &names);
	if (code == OPTIONS_FINE)
		code = show_csr(&step, names.out);
	return ca_close_step(&step, code);
}

/* --- uploads ------------------------------------------------------------ */

const char *ca_file_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int read_fd(int fd, char **out, size_t *out_len)
{
	*out = malloc(FILE_MAX + 1);
	if (!*out)
		abort();
	for (*out_len = 0; *out_len < FILE_MAX;) {
		ssize_t got = read(fd, *out + *out_len, FILE_MAX - *out_len);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			return 0;
		*out_len += (size_t)got;
	}
	errno = EFBIG;
	return -1;
}

int ca_read_file(const char *path, char **out, size_t *out_len)
{
	int fd = setup_open_file(path, O_RDONLY);
	int result = fd < 0 ? -1 : read_fd(fd, out, out_len);
	char err[512];

	if (result != 0) {
		snprintf(err, sizeof(err), "%s: %s", shown(path).text,
			strerror(errno));
		if (fd >= 0)
			free(*out);
		*out = NULL;
	}
	if (fd >= 0)
		close(fd);
	return result == 0 ? OPTIONS_FINE : setup_failed(err);
}

/* The file is read before anything else: as whom the command was called. */
static int upload_to(const struct command *self, int argc, char **argv,
	bool is_cert)
{
	struct step step = {.config = NULL};
	const char *file = NULL;
	const struct option_row rows[] = {
		ROW_CONFIG(step), ROW_JSON(step), ROW_CA(step),
		{.name = "a file", .value = &file, .needed = true,
			.operand = true},
	};
	char path[CA_PATH_SIZE], *data = NULL;
	size_t len;
	int code = options_read(self, argc, argv, rows, 4);

	if (code == OPTIONS_FINE)
		code = ca_read_file(file, &data, &len);
	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, true);
	if (code == OPTIONS_FINE) {
		ca_path(is_cert ? "/uploadCert" : "/uploadCertChain", step.id,
			path);
		code = client_upload(step.client, path, ca_file_name(file),
			data, len, &step.reply);
	}
	if (code == OPTIONS_FINE)
		ca_show_step(&step);
	if (code == OPTIONS_FINE && is_cert)
		code = ca_request_note(step.client, step.id);
	free(data);
	return ca_close_step(&step, code);
}

int step_upload(const struct command *self, int argc, char **argv)
{
	return upload_to(self, argc, argv, true);
}

int step_chain(const struct command *self, int argc, char **argv)
{
	return upload_to(self, argc, argv, false);
}

/* --- CRLs --------------------------------------------------------------- */

/* get_crl: what is no CA of the list may be the root's id, or an issuing CA's
 * key id. */
static int get_crl(struct step *step, const char *word)
{
	static const char root[] = "2", crl[] = "/sallyport/crl/";
	char id[24] = "", *path;
	int code = OPTIONS_FINE;

	if (strcmp(word, root) != 0)
		code = ca_look_up(step->client, word, &step->id);
	if (code != OPTIONS_FINE)
		return code;
	if (step->id != 0)
		snprintf(id, sizeof(id), "%lld", step->id);
	path = client_path(crl, step->id != 0 ? id : word);
	code = client_call(step->client, "GET", path, NULL, &step->reply);
	free(path);
	return code;
}

int step_crl(const struct command *self, int argc, char **argv)
{
	struct step step = {.config = NULL};
	const char *id = NULL, *file = NULL;
	const struct option_row rows[] = {
		ROW_CONFIG(step),
		{.letter = 'o', .name = "out", .value = &file},
		{.name = "a CA: its id or name", .value = &id,
			.operand = true},
	};
	int code = options_read(self, argc, argv, rows, 3);

	if (code == OPTIONS_FINE && !file && isatty(STDOUT_FILENO)) {
		fprintf(stderr, "sallyport ca crl: DER is nothing to be "
			"shown; -o FILE writes it\n");
		code = EXIT_WRONG;
	}
	if (code == OPTIONS_FINE)
		code = ca_open_step(&step, false);
	if (code == OPTIONS_FINE)
		code = get_crl(&step, id ? id : "1");
	if (code == OPTIONS_FINE)
		code = print_download(&step.reply, file);
	return ca_close_step(&step, code);
}
