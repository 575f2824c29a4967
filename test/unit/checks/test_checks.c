/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

START_TEST(checks_run_nothing_set_passes)
{
	const char *none[] = {NULL};
	struct fixture fixture;

	fixture_init(&fixture);
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, none);
	fixture_fini(&fixture);
}
END_TEST

/* One thing wrong for every check: where each error belongs, in the order of the rules. */
START_TEST(checks_run_everything_wrong_keeps_the_order)
{
	static const char *const bad[] = {"-", NULL};
	static const enum key_id strings[] = {
	        KEY_ID_LOG_LEVEL,
	        KEY_ID_LOG_FORMAT,
	        KEY_ID_DEFAULT_IPC_MODE,
	        KEY_ID_FIREWALL_BACKEND,
	        KEY_ID_DEFAULT_CGROUPNS_MODE,
	        KEY_ID_BRIDGE_ACCEPT_FWMARK,
	        KEY_ID_FIXED_CIDR_V6,
	        KEY_ID_DEFAULT_RUNTIME,
	};
	static const enum key_id lists[] = {
	        KEY_ID_DNS_SEARCH, KEY_ID_LABELS,           KEY_ID_NODE_GENERIC_RESOURCES,
	        KEY_ID_EXEC_OPTS,  KEY_ID_REGISTRY_MIRRORS, KEY_ID_INSECURE_REGISTRIES,
	};
	static const enum key_id numbers[] = {
	        KEY_ID_MTU,
	        KEY_ID_MAX_CONCURRENT_DOWNLOADS,
	        KEY_ID_NETWORK_DIAGNOSTIC_PORT,
	};
	static const char *const expected[] = {
	        "log-level",
	        "log-format",
	        "cri-containerd",
	        "dns-search",
	        "host-gateway-ip",
	        "labels",
	        "mtu",
	        "max-concurrent-downloads",
	        "network-diagnostic-port",
	        "node-generic-resources",
	        "hosts",
	        "exec-opts",
	        "default-ipc-mode",
	        "firewall-backend",
	        "default-cgroupns-mode",
	        "bridge-accept-fwmark",
	        "fixed-cidr-v6",
	        "registry-mirrors",
	        "insecure-registries",
	        "default-runtime",
	        "runtimes.x",
	};
	const char *host[] = {"x://", NULL}, *address[] = {"::1", NULL};
	struct member feature = {"embedded-containerd", value_of_bool(true)};
	struct member runtime = {"x", {.type = VALUE_NULL}};
	struct fixture fixture;

	fixture_init(&fixture);
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		fixture_set(&fixture, strings[i], value_of_string("-"));
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		fixture_set(&fixture, lists[i], fixture_list(&fixture, bad));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		fixture_set(&fixture, numbers[i], value_of_int(-1));
	fixture_set(&fixture, KEY_ID_FEATURES,
	            (struct value){.type = VALUE_OBJECT, .count = 1, .members = &feature});
	fixture_set(&fixture, KEY_ID_CRI_CONTAINERD, value_of_bool(true));
	fixture_set(&fixture, KEY_ID_RUNTIMES,
	            (struct value){.type = VALUE_OBJECT, .count = 1, .members = &runtime});
	fixture_set(&fixture, KEY_ID_HOSTS, fixture_list(&fixture, host));
	fixture_set(&fixture, KEY_ID_HOST_GATEWAY_IP, value_of_string("::1"));
	fixture_set(&fixture, KEY_ID_HOST_GATEWAY_IPS, fixture_list(&fixture, address));
	checks_run(&fixture.settings, &fixture.problems);
	ck_assert_uint_eq(fixture.problems.errors.count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++)
		ck_assert_str_eq(fixture.problems.errors.items[i].where, expected[i]);
	fixture_fini(&fixture);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("checks");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, checks_run_nothing_set_passes);
	tcase_add_test(tcase, checks_run_everything_wrong_keeps_the_order);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
