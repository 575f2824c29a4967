/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes that last (docs/dropins.md): what each kind makes of the registry's own drop-in, what is refused,
 * and that a refused one leaves the file as it was.
 */
#include "flavor.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox.h"
#include "unit.h"

#define OWN "50-rtregctl.json"

static struct sandbox sandbox;
static struct rtreg *registry;
static struct rtreg_error error;
static struct rtreg_report *report;
static char directory[192];

static void setup(void)
{
	sandbox_init(&sandbox);
	snprintf(directory, sizeof(directory), "%s.d", sandbox.config);
}

static void teardown(void)
{
	rtreg_report_free(report);
	rtreg_close(registry);
	rtreg_error_fini(&error);
	sandbox_fini(&sandbox);
}

static const char *place(const char *name)
{
	static char path[512];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void put_file(const char *name, const char *text)
{
	FILE *file;

	ck_assert(mkdir(directory, 0755) == 0 || errno == EEXIST);
	file = fopen(place(name), "we");
	ck_assert_ptr_nonnull(file);
	fputs(text, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* The content of a drop-in, until the next call; NULL if it is missing. */
static const char *content(const char *name)
{
	static char text[8192];
	FILE *file = fopen(place(name), "re");

	if (!file)
		return NULL;
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	return text;
}

static void assert_no_leftovers(void)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir)))
		ck_assert_msg(entry->d_name[0] != '.' || entry->d_name[strspn(entry->d_name, ".")] == '\0',
		              "left over: %s", entry->d_name);
	closedir(dir);
}

static void start_with(const char *config)
{
	sandbox_write(&sandbox, "%s", config);
	ck_assert_msg(rtreg_open(&sandbox.options, &registry, &error) == 0, "%s", error.message);
}

static int change_if(enum rtreg_change_kind kind, const char *name, const char *entry, uint64_t generation)
{
	struct rtreg_change change = {
	        .kind = kind, .name = name, .entry = entry, .entry_size = entry ? strlen(entry) : 0};

	rtreg_report_free(report);
	report = NULL;
	rtreg_error_fini(&error);
	return rtreg_change(registry, &change, generation, &report, &error);
}

static int change(enum rtreg_change_kind kind, const char *name, const char *entry)
{
	int r = change_if(kind, name, entry, 0);

	assert_no_leftovers();
	return r;
}

static void must(int r)
{
	ck_assert_msg(r == 0, "%s", error.message);
}

static void assert_error(int r, int code, const char *part)
{
	ck_assert_msg(r == code && strstr(error.message, part), "%d: %s", r, error.message);
}

static void assert_runtime(const char *name, const char *path)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	struct rtreg_runtime runtime = {0};

	if (!path)
		ck_assert_int_eq(rtreg_resolve(snapshot, name, &runtime, NULL), -EINVAL);
	else
		ck_assert_int_eq(rtreg_resolve(snapshot, name, &runtime, NULL), 0);
	ck_assert_pstr_eq(runtime.path, path);
	rtreg_unpin(snapshot);
}

static void assert_default(const char *name)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);

	ck_assert_str_eq(rtreg_snapshot_default_runtime(snapshot), name);
	rtreg_unpin(snapshot);
}

static void assert_origin(const char *key, const char *origin)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	char *json = rtreg_snapshot_json(snapshot), member[256];

	snprintf(member, sizeof(member), "\"%s\":\"%s\"", key, origin);
	ck_assert_msg(strstr(strstr(json, "\"origin\":{"), member), "no %s in %s", member, json);
	free(json);
	rtreg_unpin(snapshot);
}

static uint64_t generation(void)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t ret = rtreg_snapshot_generation(snapshot);

	rtreg_unpin(snapshot);
	return ret;
}

/* --- runtimes --- */

