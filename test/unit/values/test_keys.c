/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <check.h>
#include <errno.h>
#include <string.h>

#include "base/problems.h"
#include "unit.h"
#include "values/settings.h"

static struct keyset *keys;

static void setup(void)
{
	ck_assert_int_eq(keyset_new(NULL, 0, &keys, NULL), 0);
}

static void teardown(void)
{
	keyset_free(keys);
}

static const struct {
	enum key_id id;
	const char *name;
} ids[] = {
        {KEY_ID_RUNTIMES, "runtimes"},
        {KEY_ID_DEFAULT_RUNTIME, "default-runtime"},
        {KEY_ID_DEFAULT_SHM_SIZE, "default-shm-size"},
        {KEY_ID_DEFAULT_IPC_MODE, "default-ipc-mode"},
        {KEY_ID_DEFAULT_CGROUPNS_MODE, "default-cgroupns-mode"},
        {KEY_ID_DEBUG, "debug"},
        {KEY_ID_MAX_CONCURRENT_DOWNLOADS, "max-concurrent-downloads"},
        {KEY_ID_MAX_CONCURRENT_UPLOADS, "max-concurrent-uploads"},
        {KEY_ID_MAX_DOWNLOAD_ATTEMPTS, "max-download-attempts"},
        {KEY_ID_SHUTDOWN_TIMEOUT, "shutdown-timeout"},
        {KEY_ID_DEFAULT_STOP_TIMEOUT, "default-stop-timeout"},
        {KEY_ID_FEATURES, "features"},
        {KEY_ID_LABELS, "labels"},
        {KEY_ID_ALLOW_NONDISTRIBUTABLE_ARTIFACTS, "allow-nondistributable-artifacts"},
        {KEY_ID_INSECURE_REGISTRIES, "insecure-registries"},
        {KEY_ID_REGISTRY_MIRRORS, "registry-mirrors"},
        {KEY_ID_LIVE_RESTORE, "live-restore"},
        {KEY_ID_NETWORK_DIAGNOSTIC_PORT, "network-diagnostic-port"},
        {KEY_ID_NRI_OPTS, "nri-opts"},
        {KEY_ID_AUTHORIZATION_PLUGINS, "authorization-plugins"},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "bridge-accept-fwmark"},
        {KEY_ID_CRI_CONTAINERD, "cri-containerd"},
        {KEY_ID_DNS_SEARCH, "dns-search"},
        {KEY_ID_EXEC_OPTS, "exec-opts"},
        {KEY_ID_EXEC_ROOT, "exec-root"},
        {KEY_ID_FIREWALL_BACKEND, "firewall-backend"},
        {KEY_ID_FIXED_CIDR_V6, "fixed-cidr-v6"},
        {KEY_ID_HOST_GATEWAY_IP, "host-gateway-ip"},
        {KEY_ID_HOST_GATEWAY_IPS, "host-gateway-ips"},
        {KEY_ID_HOSTS, "hosts"},
        {KEY_ID_HTTP_PROXY, "proxies.http-proxy"},
        {KEY_ID_HTTPS_PROXY, "proxies.https-proxy"},
        {KEY_ID_NO_PROXY, "proxies.no-proxy"},
        {KEY_ID_LOG_FORMAT, "log-format"},
        {KEY_ID_LOG_LEVEL, "log-level"},
        {KEY_ID_LOG_OPTS, "log-opts"},
        {KEY_ID_MTU, "mtu"},
        {KEY_ID_NODE_GENERIC_RESOURCES, "node-generic-resources"},
};
_Static_assert(ARRAY_SIZE(ids) == KEY_ID_NAMED, "each id once");

START_TEST(keys_named_stands_at_its_id)
{
	ck_assert_int_eq(ids[_i].id, _i);
	ck_assert_str_eq(builtin_keys[ids[_i].id].name, ids[_i].name);
	ck_assert_int_eq(keyset_find(keys, ids[_i].name), _i);
}
END_TEST

