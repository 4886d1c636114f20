#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "pki/keeper_frame.h"
#include "proxy/core/keeper_client.h"
#include "tests/support/kept.h"

static struct keeper_client *client;

/* A keeper behind a socket. */
struct far {
	pthread_t thread;
	int fd;              /* its end */
	struct keeper *keeper; /* NULL: it never answers */
	unsigned die_after;  /* so many answers; 0: never */
	unsigned answered;
	atomic_uint asked;
};

static void pause_ms(unsigned ms)
{
	struct timespec wait = {.tv_nsec = (long)ms * 1000 * 1000};

	nanosleep(&wait, NULL);
}

static void *serve(void *arg)
{
	struct far *far = arg;
	struct keeper_frame *frame = malloc(sizeof(*frame));

	while (frame && recv(far->fd, frame, sizeof(*frame), 0) ==
		(ssize_t)sizeof(*frame)) {
		atomic_fetch_add(&far->asked, 1);
		if (!far->keeper)
			continue;
		if (far->die_after && far->answered == far->die_after)
			break; /* with a question in hand */
		keeper_answer(far->keeper, frame);
		far->answered++;
		if (send(far->fd, frame, sizeof(*frame), MSG_NOSIGNAL) < 0)
			break;
	}
	close(far->fd);
	free(frame);
	return NULL;
}

/* start gives a keeper a socket, and its other end to the client. */
static void start(struct far *far, enum asker way)
{
	int ends[2];

	assert_int_equal(channel_pair(ends), 0);
	far->fd = ends[1];
	far->answered = 0;
	assert_int_equal(pthread_create(&far->thread, NULL, serve, far), 0);
	keeper_client_connect(client, way, ends[0]);
}

static void join(struct far *far)
{
	assert_int_equal(pthread_join(far->thread, NULL), 0);
}

/* try_make asks by the slow way, try_request by the quick one, for a key that
 * is not there: an answer of the keeper's own. */
static int try_make(char err[256])
{
	CRYPTO_BUFFER *locked, *spki;
	int result = keeper_make_key(keeper_client_link(client), KEY_EC_P256,
		KEY_ROLE_ROOT, &locked, &spki, err, 256);

	CRYPTO_BUFFER_free(locked);
	CRYPTO_BUFFER_free(spki);
	return result;
}

static void try_request(char err[256])
{
	static const uint8_t nobody[CA_KEY_ID];
	static const struct csr_order order = {.common_name = "x"};

	assert_null(keeper_request(keeper_client_link(client), nobody, &order,
		err, 256));
}

static void assert_says(const char *err, const char *what)
{
	if (!strstr(err, what))
		fail_msg("no '%s' in: %s", what, err);
}

static const char not_held[] = "does not hold that key";
static const char gone[] = "is not there just now";

