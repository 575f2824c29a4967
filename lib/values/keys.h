/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The table of keys (CONTRACT section 2, 3 and 6): the one source for the parser, defaults, flags, reload,
 * origin, help and documentation. A key is known by its index in a keyset: the built-in ones first, in the
 * order of enum key_id, then the engine's own.
 */
#ifndef RTREG_VALUES_KEYS_H
#define RTREG_VALUES_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "rtreg/rtreg.h"

enum key_type {
	KEY_STRING,
	KEY_BOOL,
	KEY_INT,
	KEY_BYTES,       /* a size with a unit; held as VALUE_INT, shown as a string of bytes */
	KEY_IP,          /* string */
	KEY_STRINGS,     /* array of strings */
	KEY_IPS,         /* array of IP addresses */
	KEY_POOLS,       /* default-address-pools */
	KEY_STRING_MAP,  /* object of strings */
	KEY_BOOL_MAP,    /* object of booleans */
	KEY_STRING_MAPS, /* object of objects of strings */
	KEY_ULIMITS,     /* default-ulimits */
	KEY_NRI,         /* nri-opts */
	KEY_OBJECT,      /* any object */
	KEY_RUNTIMES,
};

/* What a reload does with it (the table of CONTRACT section 6). */
enum key_rule {
	RULE_RESTART,       /* held at start; a change is reported as needs-restart */
	RULE_KEEP,          /* absent: kept; present: replaced, by 0, [] or false too */
	RULE_KEEP_NONEMPTY, /* absent: kept; present: replaced if not empty */
	RULE_RESET,         /* absent: back to the default; present: replaced */
};

enum {
	KEY_ZERO_IS_DEFAULT_AT_START = 1, /* 0 in the file at start means the default */
	KEY_ZERO_IS_DEFAULT = 2,          /* 0 in the file always means the default */
	KEY_HIDES_USER_INFO = 4,          /* URLs, shown without their user info */
	KEY_HIDES_BY_NAME = 8,            /* a map: members whose names speak of a secret are not shown */
};

/* The built-in steps of a reload, in their order. */
enum step_id {
	STEP_NONE,
	STEP_PLATFORM,
	STEP_DEBUG,
	STEP_MAX_CONCURRENT,
	STEP_MAX_DOWNLOAD_ATTEMPTS,
	STEP_SHUTDOWN_TIMEOUT,
	STEP_DEFAULT_STOP_TIMEOUT,
	STEP_FEATURES,
	STEP_LABELS,
	STEP_REGISTRY_CONFIG,
	STEP_LIVE_RESTORE,
	STEP_NETWORK_DIAGNOSTIC_PORT,
	STEP_NRI,
	STEP_ENGINE_KEYS,
	STEP_COUNT,
};

/* The built-in keys that code names; the table has all of them, these first and in this order. */
enum key_id {
	KEY_ID_RUNTIMES,
	KEY_ID_DEFAULT_RUNTIME,
	KEY_ID_DEFAULT_SHM_SIZE,
	KEY_ID_DEFAULT_IPC_MODE,
	KEY_ID_DEFAULT_CGROUPNS_MODE,
	KEY_ID_DEBUG,
	KEY_ID_MAX_CONCURRENT_DOWNLOADS,
	KEY_ID_MAX_CONCURRENT_UPLOADS,
	KEY_ID_MAX_DOWNLOAD_ATTEMPTS,
	KEY_ID_SHUTDOWN_TIMEOUT,
	KEY_ID_DEFAULT_STOP_TIMEOUT,
	KEY_ID_FEATURES,
	KEY_ID_LABELS,
	KEY_ID_ALLOW_NONDISTRIBUTABLE_ARTIFACTS,
	KEY_ID_INSECURE_REGISTRIES,
	KEY_ID_REGISTRY_MIRRORS,
	KEY_ID_LIVE_RESTORE,
	KEY_ID_NETWORK_DIAGNOSTIC_PORT,
	KEY_ID_NRI_OPTS,
	KEY_ID_AUTHORIZATION_PLUGINS,
	/* from here on held at start */
	KEY_ID_BRIDGE_ACCEPT_FWMARK,
	KEY_ID_CRI_CONTAINERD,
	KEY_ID_DNS_SEARCH,
	KEY_ID_EXEC_OPTS,
	KEY_ID_EXEC_ROOT,
	KEY_ID_FIREWALL_BACKEND,
	KEY_ID_FIXED_CIDR_V6,
	KEY_ID_HOST_GATEWAY_IP,
	KEY_ID_HOST_GATEWAY_IPS,
	KEY_ID_HOSTS,
	KEY_ID_HTTP_PROXY,
	KEY_ID_HTTPS_PROXY,
	KEY_ID_NO_PROXY,
	KEY_ID_LOG_FORMAT,
	KEY_ID_LOG_LEVEL,
	KEY_ID_LOG_OPTS,
	KEY_ID_MTU,
	KEY_ID_NODE_GENERIC_RESOURCES,
	KEY_ID_NAMED, /* how many of them there are */
};

struct key_info {
	const char *name; /* in daemon.json; of the proxies "proxies.http-proxy" and so on */
	const char *flag; /* its command-line flag without dashes; NULL: none */
	enum key_type type;
	enum key_rule rule;
	enum step_id step;
	unsigned traits;          /* KEY_ZERO_IS_DEFAULT, KEY_HIDES_USER_INFO … */
	const char *default_json; /* NULL: the type's zero value */
	const char *argument;     /* what the flag takes, for --help */
	const char *help;         /* one line */
};

/* Accepted for compatibility, without effect, with a warning; `instead` says what to use, or is NULL. */
struct compat_key {
	const char *name;
	const char *instead;
};

extern const struct key_info builtin_keys[];
extern const size_t builtin_key_count;
extern const struct compat_key compat_keys[];
extern const size_t compat_key_count;

/* The built-in keys and the engine's own: immutable once made, so that snapshots may point into it. */
struct keyset {
	size_t count;
	const struct key_info **keys;
	struct key_info *own; /* the engine's, after the built-in ones */
	size_t own_count;
};

/*
 * `own_count` keys of the engine's at `own`, copied. -EEXIST, -EINVAL, -ENOMEM with the key in error->where.
 */
int keyset_new(const struct rtreg_key *own, size_t own_count, struct keyset **ret, struct rtreg_error *error);
void keyset_free(struct keyset *keys);
/* The index of a key, or -1. keyset_find_flag: by the name of its flag. */
int keyset_find(const struct keyset *keys, const char *name);
int keyset_find_flag(const struct keyset *keys, const char *flag);
/* The known key nearest to `name`, for "did you mean", or NULL. */
const char *keyset_suggest(const struct keyset *keys, const char *name);
const char *keyset_suggest_flag(const struct keyset *keys, const char *flag);
const struct compat_key *compat_find(const char *name);

#endif