START_TEST(keys_table_has_all_keys_in_order)
{
	ck_assert_uint_eq(builtin_key_count, 92);
	for (size_t i = KEY_ID_NAMED + 1; i < builtin_key_count; i++)
		ck_assert_str_lt(builtin_keys[i - 1].name, builtin_keys[i].name);
	for (size_t i = 0; i < builtin_key_count; i++)
		ck_assert(builtin_keys[i].help && builtin_keys[i].name);
}
END_TEST

/* The lists of the contract's section 2, as they stand there. */
static const struct {
	enum key_type type;
	const char *names;
} types[] = {
        {KEY_STRING, "bip bip6 bridge bridge-accept-fwmark cgroup-parent containerd containerd-namespace "
                     "containerd-plugins-namespace data-root default-cgroupns-mode default-ipc-mode "
                     "default-runtime exec-root firewall-backend fixed-cidr fixed-cidr-v6 group init-path "
                     "log-driver log-format log-level metrics-addr min-api-version pidfile seccomp-profile "
                     "storage-driver swarm-default-advertise-addr tlscacert tlscert tlskey "
                     "userland-proxy-path userns-remap proxies.http-proxy proxies.https-proxy "
                     "proxies.no-proxy"},
        {KEY_IP, "default-gateway default-gateway-v6 host-gateway-ip ip"},
        {KEY_BYTES, "default-shm-size"},
        {KEY_BOOL, "allow-direct-routing cri-containerd debug experimental icc init ip-forward "
                   "ip-forward-no-drop ip-masq ip6tables iptables ipv6 live-restore no-new-privileges "
                   "raw-logs rootless selinux-enabled tls tlsverify userland-proxy"},
        {KEY_INT, "cpu-rt-period cpu-rt-runtime default-stop-timeout max-concurrent-downloads "
                  "max-concurrent-uploads max-download-attempts mtu network-control-plane-mtu "
                  "network-diagnostic-port shutdown-timeout"},
        {KEY_STRINGS, "authorization-plugins cdi-spec-dirs dns-opts dns-search exec-opts hosts "
                      "insecure-registries labels node-generic-resources registry-mirrors storage-opts "
                      "allow-nondistributable-artifacts"},
        {KEY_IPS, "dns host-gateway-ips"},
        {KEY_POOLS, "default-address-pools"},
        {KEY_OBJECT, "builder"},
        {KEY_STRING_MAPS, "default-network-opts"},
        {KEY_ULIMITS, "default-ulimits"},
        {KEY_BOOL_MAP, "features"},
        {KEY_STRING_MAP, "log-opts"},
        {KEY_NRI, "nri-opts"},
        {KEY_RUNTIMES, "runtimes"},
};

START_TEST(keys_of_a_type_have_it)
{
	char *names = strdup(types[_i].names), *rest = names, *name;

	while ((name = strsep(&rest, " "))) {
		int index = keyset_find(keys, name);

		ck_assert_msg(index >= 0, "no key %s", name);
		ck_assert_msg(keys->keys[index]->type == types[_i].type, "key %s", name);
	}
	free(names);
}
END_TEST

