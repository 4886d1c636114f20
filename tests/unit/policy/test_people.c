#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "policy/people.h"

static char err[200];

static void add_group(struct people *people, const char *name,
	const char *const *users, size_t num)
{
	assert_int_equal(
		people_add_group(people, name, users, num, err, sizeof(err)),
		0);
}

static void a_user_has_the_groups_that_name_her(void **state)
{
	static const char *const first[] = {"ann", "bob", "ann"};
	static const char *const second[] = {"cid"}, *const third[] = {"ann"};
	struct people people = {0};
	struct person person;

	(void)state;
	add_group(&people, "first", first, 3);
	add_group(&people, "second", second, 1);
	add_group(&people, "third", third, 1);
	person = people_find(&people, "ann");
	assert_int_equal(person.num_groups, 2); /* named twice, in it once */
	assert_int_equal(person.groups[0], 0);
	assert_int_equal(person.groups[1], 2);
	person = people_find(&people, "cid");
	assert_int_equal(person.num_groups, 1);
	assert_int_equal(person.groups[0], 1);
	people_clear(&people);
}

static void nobody_and_strangers_are_in_no_group(void **state)
{
	static const char *const users[] = {"ann"};
	struct people people = {0};
	struct person person;

	(void)state;
	add_group(&people, "all", users, 1);
	person = people_find(&people, NULL);
	assert_int_equal(person.user, PERSON_UNNAMED);
	assert_int_equal(person.num_groups, 0);
	person = people_find(&people, "Ann"); /* another name */
	assert_int_equal(person.user, PERSON_UNNAMED);
	assert_int_equal(person.num_groups, 0);
	people_clear(&people);
	person = people_find(&people, "ann");
	assert_int_equal(person.user, PERSON_UNNAMED);
}

static void a_user_without_a_group_has_a_number(void **state)
{
	static const char *const users[] = {"ann"};
	struct people people = {0};
	unsigned dan;

	(void)state;
	dan = people_put_user(&people, "dan");
	assert_int_equal(people_put_user(&people, "dan"), dan);
	assert_int_equal(people_find(&people, "dan").user, dan);
	assert_int_equal(people_find(&people, "dan").num_groups, 0);
	add_group(&people, "all", users, 1);
	assert_int_not_equal(people_find(&people, "ann").user, dan);
	people_clear(&people);
}

static void a_group_is_there_once(void **state)
{
	struct people people = {0};
	unsigned number = 9;

	(void)state;
	add_group(&people, "none", NULL, 0);
	assert_true(people_add_group(
			    &people, "none", NULL, 0, err, sizeof(err)) < 0);
	assert_string_equal(err, "there are two groups called \"none\"");
	assert_true(people_find_group(&people, "none", &number));
	assert_int_equal(number, 0);
	assert_false(people_find_group(&people, "nine", &number));
	people_clear(&people);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_user_has_the_groups_that_name_her),
		cmocka_unit_test(nobody_and_strangers_are_in_no_group),
		cmocka_unit_test(a_user_without_a_group_has_a_number),
		cmocka_unit_test(a_group_is_there_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
