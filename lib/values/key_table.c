/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of keys, and that of the names which are accepted without effect. Nothing else spells a key's
 * name. A key that has an id stands where its id says; the others follow in alphabetical order.
 */
#include "values/keys.h"

/* Keys without an id are all held at start and belong to no step. */
#define HELD(name, flag, type, default_json, argument, help)                               \
	{                                                                                  \
		name, flag, type, RULE_RESTART, STEP_NONE, 0, default_json, argument, help \
	}
#define HELD_STRING(name, default_json, argument, help) \
	HELD(name, name, KEY_STRING, default_json, argument, help)
#define HELD_IP(name, help)                          HELD(name, name, KEY_IP, NULL, "IP", help)
#define HELD_BOOL(name, default_json, help)          HELD(name, name, KEY_BOOL, default_json, NULL, help)
#define HELD_INT(name, default_json, argument, help) HELD(name, name, KEY_INT, default_json, argument, help)

const struct key_info builtin_keys[] = {
        /* clang-format off */
	[KEY_ID_RUNTIMES] =
		{"runtimes", "add-runtime", KEY_RUNTIMES, RULE_KEEP, STEP_PLATFORM, 0, NULL, "NAME=PATH",
		 "an OCI runtime that containers may ask for"},
	[KEY_ID_DEFAULT_RUNTIME] =
		{"default-runtime", "default-runtime", KEY_STRING, RULE_KEEP_NONEMPTY, STEP_PLATFORM, 0, "\"runc\"",
		 "NAME", "the runtime of containers that ask for none"},
	[KEY_ID_DEFAULT_SHM_SIZE] =
		{"default-shm-size", "default-shm-size", KEY_BYTES, RULE_KEEP, STEP_PLATFORM, 0, "\"67108864\"",
		 "SIZE", "size of a container's /dev/shm"},
	[KEY_ID_DEFAULT_IPC_MODE] =
		{"default-ipc-mode", "default-ipc-mode", KEY_STRING, RULE_KEEP_NONEMPTY, STEP_PLATFORM, 0,
		 "\"private\"", "shareable|private", "IPC mode of containers that ask for none"},
	[KEY_ID_DEFAULT_CGROUPNS_MODE] =
		{"default-cgroupns-mode", "default-cgroupns-mode", KEY_STRING, RULE_KEEP_NONEMPTY, STEP_PLATFORM, 0,
		 NULL, "host|private", "cgroup namespace of containers that ask for none"},
	[KEY_ID_DEBUG] =
		{"debug", "debug", KEY_BOOL, RULE_KEEP, STEP_DEBUG, 0, NULL, NULL, "log what helps to find faults"},
	[KEY_ID_MAX_CONCURRENT_DOWNLOADS] =
		{"max-concurrent-downloads", "max-concurrent-downloads", KEY_INT, RULE_RESET, STEP_MAX_CONCURRENT,
		 KEY_ZERO_IS_DEFAULT, "3", "N", "layers of an image pulled at a time"},
	[KEY_ID_MAX_CONCURRENT_UPLOADS] =
		{"max-concurrent-uploads", "max-concurrent-uploads", KEY_INT, RULE_RESET, STEP_MAX_CONCURRENT,
		 KEY_ZERO_IS_DEFAULT, "5", "N", "layers of an image pushed at a time"},
	[KEY_ID_MAX_DOWNLOAD_ATTEMPTS] =
		{"max-download-attempts", "max-download-attempts", KEY_INT, RULE_RESET, STEP_MAX_DOWNLOAD_ATTEMPTS,
		 KEY_ZERO_IS_DEFAULT, "5", "N", "how often the pull of a layer is tried"},
	[KEY_ID_SHUTDOWN_TIMEOUT] =
		{"shutdown-timeout", "shutdown-timeout", KEY_INT, RULE_KEEP, STEP_SHUTDOWN_TIMEOUT,
		 KEY_ZERO_IS_DEFAULT_AT_START, "15", "SECONDS", "how long a stop waits; negative: for ever"},
	[KEY_ID_DEFAULT_STOP_TIMEOUT] =
		{"default-stop-timeout", "default-stop-timeout", KEY_INT, RULE_KEEP, STEP_DEFAULT_STOP_TIMEOUT, 0,
		 "10", "SECONDS", "how long a container may take to stop before it is killed"},
	[KEY_ID_FEATURES] =
		{"features", "feature", KEY_BOOL_MAP, RULE_RESET, STEP_FEATURES, 0, NULL, "NAME[=BOOL]",
		 "turn a feature on or off"},
	[KEY_ID_LABELS] =
		{"labels", "label", KEY_STRINGS, RULE_KEEP, STEP_LABELS, 0, NULL, "K=V", "a label of the engine"},
	[KEY_ID_ALLOW_NONDISTRIBUTABLE_ARTIFACTS] =
		{"allow-nondistributable-artifacts", "allow-nondistributable-artifacts", KEY_STRINGS, RULE_KEEP,
		 STEP_REGISTRY_CONFIG, 0, NULL, "REGISTRY", "a registry to which foreign layers may be pushed"},
	[KEY_ID_INSECURE_REGISTRIES] =
		{"insecure-registries", "insecure-registry", KEY_STRINGS, RULE_KEEP, STEP_REGISTRY_CONFIG,
		 KEY_HIDES_USER_INFO, NULL, "REGISTRY", "a registry (host, host:port or CIDR) to reach without TLS"},
	[KEY_ID_REGISTRY_MIRRORS] =
		{"registry-mirrors", "registry-mirror", KEY_STRINGS, RULE_KEEP, STEP_REGISTRY_CONFIG,
		 KEY_HIDES_USER_INFO, NULL, "URL", "a registry to ask before the original one"},
	[KEY_ID_LIVE_RESTORE] =
		{"live-restore", "live-restore", KEY_BOOL, RULE_KEEP, STEP_LIVE_RESTORE, 0, NULL, NULL,
		 "keep containers running while the engine is away"},
	[KEY_ID_NETWORK_DIAGNOSTIC_PORT] =
		{"network-diagnostic-port", "network-diagnostic-port", KEY_INT, RULE_RESET,
		 STEP_NETWORK_DIAGNOSTIC_PORT, 0, NULL, "PORT", "port of the diagnostic server; 0: none"},
	[KEY_ID_NRI_OPTS] =
		{"nri-opts", NULL, KEY_NRI, RULE_RESET, STEP_NRI, 0, NULL, NULL, "the node resource interface"},
	[KEY_ID_AUTHORIZATION_PLUGINS] =
		{"authorization-plugins", "authorization-plugin", KEY_STRINGS, RULE_RESET, STEP_PLATFORM, 0, NULL,
		 "NAME", "a plugin that is asked whether a request is allowed"},

	[KEY_ID_BRIDGE_ACCEPT_FWMARK] =
		HELD_STRING("bridge-accept-fwmark", NULL, "MARK[/MASK]", "firewall mark of packets to let in"),
	[KEY_ID_CRI_CONTAINERD] =
		HELD_BOOL("cri-containerd", NULL, "start containerd with its CRI plugin"),
	[KEY_ID_DNS_SEARCH] =
		HELD("dns-search", "dns-search", KEY_STRINGS, NULL, "DOMAIN", "a domain in which names are looked up"),
	[KEY_ID_EXEC_OPTS] =
		HELD("exec-opts", "exec-opt", KEY_STRINGS, NULL, "K=V", "an option for running containers"),
	[KEY_ID_EXEC_ROOT] =
		HELD_STRING("exec-root", NULL, "DIR", "where the state of running containers is kept"),
	[KEY_ID_FIREWALL_BACKEND] =
		HELD_STRING("firewall-backend", NULL, "iptables|nftables", "what the firewall's rules are made with"),
	[KEY_ID_FIXED_CIDR_V6] =
		HELD_STRING("fixed-cidr-v6", NULL, "CIDR", "IPv6 prefix of the containers on the default bridge"),
	[KEY_ID_HOST_GATEWAY_IP] =
		HELD("host-gateway-ip", NULL, KEY_IP, NULL, NULL, "the older form of host-gateway-ips"),
	[KEY_ID_HOST_GATEWAY_IPS] =
		HELD("host-gateway-ips", "host-gateway-ip", KEY_IPS, NULL, "IP", "what host-gateway stands for"),
	[KEY_ID_HOSTS] =
		{"hosts", "host", KEY_STRINGS, RULE_RESTART, STEP_NONE, KEY_HIDES_USER_INFO, NULL, "URL",
		 "an address on which the engine listens"},
	[KEY_ID_HTTP_PROXY] =
		{"proxies.http-proxy", "http-proxy", KEY_STRING, RULE_RESTART, STEP_NONE, KEY_HIDES_USER_INFO, NULL,
		 "URL", "proxy for HTTP"},
	[KEY_ID_HTTPS_PROXY] =
		{"proxies.https-proxy", "https-proxy", KEY_STRING, RULE_RESTART, STEP_NONE, KEY_HIDES_USER_INFO, NULL,
		 "URL", "proxy for HTTPS"},
	[KEY_ID_NO_PROXY] =
		HELD("proxies.no-proxy", "no-proxy", KEY_STRING, NULL, "LIST", "hosts to reach without a proxy"),
	[KEY_ID_LOG_FORMAT] =
		HELD_STRING("log-format", "\"text\"", "text|json", "form of the log's lines"),
	[KEY_ID_LOG_LEVEL] =
		HELD_STRING("log-level", "\"info\"", "LEVEL", "debug, info, warn, error or fatal"),
	[KEY_ID_LOG_OPTS] =
		{"log-opts", "log-opt", KEY_STRING_MAP, RULE_RESTART, STEP_NONE, KEY_HIDES_BY_NAME, NULL, "K=V",
		 "an option of the containers' log driver"},
	[KEY_ID_MTU] =
		{"mtu", "mtu", KEY_INT, RULE_RESTART, STEP_NONE, KEY_ZERO_IS_DEFAULT_AT_START, "1500", "BYTES",
		 "MTU of the containers' network"},
	[KEY_ID_NODE_GENERIC_RESOURCES] =
		HELD("node-generic-resources", "node-generic-resource", KEY_STRINGS, NULL, "K=V",
		     "a resource that this node offers to a cluster"),

	[KEY_ID_NAMED] =
	HELD_BOOL("allow-direct-routing", NULL, "let packets for containers in by any interface"),
	HELD_STRING("bip", NULL, "CIDR", "IPv4 address of the default bridge"),
	HELD_STRING("bip6", NULL, "CIDR", "IPv6 address of the default bridge"),
	HELD_STRING("bridge", NULL, "NAME", "bridge to attach containers to"),
	HELD("builder", NULL, KEY_OBJECT, NULL, NULL, "settings of the image builder"),
	HELD("cdi-spec-dirs", "cdi-spec-dir", KEY_STRINGS, NULL, "DIR", "where CDI device files are looked for"),
	HELD_STRING("cgroup-parent", NULL, "NAME", "parent cgroup of all containers"),
	HELD_STRING("containerd", NULL, "PATH", "containerd's socket"),
	HELD_STRING("containerd-namespace", "\"moby\"", "NAME", "containerd's namespace for containers"),
	HELD_STRING("containerd-plugins-namespace", NULL, "NAME", "containerd's namespace for plugins"),
	HELD_INT("cpu-rt-period", NULL, "MICROSECONDS", "real-time period of the parent cgroup"),
	HELD_INT("cpu-rt-runtime", NULL, "MICROSECONDS", "real-time runtime of the parent cgroup"),
	HELD_STRING("data-root", NULL, "DIR", "where images and containers are kept"),
	HELD("default-address-pools", "default-address-pool", KEY_POOLS, NULL, "base=CIDR,size=N",
	     "addresses from which networks are given theirs"),
	HELD_IP("default-gateway", "IPv4 gateway of the default bridge"),
	HELD_IP("default-gateway-v6", "IPv6 gateway of the default bridge"),
	HELD("default-network-opts", "default-network-opt", KEY_STRING_MAPS, NULL, "DRIVER=K=V",
	     "an option of new networks"),
	HELD("default-ulimits", "default-ulimit", KEY_ULIMITS, NULL, "NAME=SOFT[:HARD]",
	     "a resource limit of containers that set none"),
	HELD("dns", "dns", KEY_IPS, NULL, "IP", "a name server for containers"),
	HELD("dns-opts", "dns-opt", KEY_STRINGS, NULL, "OPTION", "an option of the containers' resolver"),
	HELD_BOOL("experimental", NULL, "turn on what is not finished yet"),
	HELD_STRING("fixed-cidr", NULL, "CIDR", "IPv4 prefix of the containers on the default bridge"),
	/* rtregd's own --group is about its socket, not about the engine's */
	HELD("group", NULL, KEY_STRING, NULL, NULL, "group of the engine's socket"),
	HELD_BOOL("icc", "true", "let containers on the default bridge talk to each other"),
	HELD_BOOL("init", NULL, "run an init in each container"),
	HELD_STRING("init-path", NULL, "PATH", "the binary of that init"),
	HELD_IP("ip", "address to which ports are published"),
	HELD_BOOL("ip-forward", "true", "turn on IP forwarding"),
	HELD_BOOL("ip-forward-no-drop", NULL, "leave the policy for forwarding alone"),
	HELD_BOOL("ip-masq", "true", "masquerade the bridge's addresses"),
	HELD_BOOL("ip6tables", "true", "make IPv6 firewall rules"),
	HELD_BOOL("iptables", "true", "make firewall rules"),
	HELD_BOOL("ipv6", NULL, "IPv6 on the default bridge"),
	HELD_STRING("log-driver", "\"json-file\"", "NAME", "log driver of containers that set none"),
	HELD_STRING("metrics-addr", NULL, "HOST:PORT", "where the engine serves its metrics"),
	HELD_STRING("min-api-version", "\"1.40\"", "VERSION", "the oldest API version to accept"),
	HELD_INT("network-control-plane-mtu", "1500", "BYTES", "MTU of a cluster's control network"),
	HELD_BOOL("no-new-privileges", NULL, "no new privileges for containers that do not say"),
	HELD_STRING("pidfile", NULL, "FILE", "the engine's pid file"),
	HELD_BOOL("raw-logs", NULL, "log with full time stamps and without colour"),
	HELD_BOOL("rootless", NULL, "run without root"),
	HELD_STRING("seccomp-profile", "\"builtin\"", "FILE", "seccomp profile of containers that set none"),
	HELD_BOOL("selinux-enabled", NULL, "label containers for SELinux"),
	HELD_STRING("storage-driver", NULL, "NAME", "the storage driver"),
	HELD("storage-opts", "storage-opt", KEY_STRINGS, NULL, "K=V", "an option of the storage driver"),
	HELD_STRING("swarm-default-advertise-addr", NULL, "ADDRESS", "address to announce in a cluster"),
	HELD_BOOL("tls", NULL, "listen with TLS"),
	HELD_STRING("tlscacert", NULL, "FILE", "certificates of the authorities to trust"),
	HELD_STRING("tlscert", NULL, "FILE", "the engine's certificate"),
	HELD_STRING("tlskey", NULL, "FILE", "the key of that certificate"),
	HELD_BOOL("tlsverify", NULL, "listen with TLS and ask clients for a certificate"),
	HELD_BOOL("userland-proxy", "true", "a proxy process for ports published on the loopback"),
	HELD_STRING("userland-proxy-path", NULL, "PATH", "the binary of that proxy"),
	HELD_STRING("userns-remap", NULL, "USER[:GROUP]", "whose subordinate ids containers get"),
        /* clang-format on */
};

