/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ring of events, what passes a filter, and what a follower is told when, without anybody's socket. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/problems.h"
#include "base/text.h"
#include "followers.h"
#include "timestamp.h"
#include "unit.h"

static struct events *events;
static struct follower *follower;
static char told[1 << 20];

static void setup(void)
{
	events = events_new();
	ck_assert_ptr_nonnull(events);
}

static void teardown(void)
{
	follower_free(follower);
	follower = NULL;
	events_free(events);
}

static struct event_filter *filter_of(const char *json)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct event_filter *filter = NULL;

	ck_assert_msg(event_filter_new(json, &filter, &error) == 0, "%s", error.message);
	return filter;
}

/* `since` 0: from now on. */
static void follow(int64_t since_ns, int64_t until_ns, const char *filter)
{
	const struct event_query query = {
	        .since_ns = since_ns ? since_ns : INT64_MIN,
	        .until_ns = until_ns,
	        .filter = filter_of(filter),
	};

	ck_assert_int_eq(follower_new(events, &query, &follower), 0);
}

static void add(const char *action, int times)
{
	for (int i = 0; i < times; i++)
		events_add(events, "daemon", action, "host", "{\"name\":\"host\"}");
}

/* Everything there is to say, `step` bytes at a time; returns how it ends: 0 or -1. */
static ssize_t read_all(size_t step)
{
	size_t length = 0;
	ssize_t size;

	while ((size = follower_read(follower, told + length, step)) > 0) {
		length += (size_t)size;
		ck_assert_uint_lt(length + step, sizeof(told));
	}
	told[length] = '\0';
	return size;
}

