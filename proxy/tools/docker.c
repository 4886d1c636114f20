#include "proxy/tools/docker.h"

#include <string.h>

#include "proxy/tools/variables.h"

#define MARK "SALLYPORT" /* no line of a PEM file */

static const struct base {
	const char *root;   /* where an image has certificates of its own */
	const char *bundle; /* ... and all that it trusts */
	const char *run;    /* how the first get into the second */
} bases[] = {
	/* Where there is no ca-certificates yet, packages come by way of the
	 * proxy, and it has to be trusted for that. */
	[DOCKER_DEBIAN] = {
		"/usr/local/share/ca-certificates/sallyport.crt",
		"/etc/ssl/certs/ca-certificates.crt",
		"mkdir -p /etc/ssl/certs \\\n"
		" && cat /usr/local/share/ca-certificates/sallyport.crt "
		">>/etc/ssl/certs/ca-certificates.crt \\\n"
		" && apt-get update \\\n"
		" && apt-get install -y --no-install-recommends "
		"ca-certificates \\\n"
		" && rm -rf /var/lib/apt/lists/* \\\n"
		" && update-ca-certificates"},
	[DOCKER_ALPINE] = {
		"/usr/local/share/ca-certificates/sallyport.crt",
		"/etc/ssl/certs/ca-certificates.crt",
		"mkdir -p /etc/ssl/certs \\\n"
		" && cat /usr/local/share/ca-certificates/sallyport.crt "
		">>/etc/ssl/certs/ca-certificates.crt \\\n"
		" && apk add --no-cache ca-certificates \\\n"
		" && update-ca-certificates"},
	[DOCKER_RHEL] = {
		"/etc/pki/ca-trust/source/anchors/sallyport.pem",
		"/etc/pki/tls/certs/ca-bundle.crt",
		"update-ca-trust extract"},
};

/* write_variables: those that name a file that the image has. */
static void write_variables(FILE *out, const struct base *base)
{
	size_t num;
	const struct variable *all = variables_all(&num);
	const char *before = "ENV ";

	for (size_t i = 0; i < num; i++) {
		if (!variables_is_file(all[i].kind))
			continue;
		fprintf(out, "%s%s=%s", before, all[i].name,
			all[i].kind == VARIABLE_ROOT ? base->root :
						       base->bundle);
		before = " \\\n    ";
	}
	fputs("\n", out);
}

void docker_write(FILE *out, enum docker_base base, const char *root_pem)
{
	const struct base *at = &bases[base];
	size_t len = strlen(root_pem);

	fprintf(out, "# Trust Sallyport's root certificate. Put this behind "
		"FROM, and \"# syntax=docker/dockerfile:1\"\n"
		"# first of all; build through the proxy by --build-arg "
		"http_proxy=... --build-arg https_proxy=...\n"
		"# (and --network=host, where it listens on this machine's "
		"127.0.0.1 alone).\n"
		"COPY <<'" MARK "' %s\n%s%s" MARK "\n", at->root, root_pem,
		len > 0 && root_pem[len - 1] == '\n' ? "" : "\n");
	fprintf(out, "RUN %s\n", at->run);
	write_variables(out, at);
}
