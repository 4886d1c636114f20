#include "proxy/admin/hosts.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { NAME = 256 };

bool hosts_name(struct slice field, char *out, size_t size)
{
	const char *at = field.at;
	size_t len = field.len;
	const char *end;

	if (len > 0 && at[0] == '[') {
		end = memchr(at, ']', len);
		if (!end)
			return false;
		len = (size_t)(end - at) - 1;
		at++;
	} else {
		end = memchr(at, ':', len);
		len = end ? (size_t)(end - at) : len;
	}
	while (len > 0 && at[len - 1] == '.')
		len--;
	if (len == 0 || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (char)tolower((unsigned char)at[i]);
	out[len] = '\0';
	return true;
}

bool hosts_know(struct slice field, const char *self)
{
	char name[NAME], own[NAME], machine[NAME] = "";

	if (!field.at || !hosts_name(field, name, sizeof(name)))
		return false;
	if (strcmp(name, "localhost") == 0 ||
	    strcmp(name, "sallyport.internal") == 0)
		return true;
	if (hosts_name((struct slice){self, strlen(self)}, own, sizeof(own)) &&
	    strcmp(name, own) == 0)
		return true;
	return gethostname(machine, sizeof(machine) - 1) == 0 &&
		strcasecmp(name, machine) == 0;
}
