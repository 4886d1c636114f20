#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/config/yaml.h"

static char err[256];
static unsigned line;

static struct node *read_text(const char *text)
{
	struct node *node = NULL;

	if (node_read(text, strlen(text), &node, &line, err,
		sizeof(err)) != 0)
		fail_msg("line %u: %s", line, err);
	return node;
}

static void refuse_len(const char *text, size_t len, unsigned at,
	const char *why)
{
	struct node *node = (struct node *)1;

	assert_int_equal(node_read(text, len, &node, &line, err, sizeof(err)),
		-1);
	assert_ptr_equal(node, (struct node *)1);
	assert_int_equal(line, at);
	if (!strstr(err, why))
		fail_msg("\"%s\" has no \"%s\"", err, why);
}

static void refuse(const char *text, unsigned at, const char *why)
{
	refuse_len(text, strlen(text), at, why);
}

static void a_tree_with_lines(void **state)
{
	struct node *root = read_text(
		"# a comment\n"
		"one: 1\n"
		"two:\n"
		"  three: [a, 'b']\n"
		"  four:\n"
		"  - c\n"
		"\n"
		"  - \"d\"\n");
	const struct node *two = node_get(root, "two"), *list;

	(void)state;
	assert_int_equal(root->kind, NODE_MAP);
	assert_int_equal(root->num, 2);
	assert_string_equal(node_get(root, "one")->text, "1");
	assert_int_equal(node_get(root, "one")->line, 2);
	assert_int_equal(two->line, 3);
	list = node_get(two, "three");
	assert_int_equal(list->kind, NODE_LIST);
	assert_int_equal(list->num, 2);
	assert_false(list->at[0]->quoted);
	assert_true(list->at[1]->quoted);
	list = node_get(two, "four");
	assert_int_equal(list->line, 5);
	assert_int_equal(list->at[0]->line, 6);
	assert_int_equal(list->at[1]->line, 8);
	assert_string_equal(list->at[1]->text, "d");
	assert_null(node_get(root, "five"));
	assert_null(node_get(list, "c"));
	node_free(root);
}

static void nothing_is_no_tree(void **state)
{
	(void)state;
	assert_null(read_text(""));
	assert_null(read_text("# only this\n"));
	assert_null(read_text("---\n...\n"));
	assert_null(read_text("~\n"));
}

static void null_is_only_what_is_bare(void **state)
{
	struct node *root = read_text("a:\nb: ~\nc: null\nd: ''\ne: x\nf: []\n");
	bool expected[] = {true, true, true, false, false, false};

	(void)state;
	for (size_t i = 0; i < root->num; i++)
		assert_int_equal(node_is_null(root->at[i]), expected[i]);
	node_free(root);
}

static void what_is_refused(void **state)
{
	(void)state;
	refuse("a: &x 1\n", 1, "anchors");
	refuse("a: 1\nb: *a\n", 2, "aliases");
	refuse("a: &x [1]\nb: *x\n", 1, "anchors");
	refuse("b: *x\n", 1, "in quotes");
	refuse("a: 1\nb: [*.x]\n", 2, "begins with * goes in quotes");
	refuse("a: !!str 1\n", 1, "tags");
	refuse("&k a: 1\n", 1, "a key");
	refuse("a: 1\n[b]: 2\n", 2, "a key");
	refuse("a: 1\n---\nb: 2\n", 2, "second document");
	refuse("a: 1\nb: 2\na: 3\n", 3,
		"the key \"a\" is there twice, in line 1 too");
	refuse("a: \"x\\0y\"\n", 1, "NUL");
	refuse("a:\n\tb: 1\n", 2, "not YAML");
	refuse("a: [1\n", 2, "not YAML");
	refuse("a: 1\nb: \xff\n", 2, "not YAML");
	refuse("a: @b\n", 1, "quotes round");
}

static void depth_is_bounded(void **state)
{
	char text[64 + 1];

	(void)state;
	memset(text, '[', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	refuse(text, 1, "too deep");
}

static void size_is_bounded(void **state)
{
	size_t len = YAML_MAX_BYTES + 1;
	char *text = malloc(len);

	(void)state;
	memset(text, '#', len);
	refuse_len(text, len, 0, "16 MB");
	for (size_t i = 0; i < len; i += 2)
		memcpy(text + i, ",x", i + 1 < len ? 2 : 1);
	text[0] = '[';
	refuse_len(text, len - 1, 1, "more values");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_with_lines),
		cmocka_unit_test(nothing_is_no_tree),
		cmocka_unit_test(null_is_only_what_is_bare),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(size_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
