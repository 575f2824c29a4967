/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Snapshots as others map them, against the registry that they were made of; and the control page. */
#include "world.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>

#include "client/client.h"

#define RUNC_SHIM "io.containerd.runc.v2"

static struct shared_snapshot mapped;

static void map_live(void)
{
	struct shared_file file = write_live();

	ck_assert_int_eq(shared_snapshot_map(file.fd, &mapped), 0);
	ck_assert_uint_eq(mapped.size, file.size);
	close(file.fd);
}

static void check_text(const char *seen, const char *wanted)
{
	ck_assert_int_eq(!seen, !wanted);
	if (wanted)
		ck_assert_str_eq(seen, wanted);
}

/* What is mapped has no empty options, and a binary only where the shim is runc's. */
static void check_same(const char *name)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	const struct shared_entry *entry = shared_snapshot_find(&mapped, name, strlen(name));
	struct rtreg_runtime wanted, seen;

	ck_assert_msg(entry != NULL, "no entry: %s", name);
	ck_assert_int_eq(rtreg_resolve(snapshot, name, &wanted, NULL), 0);
	shared_snapshot_get(&mapped, entry, &seen);
	ck_assert_str_eq(seen.name, wanted.name);
	ck_assert_str_eq(seen.shim, wanted.shim);
	ck_assert_uint_eq(seen.name_length, strlen(wanted.name));
	ck_assert_uint_eq(seen.shim_length, strlen(wanted.shim));
	check_text(seen.options_json, wanted.options_json && strcmp(wanted.options_json, "{}") != 0
	                                      ? wanted.options_json
	                                      : NULL);
	if (wanted.binary)
		check_text(seen.binary, wanted.binary);
	ck_assert_ptr_null(seen.path);
	ck_assert_ptr_null(seen.wrapper);
	ck_assert_ptr_null(seen.features_json);
	rtreg_unpin(snapshot);
}

static bool is_mapped_name(const char *name)
{
	return shared_snapshot_find(&mapped, name, strlen(name)) != NULL;
}

START_TEST(snapshot_of_a_registry_answers_as_the_registry)
{
	world_open("{\"runtimes\":{"
	           "\"plain\":{\"path\":\"/opt/plain\"},\"wrapped\":{\"path\":\"/opt/"
	           "x\",\"runtimeArgs\":[\"-a\"]},"
	           "\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\",\"options\":{\"A\":[1,\"x\"]}},"
	           "\"bare\":{\"runtimeType\":\"io.containerd.kata.v2\"}},\"default-runtime\":\"wrapped\"}");
	map_live();
	check_same("plain");
	check_same("wrapped");
	check_same("kata");
	check_same("bare");
	check_same("runc");
	check_same(RUNC_SHIM);
	check_same("");
	ck_assert(!is_mapped_name("nothing"));
	ck_assert(!is_mapped_name("io.containerd.other.v2"));
	ck_assert(!is_mapped_name("plai"));
	ck_assert(!is_mapped_name("plainx"));
	ck_assert_uint_eq(mapped.epoch, EPOCH);
	ck_assert_uint_eq(mapped.generation, 1);
	shared_snapshot_unmap(&mapped);
	world_close();
}
END_TEST

START_TEST(default_that_is_a_shim_by_itself_is_found_as_the_default_alone)
{
	world_open("{\"default-runtime\":\"io.containerd.wasm.v1\"}");
	map_live();
	check_same("");
	ck_assert(!is_mapped_name("io.containerd.wasm.v1"));
	shared_snapshot_unmap(&mapped);
	world_close();
}
END_TEST

START_TEST(binary_that_only_the_options_name_is_there)
{
	const struct shared_entry *entry;
	struct rtreg_runtime runtime;

	world_open("{\"runtimes\":{\"t\":{\"runtimeType\":\"" RUNC_SHIM
	           "\",\"options\":{\"BinaryName\":\"/opt/"
	           "b\\\"c\"}},\"k\":{\"runtimeType\":\"io.containerd.kata.v2\","
	           "\"options\":{\"BinaryName\":\"/opt/d\"}}}}");
	map_live();
	entry = shared_snapshot_find(&mapped, "t", 1);
	shared_snapshot_get(&mapped, entry, &runtime);
	check_text(runtime.binary, "/opt/b\"c");
	shared_snapshot_get(&mapped, shared_snapshot_find(&mapped, "k", 1), &runtime);
	check_text(runtime.binary, NULL);
	shared_snapshot_unmap(&mapped);
	world_close();
}
END_TEST

