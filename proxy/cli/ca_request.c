#include "proxy/cli/ca_request.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "proxy/cli/ca_find.h"
#include "proxy/cli/setup.h"

enum { NAME_MAX_LEN = 100 };

/* --- files -------------------------------------------------------------- */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		(c >= '0' && c <= '9');
}

void ca_request_file(const char *name, long long id, const char *ending,
	char out[CA_REQUEST_FILE])
{
	size_t len = 0;

	for (; *name && len < NAME_MAX_LEN; name++) {
		if (is_plain(*name) || len > 0)
			out[len++] = is_plain(*name) ? *name : '-';
	}
	out[len] = '\0';
	if (len == 0)
		len = (size_t)snprintf(out, CA_REQUEST_FILE, "ca-%lld", id);
	snprintf(out + len, CA_REQUEST_FILE - len, "%s", ending);
}

static int write_file(const char *path, const char *data, size_t len)
{
	int fd = setup_open_file(path, O_WRONLY | O_CREAT | O_TRUNC |
		O_NOFOLLOW);
	FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
	bool fine = out && fwrite(data, 1, len, out) == len;
	char err[512];

	if (out && fclose(out) != 0)
		fine = false;
	snprintf(err, sizeof(err), "%s: %s", path, strerror(errno));
	return fine ? OPTIONS_FINE : setup_failed(err);
}

/* --- what the API has --------------------------------------------------- */

static int write_csr(struct client *client, long long id, const char *to)
{
	struct client_reply reply;
	int code = ca_get(client, "/downloadCsr", id, &reply);

	if (code == OPTIONS_FINE)
		code = write_file(to, reply.body, reply.len);
	client_reply_clear(&reply);
	return code;
}

/* get_path_len: of request ("/showCsr") or certificate; -1: without limit. */
static int get_path_len(struct client *client, const char *word, long long id,
	int *out)
{
	struct client_reply reply;
	int code = ca_get(client, word, id, &reply);
	const json_t *value = json_object_get(reply.json,
		"pathLengthConstraint");

	*out = value ? (int)json_integer_value(value) : -1;
	client_reply_clear(&reply);
	return code;
}

/* --- how to sign it ----------------------------------------------------- */

static void show_how(const char *csr, const char *ext, const char *cert,
	int path_len)
{
	printf("\nThe request is in %s. Have it signed, one of these ways:\n\n"
		"  openssl  (beside your CA's root.pem and root.key; %s is the\n"
		"           extensions, written here too)\n"
		"    openssl x509 -req -in %s -CA root.pem -CAkey root.key \\\n"
		"      -CAcreateserial -days 1095 -sha256 -extfile %s \\\n"
		"      -extensions v3_ca -out %s\n\n"
		"  AD CS    (then export as Base-64, not as PKCS#7)\n"
		"    certreq -submit -attrib CertificateTemplate:SubCA %s %s\n\n"
		"  step-ca\n"
		"    step certificate sign --profile intermediate-ca \\\n"
		"      --path-len %d %s root.pem root.key > %s\n\n",
		csr, ext, csr, ext, cert, csr, cert, path_len, csr, cert);
}

static int write_extensions(const char *to, int path_len)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "[v3_ca]\n"
		"basicConstraints=critical,CA:TRUE,pathlen:%d\n"
		"keyUsage=critical,keyCertSign,cRLSign\n"
		"subjectKeyIdentifier=hash\n"
		"authorityKeyIdentifier=keyid\n", path_len);

	return write_file(to, text, (size_t)len);
}

int ca_request_write(struct client *client, const char *name, long long id)
{
	char csr[CA_REQUEST_FILE], ext[CA_REQUEST_FILE], cert[CA_REQUEST_FILE];
	int path_len, code = get_path_len(client, "/showCsr", id, &path_len);

	ca_request_file(name, id, ".csr", csr);
	ca_request_file(name, id, ".ext", ext);
	ca_request_file(name, id, ".pem", cert);
	if (code == OPTIONS_FINE)
		code = write_csr(client, id, csr);
	if (code == OPTIONS_FINE)
		code = write_extensions(ext, path_len);
	if (code == OPTIONS_FINE)
		show_how(csr, ext, cert, path_len);
	return code;
}

/* --- what came back ----------------------------------------------------- */

int ca_request_note(struct client *client, long long id)
{
	int asked, got, code = get_path_len(client, "/showCsr", id, &asked);

	if (code == OPTIONS_FINE)
		code = get_path_len(client, "/showCert", id, &got);
	if (code == OPTIONS_FINE && got == 0 && asked != 0)
		fprintf(stderr, "sallyport: note: it was signed with path "
			"length 0: no short-lived CA can come under it, and "
			"the keeper signs each site's certificate itself. "
			"Signed with pathlen:%d (step: --path-len %d) it "
			"would not.\n", asked, asked);
	return code;
}