START_TEST(put_runtime_makes_directory_and_file_and_is_live)
{
	struct stat st;

	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "kata", "{\"path\":\"/opt/kata\",\"runtimeArgs\":[\"--a\",\"b\"]}"));
	assert_runtime("kata", "/opt/kata");
	assert_origin("runtimes.kata", "file:" OWN);
	ck_assert_uint_eq(rtreg_report_generation(report), 2);
	ck_assert_ptr_nonnull(strstr(rtreg_report_changed_json(report), "runtimes.kata"));
	ck_assert_str_eq(content(OWN),
	                 "{\n\t\"runtimes\": {\n\t\t\"kata\": {\n\t\t\t\"path\": \"/opt/kata\",\n\t\t\t"
	                 "\"runtimeArgs\": [\n\t\t\t\t\"--a\",\n\t\t\t\t\"b\"\n\t\t\t]\n\t\t}\n\t}\n}\n");
	ck_assert_int_eq(stat(directory, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0755);
	ck_assert_int_eq(stat(place(OWN), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	rtreg_close(registry);
	start_with("{}");
	assert_runtime("kata", "/opt/kata");
}
END_TEST

START_TEST(put_runtime_replaces_its_entry_and_keeps_the_rest_and_the_mode)
{
	struct stat st;

	put_file(OWN,
	         "{\"labels\":[\"a=1\"],\"runtimes\":{\"z\":{\"path\":\"/z\"},\"kata\":{\"path\":\"/old\"}},"
	         "\"log-opts\":{\"tag\":\"{[,:\\\"\\\\\"}}");
	ck_assert_int_eq(chmod(place(OWN), 0600), 0);
	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "kata", "{\"runtimeType\":\"io.kata.v2\"}"));
	assert_runtime("z", "/z");
	ck_assert_str_eq(
	        content(OWN),
	        "{\n\t\"labels\": [\n\t\t\"a=1\"\n\t],\n\t\"runtimes\": {\n\t\t\"z\": {\n\t\t\t\"path\": "
	        "\"/z\"\n\t\t},\n\t\t\"kata\": {\n\t\t\t\"runtimeType\": \"io.kata.v2\"\n\t\t}\n\t},\n\t"
	        "\"log-opts\": {\n\t\t\"tag\": \"{[,:\\\"\\\\\"\n\t}\n}\n");
	ck_assert_int_eq(stat(place(OWN), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

START_TEST(put_runtime_that_is_there_already_leaves_the_file_as_a_person_wrote_it)
{
	static const char own[] = "{ \"runtimes\" : { \"kata\":{\"path\":\"/k\"} } }";

	put_file(OWN, own);
	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "kata", "{\"path\": \"/k\"}"));
	ck_assert(rtreg_report_unchanged(report));
	ck_assert_str_eq(content(OWN), own);
}
END_TEST

START_TEST(put_runtime_equal_to_a_flags_is_unchanged_and_written)
{
	static const struct rtreg_flag flag = {"add-runtime", "kata=/opt/kata"};

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "kata", "{\"path\":\"/opt/kata\"}"));
	ck_assert(rtreg_report_unchanged(report));
	ck_assert_uint_eq(generation(), 1);
	ck_assert_ptr_nonnull(content(OWN));
	assert_origin("runtimes.kata", "file:" OWN);
}
END_TEST

static const struct {
	const char *name, *entry, *part;
} refused[] = {
        {"main", "{\"path\":\"/x\"}", "runtime main is set in two files: "},
        {"other", "{\"path\":\"/x\"}", "20-other.json and "},
        {"runc", "{\"path\":\"/x\"}", "runtime name 'runc' is reserved"},
        {"x", "{}", "either a runtimeType or a path must be configured"},
        {"x", "[]", "runtime x: its entry must be a JSON object, found array"},
        {"x", "", "runtime x: its entry must be a JSON object, found null"},
        {"x", NULL, "runtime x: its entry must be a JSON object, found null"},
        {"x", "{\"path\":}", "runtime x: invalid JSON: "},
        {"x", "{\"path\":1}", "cannot unmarshal number 1 into runtimes.x.path"},
        {"x", "{\"path\":\"\xff\"}", "runtime x: failed to decode"},
        {"", "{\"path\":\"/x\"}", "name"},
        {"a\nb", "{\"path\":\"/x\"}", "name"},
        {"\xff", "{\"path\":\"/x\"}", "UTF-8"},
        {NULL, "{\"path\":\"/x\"}", "a change needs a name"},
};
#define REFUSED_COUNT ((int)(sizeof(refused) / sizeof(refused[0])))

