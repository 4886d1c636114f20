#include "proxy/session/whereabouts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "policy/host.h"
#include "proxy/http/url.h"

static bool is_machine(const char *host)
{
	char name[HOST_SIZE] = "";

	return gethostname(name, sizeof(name) - 1) == 0 &&
		strcasecmp(name, host) == 0;
}

/* in_cdps: who behind port forwarding is found elsewhere than where it listens has
 * that in issuing.crl-url. */
static bool in_cdps(const struct config *config, const struct came *came)
{
	char base[CRL_BASE_SIZE], host[HOST_SIZE];
	struct url url;

	config_crl_base(config, base, sizeof(base));
	return url_parse_target((struct slice){base, strlen(base)}, &url) == 0 &&
		host_normalize(url.host.at, url.host.len, host) != HOST_BAD &&
		strcmp(host, came->host) == 0 &&
		came->port == (url.port ? url.port : 80);
}

static bool is_own(const struct config *config, const struct came *came)
{
	if (in_cdps(config, came))
		return true;
	return came->port == address_port(came->to) &&
		(is_machine(came->host) ||
			(came->local && strcmp(came->host, "localhost") == 0));
}

void whereabouts_tell(const struct config *config, const struct came *came,
	char out[PROXY_ADDRESS_SIZE])
{
	char host[46];

	if (!came->to) {
		config_proxy_address(config, out, PROXY_ADDRESS_SIZE);
		return;
	}
	address_text(came->to, host);
	if (came->host[0] && is_own(config, came))
		address_with_port(came->host, came->port, out,
			PROXY_ADDRESS_SIZE);
	else
		address_with_port(host, address_port(came->to), out,
			PROXY_ADDRESS_SIZE);
}
