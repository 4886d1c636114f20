#include "proxy/tools/variables.h"

static const struct variable table[] = {
#define VARIABLE(name, kind, whom) {name, VARIABLE_##kind, whom},
#include "proxy/tools/variables.def"
#undef VARIABLE
};

const struct variable *variables_all(size_t *out_num)
{
	*out_num = sizeof(table) / sizeof(*table);
	return table;
}

bool variables_is_file(enum variable_kind kind)
{
	return kind == VARIABLE_BUNDLE || kind == VARIABLE_ROOT;
}