START_TEST(keys_flags_are_found_by_name)
{
	static const char *const flags[][2] = {
	        {"label", "labels"},
	        {"add-runtime", "runtimes"},
	        {"registry-mirror", "registry-mirrors"},
	        {"insecure-registry", "insecure-registries"},
	        {"http-proxy", "proxies.http-proxy"},
	        {"host-gateway-ip", "host-gateway-ips"},
	        {"default-address-pool", "default-address-pools"},
	        {"exec-root", "exec-root"},
	        {"dns", "dns"},
	        {"host", "hosts"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(flags); i++)
		ck_assert_str_eq(keys->keys[keyset_find_flag(keys, flags[i][0])]->name, flags[i][1]);
}
END_TEST

START_TEST(keys_without_a_flag_are_the_expected_ones)
{
	static const char *const names[] = {"builder", "group", "host-gateway-ip", "nri-opts"};
	size_t count = 0;

	for (size_t i = 0; i < builtin_key_count; i++)
		count += builtin_keys[i].flag == NULL;
	ck_assert_uint_eq(count, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		ck_assert_ptr_null(keys->keys[keyset_find(keys, names[i])]->flag);
}
END_TEST

START_TEST(keys_flags_are_all_different)
{
	for (size_t i = 0; i < builtin_key_count; i++)
		if (builtin_keys[i].flag)
			ck_assert_uint_eq(keyset_find_flag(keys, builtin_keys[i].flag), i);
}
END_TEST

START_TEST(keys_reloaded_have_a_rule_and_a_step)
{
	for (size_t i = 0; i < builtin_key_count; i++) {
		bool reloaded = i <= KEY_ID_AUTHORIZATION_PLUGINS;

		ck_assert_int_eq(builtin_keys[i].rule != RULE_RESTART, reloaded);
		ck_assert_int_eq(builtin_keys[i].step != STEP_NONE, reloaded);
	}
	ck_assert_int_eq(builtin_keys[KEY_ID_AUTHORIZATION_PLUGINS].step, STEP_PLATFORM);
}
END_TEST

START_TEST(compat_keys_are_no_keys_and_name_one)
{
	for (size_t i = 0; i < compat_key_count; i++) {
		ck_assert_int_lt(keyset_find(keys, compat_keys[i].name), 0);
		if (compat_keys[i].instead)
			ck_assert_int_ge(keyset_find(keys, compat_keys[i].instead), 0);
	}
	ck_assert_uint_eq(compat_key_count, 25);
}
END_TEST

START_TEST(keyset_new_own_keys_follow_the_built_in_ones)
{
	const struct rtreg_key own[] = {{"acme", RTREG_TYPE_STRINGS, RTREG_KEY_RESET},
	                                {"acme-opts", RTREG_TYPE_OBJECT, RTREG_KEY_RESTART}};
	struct keyset *set;

	ck_assert_int_eq(keyset_new(own, 2, &set, NULL), 0);
	ck_assert_uint_eq(set->count, builtin_key_count + 2);
	ck_assert_int_eq(keyset_find(set, "acme-opts"), (int)builtin_key_count + 1);
	ck_assert_int_eq(set->keys[builtin_key_count]->type, KEY_STRINGS);
	ck_assert_int_eq(set->keys[builtin_key_count]->rule, RULE_RESET);
	ck_assert_int_eq(set->keys[builtin_key_count]->step, STEP_ENGINE_KEYS);
	ck_assert_ptr_null(set->keys[builtin_key_count + 1]->flag);
	ck_assert_int_eq(keyset_find_flag(set, "acme"), (int)builtin_key_count);
	keyset_free(set);
}
END_TEST

static const struct {
	struct rtreg_key key;
	int code;
} bad_own[] = {
        {{"debug", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EEXIST},
        {{"label", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EEXIST},
        {{"proxies", RTREG_TYPE_OBJECT, RTREG_KEY_KEEP}, -EEXIST},
        {{"fine", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EEXIST},
        {{"", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{NULL, RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{"runtimes.x", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{"proxies.x", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{"a\nb", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{"\xff", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, -EINVAL},
        {{"other", (enum rtreg_type)0, RTREG_KEY_KEEP}, -EINVAL},
        {{"other", RTREG_TYPE_BOOL, (enum rtreg_key_rule)9}, -EINVAL},
};

START_TEST(keyset_new_bad_own_key_is_refused)
{
	const struct rtreg_key own[] = {{"fine", RTREG_TYPE_BOOL, RTREG_KEY_KEEP}, bad_own[_i].key};
	_cleanup_error_ struct rtreg_error error = {0};
	struct keyset *set = NULL;

	ck_assert_int_eq(keyset_new(own, 2, &set, &error), bad_own[_i].code);
	ck_assert_ptr_null(set);
	ck_assert_str_eq(error.where, bad_own[_i].key.name ? bad_own[_i].key.name : "");
}
END_TEST

START_TEST(keyset_suggest_near_miss_gives_the_key)
{
	ck_assert_str_eq(keyset_suggest(keys, "lables"), "labels");
	ck_assert_str_eq(keyset_suggest(keys, "Live-Restore"), "live-restore");
	ck_assert_str_eq(keyset_suggest(keys, "Proxies"), "proxies");
	ck_assert_ptr_null(keyset_suggest(keys, "frobnicate"));
	ck_assert_str_eq(keyset_suggest_flag(keys, "lable"), "label");
}
END_TEST

START_TEST(settings_defaults_are_those_of_the_contract)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct settings settings;

	ck_assert_int_eq(settings_defaults(arena, keys, NULL, &settings), 0);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_MAX_CONCURRENT_DOWNLOADS)->integer, 3);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_MAX_CONCURRENT_UPLOADS)->integer, 5);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_MAX_DOWNLOAD_ATTEMPTS)->integer, 5);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_SHUTDOWN_TIMEOUT)->integer, 15);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_DEFAULT_STOP_TIMEOUT)->integer, 10);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_DEFAULT_SHM_SIZE)->integer, 67108864);
	ck_assert_int_eq(settings_get(&settings, KEY_ID_MTU)->integer, 1500);
	ck_assert_str_eq(settings_string(&settings, KEY_ID_DEFAULT_RUNTIME), "runc");
	ck_assert_str_eq(settings_string(&settings, KEY_ID_EXEC_ROOT), "/run/rtreg");
	ck_assert(!settings_get(&settings, KEY_ID_DEBUG)->boolean);
	ck_assert(settings.items[keyset_find(keys, "icc")].value.boolean);
	ck_assert_str_eq(settings.items[keyset_find(keys, "min-api-version")].value.string, "1.40");
	for (size_t i = 0; i < keys->count; i++) {
		ck_assert(!settings.items[i].set && settings.items[i].origin == ORIGIN_DEFAULT);
		ck_assert_int_eq(settings.items[i].value.type, settings_zero(keys->keys[i]->type).type);
	}
}
END_TEST

