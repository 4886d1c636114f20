#include "proxy/cli/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

#include "proxy/net/address.h"

enum { LINE = 512, LISTENS = 0x0A };

/* mapped writes the address as IPv6 has it. */
static void mapped(const struct sockaddr_storage *at, uint32_t out[4])
{
	const struct sockaddr_in *four = (const void *)at;
	const struct sockaddr_in6 *six = (const void *)at;

	memset(out, 0, 16);
	if (at->ss_family == AF_INET6) {
		memcpy(out, &six->sin6_addr, 16);
	} else {
		out[2] = htonl(0xffff);
		out[3] = four->sin_addr.s_addr;
	}
}

/* read_row takes a row's local address; the words are in the machine's order. */
static bool read_row(const char *line, uint32_t out[4], unsigned *port,
	unsigned *uid)
{
	static const char rest[] = ":%4X %*[0-9A-F]:%*4X %2X %*s %*s %*s %u";
	unsigned state = 0, word[4];
	const char *at = strchr(line, ':'), *end;

	if (!at)
		return false;
	at += 1 + strspn(at + 1, " ");
	end = strchr(at, ':');
	memset(out, 0, 16);
	out[2] = htonl(0xffff);
	if (end && end - at == 8 && sscanf(at, "%8X", word) == 1)
		out[3] = word[0];
	else if (end && end - at == 32 && sscanf(at, "%8X%8X%8X%8X", word,
			 word + 1, word + 2, word + 3) == 4)
		memcpy(out, word, 16);
	else
		return false;
	return sscanf(end, rest, port, &state, uid) == 3 && state == LISTENS;
}

static bool is_any(const uint32_t at[4])
{
	return at[0] == 0 && at[1] == 0 && at[3] == 0 &&
		(at[2] == 0 || at[2] == htonl(0xffff));
}

int listener_in(FILE *table, const struct sockaddr_storage *at, uid_t *out)
{
	unsigned port, uid, wanted = address_port((const void *)at);
	uint32_t aim[4], has[4];
	char line[LINE];
	int found = 0;

	mapped(at, aim);
	while (fgets(line, sizeof(line), table)) {
		if (!read_row(line, has, &port, &uid) || port != wanted ||
		    (!is_any(has) && memcmp(has, aim, 16) != 0))
			continue;
		if (found != 0 && *out != uid)
			return -1;
		*out = uid;
		found = 1;
	}
	return found;
}

bool listener_uid(const struct sockaddr_storage *at, uid_t *out)
{
	static const char *const tables[] = {"/proc/net/tcp",
		"/proc/net/tcp6"};
	int found = 0;

	for (size_t i = 0; i < 2; i++) {
		FILE *table = fopen(tables[i], "re");
		uid_t uid = 0;
		int one = table ? listener_in(table, at, &uid) : 0;

		if (table)
			fclose(table);
		if (one < 0 || (one > 0 && found > 0 && *out != uid))
			return false;
		if (one > 0)
			*out = uid;
		found += one;
	}
	return found > 0;
}