START_TEST(put_runtime_that_is_refused_leaves_everything_as_it_was)
{
	static const char own[] = "{\"runtimes\": {\"mine\":{\"path\":\"/m\"}}}";

	put_file("20-other.json", "{\"runtimes\":{\"other\":{\"path\":\"/o\"}}}");
	put_file(OWN, own);
	start_with("{\"runtimes\":{\"main\":{\"path\":\"/main\"}}}");
	assert_error(change(RTREG_PUT_RUNTIME, refused[_i].name, refused[_i].entry), -EINVAL,
	             refused[_i].part);
	ck_assert_str_eq(content(OWN), own);
	ck_assert_uint_eq(generation(), 1);
	ck_assert_ptr_null(report);
}
END_TEST

START_TEST(put_runtime_that_is_refused_makes_no_directory)
{
	start_with("{}");
	assert_error(change(RTREG_PUT_RUNTIME, "runc", "{\"path\":\"/x\"}"), -EINVAL, "reserved");
	ck_assert_int_lt(access(directory, F_OK), 0);
}
END_TEST

START_TEST(remove_runtime_takes_the_entry_and_an_empty_file_goes)
{
	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	must(change(RTREG_PUT_RUNTIME, "b", "{\"path\":\"/b\"}"));
	must(change(RTREG_REMOVE_RUNTIME, "a", NULL));
	assert_runtime("a", NULL);
	assert_runtime("b", "/b");
	ck_assert_ptr_nonnull(content(OWN));
	must(change(RTREG_REMOVE_RUNTIME, "b", NULL));
	assert_runtime("b", NULL);
	ck_assert_ptr_null(content(OWN));
	ck_assert_int_eq(access(directory, F_OK), 0);
}
END_TEST

