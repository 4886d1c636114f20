#include "proxy/portal/pac.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "proxy/config/config.h"
#include "proxy/portal/portal.h"

/* Whatever comes, it stays a string: what is no letter of a host is escaped. */
static void add_string(UT_string *out, const char *before, const char *text)
{
	utstring_printf(out, "\"%s", before);
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || strchr(".-_:[]", c))
			utstring_printf(out, "%c", c);
		else
			utstring_printf(out, "\\x%02x", c);
	}
	html_add(out, "\"");
}

/* Hosts are the keys of a map, so that a long list costs a look-up no more; one
 * that stands for all below it, too, is there with a dot before it. */
static void add_hosts(UT_string *out, const struct config *config)
{
	const char *comma = "";

	html_add(out, "var hosts = {");
	for (size_t i = 0; i < config->portal.num_direct; i++) {
		const struct direct *direct = &config->portal.direct[i];

		if (!direct->host[0])
			continue;
		utstring_printf(out, "%s\n\t", comma);
		add_string(out, direct->below ? "." : "", direct->host);
		html_add(out, ": 1");
		comma = ",";
	}
	html_add(out, "};\n");
}

static void add_network(UT_string *out, const struct network *network)
{
	char address[INET_ADDRSTRLEN], mask[INET_ADDRSTRLEN];
	uint32_t bits = htonl(network->bits == 0 ? 0 :
		UINT32_MAX << (32 - network->bits));

	(void)inet_ntop(AF_INET, network->bytes, address, sizeof(address));
	(void)inet_ntop(AF_INET, &bits, mask, sizeof(mask));
	utstring_printf(out, "\n\t[\"%s\", \"%s\"]", address, mask);
}

static void add_networks(UT_string *out, const struct config *config)
{
	const char *comma = "";

	html_add(out, "var networks = [");
	for (size_t i = 0; i < config->portal.num_direct; i++) {
		const struct direct *direct = &config->portal.direct[i];

		if (direct->host[0])
			continue;
		html_add(out, comma);
		add_network(out, &direct->network);
		comma = ",";
	}
	html_add(out, "];\n");
}

/* Nothing here asks for a name's address: that is for the proxy to do. */
static const char judge[] =
	"\n"
	"function isDirect(host) {\n"
	"\tvar address = /^[0-9]+(\\.[0-9]+){3}$/.test(host), i;\n"
	"\tif (hosts[host] === 1)\n"
	"\t\treturn true;\n"
	"\tfor (i = 0; address && i < networks.length; i++)\n"
	"\t\tif (isInNet(host, networks[i][0], networks[i][1]))\n"
	"\t\t\treturn true;\n"
	"\tif (address || host.indexOf(\":\") >= 0)\n"
	"\t\treturn false;\n"
	"\tfor (host = \".\" + host; host; host = host.replace(/^\\.[^.]*/, "
	"\"\"))\n"
	"\t\tif (hosts[host] === 1)\n"
	"\t\t\treturn true;\n"
	"\treturn false;\n"
	"}\n"
	"\n"
	"function isOwn(host) {\n"
	"\treturn (host.indexOf(\".\") < 0 && host.indexOf(\":\") < 0) ||\n"
	"\t\thost === \"::1\" || /\\.localhost$/.test(host) ||\n"
	"\t\t/^127(\\.[0-9]+){3}$/.test(host);\n"
	"}\n"
	"\n"
	"function FindProxyForURL(url, host) {\n"
	"\thost = host.toLowerCase().replace(/^\\[|\\]$|\\.$/g, \"\");\n"
	"\tif (host !== \"" MAGIC_HOST "\" && (isOwn(host) || "
	"isDirect(host)))\n"
	"\t\treturn \"DIRECT\";\n"
	"\treturn ";

void pac_write(UT_string *out, const struct config *config, const char *proxy)
{
	add_hosts(out, config);
	add_networks(out, config);
	html_add(out, judge);
	add_string(out, "PROXY ", proxy);
	html_add(out, ";\n}\n");
}
