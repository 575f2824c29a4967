/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guesses from the surroundings of an error. What stands before the offending byte is known to be good, so
 * that strings and brackets can be told apart there by a short look. Only runs once there is an error.
 */
#include "bytes/hint.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#include "base/cleanup.h"

struct place {
	const char *text;
	size_t length, at;
	unsigned depth;      /* brackets open at `at` */
	bool in_string;      /* `at` is within a string */
	size_t string_begin; /* where the last string before `at` begins */
	char before, after;  /* the nearest bytes around that are not white space; NUL at the ends */
};

struct spelling {
	const char *text, *hint;
};

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.';
}

static char byte_at(const struct place *p, size_t at)
{
	return at < p->length ? p->text[at] : '\0';
}

static char after_white(const struct place *p, size_t at)
{
	while (at < p->length && is_white(p->text[at]))
		at++;
	return byte_at(p, at);
}

static char before_white(const struct place *p, size_t at)
{
	while (at > 0 && is_white(p->text[at - 1]))
		at--;
	return at > 0 ? p->text[at - 1] : '\0';
}

static bool begins_with(const struct place *p, size_t at, const char *what)
{
	size_t length = strlen(what);

	return at <= p->length && length <= p->length - at && memcmp(p->text + at, what, length) == 0;
}

static struct place look_around(const char *text, size_t length, size_t offset)
{
	struct place p = {.text = text, .length = length, .at = offset};

	for (size_t i = 0; i < offset; i++) {
		char c = text[i];

		if (p.in_string && c == '\\') {
			i++;
		} else if (c == '"') {
			if (!p.in_string)
				p.string_begin = i;
			p.in_string = !p.in_string;
		} else if (!p.in_string && (c == '{' || c == '[')) {
			p.depth++;
		} else if (!p.in_string && (c == '}' || c == ']') && p.depth > 0) {
			p.depth--;
		}
	}
	p.before = before_white(&p, offset);
	p.after = after_white(&p, offset + 1);
	return p;
}

static bool has_smart_quote(const struct place *p, size_t begin)
{
	for (size_t i = begin; i < p->at; i++)
		if (begins_with(p, i, "\xe2\x80\x9c") || begins_with(p, i, "\xe2\x80\x9d"))
			return true;
	return false;
}

static const char *hint_in_string(const struct place *p)
{
	char c = byte_at(p, p->at);

	if (p->at >= p->length || c == '\n' || c == '\r')
		return has_smart_quote(p, p->string_begin)
		               ? "a smart quote does not end a string, a straight double quote does"
		               : "a closing double quote is missing, or a line break should be written \\n";
	if (c == '\t')
		return "a tab in a string is written \\t";
	if (p->text[p->at - 1] == '\\' && c != '\\')
		return "a backslash itself is written \\\\";
	return NULL;
}

static const char *hint_end(const struct place *p)
{
	return p->depth > 0 ? "a closing brace or bracket is missing" : NULL;
}

/* What is left over from templates, patches, and comments. */
static const char *hint_leftover(const struct place *p)
{
	static const struct spelling spellings[] = {
	        {"{{", "a template leftover, {{"},
	        {"${", "a template leftover, ${"},
	        {"{%", "a template leftover, {%"},
	        {"<%", "a template leftover, <%"},
	        {"<<<<", "a merge conflict marker"},
	        {"====", "a merge conflict marker"},
	        {">>>>", "a merge conflict marker"},
	        {"//", "a comment; JSON has none, remove it"},
	        {"/*", "a comment; JSON has none, remove it"},
	        {"#", "a comment; JSON has none, remove it"},
	        {"<!--", "a comment; JSON has none, remove it"},
	};
	char c = byte_at(p, p->at), previous = p->at > 0 ? p->text[p->at - 1] : '\0';

	if (previous == '{' && c == '{')
		return "a template leftover, {{";
	if (previous == '{' && c == '%')
		return "a template leftover, {%";
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (begins_with(p, p->at, spellings[i].text))
			return spellings[i].hint;
	return NULL;
}

/* Behind the end of the top-level value. */
static const char *hint_top(const struct place *p)
{
	char c = byte_at(p, p->at);
	bool closed = p->before == '}' || p->before == ']';

	if (p->depth > 0 || p->before == '\0')
		return NULL;
	if (c == ':' && p->before == '"')
		return "an outer brace is missing: the whole configuration stands between { and }";
	if (c == ',' && closed && p->after != '\0')
		return "a closing brace too early, or a second object: there can be one only";
	if (c == '{' && closed)
		return "a second object: there can be one only";
	if (c == '}' || c == ']')
		return "one closing brace or bracket too many";
	return NULL;
}

