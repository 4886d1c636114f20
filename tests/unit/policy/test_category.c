#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/category.h"
#include "policy/domains.h"

static char err[200];

static struct domains *set_of(const char *entry)
{
	struct domains *domains = domains_new();

	assert_int_equal(domains_add(domains, entry, err, sizeof(err)), 0);
	return domains;
}

static void found_by_name(void **state)
{
	struct categories categories = {0};
	struct domains *banks = set_of("bank.test"),
		       *apps = set_of(".app.test");
	char name[] = "banks";

	(void)state;
	assert_int_equal(
		categories_add(&categories, name, banks, err, sizeof(err)), 0);
	name[0] = 'x'; /* the name was copied */
	assert_int_equal(
		categories_add(&categories, "apps", apps, err, sizeof(err)), 0);
	assert_ptr_equal(categories_find(&categories, "banks"), banks);
	assert_ptr_equal(categories_find(&categories, "apps"), apps);
	assert_null(categories_find(&categories, "xanks"));
	assert_null(categories_find(&categories, "bank"));
	assert_true(domains_match(apps, "an.app.test")); /* sealed by add */
	categories_clear(&categories);
	assert_null(categories_find(&categories, "banks"));
	categories_clear(&categories);
}

static void same_name_twice(void **state)
{
	struct categories categories = {0};
	struct domains *first = set_of("a.test"), *second = set_of("b.test");

	(void)state;
	assert_int_equal(
		categories_add(&categories, "banks", first, err, sizeof(err)),
		0);
	assert_true(categories_add(&categories, "banks", second, err,
			    sizeof(err)) < 0);
	assert_non_null(strstr(err, "banks"));
	assert_ptr_equal(categories_find(&categories, "banks"), first);
	domains_free(second); /* was not taken */
	categories_clear(&categories);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found_by_name),
		cmocka_unit_test(same_name_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