const size_t builtin_key_count = sizeof(builtin_keys) / sizeof(builtin_keys[0]);

const struct compat_key compat_keys[] = {
        {"add-runtime", "runtimes"},
        {"authorization-plugin", "authorization-plugins"},
        {"cdi-spec-dir", "cdi-spec-dirs"},
        {"config-file", NULL},
        {"default-address-pool", "default-address-pools"},
        {"default-network-opt", "default-network-opts"},
        {"default-ulimit", "default-ulimits"},
        {"deprecated-key-path", NULL},
        {"dns-opt", "dns-opts"},
        {"exec-opt", "exec-opts"},
        {"feature", "features"},
        {"help", NULL},
        {"host", "hosts"},
        {"http-proxy", "proxies.http-proxy"},
        {"https-proxy", "proxies.https-proxy"},
        {"insecure-registry", "insecure-registries"},
        {"label", "labels"},
        {"log-opt", "log-opts"},
        {"no-proxy", "proxies.no-proxy"},
        {"node-generic-resource", "node-generic-resources"},
        {"registry-mirror", "registry-mirrors"},
        {"restart", NULL},
        {"storage-opt", "storage-opts"},
        {"validate", NULL},
        {"version", NULL},
};

const size_t compat_key_count = sizeof(compat_keys) / sizeof(compat_keys[0]);