START_TEST(remove_runtime_keeps_other_keys)
{
	put_file(OWN, "{\"debug\":true,\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	start_with("{}");
	must(change(RTREG_REMOVE_RUNTIME, "a", NULL));
	ck_assert_str_eq(content(OWN), "{\n\t\"debug\": true\n}\n");
}
END_TEST

START_TEST(remove_runtime_that_is_not_ours_says_where_it_is)
{
	static const struct rtreg_flag flag = {"add-runtime", "flagged=/f"};
	static const struct rtreg_source body = {.bytes = "{\"runtimes\":{\"sent\":{\"path\":\"/s\"}}}",
	                                         .size = 35};
	static const struct {
		const char *name;
		int code;
		const char *part;
	} cases[] = {
	        {"main", -ESRCH, "runtime main is in /tmp/"},
	        {"main", -ESRCH, "/daemon.json,"},
	        {"other", -ESRCH, "/daemon.json.d/20-other.json,"},
	        {"flagged", -ESRCH, "comes from the flag --add-runtime"},
	        {"io.containerd.runc.v2", -ESRCH, "stock runtime"},
	        {"sent", -ESRCH, "in no file"},
	        {"nosuch", -ESRCH, "unknown runtime: nosuch"},
	        {"runc", -EINVAL, "runtime runc is the default; set another default first"},
	};

	sandbox.options.flags = &flag;
	sandbox.options.flag_count = 1;
	put_file("20-other.json", "{\"runtimes\":{\"other\":{\"path\":\"/o\"}}}");
	put_file(OWN, "{\"runtimes\":{\"mine\":{\"path\":\"/m\"}}}");
	start_with("{\"runtimes\":{\"main\":{\"path\":\"/main\"}}}");
	must(rtreg_reload(registry, &body, 0, NULL, &error));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_error(change(RTREG_REMOVE_RUNTIME, cases[i].name, NULL), cases[i].code, cases[i].part);
	ck_assert_uint_eq(generation(), 2);
}
END_TEST

START_TEST(remove_of_the_default_is_refused_until_there_is_another)
{
	start_with("{}");
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	must(change(RTREG_SET_DEFAULT, "a", NULL));
	assert_error(change(RTREG_REMOVE_RUNTIME, "a", NULL), -EINVAL,
	             "runtime a is the default; set another default first");
	must(change(RTREG_SET_DEFAULT, "", NULL));
	must(change(RTREG_REMOVE_RUNTIME, "a", NULL));
	ck_assert_ptr_null(content(OWN));
}
END_TEST

/* --- the default --- */

START_TEST(set_default_is_live_and_empty_takes_it_out)
{
	start_with("{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	must(change(RTREG_SET_DEFAULT, "a", NULL));
	assert_default("a");
	assert_origin("default-runtime", "file:" OWN);
	ck_assert_str_eq(content(OWN), "{\n\t\"default-runtime\": \"a\"\n}\n");
	must(change(RTREG_SET_DEFAULT, "", NULL));
	assert_default("runc");
	ck_assert_ptr_null(content(OWN));
	must(change(RTREG_SET_DEFAULT, "", NULL));
	ck_assert(rtreg_report_unchanged(report));
}
END_TEST

START_TEST(set_default_takes_an_entry_in_place_of_the_name)
{
	start_with("{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	must(change(RTREG_SET_DEFAULT, NULL, "{\"runtime\":\"a\"}"));
	assert_default("a");
	must(change(RTREG_SET_DEFAULT, NULL, " {\"runtime\": \"\"} "));
	assert_default("runc");
}
END_TEST

static const char *const bad_defaults[] = {
        NULL,
        "",
        "null",
        "{",
        "[]",
        "{}",
        "\"a\"",
        "{\"runtime\":1}",
        "{\"runtime\":\"a\",\"x\":1}",
        "{\"Runtime\":\"a\"}",
};
#define BAD_DEFAULTS ((int)(sizeof(bad_defaults) / sizeof(bad_defaults[0])))

START_TEST(set_default_refuses_an_entry_that_names_none)
{
	start_with("{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}");
	assert_error(change(RTREG_SET_DEFAULT, NULL, bad_defaults[_i]), -EINVAL,
	             bad_defaults[_i] ? "default-runtime: " : "a change needs a name");
	ck_assert_ptr_null(content(OWN));
}
END_TEST

START_TEST(set_default_where_somebody_else_does_names_him)
{
	static const struct rtreg_flag flag = {"default-runtime", "io.containerd.runc.v2"};

	if (_i == 0) {
		start_with("{\"default-runtime\":\"io.containerd.runc.v2\"}");
		assert_error(change(RTREG_SET_DEFAULT, "runc", NULL), -EINVAL, "/daemon.json:");
	} else if (_i == 1) {
		put_file("20-other.json", "{\"default-runtime\":\"io.containerd.runc.v2\"}");
		start_with("{}");
		assert_error(change(RTREG_SET_DEFAULT, "runc", NULL), -EINVAL,
		             "/daemon.json.d/20-other.json:");
	} else {
		sandbox.options.flags = &flag;
		sandbox.options.flag_count = 1;
		start_with("{}");
		assert_error(change(RTREG_SET_DEFAULT, "runc", NULL), -EINVAL, "both as a flag");
	}
	ck_assert_ptr_null(content(OWN));
	assert_default("io.containerd.runc.v2");
}
END_TEST

/* Kept, though the file does not have it any more: nobody sets it. */
START_TEST(set_default_where_the_file_no_longer_does_works)
{
	start_with("{\"default-runtime\":\"io.containerd.runc.v2\"}");
	sandbox_write(&sandbox, "{}");
	must(change(RTREG_SET_DEFAULT, "runc", NULL));
	assert_default("runc");
}
END_TEST

START_TEST(set_default_to_an_unknown_runtime_is_refused)
{
	start_with("{}");
	assert_error(change(RTREG_SET_DEFAULT, "nosuch", NULL), -EINVAL,
	             "specified default runtime 'nosuch' does not exist");
	ck_assert_ptr_null(content(OWN));
}
END_TEST

/* --- all kinds --- */

START_TEST(change_takes_what_others_have_changed_along)
{
	start_with("{}");
	put_file("20-other.json", "{\"debug\":true}");
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	ck_assert_ptr_nonnull(strstr(rtreg_report_changed_json(report), "\"debug\""));
}
END_TEST

START_TEST(change_is_refused_with_the_error_of_a_broken_file)
{
	static const char own[] = "{\"runtimes\":{\"a\":{\"path\":\"/a\"}}}";

	put_file(OWN, own);
	start_with("{}");
	if (_i == 0)
		put_file("20-other.json", "{");
	else if (_i == 1)
		put_file("20-other.json", "{\"labels\":[\"x\"]}");
	else
		sandbox_write(&sandbox, "{\"lables\":[]}");
	ck_assert_int_eq(change(RTREG_PUT_RUNTIME, "b", "{\"path\":\"/b\"}"), -EINVAL);
	ck_assert_str_eq(content(OWN), own);
	ck_assert_int_eq(change(RTREG_REMOVE_RUNTIME, "a", NULL), -EINVAL);
	ck_assert_str_eq(content(OWN), own);
	assert_runtime("a", "/a");
}
END_TEST

START_TEST(change_of_a_broken_own_file_names_it)
{
	static const char *const broken[] = {"{", "[]", "{\"runtimes\":[]}", "\xff"};

	start_with("{}");
	put_file(OWN, broken[_i]);
	assert_error(change(RTREG_PUT_RUNTIME, "b", "{\"path\":\"/b\"}"), -EINVAL, OWN ": ");
	ck_assert_str_eq(content(OWN), broken[_i]);
}
END_TEST

static int refuse(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	(void)txn;
	(void)why;
	return *(bool *)context ? -EUNATCH : 0;
}

START_TEST(change_whose_step_fails_leaves_the_file)
{
	bool fails = false;

	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "refuses", refuse, &fails), 0);
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	fails = true;
	ck_assert_int_eq(change(RTREG_REMOVE_RUNTIME, "a", NULL), -EUNATCH);
	ck_assert_ptr_nonnull(content(OWN));
	assert_runtime("a", "/a");
}
END_TEST