/* --- random ones --- */

#define NAMES_MAX 200

static void random_name(char *name, size_t size)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz.-_0123456789";
	size_t length = 1 + (size_t)rand() % (size - 1);

	for (size_t i = 0; i < length; i++)
		name[i] = letters[(size_t)rand() % (sizeof(letters) - 1)];
	name[0] = 'r';
	name[length] = '\0';
}

static void append_random(FILE *file, const char *name)
{
	static const char *const kinds[] = {
	        "{\"path\":\"/opt/%s\"}",
	        "{\"path\":\"/opt/%s\",\"runtimeArgs\":[\"-x\"]}",
	        "{\"runtimeType\":\"io.containerd.%s.v2\"}",
	        "{\"runtimeType\":\"io.containerd.%s.v2\",\"options\":{}}",
	        "{\"runtimeType\":\"io.containerd.kata.v2\",\"options\":{\"Path\":\"/etc/%s\"}}",
	};

	fprintf(file, "\"%s\":", name);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	fprintf(file, kinds[(size_t)rand() % (sizeof(kinds) / sizeof(kinds[0]))], name);
#pragma GCC diagnostic pop
}

START_TEST(random_snapshots_answer_as_the_registry)
{
	static char names[NAMES_MAX][24];
	const char *given = getenv("RTREG_TEST_SEED");
	unsigned seed = given ? (unsigned)atol(given) : (unsigned)time(NULL) + (unsigned)_i;
	size_t count, size;
	char *config;
	FILE *file;

	printf("seed %u\n", seed);
	srand(seed);
	count = 1 + (size_t)rand() % NAMES_MAX;
	file = open_memstream(&config, &size);
	fputs("{\"runtimes\":{", file);
	for (size_t i = 0; i < count; i++) {
		char tail[12];

		random_name(tail, sizeof(tail));
		snprintf(names[i], sizeof(names[i]), "%s%zu", tail, i);
		if (i > 0)
			fputc(',', file);
		append_random(file, names[i]);
	}
	fprintf(file, "},\"default-runtime\":\"%s\"}", names[(size_t)rand() % count]);
	fclose(file);
	world_open(config);
	map_live();
	for (size_t i = 0; i < count; i++)
		check_same(names[i]);
	check_same("");
	check_same("runc");
	for (int i = 0; i < 1000; i++) {
		char name[24];

		random_name(name, sizeof(name));
		name[0] = 'q';
		ck_assert(!is_mapped_name(name));
	}
	shared_snapshot_unmap(&mapped);
	world_close();
	free(config);
}
END_TEST

/* --- a client that has it mapped, while nobody is there --- */

static struct rtreg_client *stale_client(void)
{
	struct rtreg_client *client = calloc(1, sizeof(*client));

	ck_assert_ptr_nonnull(client);
	map_live();
	client->mapping = (struct mapping){.fd = -1, .wanted = true, .stale = true, .snapshot = mapped};
	client->timeout_ms = 1000;
	client->owner = getpid();
	client->socket = strdup("/no/such/socket");
	client->connection = (struct http_connection){.socket = client->socket, .fd = -1};
	client->arena = arena_new();
	ck_assert(client->socket && client->arena);
	return client;
}

static void check_stale(struct rtreg_client *client, const char *name)
{
	struct rtreg_runtime runtime;

	ck_assert_int_eq(rtreg_client_resolve(client, arena_strdup(client->arena, name), &runtime, NULL), 0);
	ck_assert_str_eq(runtime.name, name);
}

START_TEST(stale_answer_to_a_name_of_the_answer_before_is_of_that_name)
{
	struct rtreg_client *client;

	world_open("{\"runtimes\":{\"kata\":{\"runtimeType\":\"io.containerd.kata.v2\"}}}");
	client = stale_client();
	check_stale(client, "kata");
	arena_free(client->arena);
	client->arena = arena_new();
	check_stale(client, "a.shim.that.is.in.no.snapshot");
	rtreg_client_close(client);
	world_close();
}
END_TEST

