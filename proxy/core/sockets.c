#include "proxy/core/sockets.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/config/config.h"
#include "proxy/config/handed.h"
#include "proxy/core/channel.h"
#include "proxy/core/load.h"
#include "proxy/core/say.h"
#include "proxy/net/listener.h"

enum { OTHER_PORT = 3128 }; /* proxies have it often, this machine most likely not */

static int bind_all(struct sockets *sockets, const struct endpoints *at,
	uint32_t number, char *err, size_t err_size)
{
	for (size_t i = 0; i < at->num; i++) {
		if (sockets->num == SOCKETS_MAX) {
			snprintf(err, err_size, "more addresses to listen on "
				"than %d for all workers", SOCKETS_MAX);
			return -1;
		}
		if (listener_bind((const struct sockaddr *)&at->at[i].address,
			    &sockets->at[sockets->num], err, err_size) != 0)
			return -1;
		sockets->numbers[sockets->num++] = number;
	}
	return 0;
}

/* say_other tells how to take another address, to paste where there is no file. */
static void say_other(const char *why, const char *key, const char *path,
	char *err, size_t err_size)
{
	if (path)
		snprintf(err, err_size, "%s; listen.%s in %s takes another",
			why, key, path);
	else
		snprintf(err, err_size, "%s; another address is taken by\n"
			"  echo 'listen: {%s: 127.0.0.1:%u}' >port.yaml && "
			"sallyport run -c port.yaml", why, key, OTHER_PORT);
}

static int claim(const struct endpoints *at, const char *key,
	const char *path, char *err, size_t err_size)
{
	char why[256];

	for (size_t i = 0; i < at->num; i++) {
		if (listener_claim((const struct sockaddr *)
				&at->at[i].address, why, sizeof(why)) == 0)
			continue;
		say_other(why, key, path, err, err_size);
		return -1;
	}
	return 0;
}

/* What nobody asked for by name may be taken by somebody else: another
 * Sallyport, perhaps. */
static int bind_admin(struct sockets *sockets, const struct config *config,
	char *err, size_t err_size)
{
	if (claim(&config->admin, "admin", config->path ? config->path :
		    "a -c FILE", err, err_size) == 0)
		return bind_all(sockets, &config->admin,
			listener_number(LISTENER_ADMIN, 0), err, err_size);
	if (config->admin_given)
		return -1;
	say("there is no REST API: %s", err);
	return 0;
}

/* keep_address: of another address in the file nobody is to speak while these
 * sockets are what is open. */
static void keep_address(const struct config *config)
{
	char address[PROXY_ADDRESS_SIZE];

	config_proxy_address(config, address, sizeof(address));
	handed_set_address(address);
}

int sockets_bind(struct sockets *sockets, const struct config *config,
	char *err, size_t err_size)
{
	const struct endpoints *lists[] = {
		[LISTENER_PROXY] = &config->proxy,
		[LISTENER_TRANSPARENT] = &config->transparent,
		[LISTENER_PROXY_TLS] = &config->proxy_tls};
	static const char *const keys[] = {"proxy", "transparent", "proxy-tls"};
	enum { LISTS = sizeof(lists) / sizeof(lists[0]) };
	unsigned num = load_workers(config);

	keep_address(config);
	for (size_t i = 0; i < LISTS; i++) {
		if (claim(lists[i], keys[i], config->path, err, err_size) != 0)
			return -1;
	}
	for (size_t i = 0; i < num * LISTS; i++) {
		if (bind_all(sockets, lists[i % LISTS],
			    listener_number(i % LISTS, (uint32_t)(i / LISTS)),
			    err, err_size) != 0)
			return -1;
	}
	return bind_admin(sockets, config, err, err_size);
}

int sockets_tell(const struct sockets *sockets, int channel)
{
	char *address = handed_address();
	int result = channel_tell(channel, MESSAGE_ADDRESS, 0, address, -1);

	free(address);
	if (result != 0)
		return -1;
	for (size_t i = 0; i < sockets->num; i++) {
		if (channel_tell(channel, MESSAGE_LISTENER,
			    sockets->numbers[i], NULL, sockets->at[i]) != 0)
			return -1;
	}
	return 0;
}

void sockets_close(struct sockets *sockets)
{
	while (sockets->num > 0)
		close(sockets->at[--sockets->num]);
}