START_TEST(settings_defaults_exec_root_given_is_used)
{
	_cleanup_arena_ struct arena *arena = arena_new();
	struct settings settings;

	ck_assert_int_eq(settings_defaults(arena, keys, "/run/other", &settings), 0);
	ck_assert_str_eq(settings_string(&settings, KEY_ID_EXEC_ROOT), "/run/other");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("keys");
	TCase *tests = tcase_create("keys");

	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_add_loop_test(tests, keys_named_stands_at_its_id, 0, ARRAY_SIZE(ids));
	tcase_add_test(tests, keys_table_has_all_keys_in_order);
	tcase_add_loop_test(tests, keys_of_a_type_have_it, 0, ARRAY_SIZE(types));
	tcase_add_test(tests, keys_flags_are_found_by_name);
	tcase_add_test(tests, keys_without_a_flag_are_the_expected_ones);
	tcase_add_test(tests, keys_flags_are_all_different);
	tcase_add_test(tests, keys_reloaded_have_a_rule_and_a_step);
	tcase_add_test(tests, compat_keys_are_no_keys_and_name_one);
	tcase_add_test(tests, keyset_new_own_keys_follow_the_built_in_ones);
	tcase_add_loop_test(tests, keyset_new_bad_own_key_is_refused, 0, ARRAY_SIZE(bad_own));
	tcase_add_test(tests, keyset_suggest_near_miss_gives_the_key);
	tcase_add_test(tests, settings_defaults_are_those_of_the_contract);
	tcase_add_test(tests, settings_defaults_exec_root_given_is_used);
	suite_add_tcase(suite, tests);
	return unit_run(suite);
}
