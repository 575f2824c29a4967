/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"

#include <stdio.h>
#include <string.h>

/* `Z`, `+01:00`, `-03:30`: seconds east of UTC. */
static bool parse_offset(const char *text, int *ret_seconds)
{
	int hours, minutes, length = 0;
	char sign;

	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0) {
		*ret_seconds = 0;
		return true;
	}
	if (sscanf(text, "%c%2d:%2d%n", &sign, &hours, &minutes, &length) != 3 || text[length] ||
	    !strchr("+-", sign))
		return false;
	*ret_seconds = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
	return true;
}

bool moment_parse(const char *rfc3339, time_t *ret_time)
{
	struct tm tm = {0};
	int length = 0, offset;

	if (sscanf(rfc3339, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	           &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &length) != 6 ||
	    length == 0)
		return false;
	rfc3339 += length;
	if (*rfc3339 == '.')
		rfc3339 += 1 + strspn(rfc3339 + 1, "0123456789");
	if (!parse_offset(rfc3339, &offset))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_time = timegm(&tm) - offset;
	return true;
}

void moment_append(struct text *text, const char *rfc3339)
{
	char buffer[64];
	struct tm tm;
	time_t when;

	if (moment_parse(rfc3339, &when) && localtime_r(&when, &tm) &&
	    strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &tm) > 0)
		text_append(text, buffer);
	else
		text_append(text, rfc3339);
}

void moment_append_ago(struct text *text, const char *rfc3339, time_t now)
{
	time_t when;

	if (!moment_parse(rfc3339, &when) || when > now)
		return;
	text_append(text, " (");
	moment_append_duration(text, (uint64_t)(now - when));
	text_append(text, " ago)");
}

void moment_append_duration(struct text *text, uint64_t seconds)
{
	static const struct {
		uint64_t seconds;
		const char *name;
	} units[] = {{86400, "day"}, {3600, "hour"}, {60, "minute"}, {1, "second"}};
	size_t unit = 0;
	uint64_t rest;

	while (unit < ARRAY_SIZE(units) - 1 && seconds < units[unit].seconds)
		unit++;
	text_printf(text, "%llu %s%s", (unsigned long long)(seconds / units[unit].seconds), units[unit].name,
	            seconds / units[unit].seconds == 1 ? "" : "s");
	rest = seconds % units[unit].seconds;
	if (++unit >= ARRAY_SIZE(units) || rest / units[unit].seconds == 0)
		return;
	text_printf(text, " %llu %s%s", (unsigned long long)(rest / units[unit].seconds), units[unit].name,
	            rest / units[unit].seconds == 1 ? "" : "s");
}
