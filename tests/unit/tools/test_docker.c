#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/tools/docker.h"

static char text[16384];

static const char *lines(enum docker_base base, const char *root)
{
	FILE *out = fmemopen(text, sizeof(text), "w");

	docker_write(out, base, root);
	fclose(out);
	return text;
}

static void names_what_the_image_has(void **state)
{
	const char *out = lines(DOCKER_DEBIAN, "-- root --\n");

	(void)state;
	assert_non_null(strstr(out, "COPY <<'SALLYPORT' /usr/local/share/"
		"ca-certificates/sallyport.crt\n-- root --\nSALLYPORT\nRUN "));
	assert_non_null(strstr(out, "--network=host"));
	assert_non_null(strstr(out, "ENV SSL_CERT_FILE=/etc/ssl/certs/"
		"ca-certificates.crt \\\n"));
	assert_non_null(strstr(out, "NODE_EXTRA_CA_CERTS=/usr/local/share/"));
	assert_null(strstr(out, "https_proxy=/"));
	assert_non_null(strstr(lines(DOCKER_ALPINE, "x\n"), "apk add"));
	out = lines(DOCKER_RHEL, "without an end");
	assert_non_null(strstr(out, "\nwithout an end\nSALLYPORT\n"
		"RUN update-ca-trust extract\n"));
	assert_non_null(strstr(out, "/etc/pki/tls/certs/ca-bundle.crt"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_the_image_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
