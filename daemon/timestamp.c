/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "timestamp.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The last second that fits in int64_t nanoseconds is 9223372036. */
#define MAX_SECONDS INT64_C(9223372035)

int64_t timestamp_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * NS_PER_S + now.tv_nsec;
}

int64_t monotonic_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

int64_t monotonic_about_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return now.tv_sec * 1000 + now.tv_nsec / NS_PER_MS;
}

const char *timestamp_format(int64_t time_ns, int digits, char buffer[TIMESTAMP_TEXT_SIZE])
{
	time_t seconds = time_ns / NS_PER_S;
	char fraction[12];
	struct tm parts;
	size_t length;

	gmtime_r(&seconds, &parts);
	length = strftime(buffer, TIMESTAMP_TEXT_SIZE - sizeof(fraction), "%Y-%m-%dT%H:%M:%S", &parts);
	if (digits > 0) {
		snprintf(fraction, sizeof(fraction), ".%09d", (int)(time_ns % NS_PER_S));
		memcpy(buffer + length, fraction, (size_t)digits + 1);
		length += (size_t)digits + 1;
	}
	buffer[length] = 'Z';
	buffer[length + 1] = '\0';
	return buffer;
}

/* Between `min` and `max` digits at *at as a number. */
static bool read_digits(const char **at, int min, int max, int64_t *ret)
{
	int64_t number = 0;
	int count = 0;

	for (; count < max && isdigit((unsigned char)**at); count++, (*at)++)
		number = number * 10 + (**at - '0');
	*ret = number;
	return count >= min;
}

/* ".5" and so on, if it is there; digits past the ninth are dropped. */
static bool read_fraction(const char **at, int64_t *ret_ns)
{
	int64_t scale = NS_PER_S, number = 0;

	*ret_ns = 0;
	if (**at != '.')
		return true;
	(*at)++;
	if (!isdigit((unsigned char)**at))
		return false;
	for (; isdigit((unsigned char)**at); (*at)++) {
		if (scale == 1)
			continue;
		scale /= 10;
		number = number * 10 + (**at - '0');
	}
	*ret_ns = number * scale;
	return true;
}

static bool read_offset(const char **at, int64_t *ret_seconds)
{
	int64_t hours, minutes, sign = **at == '-' ? -1 : 1;

	*ret_seconds = 0;
	if (**at == 'Z' || **at == 'z') {
		(*at)++;
		return true;
	}
	if (**at != '+' && **at != '-')
		return false;
	(*at)++;
	if (!read_digits(at, 2, 2, &hours) || *(*at)++ != ':' || !read_digits(at, 2, 2, &minutes))
		return false;
	*ret_seconds = sign * (hours * 3600 + minutes * 60);
	return hours < 24 && minutes < 60;
}

/* The calendar's rules are timegm()'s: a date that it would move to another day is none. */
static bool seconds_of(struct tm *parts, int64_t *ret)
{
	struct tm wanted = *parts;
	time_t seconds = timegm(parts);

	*ret = seconds;
	return parts->tm_mday == wanted.tm_mday && parts->tm_mon == wanted.tm_mon &&
	       parts->tm_hour == wanted.tm_hour && parts->tm_min == wanted.tm_min;
}

static int parse_rfc3339(const char *text, int64_t *ret_ns)
{
	static const char separators[] = {'-', '-', 'T', ':', ':', '\0'};
	int64_t field[6], fraction, offset, seconds;
	const char *at = text;
	struct tm parts = {0};

	for (int i = 0; i < 6; i++) {
		int width = i == 0 ? 4 : 2;

		if (!read_digits(&at, width, width, &field[i]))
			return -EINVAL;
		if (separators[i] && toupper((unsigned char)*at++) != separators[i])
			return -EINVAL;
	}
	parts.tm_year = (int)field[0] - 1900;
	parts.tm_mon = (int)field[1] - 1;
	parts.tm_mday = (int)field[2];
	parts.tm_hour = (int)field[3];
	parts.tm_min = (int)field[4];
	parts.tm_sec = (int)field[5];
	if (parts.tm_sec > 60 || !seconds_of(&parts, &seconds) || !read_fraction(&at, &fraction) ||
	    !read_offset(&at, &offset) || *at != '\0')
		return -EINVAL;
	seconds -= offset;
	if (seconds > MAX_SECONDS || seconds < -MAX_SECONDS)
		return -EINVAL;
	*ret_ns = seconds * NS_PER_S + fraction;
	return 0;
}

int timestamp_parse(const char *text, int64_t *ret_ns)
{
	int64_t seconds, fraction;
	const char *at = text;

	if (strchr(text, '-') || strchr(text, ':'))
		return parse_rfc3339(text, ret_ns);
	if (!read_digits(&at, 1, 12, &seconds) || !read_fraction(&at, &fraction) || *at != '\0')
		return -EINVAL;
	*ret_ns = seconds > MAX_SECONDS ? INT64_MAX : seconds * NS_PER_S + fraction;
	return 0;
}