static int set_up(void **state)
{
	(void)state;
	client = keeper_client_new("/etc/pass", NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	keeper_client_free(client);
	client = NULL;
	return 0;
}

static int tear_down_all(void **state)
{
	(void)state;
	kept_end();
	return 0;
}

static void asks_by_its_own_way(void **state)
{
	struct far quick = {.keeper = kept_keeper()};
	struct far slow = {.keeper = kept_keeper()};
	char err[256] = "";

	(void)state;
	assert_string_equal(keeper_client_link(client)->source, "/etc/pass");
	start(&quick, ASKER_QUICK);
	start(&slow, ASKER_SLOW);
	assert_int_equal(try_make(err), 0);
	try_request(err);
	assert_says(err, not_held);
	try_request(err);
	tear_down(NULL); /* which ends both */
	join(&quick);
	join(&slow);
	assert_int_equal(quick.answered, 2);
	assert_int_equal(slow.answered, 1);
}

static void *ask_for_good(void *arg)
{
	try_request(arg);
	return NULL;
}

/* The making of keys takes seconds; the other way round likewise. */
static void is_not_held_up_by_the_other_way(void **state)
{
	struct far quick = {.keeper = NULL};
	struct far slow = {.keeper = kept_keeper()};
	struct far next = {.keeper = kept_keeper()};
	char err[256] = "", waiting[256] = "";
	pthread_t thread;

	(void)state;
	start(&quick, ASKER_QUICK);
	start(&slow, ASKER_SLOW);
	assert_int_equal(pthread_create(&thread, NULL, ask_for_good, waiting),
		0);
	assert_int_equal(try_make(err), 0);
	/* who still waits is woken when there is another keeper */
	while (atomic_load(&quick.asked) == 0)
		pause_ms(1);
	start(&next, ASKER_QUICK);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_says(waiting, gone);
	try_request(err);
	assert_says(err, not_held);
	tear_down(NULL);
	join(&next);
	join(&quick);
	join(&slow);
}

static unsigned num_deaf;

static void note_deaf(void)
{
	num_deaf++;
}

/* One that hangs is not waited for to the end of all days, and told of. */
static void gives_up_on_a_keeper_that_does_not_answer(void **state)
{
	struct timeval soon = {.tv_usec = 50 * 1000};
	struct far quick = {.keeper = NULL};
	char err[256] = "";
	int ends[2];

	(void)state;
	keeper_client_free(client);
	client = keeper_client_new("", note_deaf);
	assert_int_equal(channel_pair(ends), 0);
	quick.fd = ends[1];
	assert_int_equal(pthread_create(&quick.thread, NULL, serve, &quick),
		0);
	keeper_client_connect(client, ASKER_QUICK, ends[0]);
	assert_int_equal(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &soon,
		sizeof(soon)), 0);
	try_request(err);
	assert_says(err, gone);
	assert_int_equal(num_deaf, 1);
	join(&quick);
}

struct later {
	struct far *far;
	bool ready;
};

static void *connect_later(void *arg)
{
	struct later *later = arg;

	pause_ms(100);
	if (later->far)
		start(later->far, ASKER_QUICK);
	pause_ms(50);
	if (later->ready)
		keeper_client_ready(client);
	return NULL;
}

/* Who asks next does not try the dead one, but waits for the next. */
static void outlives_its_keeper(void **state)
{
	struct far first = {.keeper = kept_keeper(), .die_after = 1};
	struct far second = {.keeper = kept_keeper()};
	struct later later = {.far = &second};
	char err[256] = "";
	pthread_t thread;

	(void)state;
	start(&first, ASKER_QUICK);
	try_request(err);
	assert_says(err, not_held);
	try_request(err);
	assert_says(err, gone); /* it died with the question in hand */
	join(&first);
	assert_int_equal(pthread_create(&thread, NULL, connect_later, &later),
		0);
	try_request(err);
	assert_says(err, not_held);
	assert_int_equal(pthread_join(thread, NULL), 0);
	tear_down(NULL);
	join(&second);
}

static void takes_no_answer_that_is_no_frame(void **state)
{
	struct far next = {.keeper = kept_keeper()};
	char err[256] = "";
	int ends[2];

	(void)state;
	assert_int_equal(channel_pair(ends), 0);
	keeper_client_connect(client, ASKER_QUICK, ends[0]);
	assert_int_equal(send(ends[1], "short", 5, 0), 5);
	try_request(err);
	assert_says(err, gone);
	close(ends[1]);
	start(&next, ASKER_QUICK); /* that one was dropped */
	try_request(err);
	assert_says(err, not_held);
	tear_down(NULL);
	join(&next);
}

/* Who asks while there is none waits for the next one. */
static void waits_for_the_next_one(void **state)
{
	struct far next = {.keeper = kept_keeper()};
	struct later later = {.far = &next};
	char err[256] = "";
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, connect_later, &later),
		0);
	try_request(err);
	assert_says(err, not_held);
	assert_int_equal(pthread_join(thread, NULL), 0);
	tear_down(NULL);
	join(&next);
}