static const char *hint_character(const struct place *p)
{
	static const char smart[] = "a smart quote; use the straight double quote";
	static const char non_breaking[] = "a non-breaking space; use a plain one";
	static const char invisible[] = "an invisible character; remove it";
	static const char white[] = "only space, tab, line feed and carriage return are white space in JSON";
	static const char wide[] = "a full-width character; use the ASCII one";
	static const struct spelling spellings[] = {
	        {"\xe2\x80\x9c", smart},
	        {"\xe2\x80\x9d", smart},
	        {"\xe2\x80\x9e", smart},
	        {"\xe2\x80\x9f", smart},
	        {"\xe2\x80\x98", smart},
	        {"\xe2\x80\x99", smart},
	        {"\xe2\x80\x9a", smart},
	        {"\xe2\x80\xb2", smart},
	        {"\xe2\x80\xb3", smart},
	        {"\xc2\xab", smart},
	        {"\xc2\xbb", smart},
	        {"\xc2\xa0", non_breaking},
	        {"\xe2\x80\xaf", non_breaking},
	        {"\xe2\x80\x87", non_breaking},
	        {"\xe2\x81\xa0", invisible},
	        {"\xe2\x80\x8b", invisible},
	        {"\xef\xbb\xbf", "a byte order mark in the middle of the text; remove it"},
	        {"\xe2\x80", white},
	        {"\xe3\x80\x80", white},
	        {"\f", white},
	        {"\v", white},
	        {"\xef\xbc", wide},
	        {"'", "strings and keys stand in double quotes"},
	        {"`", "strings and keys stand in double quotes"},
	        {"=", "a colon stands between a key and its value"},
	        {";", "a comma stands between members"},
	        {"+", "a number has no plus sign"},
	        {".", "a number begins with a digit"},
	        {"$", "a template leftover, or a string without double quotes"},
	        {"@", "a template leftover, or a string without double quotes"},
	};

	if (byte_at(p, p->at) == '\0')
		return "UTF-16 needs a byte order mark";
	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (begins_with(p, p->at, spellings[i].text))
			return spellings[i].hint;
	return NULL;
}

/* A literal of another language, by its exact spelling. */
static const char *hint_literal(const char *word, size_t length)
{
	static const struct spelling spellings[] = {
	        {"NaN", "JSON has no NaN"},
	        {"nan", "JSON has no NaN"},
	        {"Infinity", "JSON has no infinity"},
	        {"-Infinity", "JSON has no infinity"},
	        {"inf", "JSON has no infinity"},
	        {"-inf", "JSON has no infinity"},
	        {"True", "write true"},
	        {"TRUE", "write true"},
	        {"yes", "write true"},
	        {"on", "write true"},
	        {"False", "write false"},
	        {"FALSE", "write false"},
	        {"no", "write false"},
	        {"off", "write false"},
	        {"None", "write null"},
	        {"NULL", "write null"},
	        {"Null", "write null"},
	        {"nil", "write null"},
	        {"undefined", "write null"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(spellings); i++)
		if (strlen(spellings[i].text) == length && memcmp(word, spellings[i].text, length) == 0)
			return spellings[i].hint;
	return NULL;
}

/* A bare word: a key or a string without quotes, or a literal that JSON does not have. */
static const char *hint_word(const struct place *p)
{
	size_t begin = p->at, end = p->at;
	const char *hint;

	if (!isalpha((unsigned char)byte_at(p, p->at)) && byte_at(p, p->at) != '_')
		return NULL;
	while (begin > 0 && is_word(p->text[begin - 1]))
		begin--;
	while (end < p->length && is_word(p->text[end]))
		end++;
	hint = hint_literal(p->text + begin, end - begin);
	if (hint)
		return hint;
	if (after_white(p, end) == ':')
		return p->depth > 0 ? "a key stands in double quotes"
		                    : "an outer brace is missing, and a key stands in double quotes";
	if (isdigit((unsigned char)p->text[begin]))
		return "a number is written in decimal digits alone; other text stands in double quotes";
	return "a string stands in double quotes";
}

const char *hint_find(const char *text, size_t length, size_t offset)
{
	static const char *(*const rules[])(const struct place *) = {hint_leftover, hint_top, hint_character,
	                                                             hint_word};
	struct place p = look_around(text, length, offset);
	const char *hint = NULL;

	if (p.in_string)
		return hint_in_string(&p);
	if (offset >= length)
		return hint_end(&p);
	if (text[offset] == ',' && (p.after == '}' || p.after == ']' || p.after == '\0'))
		return "a trailing comma; remove it";
	if (text[offset] == ',' && p.before == ',')
		return "one comma too many";
	if (p.before == '"' && is_word(text[offset]) && has_smart_quote(&p, p.string_begin))
		return "a smart quote does not end a string, a straight double quote does";
	for (size_t i = 0; !hint && i < ARRAY_SIZE(rules); i++)
		hint = rules[i](&p);
	return hint;
}
