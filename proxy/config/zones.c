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
		snprintf(err, err_size, "%s: %s", path, handed_why(errno));
		return NULL;
	}
	zone = zone_read(name, data, len, err, err_size);
	free(data);
	return zone;
}

/* said_zone is what TZ says, as tzset(3) has it: a file's name, or a text that is
 * a zone by itself. NULL: nothing that is one. */
static struct zone *said_zone(const char *folder, const char *text)
{
	size_t len = strlen(folder);
	struct zone *zone = NULL;
	char path[PATH_MAX], err[256];

	if (text[0] == ':')
		text++;
	if (strncmp(text, folder, len) == 0 && text[len] == '/')
		text += len + 1;
	if (text[0] == '\0')
		return zone_fixed("UTC");
	snprintf(path, sizeof(path), "%s/%s", folder, text);
	if (zone_is_name(text) && access(path, F_OK) == 0)
		zone = read_zone("local", path, err, sizeof(err));
	return zone ? zone : zone_rule("local", text);
}

static struct zone *local_zone(const char *folder, char *err, size_t err_size)
{
	const char *text = getenv("TZ");
	struct zone *zone = text ? said_zone(folder, text) : NULL;

	if (zone)
		return zone;
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
		return local_zone(folder, err, err_size);
	if (zone_is_name(name))
		return named_zone(folder, name, err, err_size);
	snprintf(err, err_size, "\"%s\" is no time zone; as Europe/Berlin, "
		"+02:00, UTC or local", shown(name).text);
	return NULL;
}
