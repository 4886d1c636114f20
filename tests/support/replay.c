/*
 * replay.c - a fuzzer's main without libFuzzer.
 *
 * Each argument is a file, or a folder of files, to be given to the fuzz
 * target once. The empty input is always tried. Each file's name is printed
 * before its turn when REPLAY_VERBOSE is set, so that a crash names its cause.
 * The last line on standard output is how many inputs there were.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv) __attribute__((weak));

static unsigned long inputs;

static void die(const char *what)
{
	fprintf(stderr, "replay: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The buffer is of the exact size, so that a read past it is seen. */
static void replay_bytes(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		die("memory");
	if (size != 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
}

static void replay_file(const char *path, size_t size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(size + 1);

	if (f == NULL || data == NULL)
		die(path);
	if (getenv("REPLAY_VERBOSE") != NULL)
		fprintf(stderr, "replay: %s\n", path);
	if (fread(data, 1, size, f) != size)
		die(path);
	fclose(f);
	replay_bytes(data, size);
	free(data);
}

static void replay_path(const char *path);

static int not_hidden(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

static void replay_folder(const char *path)
{
	struct dirent **entries;
	char name[4096];
	int count = scandir(path, &entries, not_hidden, alphasort);

	if (count < 0)
		die(path);
	for (int i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%s/%s", path, entries[i]->d_name);
		replay_path(name);
		free(entries[i]);
	}
	free(entries);
}

static void replay_path(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		die(path);
	if (S_ISDIR(st.st_mode))
		replay_folder(path);
	else
		replay_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
	if (LLVMFuzzerInitialize != NULL)
		LLVMFuzzerInitialize(&argc, &argv);
	replay_bytes(NULL, 0);
	for (int i = 1; i < argc; i++)
		replay_path(argv[i]);
	printf("%lu\n", inputs);
	return 0;
}
