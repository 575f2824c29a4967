/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "moment.h"

#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000L

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

/* The digits of a fraction, as nanoseconds; returns what stands behind them. */
static const char *parse_fraction(const char *digits, long *ret_ns)
{
	long ns = 0, unit = NS_PER_S / 10;

	for (; *digits >= '0' && *digits <= '9'; digits++, unit /= 10)
		ns += (*digits - '0') * unit;
	*ret_ns = ns;
	return digits;
}

/* Date and time up to the seconds; NULL if there are none, else what stands behind. */
static const char *parse_date_and_time(const char *text, struct tm *ret_tm)
{
	struct tm tm = {.tm_isdst = -1};
	int length = 0;

	if (sscanf(text, "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	           &tm.tm_hour, &tm.tm_min, &tm.tm_sec, &length) != 6 ||
	    length == 0)
		return NULL;
	if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 ||
	    tm.tm_hour > 23 || tm.tm_min < 0 || tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return NULL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_tm = tm;
	return text + length;
}

bool moment_parse(const char *rfc3339, struct timespec *ret_time)
{
	struct timespec time = {0};
	struct tm tm;
	int offset;

	rfc3339 = parse_date_and_time(rfc3339, &tm);
	if (!rfc3339)
		return false;
	if (*rfc3339 == '.')
		rfc3339 = parse_fraction(rfc3339 + 1, &time.tv_nsec);
	if (!parse_offset(rfc3339, &offset))
		return false;
	time.tv_sec = timegm(&tm) - offset;
	*ret_time = time;
	return true;
}

void moment_append(struct text *text, const char *rfc3339)
{
	struct timespec when;

	if (moment_parse(rfc3339, &when))
		moment_append_seconds(text, when.tv_sec);
	else
		text_append(text, rfc3339);
}

void moment_append_seconds(struct text *text, time_t when)
{
	char buffer[64];
	struct tm tm;

	if (localtime_r(&when, &tm) && strftime(buffer, sizeof(buffer), "%Y-%m-%d %H:%M:%S", &tm) > 0)
		text_append(text, buffer);
	else
		text_printf(text, "%lld", (long long)when);
}

bool moment_age(const char *rfc3339, int64_t *ret_seconds)
{
	struct timespec when, now;

	if (!moment_parse(rfc3339, &when))
		return false;
	clock_gettime(CLOCK_REALTIME, &now);
	/* a second that has begun counts for what is to come, and not for what is past */
	*ret_seconds = (int64_t)now.tv_sec - when.tv_sec - (now.tv_nsec < when.tv_nsec);
	return true;
}

void moment_append_distance(struct text *text, const char *rfc3339)
{
	int64_t seconds;

	if (!moment_age(rfc3339, &seconds))
		return;
	text_append(text, seconds < 0 ? " (in " : " (");
	moment_append_duration(text, (uint64_t)(seconds < 0 ? -seconds : seconds));
	text_append(text, seconds < 0 ? ")" : " ago)");
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

static void append_time(struct text *text, const struct timespec *time)
{
	text_printf(text, "%lld.%09ld", (long long)time->tv_sec, time->tv_nsec);
}

/* `1h30m`, `90s`, `250ms`, `1.5h`: whole numbers or fractions, each with its unit. */
static bool parse_duration(const char *typed, double *ret_seconds)
{
	static const struct {
		const char *name;
		double seconds;
	} units[] = {{"ms", 0.001}, {"h", 3600}, {"m", 60}, {"s", 1}};
	double sum = 0;

	do {
		size_t length = strspn(typed, "0123456789."), unit = 0;
		char *end;
		double number = strtod(typed, &end);

		if (length == 0 || end != typed + length)
			return false;
		typed = end;
		while (unit < ARRAY_SIZE(units) &&
		       strncmp(typed, units[unit].name, strlen(units[unit].name)) != 0)
			unit++;
		if (unit == ARRAY_SIZE(units))
			return false;
		typed += strlen(units[unit].name);
		sum += number * units[unit].seconds;
	} while (*typed);
	*ret_seconds = sum;
	return sum < 1e10;
}

static void append_before_now(struct text *text, double seconds)
{
	struct timespec now;
	int64_t whole = (int64_t)seconds;

	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_sec -= whole;
	now.tv_nsec -= (long)((seconds - (double)whole) * (double)NS_PER_S);
	if (now.tv_nsec < 0) {
		now.tv_nsec += NS_PER_S;
		now.tv_sec--;
	}
	append_time(text, &now);
}

/* `2026-11-22`, with a time or without, in the local time zone. */
static bool parse_local(const char *typed, struct timespec *ret_time)
{
	static const char *const rests[] = {"", "T00:00:00", ":00"};
	struct timespec time = {0};

	for (size_t i = 0; i < ARRAY_SIZE(rests); i++) {
		char whole[64];
		const char *behind;
		struct tm tm;

		if (snprintf(whole, sizeof(whole), "%s%s", typed, rests[i]) >= (int)sizeof(whole))
			return false;
		behind = parse_date_and_time(whole, &tm);
		if (behind && *behind == '.')
			behind = parse_fraction(behind + 1, &time.tv_nsec);
		if (!behind || *behind)
			continue;
		time.tv_sec = mktime(&tm);
		*ret_time = time;
		return true;
	}
	return false;
}

static bool is_seconds(const char *typed)
{
	size_t whole = strspn(typed, "0123456789"), fraction = 0;

	if (typed[whole] == '.')
		fraction = 1 + strspn(typed + whole + 1, "0123456789");
	return whole > 0 && fraction != 1 && !typed[whole + fraction];
}

bool moment_append_typed(struct text *text, const char *typed)
{
	struct timespec time;
	double seconds;

	if (is_seconds(typed) || moment_parse(typed, &time))
		text_append(text, typed);
	else if (parse_duration(typed, &seconds))
		append_before_now(text, seconds);
	else if (parse_local(typed, &time))
		append_time(text, &time);
	else
		return false;
	return true;
}