static int lines_told(void)
{
	int count = 0;

	for (const char *at = told; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

START_TEST(events_add_type_and_actor_are_in_the_line)
{
	follow(0, INT64_MAX, "");
	events_add(events, "container", "lock-in", "c1", "{\"runtime\":\"runc\"}");
	ck_assert_int_eq(read_all(4096), 0);
	ck_assert_ptr_nonnull(strstr(told,
	                             "{\"status\":\"lock-in\",\"id\":\"c1\",\"Type\":\"container\","
	                             "\"Action\":\"lock-in\",\"Actor\":{\"ID\":\"c1\","
	                             "\"Attributes\":{\"runtime\":\"runc\"}},\"scope\":\"local\",\"time\":"));
	ck_assert_int_eq(lines_told(), 1);
}
END_TEST

START_TEST(events_get_past_the_limit_has_lost_the_oldest)
{
	struct event *event;

	add("reload", EVENTS_KEPT + 1);
	ck_assert_ptr_null(events_get(events, 0));
	ck_assert_ptr_null(events_get(events, EVENTS_KEPT + 1));
	event = events_get(events, EVENTS_KEPT);
	ck_assert_ptr_nonnull(event);
	event_unref(event);
}
END_TEST

static int calls;

static void count_call(void *context)
{
	ck_assert_ptr_eq(context, &calls);
	calls++;
}

START_TEST(events_watch_is_called_after_each_event_and_the_end)
{
	calls = 0;
	events_watch(events, count_call, &calls);
	add("reload", 2);
	ck_assert_int_eq(calls, 2);
	events_end(events);
	ck_assert_int_eq(calls, 3);
}
END_TEST

START_TEST(follower_read_in_single_bytes_gives_the_same_lines)
{
	follow(0, INT64_MAX, "");
	add("reload", 3);
	ck_assert_int_eq(read_all(1), 0);
	ck_assert_int_eq(lines_told(), 3);
}
END_TEST

START_TEST(follower_has_more_only_if_something_passes_the_filter)
{
	follow(0, INT64_MAX, "{\"event\":[\"stop\"]}");
	follower_look(follower);
	ck_assert(!follower_has_more(follower));
	add("reload", 3);
	follower_look(follower);
	ck_assert(!follower_has_more(follower));
	add("stop", 1);
	follower_look(follower);
	ck_assert(follower_has_more(follower));
	ck_assert_int_eq(read_all(4096), 0);
	ck_assert_int_eq(lines_told(), 1);
	follower_look(follower);
	ck_assert(!follower_has_more(follower));
}
END_TEST

START_TEST(follower_read_as_far_behind_as_allowed_gives_all)
{
	follow(0, INT64_MAX, "");
	add("reload", FOLLOWER_LAG_MAX);
	ck_assert_int_eq(read_all(4096), 0);
	ck_assert_int_eq(lines_told(), FOLLOWER_LAG_MAX);
}
END_TEST

START_TEST(follower_read_further_behind_gives_the_marker_and_the_end)
{
	follow(0, INT64_MAX, "");
	add("reload", FOLLOWER_LAG_MAX + 1);
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_int_eq(lines_told(), 1);
	ck_assert_ptr_nonnull(strstr(told,
	                             "{\"Type\":\"daemon\",\"Action\":\"lost\",\"Actor\":{\"Attributes\":"
	                             "{\"count\":\"257\"}},"));
}
END_TEST

START_TEST(follower_read_a_line_begun_before_it_was_lost_is_ended_first)
{
	follow(0, INT64_MAX, "");
	add("reload", 1);
	ck_assert_int_eq(follower_read(follower, told, 10), 10);
	add("stop", FOLLOWER_LAG_MAX + 1);
	follower_look(follower);
	ck_assert(follower_is_lost(follower));
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_int_eq(lines_told(), 2);
	ck_assert_ptr_nonnull(strstr(told, "\"count\":\"257\""));
}
END_TEST

START_TEST(follower_new_what_since_replays_does_not_count_as_behind)
{
	add("reload", EVENTS_KEPT);
	follow(1, INT64_MAX, "");
	add("reload", FOLLOWER_LAG_MAX);
	ck_assert_int_eq(read_all(4096), 0);
	ck_assert_int_eq(lines_told(), EVENTS_KEPT + FOLLOWER_LAG_MAX);
}
END_TEST

START_TEST(follower_lost_in_its_replay_counts_what_is_left_of_it)
{
	add("reload", 10);
	follow(1, INT64_MAX, "");
	ck_assert_int_gt(follower_read(follower, told, 1), 0);
	add("reload", FOLLOWER_LAG_MAX + 1);
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_ptr_nonnull(strstr(told, "\"count\":\"266\"")); /* 9 and 257 */
}
END_TEST

START_TEST(follower_lost_when_the_ring_lets_its_next_event_go)
{
	static char attributes[5 << 20];

	memset(attributes, 'x', sizeof(attributes));
	memcpy(attributes, "{\"a\":\"", 6);
	strcpy(attributes + sizeof(attributes) - 3, "\"}");
	follow(0, INT64_MAX, "");
	for (int i = 0; i < 4; i++)
		events_add(events, "daemon", "reload", "host", attributes);
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_ptr_nonnull(strstr(told, "\"count\":\"4\""));
	ck_assert_uint_eq(events_lost(events), 4);
}
END_TEST

START_TEST(follower_until_the_past_is_the_past_alone)
{
	add("start", 1);
	follow(1, timestamp_now_ns() - 1, "");
	ck_assert(!follower_stays(follower));
	add("stop", 1);
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_int_eq(lines_told(), 1);
}
END_TEST

/* Until a moment that is still to come; returns it. */
static int64_t follow_for_a_moment(void)
{
	int64_t moment_ns = 200 * NS_PER_MS, until_ns = timestamp_now_ns() + moment_ns;

	follow(0, until_ns, "");
	while (timestamp_now_ns() > until_ns) {
		follower_free(follower);
		moment_ns *= 2;
		until_ns = timestamp_now_ns() + moment_ns;
		follow(0, until_ns, "");
	}
	return until_ns;
}

START_TEST(follower_until_to_come_ends_when_it_has_come)
{
	int64_t until_ns = follow_for_a_moment();

	ck_assert(follower_stays(follower));
	add("reload", 1);
	while (read_all(4096) == 0)
		;
	ck_assert_int_gt(timestamp_now_ns(), until_ns);
	add("reload", 1);
	ck_assert_int_eq(read_all(4096), -1);
}
END_TEST

START_TEST(follower_read_after_the_end_of_events_gives_what_is_left_and_ends)
{
	follow(0, INT64_MAX, "");
	add("stop", 1);
	events_end(events);
	ck_assert_int_eq(read_all(4096), -1);
	ck_assert_int_eq(lines_told(), 1);
}
END_TEST

static const struct {
	const char *filter, *attributes;
	bool passes;
} passing[] = {
        {"{\"label\":[\"a\"]}", "{\"a\":\"1\"}", true},
        {"{\"label\":[\"a\"]}", "{\"b\":\"a\"}", false},
        {"{\"label\":[\"a\"]}", "{\"b\":\"\\\"a\\\":\",\"c\":\"\"}", false},
        {"{\"label\":[\"a=1\",\"b\"]}", "{\"b\":\"2\",\"a\":\"1\"}", true},
        {"{\"label\":[\"a=1\",\"b\"]}", "{\"a\":\"1\"}", false},
        {"{\"label\":[\"a=\"]}", "{\"a\":\"\"}", true},
        {"{\"label\":[\"a=\"]}", "{\"a\":\"1\"}", false},
        {"{\"label\":[\"a=\\\"=\\u00e9\"]}", "{\"a\":\"\\\"=\xc3\xa9\"}", true},
        {"{\"label\":[\"a\\\\\"]}", "{\"a\\\\\":\"\"}", true},
        {"{\"label\":[\"\"]}", "{}", false},
        {"{\"label\":[\"ab\",\"a=1\"]}", "{\"b\":\"\",\"ab\":\"\\\\\",\"a-b\":\"\",\"a\":\"1\"}", true},
        {"{\"label\":[\"a\"]}", "{\"b\":\"\",\"ab\":\"\\\\\",\"a-b\":\"\"}", false},
        {"{\"daemon\":[\"ho\"]}", "{}", true},
        {"{\"daemon\":[\"ost\"]}", "{}", false},
        {"{\"daemon\":[\"n\\\"\"]}", "{\"name\":\"n\\\"1\"}", true},
        {"{\"container\":[\"ho\"]}", "{}", false},
        {"{\"type\":[\"daemon\"],\"image\":[\"host\"]}", "{}", false},
};

START_TEST(event_filter_passes_by_attributes_and_names)
{
	_cleanup_event_ struct event *event =
	        event_new(1, "daemon", "reload", "host", passing[_i].attributes);
	struct event_filter *filter = filter_of(passing[_i].filter);

	ck_assert_ptr_nonnull(event);
	ck_assert_msg(event_filter_passes(filter, event) == passing[_i].passes, "%s of %s",
	              passing[_i].filter, passing[_i].attributes);
	event_filter_free(filter);
}
END_TEST

static void append_many(struct text *text, const char *value, int times)
{
	for (int i = 0; i < times; i++) {
		text_append(text, i > 0 ? "," : "");
		text_append(text, value);
	}
}

/* As many as a request's head can hold, looked for behind megabytes in each of as many events as there may be. */
START_TEST(event_filter_of_many_values_does_not_read_the_event_for_each)
{
	static char attributes[2 << 20];
	static const char end[] = "\",\"name\":\"n\"}";
	_cleanup_text_ struct text json = {0};
	_cleanup_event_ struct event *event = NULL;
	struct event_filter *filter;

	memset(attributes, 'x', sizeof(attributes));
	memcpy(attributes, "{\"a\":\"", 6);
	memcpy(attributes + sizeof(attributes) - sizeof(end), end, sizeof(end));
	event = event_new(1, "daemon", "reload", "host", attributes);
	ck_assert_ptr_nonnull(event);
	text_append(&json, "{\"daemon\":[");
	append_many(&json, "\"q\"", 1000);
	text_append(&json, ",\"n\"],\"label\":[");
	append_many(&json, "\"name\"", 500);
	text_append(&json, "]}");
	filter = filter_of(text_string(&json));
	for (int i = 0; i < EVENTS_KEPT; i++)
		ck_assert(event_filter_passes(filter, event));
	event_filter_free(filter);
}
END_TEST

START_TEST(event_filter_new_unknown_name_is_told)
{
	_cleanup_error_ struct rtreg_error error = {0};
	struct event_filter *filter = NULL;

	ck_assert_int_eq(event_filter_new("{\"type\":[],\"tpye\":[]}", &filter, &error), -EINVAL);
	ck_assert_str_eq(error.message, "invalid filter 'tpye'");
	ck_assert_ptr_null(filter);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("followers");
	TCase *ring = tcase_create("ring"), *telling = tcase_create("telling"),
	      *filters = tcase_create("filters");

	tcase_add_checked_fixture(ring, setup, teardown);
	tcase_add_test(ring, events_add_type_and_actor_are_in_the_line);
	tcase_add_test(ring, events_get_past_the_limit_has_lost_the_oldest);
	tcase_add_test(ring, events_watch_is_called_after_each_event_and_the_end);
	suite_add_tcase(suite, ring);
	tcase_add_checked_fixture(telling, setup, teardown);
	tcase_set_timeout(telling, 60);
	tcase_add_test(telling, follower_read_in_single_bytes_gives_the_same_lines);
	tcase_add_test(telling, follower_has_more_only_if_something_passes_the_filter);
	tcase_add_test(telling, follower_read_as_far_behind_as_allowed_gives_all);
	tcase_add_test(telling, follower_read_further_behind_gives_the_marker_and_the_end);
	tcase_add_test(telling, follower_read_a_line_begun_before_it_was_lost_is_ended_first);
	tcase_add_test(telling, follower_new_what_since_replays_does_not_count_as_behind);
	tcase_add_test(telling, follower_lost_in_its_replay_counts_what_is_left_of_it);
	tcase_add_test(telling, follower_lost_when_the_ring_lets_its_next_event_go);
	tcase_add_test(telling, follower_until_the_past_is_the_past_alone);
	tcase_add_test(telling, follower_until_to_come_ends_when_it_has_come);
	tcase_add_test(telling, follower_read_after_the_end_of_events_gives_what_is_left_and_ends);
	suite_add_tcase(suite, telling);
	tcase_set_timeout(filters, 60);
	tcase_add_test(filters, event_filter_of_many_values_does_not_read_the_event_for_each);
	tcase_add_loop_test(filters, event_filter_passes_by_attributes_and_names, 0, ARRAY_SIZE(passing));
	tcase_add_test(filters, event_filter_new_unknown_name_is_told);
	suite_add_tcase(suite, filters);
	return unit_run(suite);
}
