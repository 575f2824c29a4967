/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/mask.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "base/visible.h"

/* Any name that is known is shorter, and so is a runtime's. */
#define NAME_SHOWN_MAX 256

/* What must not be seen of the strings of a value. */
enum hide {
	HIDE_NOTHING,
	HIDE_USER_INFO, /* the string is a URL */
	HIDE_IN_URLS,   /* the string may be anything, a URL too */
	HIDE_BY_NAME,   /* as HIDE_IN_URLS, and members whose names say so altogether */
	HIDE_ALL,
};

bool mask_hides(const char *name)
{
	static const char *const words[] = {"token", "password", "secret", "key"};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}

size_t mask_scheme_length(const char *url)
{
	size_t length = strspn(url, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return length > 0 && strncmp(url + length, "://", 3) == 0 ? length + 3 : 0;
}

/* Schemes whose rest is the path or name of a socket, in which an @ is just a letter. */
static bool is_local(const char *url)
{
	static const char *const schemes[] = {"unix://", "npipe://", "fd://"};

	for (size_t i = 0; i < ARRAY_SIZE(schemes); i++)
		if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0)
			return true;
	return false;
}

/*
 * A password may hold @, / or ? without being escaped, and then no rule can tell where the user info ends. So
 * all up to the last @ goes: too much is hidden of a path with an @, but nothing is shown of a password.
 */
void mask_url(struct text *text, const char *url)
{
	size_t scheme = mask_scheme_length(url);
	const char *at = strrchr(url, '@');

	if (!at || at == url + scheme || is_local(url)) {
		text_append(text, url);
		return;
	}
	text_append_n(text, url, scheme);
	text_append(text, MASKED ":" MASKED);
	text_append(text, at);
}

/* Looks at no more than it shows: there can be a million members below one name of megabytes. */
void mask_name(struct text *text, const char *name)
{
	size_t length = strnlen(name, NAME_SHOWN_MAX + 1);
	_cleanup_text_ struct text masked = {0};

	if (!memmem(name, length, "://", 3)) {
		visible_append_cut(text, name, NAME_SHOWN_MAX);
		return;
	}
	/* Of a URL that is cut nobody knows where its user info ends. */
	if (length > NAME_SHOWN_MAX)
		text_append(&masked, MASKED ELLIPSIS);
	else
		mask_url(&masked, name);
	visible_append(text, text_string(&masked));
	text->failed |= masked.failed;
}

static enum hide hide_of_key(const struct key_info *key)
{
	if (key->traits & KEY_HIDES_BY_NAME)
		return HIDE_BY_NAME;
	return key->traits & KEY_HIDES_USER_INFO ? HIDE_USER_INFO : HIDE_NOTHING;
}

static enum hide hide_of_member(enum hide hide, const char *name)
{
	if (hide == HIDE_BY_NAME)
		return mask_hides(name) ? HIDE_ALL : HIDE_IN_URLS;
	return hide;
}

/* The string to show; `scratch` (empty before) holds it if it is not the value's own. */
static const char *shown(struct text *scratch, enum hide hide, const char *string)
{
	if (hide != HIDE_USER_INFO && !strstr(string, "://"))
		return string;
	mask_url(scratch, string);
	return text_string(scratch);
}

static void write_value(struct text *text, enum hide hide, const struct value *value);

static void write_string(struct text *text, enum hide hide, const char *string)
{
	_cleanup_text_ struct text scratch = {0};

	json_string(text, shown(&scratch, hide, string));
	text->failed |= scratch.failed;
}

static void write_members(struct text *text, enum hide hide, const struct value *object)
{
	json_open(text, '{');
	for (uint32_t i = 0; i < object->count; i++) {
		const struct member *member = &object->members[i];

		json_key(text, member->key);
		write_value(text, hide_of_member(hide, member->key), &member->value);
	}
	json_close(text, '}');
}

static void write_value(struct text *text, enum hide hide, const struct value *value)
{
	if (hide == HIDE_NOTHING) {
		value_write(text, value);
	} else if (hide == HIDE_ALL) {
		json_string(text, MASKED);
	} else if (value->type == VALUE_STRING) {
		write_string(text, hide, value->string);
	} else if (value->type == VALUE_OBJECT) {
		write_members(text, hide, value);
	} else if (value->type == VALUE_ARRAY) {
		json_open(text, '[');
		for (uint32_t i = 0; i < value->count; i++)
			write_value(text, hide, &value->elements[i]);
		json_close(text, ']');
	} else {
		value_write(text, value);
	}
}

void mask_write(struct text *text, const struct key_info *key, const struct value *value)
{
	char bytes[32];

	if (key->type != KEY_BYTES || value->type != VALUE_INT) {
		write_value(text, hide_of_key(key), value);
		return;
	}
	snprintf(bytes, sizeof(bytes), "%lld", (long long)value->integer);
	json_string(text, bytes);
}

static void print_value(struct text *text, enum hide hide, const struct value *value);

static void print_string(struct text *text, enum hide hide, const char *string)
{
	_cleanup_text_ struct text scratch = {0};

	visible_append(text, hide == HIDE_NOTHING ? string : shown(&scratch, hide, string));
	text->failed |= scratch.failed;
}

static void print_list(struct text *text, enum hide hide, const struct value *array)
{
	text_append_char(text, '[');
	for (uint32_t i = 0; i < array->count; i++) {
		if (i > 0)
			text_append_char(text, ' ');
		print_value(text, hide, &array->elements[i]);
	}
	text_append_char(text, ']');
}

static void print_map(struct text *text, enum hide hide, const struct value *object)
{
	text_append(text, "map[");
	for (uint32_t i = 0; i < object->count; i++) {
		const struct member *member = &object->members[i];

		if (i > 0)
			text_append_char(text, ' ');
		visible_append(text, member->key);
		text_append_char(text, ':');
		print_value(text, hide_of_member(hide, member->key), &member->value);
	}
	text_append_char(text, ']');
}

static void print_value(struct text *text, enum hide hide, const struct value *value)
{
	if (hide == HIDE_ALL)
		text_append(text, MASKED);
	else if (value->type == VALUE_ARRAY)
		print_list(text, hide, value);
	else if (value->type == VALUE_OBJECT)
		print_map(text, hide, value);
	else if (value->type == VALUE_STRING || value->type == VALUE_NUMBER)
		print_string(text, hide, value->string);
	else if (value->type == VALUE_BOOL)
		text_append(text, value->boolean ? "true" : "false");
	else if (value->type == VALUE_INT)
		text_printf(text, "%lld", (long long)value->integer);
	else
		text_append(text, "null");
}

void mask_print(struct text *text, const struct key_info *key, const struct value *value)
{
	print_value(text, hide_of_key(key), value);
}
