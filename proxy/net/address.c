#include "proxy/net/address.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Inside this file every address is 16 bytes; IPv4 in its mapped form, so that
 * one table and one comparison serve both families. */
struct ip {
	uint8_t at[16];
};

struct net {
	struct ip first;
	unsigned bits;
};

#define V4(a, b, c, d) {{ \
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, (a), (b), (c), (d) }}
#define V6(a, b, c, d) {{ \
	(a) >> 8, (a) & 0xff, (b) >> 8, (b) & 0xff, \
	(c) >> 8, (c) & 0xff, (d) >> 8, (d) & 0xff }}
#define V6_END(hi, lo) {{ \
	0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (hi), (lo) }}

static const struct net loopback[] = {
	{ V4(127, 0, 0, 0), 96 + 8 },
	{ V6_END(0, 1), 128 },
};

/* Linux takes a connection to the unspecified address for one to loopback. */
static const struct net unspecified[] = {
	{ V4(0, 0, 0, 0), 96 + 8 }, /* "this network", RFC 6890 */
	{ V6_END(0, 0), 128 },
};

static const struct net link_and_metadata[] = {
	{ V4(169, 254, 0, 0), 96 + 16 },  /* and most clouds' metadata */
	{ V4(100, 100, 100, 200), 128 },  /* Alibaba's */
	{ V4(168, 63, 129, 16), 128 },    /* Azure's */
	{ V4(192, 0, 0, 192), 128 },      /* Oracle's */
	{ V6(0xfe80, 0, 0, 0), 10 },
	{ V6(0xfd00, 0x0ec2, 0, 0), 32 }, /* Amazon's */
	{ V6(0xfd20, 0x00ce, 0, 0), 32 }, /* Google's */
};

static const struct net never[] = {
	{ V4(224, 0, 0, 0), 96 + 4 },
	{ V4(255, 255, 255, 255), 128 },
	{ V6(0xff00, 0, 0, 0), 8 },
};

/* Where an IPv6 address of a translation prefix holds the IPv4 address. */
static const struct form {
	struct net prefix;
	uint8_t at[4];
} forms[] = {
	/* compatible (RFC 4291, 2.5.5.1), translated (RFC 2765, 2.1), 6to4 (RFC
	 * 3056), NAT64 (RFC 6052) */
	{ { V6_END(0, 0), 96 }, { 12, 13, 14, 15 } },
	{ { {{ [8] = 0xff, [9] = 0xff }}, 96 }, { 12, 13, 14, 15 } },
	{ { V6(0x2002, 0, 0, 0), 16 }, { 2, 3, 4, 5 } },
	{ { V6(0x0064, 0xff9b, 0, 0), 96 }, { 12, 13, 14, 15 } },
	/* NAT64's local prefix may be cut at any length (RFC 8215; RFC 6052,
	 * 2.2); which one the network took is not to be seen, so all readings
	 * are judged. */
	{ { V6(0x0064, 0xff9b, 1, 0), 48 }, { 12, 13, 14, 15 } },
	{ { V6(0x0064, 0xff9b, 1, 0), 48 }, { 9, 10, 11, 12 } },
	{ { V6(0x0064, 0xff9b, 1, 0), 48 }, { 7, 9, 10, 11 } },
	{ { V6(0x0064, 0xff9b, 1, 0), 48 }, { 6, 7, 9, 10 } },
};

#define NUM(a) (sizeof(a) / sizeof((a)[0]))

static bool ip_of(const struct sockaddr *address, struct ip *out)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET6) {
		memcpy(out->at, &v6->sin6_addr, 16);
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	*out = (struct ip)V4(0, 0, 0, 0);
	memcpy(out->at + 12, &v4->sin_addr, 4);
	return true;
}

static bool in_net(const struct ip *ip, const struct net *net)
{
	unsigned whole = net->bits / 8, rest = net->bits % 8;

	if (memcmp(ip->at, net->first.at, whole) != 0)
		return false;
	return rest == 0
		|| (ip->at[whole] ^ net->first.at[whole]) >> (8 - rest) == 0;
}

static bool in_nets(const struct ip *ip, const struct net *nets, size_t num)
{
	for (size_t i = 0; i < num; i++)
		if (in_net(ip, &nets[i]))
			return true;
	return false;
}

static bool is_loopback(const struct ip *ip)
{
	return in_nets(ip, loopback, NUM(loopback));
}

static bool is_unspecified(const struct ip *ip)
{
	return in_nets(ip, unspecified, NUM(unspecified));
}

static bool ip_equal(const struct ip *a, const struct ip *b)
{
	return memcmp(a->at, b->at, 16) == 0;
}

/* --- our own listeners --------------------------------------------------- */

void own_listeners_init(struct own_listeners *own,
	const struct sockaddr_storage *listeners, size_t num)
{
	own->at = calloc(num ? num : 1, sizeof(*own->at));
	if (!own->at)
		abort();
	if (num)
		memcpy(own->at, listeners, num * sizeof(*listeners));
	own->num = num;
}

void own_listeners_clear(struct own_listeners *own)
{
	free(own->at);
	*own = (struct own_listeners){0};
}

/* is_local asks the system anew: addresses come and go. Where it does not say,
 * any may be. */
