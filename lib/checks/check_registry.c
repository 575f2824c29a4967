/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Registry mirrors and insecure registries (C39), and the lists that are derived from them. Passwords that
 * somebody put into one of these are never shown.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "checks/domain.h"
#include "checks/list.h"
#include "checks/name_table.h"
#include "checks/prefix.h"
#include "checks/show.h"
#include "checks/url.h"

#define EITHER_SCHEME ": must use either 'https://' or 'http://'"

/* `invalid mirror: BEFORE"MIRROR"AFTER`. */
static void report_mirror(const char *before, const char *mirror, bool is_valid_url, const char *after,
                          struct problems *problems)
{
	_cleanup_free_ char *masked = show_masked(mirror, is_valid_url);
	_cleanup_free_ char *shown = masked ? show_quoted(masked) : NULL;

	if (shown)
		problems_error(problems, -EINVAL, "registry-mirrors", "invalid mirror: %s%s%s", before, shown,
		               after);
	else
		problems->failed = true;
}

static bool scheme_is(const struct url *url, const char *scheme)
{
	return url->scheme.length == strlen(scheme) &&
	       strncasecmp(url->scheme.start, scheme, url->scheme.length) == 0;
}

static void report_scheme(const char *mirror, struct span scheme, struct problems *problems)
{
	static const char head[] = "unsupported scheme \"";
	_cleanup_free_ char *before = NULL;

	if (asprintf(&before, "%s%.*s\" in ", head, (int)scheme.length, scheme.start ? scheme.start : "") <
	    0) {
		before = NULL;
		problems->failed = true;
		return;
	}
	for (char *c = before + sizeof(head) - 1; *c != '"'; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	report_mirror(before, mirror, true, EITHER_SCHEME, problems);
}

static void report_not_a_uri(const char *mirror, const char *reason, struct problems *problems)
{
	_cleanup_free_ char *after = NULL;

	if (asprintf(&after, " is not a valid URI: %s", reason) < 0) {
		after = NULL;
		problems->failed = true;
		return;
	}
	report_mirror("", mirror, false, after, problems);
}

static void check_mirror(const char *mirror, struct problems *problems)
{
	const char *separator = strstr(mirror, "://"), *reason;
	struct url url;

	if (!separator || separator == mirror)
		report_mirror("no scheme specified for ", mirror, false, EITHER_SCHEME, problems);
	else if (url_parse(mirror, &url, &reason) < 0)
		report_not_a_uri(mirror, reason, problems);
	else if (!url_port_is_number(&url))
		report_not_a_uri(mirror, "invalid port after host", problems);
	else if (!scheme_is(&url, "https") && !scheme_is(&url, "http"))
		report_scheme(mirror, url.scheme, problems);
	else if (url.query.length > 0 || url.fragment.length > 0)
		report_mirror("query or fragment at end of the URI ", mirror, true, "", problems);
	else if (url.user.start)
		report_mirror("username/password not allowed in URI ", mirror, true, "", problems);
}

void check_mirrors(const struct settings *settings, struct problems *problems)
{
	const struct value *mirrors = settings_get(settings, KEY_ID_REGISTRY_MIRRORS);

	for (uint32_t i = 0; i < mirrors->count; i++)
		check_mirror(mirrors->elements[i].string, problems);
}

/* Behind `http://` or `https://`, in any case; otherwise the whole. */
static const char *without_http(const char *registry)
{
	if (strncasecmp(registry, "http://", 7) == 0)
		return registry + 7;
	if (strncasecmp(registry, "https://", 8) == 0)
		return registry + 8;
	return registry;
}

/* A domain name or an IPv6 address in brackets, with or without `:PORT`. */
static bool is_host_and_port(const char *name)
{
	const char *end;

	if (*name == '[') {
		end = name + 1 + strspn(name + 1, "0123456789abcdefABCDEF:");
		if (end == name + 1 || *end++ != ']')
			return false;
	} else {
		end = name + domain_length(span_of(name));
	}
	return end > name && (*end == '\0' || (*end == ':' && span_is_number(span_of(end + 1))));
}

static bool is_ip(const char *host)
{
	unsigned char address[16];

	return inet_pton(strchr(host, ':') ? AF_INET6 : AF_INET, host, address) == 1;
}

/* Splits `HOST:PORT` and `[ADDRESS]:PORT` in place; returns the port, or NULL where it is a host alone. */
static const char *split_port(char **host)
{
	char *colon = strrchr(*host, ':');

	if (!colon)
		return NULL;
	if (**host == '[' && colon[-1] == ']') {
		(*host)++;
		colon[-1] = '\0';
	} else if (colon != strchr(*host, ':')) {
		return NULL;
	}
	*colon = '\0';
	return colon + 1;
}

static void report_insecure(const char *registry, const char *what, const char *part,
                            struct problems *problems)
{
	_cleanup_free_ char *shown = show_masked(registry, false);
	_cleanup_free_ char *masked = show_masked(part, false);
	_cleanup_free_ char *quoted = masked ? show_quoted(masked) : NULL;

	if (shown && quoted)
		problems_error(problems, -EINVAL, "insecure-registries",
		               "insecure registry %s is not valid: invalid %s %s", shown, what, quoted);
	else
		problems->failed = true;
}

static void check_host_and_port(const char *registry, struct problems *problems)
{
	_cleanup_free_ char *copy = strdup(registry);
	char *host = copy;
	const char *port;

	if (!copy) {
		problems->failed = true;
		return;
	}
	/* What is not a host may be a password: then the parts are not told apart. */
	port = strchr(copy, '@') ? NULL : split_port(&host);
	if (!is_host_and_port(registry) && !is_ip(host))
		report_insecure(registry, "host", host, problems);
	else if (port && *port &&
	         (!span_is_number(span_of(port)) || span_number(span_of(port), URL_PORT_MAX) > URL_PORT_MAX))
		report_insecure(registry, "port", port, problems);
}

static bool has_hyphen_at_an_end(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && (name[0] == '-' || name[length - 1] == '-');
}

static void check_insecure(const char *registry, struct problems *problems)
{
	_cleanup_free_ char *shown = show_masked(registry, false);
	const char *rest = without_http(registry);
	struct prefix prefix;

	if (!shown) {
		problems->failed = true;
		return;
	}
	if (has_hyphen_at_an_end(registry)) {
		problems_error(problems, -EINVAL, "insecure-registries",
		               "invalid index name (%s). Cannot begin or end with a hyphen", shown);
		return;
	}
	if (rest == registry && strstr(registry, "://")) {
		problems_error(problems, -EINVAL, "insecure-registries",
		               "insecure registry %s should not contain '://'", shown);
		return;
	}
	if (rest != registry)
		problems_warn(
		        problems, "insecure-registries",
		        "insecure registry %s: the prefix '%.*s' is not part of a registry's name and was "
		        "removed",
		        without_http(shown), (int)(rest - registry), registry);
	if (!prefix_parse(rest, &prefix))
		check_host_and_port(rest, problems);
}

void check_insecure_registries(const struct settings *settings, struct problems *problems)
{
	const struct value *registries = settings_get(settings, KEY_ID_INSECURE_REGISTRIES);

	for (uint32_t i = 0; i < registries->count; i++)
		check_insecure(registries->elements[i].string, problems);
}

/* A list of distinct strings that is being made. */
struct unique_list {
	struct name_table names;
	struct value list;
};

static void unique_list_fini(struct unique_list *unique)
{
	name_table_fini(&unique->names);
}
#define _cleanup_unique_list_ _cleanup_(unique_list_fini)

static int unique_list_init(struct arena *arena, uint32_t capacity, struct unique_list *ret)
{
	ret->list = (struct value){.type = VALUE_ARRAY};
	ret->list.elements = arena_alloc_array(arena, capacity, sizeof(*ret->list.elements));
	return ret->list.elements ? name_table_init(&ret->names, capacity) : -ENOMEM;
}

/* `string` is in the arena already, or NULL where there was no memory for it. */
static int unique_list_add(struct unique_list *unique, const char *string)
{
	if (!string)
		return -ENOMEM;
	if (name_table_add(&unique->names, span_of(string)) == unique->list.count)
		unique->list.elements[unique->list.count++] = value_of_string(string);
	return 0;
}

static int make_mirrors(struct arena *arena, const struct value *mirrors, struct value *ret)
{
	_cleanup_unique_list_ struct unique_list unique = {0};
	int r = unique_list_init(arena, mirrors->count, &unique);

	for (uint32_t i = 0; r == 0 && i < mirrors->count; i++) {
		const char *mirror = mirrors->elements[i].string;
		const char *slash = mirror[0] && mirror[strlen(mirror) - 1] == '/' ? "" : "/";

		r = unique_list_add(&unique, arena_printf(arena, "%s%s", mirror, slash));
	}
	if (r == 0)
		*ret = unique.list;
	return r;
}

static int add_insecure(struct arena *arena, const char *registry, struct unique_list *cidrs,
                        struct unique_list *hosts)
{
	const char *rest = without_http(registry);
	char network[PREFIX_STRING_MAX];
	struct prefix prefix;

	if (!prefix_parse(rest, &prefix))
		return unique_list_add(hosts, arena_strdup(arena, rest));
	prefix_mask(&prefix);
	prefix_format(&prefix, network);
	return unique_list_add(cidrs, arena_strdup(arena, network));
}

int registry_lists_make(struct arena *arena, const struct value *mirrors, const struct value *insecure,
                        struct registry_lists *ret)
{
	static const char *const always[] = {"::1/128", "127.0.0.0/8"};
	_cleanup_unique_list_ struct unique_list cidrs = {0}, hosts = {0};
	struct registry_lists lists;
	int r = make_mirrors(arena, mirrors, &lists.mirrors);

	if (r == 0)
		r = unique_list_init(arena, insecure->count + (uint32_t)ARRAY_SIZE(always), &cidrs);
	if (r == 0)
		r = unique_list_init(arena, insecure->count, &hosts);
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(always); i++)
		r = add_insecure(arena, always[i], &cidrs, &hosts);
	for (uint32_t i = 0; r == 0 && i < insecure->count; i++)
		r = add_insecure(arena, insecure->elements[i].string, &cidrs, &hosts);
	if (r < 0)
		return r;
	lists.insecure_cidrs = cidrs.list;
	lists.insecure_hosts = hosts.list;
	*ret = lists;
	return 0;
}
