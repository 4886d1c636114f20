#include "proxy/tools/variables.h"

static const struct variable table[] = {
#define VARIABLE(name, kind, whom) {name, VARIABLE_##kind, whom},
#include "proxy/tools/variables.def"
#undef VARIABLE
};

/* SSL_CTX_set_default_verify_paths(3); git-config(1), http.sslCAPath. */
const char *const variables_folders[] = {"SSL_CERT_DIR", "GIT_SSL_CAPATH",
	NULL};

const struct variable *variables_all(size_t *out_num)
{
	*out_num = sizeof(table) / sizeof(*table);
	return table;
}

bool variables_is_file(enum variable_kind kind)
{
	return kind == VARIABLE_BUNDLE || kind == VARIABLE_ROOT;
}