/* Where FILE.d should be made stands a link to nowhere. */
static int link_to_nowhere(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	(void)txn;
	(void)context;
	(void)why;
	return symlink("/nonexistent/x", directory);
}

START_TEST(change_of_a_directory_that_cannot_be_written_is_an_error_of_the_machine)
{
	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "links", link_to_nowhere, NULL), 0);
	ck_assert_int_eq(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"), -EIO);
	ck_assert_ptr_nonnull(strstr(error.message, OWN));
	ck_assert_uint_eq(generation(), 1);
}
END_TEST

START_TEST(change_guarded_by_another_generation_is_stale)
{
	start_with("{}");
	ck_assert_int_eq(change_if(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}", 2), -ESTALE);
	ck_assert_int_eq(change_if(RTREG_REMOVE_RUNTIME, "nosuch", NULL, 2), -ESTALE);
	ck_assert_ptr_null(content(OWN));
	must(change_if(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}", 1));
	ck_assert_int_eq(change_if(RTREG_REMOVE_RUNTIME, "a", NULL, 1), -ESTALE);
	must(change_if(RTREG_REMOVE_RUNTIME, "a", NULL, 2));
}
END_TEST

START_TEST(change_of_an_unknown_kind_is_einval)
{
	start_with("{}");
	ck_assert_int_eq(change(0, "a", NULL), -EINVAL);
	ck_assert_int_eq(change(4, "a", NULL), -EINVAL);
}
END_TEST

static int change_from_step(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	struct rtreg_change inner = {.kind = RTREG_SET_DEFAULT, .name = ""};

	(void)txn;
	(void)why;
	*(int *)context = rtreg_change(registry, &inner, 0, NULL, NULL);
	return 0;
}

START_TEST(change_from_a_step_or_a_section_is_edeadlk)
{
	int r = 0;

	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "changes", change_from_step, &r), 0);
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	ck_assert_int_eq(r, -EDEADLK);
	rcu_register_thread();
	reader_begin();
	ck_assert_int_eq(change(RTREG_REMOVE_RUNTIME, "a", NULL), -EDEADLK);
	reader_end(registry);
	rcu_unregister_thread();
}
END_TEST

