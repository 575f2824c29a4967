/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of network settings: search domains, host gateways, listening addresses, the firewall, prefixes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "checks/domain.h"
#include "checks/list.h"
#include "checks/prefix.h"
#include "checks/show.h"
#include "checks/url.h"

/* With a letter somewhere, below 255 bytes; a dot may end it. */
static bool is_domain(struct span domain)
{
	bool letter = false;

	if (domain.length > 0 && domain.start[domain.length - 1] == '.')
		domain.length--;
	for (size_t i = 0; i < domain.length; i++)
		letter = letter || span_is_letter(domain.start[i]);
	return letter && domain.length < 255 && domain_length(domain) == domain.length;
}

void check_dns_search(const struct settings *settings, struct problems *problems)
{
	const struct value *domains = settings_get(settings, KEY_ID_DNS_SEARCH);

	for (uint32_t i = 0; i < domains->count; i++) {
		struct span domain = span_trim(span_of(domains->elements[i].string));

		/* A dot alone is the root: no search domains at all. */
		if (!(domain.length == 1 && domain.start[0] == '.') && !is_domain(domain))
			problems_error(problems, -EINVAL, "dns-search", "%.*s is not a valid domain",
			               SPAN_ARGS(domain));
	}
}

static bool is_in_file(const struct settings *settings, enum key_id id)
{
	return settings->items[id].set && settings->items[id].origin == ORIGIN_FILE;
}

void check_host_gateways(const struct settings *settings, struct problems *problems)
{
	const struct value *addresses = settings_get(settings, KEY_ID_HOST_GATEWAY_IPS);
	unsigned ipv4 = 0, ipv6 = 0;

	for (uint32_t i = 0; i < addresses->count; i++)
		if (strchr(addresses->elements[i].string, ':'))
			ipv6++;
		else
			ipv4++;
	if (ipv4 > 1)
		problems_error(problems, -EINVAL, "host-gateway-ips",
		               "only one IPv4 host gateway IP address can be specified");
	if (ipv6 > 1)
		problems_error(problems, -EINVAL, "host-gateway-ips",
		               "only one IPv6 host gateway IP address can be specified");
	if (is_in_file(settings, KEY_ID_HOST_GATEWAY_IP) && is_in_file(settings, KEY_ID_HOST_GATEWAY_IPS))
		problems_error(
		        problems, -EINVAL, "host-gateway-ip",
		        "host-gateway-ip and host-gateway-ips must not both be specified in the config file");
}

/* `address` is shown without a password that somebody may have put into it. */
static void report_host(const char *address, const char *what, struct span detail, const char *quote,
                        struct problems *problems)
{
	_cleanup_free_ char *shown = show_masked(address, false);

	if (shown)
		problems_error(problems, -EINVAL, "hosts", "invalid bind address (%s): %s%s%.*s%s", shown,
		               what, quote, SPAN_ARGS(detail), quote);
	else
		problems->failed = true;
}

/* `url` is the address with its scheme. */
static void check_tcp(const char *address, const char *url_text, struct problems *problems)
{
	const char *reason;
	struct url url;
	unsigned port;

	if (url_parse(url_text, &url, &reason) < 0) {
		report_host(address, reason, span_of(""), "", problems);
		return;
	}
	port = span_number(url.port, URL_PORT_MAX);
	if (!url_port_is_number(&url))
		report_host(address, "invalid port: ", url.port, "", problems);
	else if (url.path.length > 0)
		report_host(address, "should not contain a path element", span_of(""), "", problems);
	else if (url.port.length > 0 && (port == 0 || port > URL_PORT_MAX))
		report_host(address, "invalid port: ", url.port, "", problems);
}

static bool span_is(struct span span, const char *string)
{
	return span.length == strlen(string) && memcmp(span.start, string, span.length) == 0;
}

/* `address` has a scheme. */
static void check_address(const char *address, const char *shown, struct problems *problems)
{
	const char *rest = strstr(address, "://");
	struct span proto = {.start = address, .length = (size_t)(rest - address)};

	rest += 3;
	if (span_is(proto, "tcp")) {
		check_tcp(shown, address, problems);
	} else if (span_is(proto, "unix") || span_is(proto, "npipe")) {
		if (strstr(rest, "://"))
			report_host(shown,
			            span_is(proto, "unix") ? "invalid unix address" : "invalid npipe address",
			            span_of(""), "", problems);
	} else if (!span_is(proto, "fd")) {
		report_host(shown, "unsupported proto ", proto, "'", problems);
	}
}

