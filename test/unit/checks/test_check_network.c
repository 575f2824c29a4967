/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fixture.h"

#define LABEL_50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa."

static const struct list_case domains[] = {
        {{"."}, {NULL}},
        {{"corp.example", "a", "x-1.example.", "1a.2"}, {NULL}},
        {{" corp.example "}, {NULL}},
        {{LABEL_50 LABEL_50 LABEL_50 LABEL_50 LABEL_50 "abcd"}, {NULL}},
        {{LABEL_50 LABEL_50 LABEL_50 LABEL_50 LABEL_50 "abcde"},
         {LABEL_50 LABEL_50 LABEL_50 LABEL_50 LABEL_50 "abcde is not a valid domain"}},
        {{""}, {" is not a valid domain"}},
        {{"192.0.2.1"}, {"192.0.2.1 is not a valid domain"}},
        {{"bad_domain"}, {"bad_domain is not a valid domain"}},
        {{"-a.b", "a-.b", "a..b"},
         {"-a.b is not a valid domain", "a-.b is not a valid domain", "a..b is not a valid domain"}},
        {{".a"}, {".a is not a valid domain"}},
        {{"a b"}, {"a b is not a valid domain"}},
};

START_TEST(check_dns_search_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_DNS_SEARCH, "dns-search", &domains[_i]);
}
END_TEST

static const struct list_case gateways[] = {
        {{"192.0.2.1"}, {NULL}},
        {{"192.0.2.1", "2001:db8::1"}, {NULL}},
        {{"192.0.2.1", "192.0.2.2"}, {"only one IPv4 host gateway IP address can be specified"}},
        {{"::1", "2001:db8::1"}, {"only one IPv6 host gateway IP address can be specified"}},
        {{"::1", "192.0.2.1", "::2", "192.0.2.2"},
         {"only one IPv4 host gateway IP address can be specified",
          "only one IPv6 host gateway IP address can be specified"}},
};

START_TEST(check_host_gateways_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_HOST_GATEWAY_IPS, "host-gateway-ips", &gateways[_i]);
}
END_TEST

/* Odd: the old key comes from the command line, which is no matter of the file. */
START_TEST(check_host_gateways_old_and_new_in_file_is_an_error)
{
	const char *errors[] = {
	        "host-gateway-ip and host-gateway-ips must not both be specified in the config file", NULL};
	const char *addresses[] = {"192.0.2.1", NULL};
	struct fixture fixture;

	fixture_init(&fixture);
	fixture_set(&fixture, KEY_ID_HOST_GATEWAY_IP, value_of_string("192.0.2.1"));
	fixture_set(&fixture, KEY_ID_HOST_GATEWAY_IPS, fixture_list(&fixture, addresses));
	if (_i == 1)
		fixture.items[KEY_ID_HOST_GATEWAY_IP].origin = ORIGIN_FLAG;
	checks_run(&fixture.settings, &fixture.problems);
	fixture_expect(&fixture, _i == 1 ? errors + 1 : errors);
	fixture_fini(&fixture);
}
END_TEST

static const struct list_case hosts[] = {
        {{"", " ", "tcp://", "fd://", "fd://anything"}, {NULL}},
        {{"unix://", "unix:///var/run/docker.sock", "npipe://", "npipe:////./pipe/x"}, {NULL}},
        {{"tcp://0.0.0.0:2375", "0.0.0.0:2375", ":2375", "tcp://:2375", " tcp://localhost "}, {NULL}},
        {{"tcp://[::1]:2375", "[::1]:2375", "[::1]", "[::1]:", "tcp://host:"}, {NULL}},
        {{"tcp://[fe80::1%25eth0]:1", "localhost", "tcp://h:1", "tcp://h:65535"}, {NULL}},
        {{"http://0.0.0.0:2375"}, {"invalid bind address (http://0.0.0.0:2375): unsupported proto 'http'"}},
        {{"TCP://h:1"}, {"invalid bind address (TCP://h:1): unsupported proto 'TCP'"}},
        {{"://"}, {"invalid bind address (://): unsupported proto ''"}},
        {{"tcp://0.0.0.0:2375/docker"},
         {"invalid bind address (tcp://0.0.0.0:2375/docker): should not contain a path element"}},
        {{" 127.0.0.1:2375/ "},
         {"invalid bind address (127.0.0.1:2375/): should not contain a path element"}},
        {{"tcp://[::1]:/p"}, {"invalid bind address (tcp://[::1]:/p): should not contain a path element"}},
        {{"tcp:///p"}, {"invalid bind address (tcp:///p): should not contain a path element"}},
        {{"tcp://h:port"}, {"invalid bind address (tcp://h:port): invalid port: port"}},
        {{"tcp://h:-1/p"}, {"invalid bind address (tcp://h:-1/p): invalid port: -1"}},
        {{"h:0"}, {"invalid bind address (h:0): invalid port: 0"}},
        {{"h:65536"}, {"invalid bind address (h:65536): invalid port: 65536"}},
        {{"h:99999999999999999999"},
         {"invalid bind address (h:99999999999999999999): invalid port: 99999999999999999999"}},
        {{"tcp://::1:2375"},
         {"invalid bind address (tcp://::1:2375): too many colons in host, an IPv6 address needs brackets"}},
        {{"tcp://[::1:2375"}, {"invalid bind address (tcp://[::1:2375): missing ']' in host"}},
        {{"some host"}, {"invalid bind address (some host): invalid character in host name"}},
        {{"unix://unix:///x"}, {"invalid bind address (unix://unix:///x): invalid unix address"}},
        {{"tcp://jo:hunter2@h:1/p", "jo:hunter2@h:0"},
         {"invalid bind address (tcp://jo:xxxxx@h:1/p): should not contain a path element",
          "invalid bind address (jo:xxxxx@h:0): invalid port: 0"}},
};