/* --- at the same time --- */

/* A person edits the drop-in `*context` times while the registry is about to change it. */
static int edit_meanwhile(struct rtreg_txn *txn, void *context, struct rtreg_error *why)
{
	int *times = context;
	char text[128];

	(void)txn;
	(void)why;
	if (*times == 0)
		return 0;
	snprintf(text, sizeof(text), "{\"runtimes\":{\"person-%d\":{\"path\":\"/person\"}}}", (*times)--);
	put_file(OWN, text);
	return 0;
}

START_TEST(change_keeps_what_a_person_writes_meanwhile)
{
	int times = 1;

	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "edits", edit_meanwhile, &times), 0);
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	assert_runtime("a", "/a");
	assert_runtime("person-1", "/person");
	/* His is without it. */
	times = 1;
	ck_assert_int_eq(change(RTREG_REMOVE_RUNTIME, "a", NULL), -ESRCH);
	ck_assert_ptr_nonnull(strstr(content(OWN), "person-1"));
}
END_TEST

START_TEST(change_of_what_a_person_never_stops_to_write_is_busy)
{
	int times = 1000;

	start_with("{}");
	ck_assert_int_eq(rtreg_add_step(registry, "edits", edit_meanwhile, &times), 0);
	assert_error(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"), -EBUSY,
	             "somebody else is changing it");
	ck_assert_ptr_nonnull(strstr(content(OWN), "person-"));
	assert_runtime("a", NULL);
	ck_assert_uint_eq(generation(), 1);
}
END_TEST

#define THREADS 4
#define EACH    5

static void *put_some(void *argument)
{
	char name[32];

	for (int i = 0; i < EACH; i++) {
		struct rtreg_change put = {.kind = RTREG_PUT_RUNTIME, .name = name};

		snprintf(name, sizeof(name), "r%d-%d", *(int *)argument, i);
		put.entry = "{\"path\":\"/x\"}";
		put.entry_size = strlen(put.entry);
		if (rtreg_change(registry, &put, 0, NULL, NULL) < 0)
			return argument;
	}
	return NULL;
}

