/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The page of metrics: one table, and for each of its lines how the samples are written. */
#include <errno.h>
#include <stdio.h>

#include "connections.h"
#include "events.h"
#include "exposition.h"
#include "history.h"
#include "metrics.h"
#include "process.h"
#include "routes.h"
#include "service.h"
#include "timestamp.h"

#define TIMINGS_MAX 64
#define UNKNOWN     PROCESS_UNKNOWN /* no sample */

/* All that is told in one page. */
struct scrape {
	const struct service *service;
	struct history_totals reloads;
	uint64_t reload_failed_not, reload_time_ns;
	uint64_t uptime_ns, started_ns, runtimes, connections, events, events_lost, followers, upgraded,
	        lock_ins;
	uint64_t counted[METRICS_COUNTERS];
	struct rtreg_statistics library;
	struct rtreg_timing timings[TIMINGS_MAX];
	size_t timing_count;
	struct rtreg_histogram reload_durations;
	struct process_usage process;
};

struct metric {
	const char *name, *type, *help;
	void (*write)(struct exposition *out, const struct scrape *scrape, const struct metric *metric);
	size_t at; /* where in the scrape a single value, or a histogram, is */
};

static const void *value_at(const struct scrape *scrape, const struct metric *metric)
{
	return (const char *)scrape + metric->at;
}

static void write_number(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	uint64_t value = *(const uint64_t *)value_at(scrape, metric);

	if (value != UNKNOWN)
		exposition_number(out, NULL, value);
}

static void write_seconds(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	uint64_t value_ns = *(const uint64_t *)value_at(scrape, metric);

	if (value_ns != UNKNOWN)
		exposition_seconds(out, NULL, value_ns);
}

static void write_histogram(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	exposition_histogram(out, NULL, value_at(scrape, metric));
}

static void write_build(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	const struct label labels[] = {{"version", rtreg_version()}, {0}};

	(void)scrape;
	(void)metric;
	exposition_number(out, labels, 1);
}

static void write_reloads(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	(void)metric;
	for (size_t result = 0; result < HISTORY_RESULTS; result++) {
		const struct label labels[] = {{"result", history_results[result]}, {0}};
		uint64_t count = 0;

		for (size_t source = HISTORY_START + 1; source < HISTORY_SOURCES; source++)
			count += scrape->reloads.counts[source][result];
		exposition_number(out, labels, count);
	}
}

static void write_reloads_by_source(struct exposition *out, const struct scrape *scrape,
                                    const struct metric *metric)
{
	(void)metric;
	for (size_t source = HISTORY_START + 1; source < HISTORY_SOURCES; source++) {
		for (size_t result = 0; result < HISTORY_RESULTS; result++) {
			const struct label labels[] = {{"source", history_sources[source]},
			                               {"result", history_results[result]},
			                               {0}};

			exposition_number(out, labels, scrape->reloads.counts[source][result]);
		}
	}
}

static void write_steps(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	(void)metric;
	for (size_t i = 0; i < scrape->timing_count; i++) {
		const struct rtreg_timing *timing = &scrape->timings[i];
		const struct label labels[] = {
		        {"kind", timing->built_in ? "built-in" : "engine"}, {"step", timing->name}, {0}};

		exposition_summary(out, labels, timing->count, timing->sum_ns);
	}
}

/* A counter with one label, and where its values are. */
struct labelled {
	const char *value;
	size_t at;
};

static void write_labelled(struct exposition *out, const struct scrape *scrape, const char *name,
                           const struct labelled *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct label labels[] = {{name, list[i].value}, {0}};

		exposition_number(out, labels, *(const uint64_t *)((const char *)scrape + list[i].at));
	}
}

#define AT(member)     offsetof(struct scrape, member)
#define COUNTED(which) (AT(counted) + (which) * sizeof(uint64_t))

static void write_probes(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	static const struct labelled results[] = {{"answered", AT(library.probes_answered)},
	                                          {"failed", AT(library.probes_failed)},
	                                          {"remembered", AT(library.probes_remembered)}};

	(void)metric;
	write_labelled(out, scrape, "result", results, ARRAY_SIZE(results));
}

static void write_scripts(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	static const struct labelled actions[] = {{"written", AT(library.scripts_written)},
	                                          {"repaired", AT(library.scripts_repaired)}};

	(void)metric;
	write_labelled(out, scrape, "action", actions, ARRAY_SIZE(actions));
}