START_TEST(check_hosts_list_says_what_is_wrong)
{
	fixture_run_list(KEY_ID_HOSTS, "hosts", &hosts[_i]);
}
END_TEST

#define MARK(value) "invalid bridge-accept-fwmark: invalid firewall mark \"" value "\""
#define MASK(value) "invalid bridge-accept-fwmark: invalid firewall mask \"" value "\""
#define CIDR(text)  "invalid fixed-cidr-v6: " text

static const struct string_case strings[] = {
        {KEY_ID_FIREWALL_BACKEND, "", NULL},
        {KEY_ID_FIREWALL_BACKEND, "iptables", NULL},
        {KEY_ID_FIREWALL_BACKEND, "nftables", NULL},
        {KEY_ID_FIREWALL_BACKEND, "ipfw",
         "invalid firewall-backend: allowed values are \"iptables\" and \"nftables\""},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1/3", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "4294967295", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0xFFffFFff/0XF0", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "017/0o17", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0b1010", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0x_ff/1_000", NULL},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "4294967296", MARK("4294967296")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0x100000000", MARK("0x100000000")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "-1", MARK("-1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "+1", MARK("+1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, " 1", MARK(" 1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "08", MARK("08")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0x", MARK("0x")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "0b2", MARK("0b2")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1__0", MARK("1__0")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "_1", MARK("_1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1_", MARK("1_")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "x/1", MARK("x/1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "/1", MARK("/1")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1/", MASK("1/")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1/2/3", MASK("1/2/3")},
        {KEY_ID_BRIDGE_ACCEPT_FWMARK, "1/0xg", MASK("1/0xg")},
        {KEY_ID_FIXED_CIDR_V6, "", NULL},
        {KEY_ID_FIXED_CIDR_V6, "2001:db8:1::/64", NULL},
        {KEY_ID_FIXED_CIDR_V6, "2001:db8::1/128", NULL},
        {KEY_ID_FIXED_CIDR_V6, "fe80::/64", NULL},
        {KEY_ID_FIXED_CIDR_V6, "fe80:1::/64", NULL},
        {KEY_ID_FIXED_CIDR_V6, "fe80:1::/48", NULL},
        {KEY_ID_FIXED_CIDR_V6, "2001:db8::1", CIDR("'2001:db8::1' is not a valid IPv6 subnet")},
        {KEY_ID_FIXED_CIDR_V6, "192.0.2.0/24", CIDR("'192.0.2.0/24' is not a valid IPv6 subnet")},
        {KEY_ID_FIXED_CIDR_V6, "::ffff:192.0.2.0/120",
         CIDR("'::ffff:192.0.2.0/120' is not a valid IPv6 subnet")},
        {KEY_ID_FIXED_CIDR_V6, "2001:db8::/129", CIDR("'2001:db8::/129' is not a valid IPv6 subnet")},
        {KEY_ID_FIXED_CIDR_V6, "ff02::/64", CIDR("multicast subnet 'ff02::/64' is not allowed")},
        {KEY_ID_FIXED_CIDR_V6, "fe80::/10",
         CIDR("'fe80::/10' clashes with the Link-Local prefix 'fe80::/64'")},
        {KEY_ID_FIXED_CIDR_V6, "fe80::1:0:0:0/80",
         CIDR("'fe80::1:0:0:0/80' clashes with the Link-Local prefix 'fe80::/64'")},
};

START_TEST(checks_run_string_says_what_is_wrong)
{
	fixture_run_string(&strings[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("check_network");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, check_dns_search_list_says_what_is_wrong, 0, ARRAY_SIZE(domains));
	tcase_add_loop_test(tcase, check_host_gateways_list_says_what_is_wrong, 0, ARRAY_SIZE(gateways));
	tcase_add_loop_test(tcase, check_host_gateways_old_and_new_in_file_is_an_error, 0, 2);
	tcase_add_loop_test(tcase, check_hosts_list_says_what_is_wrong, 0, ARRAY_SIZE(hosts));
	tcase_add_loop_test(tcase, checks_run_string_says_what_is_wrong, 0, ARRAY_SIZE(strings));
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