/* ask_for_leaf sends an empty question of that kind by the link. */
static uint32_t ask_for_leaf(void)
{
	struct keeper_frame *frame = calloc(1, sizeof(*frame));
	const struct keeper_link *link = keeper_client_link(client);
	char err[256] = "";
	uint32_t status;

	assert_non_null(frame);
	frame->version = KEEPER_VERSION;
	frame->kind = KEEPER_LEAF;
	assert_int_equal(link->ask(link->arg, frame, err, sizeof(err)), 0);
	status = frame->status;
	free(frame);
	return status;
}

static bool told_ready;

static void *tell_ready(void *arg)
{
	(void)arg;
	pause_ms(100);
	__atomic_store_n(&told_ready, true, __ATOMIC_SEQ_CST);
	keeper_client_ready(client);
	return NULL;
}

/* A keeper that has just started holds no keys to sign leaves with. */
static void asks_for_leaves_when_there_are_keys(void **state)
{
	struct far far = {.keeper = kept_keeper()};
	pthread_t thread;

	(void)state;
	start(&far, ASKER_QUICK);
	told_ready = false;
	assert_int_equal(pthread_create(&thread, NULL, tell_ready, NULL), 0);
	assert_int_equal(ask_for_leaf(), KEEPER_REFUSED);
	assert_true(__atomic_load_n(&told_ready, __ATOMIC_SEQ_CST));
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(ask_for_leaf(), KEEPER_REFUSED); /* at once */
	tear_down(NULL);
	join(&far);
}

static bool leaf_answered;

static void *want_leaf(void *arg)
{
	(void)arg;
	assert_int_equal(ask_for_leaf(), KEEPER_REFUSED);
	__atomic_store_n(&leaf_answered, true, __ATOMIC_SEQ_CST);
	return NULL;
}

/* They bring the keys: who waits for those must not have the turn. */
static void lets_others_ask_meanwhile(void **state)
{
	struct far far = {.keeper = kept_keeper()};
	pthread_t threads[3];
	char err[256] = "";

	(void)state;
	start(&far, ASKER_QUICK);
	leaf_answered = false;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, want_leaf,
			NULL), 0);
	pause_ms(50);
	try_request(err);
	assert_says(err, not_held);
	assert_false(__atomic_load_n(&leaf_answered, __ATOMIC_SEQ_CST));
	keeper_client_ready(client);
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	tear_down(NULL);
	join(&far);
}

enum { MANY = 8 };

/* try_hold asks for what is answered in another way. */
static bool try_hold(void)
{
	struct der none = {NULL, 0};
	struct keeper_held held;
	char err[256];

	return keeper_hold(keeper_client_link(client), none, KEY_ROLE_ROOT,
		none, "1", &held, err, sizeof(err)) == KEEPER_WRONG_PASSPHRASE;
}

/* ask_often gives NULL, or arg where an answer was not to its question. */
static void *ask_often(void *arg)
{
	char err[256];

	for (int i = 0; i < 20; i++) {
		err[0] = '\0';
		try_request(err);
		if (!strstr(err, not_held) || !try_hold())
			return arg;
	}
	return NULL;
}

/* One socket carries one question at a time, whoever asks. */
static void asks_for_many(void **state)
{
	struct far far = {.keeper = kept_keeper()};
	pthread_t threads[MANY];
	void *failed;

	(void)state;
	start(&far, ASKER_QUICK);
	for (int i = 0; i < MANY; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, ask_often,
			&far), 0);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	tear_down(NULL);
	join(&far);
	assert_int_equal(far.answered, MANY * 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(asks_by_its_own_way, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			is_not_held_up_by_the_other_way, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			gives_up_on_a_keeper_that_does_not_answer, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(outlives_its_keeper, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(
			takes_no_answer_that_is_no_frame, set_up, tear_down),
		cmocka_unit_test_setup_teardown(waits_for_the_next_one,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			asks_for_leaves_when_there_are_keys, set_up,
			tear_down),
		cmocka_unit_test_setup_teardown(lets_others_ask_meanwhile,
			set_up, tear_down),
		cmocka_unit_test_setup_teardown(asks_for_many, set_up,
			tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, tear_down_all);
}
