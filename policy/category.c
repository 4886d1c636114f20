#include "policy/category.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/domains.h"
#include "policy/memory.h"

const struct domains *categories_find(
	const struct categories *categories, const char *name)
{
	for (size_t i = 0; i < categories->count; i++)
		if (strcmp(categories->list[i].name, name) == 0)
			return categories->list[i].domains;
	return NULL;
}

int categories_add(struct categories *categories, const char *name,
	struct domains *domains, char *err, size_t err_size)
{
	if (categories_find(categories, name)) {
		snprintf(err, err_size,
			"there are two categories called \"%.100s\"", name);
		return -1;
	}
	domains_seal(domains);
	categories->list = memory_grow(
		categories->list, categories->count, sizeof(*categories->list));
	categories->list[categories->count++] = (struct category){
		.name = memory_copy(name, strlen(name) + 1, 1),
		.domains = domains,
	};
	return 0;
}

void categories_clear(struct categories *categories)
{
	for (size_t i = 0; i < categories->count; i++) {
		free(categories->list[i].name);
		domains_free(categories->list[i].domains);
	}
	free(categories->list);
	*categories = (struct categories){0};
}