static void write_refused(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	static const struct labelled reasons[] = {{"limit", COUNTED(METRICS_REFUSED)},
	                                          {"user-limit", COUNTED(METRICS_REFUSED_OF_USER)},
	                                          {"memory", COUNTED(METRICS_REFUSED_NO_MEMORY)}};

	(void)metric;
	write_labelled(out, scrape, "reason", reasons, ARRAY_SIZE(reasons));
}

static void write_requests_of(struct exposition *out, const struct metrics *metrics, size_t route)
{
	for (unsigned i = 0; i < METRICS_STATUSES; i++) {
		uint64_t count = metrics_requests(metrics, route, METRICS_STATUS_MIN + i);
		char code[16];
		const struct label labels[] = {{"route", route_pattern(route)}, {"code", code}, {0}};

		if (count == 0)
			continue;
		snprintf(code, sizeof(code), "%u", METRICS_STATUS_MIN + i);
		exposition_number(out, labels, count);
	}
}

static void write_requests(struct exposition *out, const struct scrape *scrape, const struct metric *metric)
{
	(void)metric;
	for (size_t route = 0; route < route_count(); route++)
		write_requests_of(out, scrape->service->metrics, route);
}

static void write_request_durations(struct exposition *out, const struct scrape *scrape,
                                    const struct metric *metric)
{
	(void)metric;
	for (size_t route = 0; route < route_count(); route++) {
		const struct label labels[] = {{"route", route_pattern(route)}, {0}};
		struct rtreg_histogram durations;

		metrics_request_durations(scrape->service->metrics, route, &durations);
		if (durations.count > 0)
			exposition_histogram(out, labels, &durations);
	}
}

/* docs/metrics.md has the same lines, with the labels; a test compares. */
static const struct metric metrics[] = {
        {"rtreg_build_info", "gauge", "Always 1; the labels tell what is running.", write_build, 0},
        {"rtreg_uptime_seconds", "gauge", "Time since the daemon started.", write_seconds, AT(uptime_ns)},
        {"rtreg_generation", "gauge", "Generation of the configuration that is live.", write_number,
         AT(reloads.generation)},
        {"rtreg_runtimes", "gauge",
         "Runtimes in the live configuration, those that are always there included.", write_number,
         AT(runtimes)},
        {"rtreg_reloads_total", "counter",
         "Reloads by result; the start, dry runs and those refused by If-Match are none.", write_reloads, 0},
        {"rtreg_reloads_by_source_total", "counter", "The same by who asked for them.",
         write_reloads_by_source, 0},
        {"rtreg_last_reload_successful", "gauge",
         "Whether the last reload succeeded (1), the start included.", write_number, AT(reload_failed_not)},
        {"rtreg_last_reload_timestamp_seconds", "gauge",
         "When the last reload ended, the start included, in seconds since 1970.", write_seconds,
         AT(reload_time_ns)},
        {"rtreg_reload_duration_seconds", "histogram", "Duration of reloads, failed ones and dry runs too.",
         write_histogram, AT(reload_durations)},
        {"rtreg_reload_step_seconds", "summary",
         "Duration of the steps of reloads and of the start, built-in ones and the engine's.", write_steps,
         0},
        {"rtreg_reload_room_waits_total", "counter",
         "Reloads that had to wait because too many superseded configurations waited for readers.",
         write_number, AT(library.room_waits)},
        {"rtreg_grace_period_seconds", "histogram",
         "Duration of grace periods: how long readers of a superseded configuration were waited for.",
         write_histogram, AT(library.grace_periods)},
        {"rtreg_snapshots_waiting", "gauge", "Superseded configurations that wait for a grace period.",
         write_number, AT(library.waiting)},
        {"rtreg_snapshots_freed_total", "counter", "Superseded configurations that were freed.", write_number,
         AT(library.freed)},
        {"rtreg_pinned_generations", "gauge", "Superseded configurations that somebody holds on to.",
         write_number, AT(library.pinned)},
        {"rtreg_pins", "gauge", "Holds on superseded configurations.", write_number, AT(library.pins)},
        {"rtreg_probes_total", "counter",
         "Runtime binaries asked for their features: answered, failed, or remembered from before.",
         write_probes, 0},
        {"rtreg_wrapper_scripts_total", "counter",
         "Wrapper scripts written, and those put right because somebody had damaged them.", write_scripts, 0},
        {"rtreg_lock_ins", "gauge", "Containers that are locked in to a runtime.", write_number,
         AT(lock_ins)},
        {"rtreg_lock_ins_made_total", "counter", "Lock-ins made.", write_number, AT(library.lock_ins_made)},
        {"rtreg_lock_ins_removed_total", "counter",
         "Lock-ins removed through the daemon, those of another boot at the start included.", write_number,
         AT(library.lock_ins_removed)},
        {"rtreg_requests_total", "counter", "Requests answered on the socket by route and status code.",
         write_requests, 0},
        {"rtreg_request_duration_seconds", "histogram",
         "Time from a request's first line to its reply being ready.", write_request_durations, 0},
        {"rtreg_requests_unread_total", "counter",
         "Requests that ended, or were refused by the HTTP library, before their head was complete.",
         write_number, COUNTED(METRICS_REQUESTS_UNREAD)},
        {"rtreg_replies_kept_total", "counter",
         "Replies made that the same request gets again while their generation is live.", write_number,
         COUNTED(METRICS_REPLIES_KEPT)},
        {"rtreg_connections", "gauge", "Connections open on the socket.", write_number, AT(connections)},
        {"rtreg_connections_accepted_total", "counter", "Connections taken in.", write_number,
         COUNTED(METRICS_ACCEPTED)},
        {"rtreg_connections_refused_total", "counter",
         "Connections refused: too many in all, too many of one user, no memory.", write_refused, 0},
        {"rtreg_accept_pauses_total", "counter", "Pauses in accepting for lack of descriptors or memory.",
         write_number, COUNTED(METRICS_ACCEPT_PAUSES)},
        {"rtreg_events_total", "counter", "Events that happened.", write_number, AT(events)},
        {"rtreg_events_lost_total", "counter",
         "Events that followers did not get because they were too slow.", write_number, AT(events_lost)},
        {"rtreg_event_followers", "gauge", "Requests for events that stay open.", write_number,
         AT(followers)},
        {"rtreg_mapping_connections", "gauge", "Connections that were upgraded to map the configuration.",
         write_number, AT(upgraded)},
        {"process_cpu_seconds_total", "counter", "Processor time used, in user and system mode.",
         write_seconds, AT(process.cpu_ns)},
        {"process_open_fds", "gauge", "Open descriptors.", write_number, AT(process.open_fds)},
        {"process_max_fds", "gauge", "Most descriptors that may be open.", write_number, AT(process.max_fds)},
        {"process_resident_memory_bytes", "gauge", "Resident memory.", write_number,
         AT(process.resident_bytes)},
        {"process_virtual_memory_bytes", "gauge", "Virtual memory.", write_number, AT(process.virtual_bytes)},
        {"process_start_time_seconds", "gauge", "When the process started, in seconds since 1970.",
         write_seconds, AT(started_ns)},
};

