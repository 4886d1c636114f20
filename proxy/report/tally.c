#include "proxy/report/tally.h"

const char *tally_listener_name(enum tally_listener listener)
{
	static const char *const names[TALLY_LISTENERS] = {
		[TALLY_PROXY] = "proxy",
		[TALLY_TRANSPARENT] = "transparent",
		[TALLY_PROXY_TLS] = "proxy-tls",
	};

	return names[listener];
}

const char *tally_to_name(enum tally_to to)
{
	static const char *const names[TALLY_TOS] = {
		[TALLY_TO_SITE] = "site",
		[TALLY_TO_PROXY] = "proxy",
	};

	return names[to];
}

const char *tally_shake_name(enum tally_shake shake)
{
	static const char *const names[TALLY_SHAKES] = {
		[TALLY_FULL] = "full",
		[TALLY_RESUMED] = "resumed",
		[TALLY_ALERT] = "alert",
		[TALLY_CLOSED] = "closed",
		[TALLY_ERROR] = "error",
		[TALLY_TIMEOUT] = "timeout",
		[TALLY_ABANDONED] = "abandoned",
	};

	return names[shake];
}

const char *tally_tls_name(enum tally_tls tls)
{
	static const char *const names[TALLY_TLSES] = {
		[TALLY_NO_TLS] = "none",
		[TALLY_TLS_1_2] = "TLSv1.2",
		[TALLY_TLS_1_3] = "TLSv1.3",
	};

	return names[tls];
}

const char *tally_use_name(enum tally_use use)
{
	static const char *const names[TALLY_USES] = {
		[TALLY_NEW] = "new",
		[TALLY_REUSED] = "reused",
	};

	return names[use];
}

const char *tally_login_name(enum tally_login login)
{
	static const char *const names[TALLY_LOGINS] = {
		[TALLY_RIGHT] = "right",
		[TALLY_WRONG] = "wrong",
		[TALLY_SLOWED] = "slowed",
		[TALLY_BUSY] = "busy",
	};

	return names[login];
}