static void check_host(const char *host, struct problems *problems)
{
	struct span trimmed = span_trim(span_of(host));
	_cleanup_free_ char *address = strndup(trimmed.start, trimmed.length);
	_cleanup_free_ char *with_scheme = NULL;

	if (!address) {
		problems->failed = true;
		return;
	}
	if (strstr(address, "://")) {
		check_address(address, address, problems);
	} else if (asprintf(&with_scheme, "tcp://%s", address) < 0) {
		with_scheme = NULL;
		problems->failed = true;
	} else {
		check_address(with_scheme, address, problems);
	}
}

void check_hosts(const struct settings *settings, struct problems *problems)
{
	const struct value *hosts = settings_get(settings, KEY_ID_HOSTS);

	for (uint32_t i = 0; i < hosts->count; i++)
		check_host(hosts->elements[i].string, problems);
}

void check_firewall_backend(const struct settings *settings, struct problems *problems)
{
	const char *backend = settings_string(settings, KEY_ID_FIREWALL_BACKEND);

	if (*backend && strcmp(backend, "iptables") != 0 && strcmp(backend, "nftables") != 0)
		problems_error(problems, -EINVAL, "firewall-backend",
		               "invalid firewall-backend: allowed values are \"iptables\" and \"nftables\"");
}

static unsigned digit_of(char c)
{
	if (span_is_digit(c))
		return (unsigned)(c - '0');
	if (span_is_letter(c))
		return (unsigned)((c | 0x20) - 'a') + 10;
	return 255;
}

/* The base that a prefix asks for (0x, 0b, 0o, 0), and the digits behind it. */
static unsigned base_of(struct span *number)
{
	unsigned base = 8;
	char letter;

	if (number->length == 0 || number->start[0] != '0')
		return 10;
	letter = number->length > 2 ? (char)(number->start[1] | 0x20) : '\0';
	if (letter == 'x')
		base = 16;
	else if (letter == 'b')
		base = 2;
	/* The 0 of an octal number stays: alone it is one. */
	if (letter == 'x' || letter == 'b' || letter == 'o') {
		number->start += 2;
		number->length -= 2;
	}
	return base;
}

/* A number of 32 bits as Go writes them: with a prefix for the base, underscores between digits then. */
static bool is_mark(struct span number)
{
	const char *start = number.start;
	unsigned base = base_of(&number);
	bool prefixed = number.start > start, after_digit = prefixed;
	uint64_t value = 0;

	if (number.length == 0)
		return false;
	for (size_t i = 0; i < number.length; i++) {
		if (number.start[i] == '_') {
			if (!after_digit || i + 1 == number.length)
				return false;
			after_digit = false;
			continue;
		}
		if (digit_of(number.start[i]) >= base)
			return false;
		value = value * base + digit_of(number.start[i]);
		if (value > UINT32_MAX)
			return false;
		after_digit = true;
	}
	return true;
}

void check_accept_fwmark(const struct settings *settings, struct problems *problems)
{
	const char *mark = settings_string(settings, KEY_ID_BRIDGE_ACCEPT_FWMARK);
	const char *slash = strchrnul(mark, '/'), *what = NULL;
	_cleanup_free_ char *shown = NULL;

	if (*mark && !is_mark((struct span){.start = mark, .length = (size_t)(slash - mark)}))
		what = "mark";
	else if (*slash && !is_mark(span_of(slash + 1)))
		what = "mask";
	if (!what)
		return;
	shown = show_quoted(mark);
	if (shown)
		problems_error(problems, -EINVAL, "bridge-accept-fwmark",
		               "invalid bridge-accept-fwmark: invalid firewall %s %s", what, shown);
	else
		problems->failed = true;
}

void check_fixed_cidr_v6(const struct settings *settings, struct problems *problems)
{
	static const unsigned char link_local[16] = {0xfe, 0x80}, mapped[16] = {[10] = 0xff, [11] = 0xff};
	const char *cidr = settings_string(settings, KEY_ID_FIXED_CIDR_V6);
	struct prefix prefix;

	if (!*cidr)
		return;
	if (!prefix_parse(cidr, &prefix) || prefix.family != AF_INET6 || prefix_begins(&prefix, mapped, 96))
		problems_error(problems, -EINVAL, "fixed-cidr-v6",
		               "invalid fixed-cidr-v6: '%s' is not a valid IPv6 subnet", cidr);
	else if (prefix.address[0] == 0xff)
		problems_error(problems, -EINVAL, "fixed-cidr-v6",
		               "invalid fixed-cidr-v6: multicast subnet '%s' is not allowed", cidr);
	else if (prefix.bits != 64 && prefix_begins(&prefix, link_local, prefix.bits < 64 ? prefix.bits : 64))
		problems_error(problems, -EINVAL, "fixed-cidr-v6",
		               "invalid fixed-cidr-v6: '%s' clashes with the Link-Local prefix 'fe80::/64'",
		               cidr);
}