START_TEST(changes_at_the_same_time_lose_nothing)
{
	pthread_t threads[THREADS];
	int numbers[THREADS];
	void *failed;
	char name[32];

	start_with("{}");
	for (int i = 0; i < THREADS; i++) {
		numbers[i] = i;
		ck_assert_int_eq(pthread_create(&threads[i], NULL, put_some, &numbers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		ck_assert_int_eq(pthread_join(threads[i], &failed), 0);
		ck_assert_ptr_null(failed);
	}
	for (int i = 0; i < THREADS * EACH; i++) {
		snprintf(name, sizeof(name), "r%d-%d", i / EACH, i % EACH);
		assert_runtime(name, "/x");
	}
	assert_no_leftovers();
}
END_TEST

/* --- on trial --- */

START_TEST(change_on_trial_is_reverted_with_it_and_its_file_is_known)
{
	start_with("{\"labels\":[\"a=1\"]}");
	sandbox_write(&sandbox, "{\"labels\":[\"a=2\"]}");
	must(rtreg_reload(registry, NULL, RTREG_RELOAD_TRIAL, NULL, &error));
	must(change(RTREG_PUT_RUNTIME, "a", "{\"path\":\"/a\"}"));
	ck_assert(rtreg_on_trial(registry, NULL));
	must(rtreg_revert(registry, NULL, &error));
	assert_runtime("a", NULL);
	ck_assert_ptr_nonnull(content(OWN));
	/* The files are those that were reverted. */
	rtreg_close(registry);
	registry = NULL;
	must(rtreg_open(&sandbox.options, &registry, &error));
	ck_assert(rtreg_reverted_at_open(registry));
	assert_runtime("a", NULL);
	must(change(RTREG_PUT_RUNTIME, "b", "{\"path\":\"/b\"}"));
	assert_runtime("a", "/a");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("change");
	TCase *tcase = tcase_create("change");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, put_runtime_makes_directory_and_file_and_is_live);
	tcase_add_test(tcase, put_runtime_replaces_its_entry_and_keeps_the_rest_and_the_mode);
	tcase_add_test(tcase, put_runtime_that_is_there_already_leaves_the_file_as_a_person_wrote_it);
	tcase_add_test(tcase, put_runtime_equal_to_a_flags_is_unchanged_and_written);
	tcase_add_loop_test(tcase, put_runtime_that_is_refused_leaves_everything_as_it_was, 0, REFUSED_COUNT);
	tcase_add_test(tcase, put_runtime_that_is_refused_makes_no_directory);
	tcase_add_test(tcase, remove_runtime_takes_the_entry_and_an_empty_file_goes);
	tcase_add_test(tcase, remove_runtime_keeps_other_keys);
	tcase_add_test(tcase, remove_runtime_that_is_not_ours_says_where_it_is);
	tcase_add_test(tcase, remove_of_the_default_is_refused_until_there_is_another);
	tcase_add_test(tcase, set_default_is_live_and_empty_takes_it_out);
	tcase_add_test(tcase, set_default_takes_an_entry_in_place_of_the_name);
	tcase_add_loop_test(tcase, set_default_refuses_an_entry_that_names_none, 0, BAD_DEFAULTS);
	tcase_add_loop_test(tcase, set_default_where_somebody_else_does_names_him, 0, 3);
	tcase_add_test(tcase, set_default_where_the_file_no_longer_does_works);
	tcase_add_test(tcase, set_default_to_an_unknown_runtime_is_refused);
	tcase_add_test(tcase, change_takes_what_others_have_changed_along);
	tcase_add_loop_test(tcase, change_is_refused_with_the_error_of_a_broken_file, 0, 3);
	tcase_add_loop_test(tcase, change_of_a_broken_own_file_names_it, 0, 4);
	tcase_add_test(tcase, change_whose_step_fails_leaves_the_file);
	tcase_add_test(tcase, change_of_a_directory_that_cannot_be_written_is_an_error_of_the_machine);
	tcase_add_test(tcase, change_guarded_by_another_generation_is_stale);
	tcase_add_test(tcase, change_of_an_unknown_kind_is_einval);
	tcase_add_test(tcase, change_from_a_step_or_a_section_is_edeadlk);
	tcase_add_test(tcase, change_keeps_what_a_person_writes_meanwhile);
	tcase_add_test(tcase, change_of_what_a_person_never_stops_to_write_is_busy);
	tcase_add_test(tcase, changes_at_the_same_time_lose_nothing);
	tcase_add_test(tcase, change_on_trial_is_reverted_with_it_and_its_file_is_known);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