/* --- the control page --- */

START_TEST(page_tells_its_generation_and_its_owner)
{
	struct shared_page *page;
	struct shared_view view;

	ck_assert_int_eq(shared_page_new(&page), 0);
	ck_assert_int_eq(shared_view_map(shared_page_file(page).fd, &view), 0);
	ck_assert_uint_eq(view.control->epoch, shared_page_epoch(page));
	ck_assert_uint_eq(shared_view_generation(&view), 0);
	ck_assert(shared_view_alive(&view));
	shared_page_publish(page, 7);
	ck_assert_uint_eq(shared_view_generation(&view), 7);
	shared_page_end(page);
	ck_assert(!shared_view_alive(&view));
	shared_page_free(page);
	ck_assert_uint_eq(shared_view_generation(&view), 7);
	shared_view_unmap(&view);
}
END_TEST

START_TEST(pages_have_epochs_of_their_own)
{
	struct shared_page *first, *second;

	ck_assert_int_eq(shared_page_new(&first), 0);
	ck_assert_int_eq(shared_page_new(&second), 0);
	ck_assert_uint_ne(shared_page_epoch(first), 0);
	ck_assert_uint_ne(shared_page_epoch(first), shared_page_epoch(second));
	shared_page_end(first);
	shared_page_end(second);
	shared_page_free(first);
	shared_page_free(second);
}
END_TEST

START_TEST(page_cannot_be_written_to_by_those_who_get_it)
{
	struct shared_page *page;
	void *mapping;

	ck_assert_int_eq(shared_page_new(&page), 0);
	mapping = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, shared_page_file(page).fd, 0);
	ck_assert_ptr_eq(mapping, MAP_FAILED);
	ck_assert_int_eq(write(shared_page_file(page).fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(shared_page_file(page).fd, 0), -1);
	shared_page_end(page);
	shared_page_free(page);
}
END_TEST

/* A process with a page, which also starts children, as rtregd does. */
static void own_a_page(int to)
{
	struct shared_page *page;
	int fd = shared_page_new(&page) == 0 ? shared_page_file(page).fd : -1;

	for (int i = 0; i < 3; i++) {
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		waitpid(child, NULL, 0);
	}
	if (write(to, &fd, sizeof(fd)) != sizeof(fd))
		_exit(1);
	for (;;)
		pause();
}

START_TEST(owner_that_was_killed_is_noticed_and_its_children_are_not)
{
	struct shared_view view;
	int ends[2], fd;
	char path[64];
	pid_t child;

	ck_assert_int_eq(pipe(ends), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		own_a_page(ends[1]);
	ck_assert_int_eq(read(ends[0], &fd, sizeof(fd)), sizeof(fd));
	ck_assert_int_ge(fd, 0);
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", child, fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(shared_view_map(fd, &view), 0);
	ck_assert(shared_view_alive(&view));
	kill(child, SIGKILL);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!shared_view_alive(&view));
	ck_assert_uint_ne(*view.owner & FUTEX_OWNER_DIED, 0);
	shared_view_unmap(&view);
	close(fd);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared");
	TCase *tcase = tcase_create("shared");

	tcase_add_test(tcase, snapshot_of_a_registry_answers_as_the_registry);
	tcase_add_test(tcase, default_that_is_a_shim_by_itself_is_found_as_the_default_alone);
	tcase_add_test(tcase, binary_that_only_the_options_name_is_there);
	tcase_add_loop_test(tcase, random_snapshots_answer_as_the_registry, 0, 10);
	tcase_add_test(tcase, stale_answer_to_a_name_of_the_answer_before_is_of_that_name);
	tcase_add_test(tcase, page_tells_its_generation_and_its_owner);
	tcase_add_test(tcase, pages_have_epochs_of_their_own);
	tcase_add_test(tcase, page_cannot_be_written_to_by_those_who_get_it);
	tcase_add_test(tcase, owner_that_was_killed_is_noticed_and_its_children_are_not);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