static bool is_local(const struct ip *ip)
{
	struct ifaddrs *all, *at;
	struct ip local;
	bool found = false;

	if (is_loopback(ip))
		return true;
	if (getifaddrs(&all) != 0)
		return true;
	for (at = all; at && !found; at = at->ifa_next)
		found = at->ifa_addr && ip_of(at->ifa_addr, &local) &&
			ip_equal(&local, ip);
	freeifaddrs(all);
	return found;
}

static bool is_ours(const struct own_listeners *own, const struct ip *ip,
	uint16_t port)
{
	const struct sockaddr *at;
	struct ip listener;

	for (size_t i = 0; own && i < own->num; i++) {
		at = (const struct sockaddr *)&own->at[i];
		if (address_port(at) != port || !ip_of(at, &listener))
			continue;
		if (ip_equal(&listener, ip))
			return true;
		if (is_unspecified(&listener) && is_local(ip))
			return true;
		if (is_unspecified(ip) && is_local(&listener))
			return true;
	}
	return false;
}

/* --- the verdict --------------------------------------------------------- */

static bool is_inward(const struct ip *ip)
{
	return is_loopback(ip)
		|| in_nets(ip, link_and_metadata, NUM(link_and_metadata));
}

static enum address_verdict check_ip(const struct own_listeners *own,
	const struct ip *ip, uint16_t port, bool trusted)
{
	if (is_ours(own, ip, port))
		return ADDRESS_OURS;
	if (in_nets(ip, never, NUM(never)))
		return ADDRESS_NOT_ALLOWED;
	if (!trusted && (is_inward(ip) || is_unspecified(ip)))
		return ADDRESS_NOT_ALLOWED;
	return ADDRESS_FINE;
}

/* check_form judges the IPv4 address within. Its being unspecified says
 * nothing: of the readings of one address, most are zeros. */
static enum address_verdict check_form(const struct own_listeners *own,
	const struct ip *ip, const struct form *form, uint16_t port,
	bool trusted)
{
	struct ip inner = V4(0, 0, 0, 0);

	if (!in_net(ip, &form->prefix))
		return ADDRESS_FINE;
	for (size_t i = 0; i < 4; i++)
		inner.at[12 + i] = ip->at[form->at[i]];
	if (form->prefix.bits != 48)
		return check_ip(own, &inner, port, trusted);
	if (is_unspecified(&inner))
		return ADDRESS_FINE;
	return check_ip(own, &inner, port, trusted);
}

enum address_verdict address_check(const struct own_listeners *own,
	const struct sockaddr *destination, bool client_local, bool configured)
{
	bool trusted = client_local || configured;
	uint16_t port = address_port(destination);
	enum address_verdict verdict;
	struct ip ip;

	if (!ip_of(destination, &ip))
		return ADDRESS_NOT_ALLOWED;
	verdict = check_ip(own, &ip, port, trusted);
	/* :: and ::1 are themselves, not IPv4-compatible forms of 0.0.0.x */
	if (is_unspecified(&ip) || is_loopback(&ip))
		return verdict;
	for (size_t i = 0; i < NUM(forms) && verdict == ADDRESS_FINE; i++)
		verdict = check_form(own, &ip, &forms[i], port, trusted);
	return verdict;
}

bool address_is_loopback(const struct sockaddr *address)
{
	struct ip ip;

	return ip_of(address, &ip) && is_loopback(&ip);
}

bool address_client_is_local(const struct sockaddr *peer,
	const struct sockaddr *local)
{
	struct ip a, b;

	if (!ip_of(peer, &a))
		return false;
	return is_loopback(&a) || (ip_of(local, &b) && ip_equal(&a, &b));
}

/* --- small things -------------------------------------------------------- */

void address_text(const struct sockaddr *address, char out[46])
{
	static const struct net mapped = { V4(0, 0, 0, 0), 96 };
	struct ip ip;

	out[0] = '\0';
	if (!ip_of(address, &ip))
		return;
	if (in_net(&ip, &mapped))
		(void)inet_ntop(AF_INET, ip.at + 12, out, 46);
	else
		(void)inet_ntop(AF_INET6, ip.at, out, 46);
}

void address_with_port(const char *host, uint16_t port, char *out, size_t size)
{
	(void)snprintf(out, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host,
		port);
}

uint16_t address_port(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohs(((const struct sockaddr_in *)(const void *)
			address)->sin_port);
	if (address->sa_family == AF_INET6)
		return ntohs(((const struct sockaddr_in6 *)(const void *)
			address)->sin6_port);
	return 0;
}

static uint32_t scope_of(const struct sockaddr *address)
{
	const struct sockaddr_in6 *v6 = (const void *)address;

	return address->sa_family == AF_INET6 ? v6->sin6_scope_id : 0;
}

bool address_equal(const struct sockaddr *a, const struct sockaddr *b)
{
	struct ip x, y;

	return ip_of(a, &x) && ip_of(b, &y) && ip_equal(&x, &y)
		&& address_port(a) == address_port(b)
		&& scope_of(a) == scope_of(b);
}

socklen_t address_len(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return sizeof(struct sockaddr_in);
	if (address->sa_family == AF_INET6)
		return sizeof(struct sockaddr_in6);
	return 0;
}
