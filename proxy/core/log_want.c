#include "proxy/core/log_want.h"

struct log_want log_want_of(const struct config *config)
{
	_Static_assert(1 << REDACT_QUERY == LOG_REDACT_QUERY &&
		1 << REDACT_PATH == LOG_REDACT_PATH &&
		1 << REDACT_USER_AGENT == LOG_REDACT_USER_AGENT &&
		1 << REDACT_USER == LOG_REDACT_USER &&
		1 << REDACT_CLIENT == LOG_REDACT_CLIENT, "the same bits");

	return (struct log_want){
		.where = config->access_log,
		.format = config->log.format == LOG_FORMAT_CSV ? LOG_CSV :
			LOG_JSON,
		.redact = config->log.redact,
		.rotate = config->log.rotate,
	};
}
