#include "proxy/core/limits.h"

#include <sys/resource.h>

#include "proxy/config/config.h"
#include "proxy/core/say.h"

void limits_raise_files(const struct config *config)
{
	rlim_t want = (rlim_t)config->limits.connections * 2 + 256;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < want && config->limits.connections_given)
		say("limits.connections: %u needs %llu open files, %llu are "
			"allowed; accepting will pause when they run out",
			config->limits.connections, (unsigned long long)want,
			(unsigned long long)limit.rlim_cur);
}