static uint64_t count_runtimes(struct rtreg *registry)
{
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	uint64_t count = rtreg_snapshot_runtime_count(snapshot);

	rtreg_unpin(snapshot);
	return count;
}

static uint64_t count_lock_ins(struct rtreg *registry)
{
	size_t count;

	return rtreg_lock_in_count(registry, &count) == 0 ? count : UNKNOWN;
}

static void collect(const struct service *service, struct scrape *ret)
{
	*ret = (struct scrape){.service = service,
	                       .uptime_ns =
	                               (uint64_t)((monotonic_now_ms() - service->started_ms) * NS_PER_MS),
	                       .started_ns = (uint64_t)service->started_ns,
	                       .runtimes = count_runtimes(service->registry),
	                       .connections = connections_count(service->connections),
	                       .events = events_count(service->events),
	                       .events_lost = events_lost(service->events),
	                       .followers = connections_following(service->connections),
	                       .upgraded = connections_upgraded(service->connections),
	                       .lock_ins = count_lock_ins(service->registry)};
	history_totals(service->history, &ret->reloads);
	ret->reload_failed_not = !ret->reloads.failed;
	ret->reload_time_ns = (uint64_t)ret->reloads.time_ns;
	for (size_t i = 0; i < METRICS_COUNTERS; i++)
		ret->counted[i] = metrics_counted(service->metrics, (enum metrics_counter)i);
	rtreg_statistics(service->registry, &ret->library, sizeof(ret->library));
	ret->timing_count = rtreg_timings(service->registry, ret->timings, TIMINGS_MAX);
	if (ret->timing_count > TIMINGS_MAX)
		ret->timing_count = TIMINGS_MAX;
	metrics_reload_durations(service->metrics, &ret->reload_durations);
	process_usage(&ret->process);
}

void metrics_append_page(const struct service *service, struct text *text)
{
	struct exposition out = {.text = text};
	struct scrape scrape;

	collect(service, &scrape);
	for (size_t i = 0; i < ARRAY_SIZE(metrics); i++) {
		exposition_begin(&out, metrics[i].name, metrics[i].type, metrics[i].help);
		metrics[i].write(&out, &scrape, &metrics[i]);
	}
}
