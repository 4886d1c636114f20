#include "proxy/config/zones.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "policy/zone.h"
#include "proxy/config/handed.h"
#include "proxy/config/mistakes.h"

#define LOCAL_FILE "/etc/localtime"

static struct zone *read_zone(const char *name, const char *path, char *err,
	size_t err_size)
{
	struct zone *zone;
	size_t len;
	char *data;

	if (handed_read(path, ZONE_FILE_MAX, &data, &len) != 0) {
		snprintf(err, err_size, "%s: %s", path, strerror(errno));
		return NULL;
	}
	zone = zone_read(name, data, len, err, err_size);
	free(data);
	return zone;
}

static struct zone *local_zone(char *err, size_t err_size)
{
	if (access(LOCAL_FILE, F_OK) != 0)
		return zone_fixed("UTC");
	return read_zone("local", LOCAL_FILE, err, err_size);
}

static struct zone *named_zone(const char *folder, const char *name, char *err,
	size_t err_size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (access(path, F_OK) == 0)
		return read_zone(name, path, err, err_size);
	if (access(folder, F_OK) != 0)
		snprintf(err, err_size, "\"%s\": this machine has no time "
			"zones; install tzdata, or give an offset, as +02:00",
			shown(name).text);
	else
		snprintf(err, err_size, "there is no time zone \"%s\" in %s",
			shown(name).text, folder);
	return NULL;
}

struct zone *zones_open(const char *folder, const char *name, char *err,
	size_t err_size)
{
	struct zone *zone = zone_fixed(name);

	if (zone)
		return zone;
	if (strcmp(name, "local") == 0)
		return local_zone(err, err_size);
	if (zone_is_name(name))
		return named_zone(folder, name, err, err_size);
	snprintf(err, err_size, "\"%s\" is no time zone; as Europe/Berlin, "
		"+02:00, UTC or local", shown(name).text);
	return NULL;
}
