/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "head.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* A second field of the kind is a conflict unless it says the same. */
static void note(struct head *head, const char **slot, const char *value)
{
	if (*slot && strcasecmp(*slot, value) != 0)
		head->conflict = true;
	*slot = value;
}

/* A set of bytes, 64 to a word. */
struct byte_set {
	uint64_t words[4];
};

#define BIT(c)  ((uint64_t)1 << ((c) % 64))
#define DIGITS  (BIT('9' + 1) - BIT('0'))
#define LETTERS ((BIT('Z' + 1) - BIT('A')) | (BIT('z' + 1) - BIT('a')))
#define MARKS_LOW                                                                                            \
	(BIT('!') | BIT('#') | BIT('$') | BIT('%') | BIT('&') | BIT('\'') | BIT('*') | BIT('+') | BIT('-') | \
	 BIT('.'))
#define MARKS_HIGH (BIT('^') | BIT('_') | BIT('`') | BIT('|') | BIT('~'))

/* What the name of a field is made of (RFC 9110, 5.6.2). */
static const struct byte_set token = {.words = {DIGITS | MARKS_LOW, LETTERS | MARKS_HIGH}};

/*
 * "Content-Length : 2" is a field of another name to the HTTP library, which then takes the body for the next
 * request.
 */
static bool is_token(const char *name)
{
	const unsigned char *at = (const unsigned char *)name;

	while (token.words[*at / 64] >> (*at % 64) & 1)
		at++;
	return at != (const unsigned char *)name && *at == '\0';
}

void head_add_field(struct head *head, const char *name, const char *value)
{
	head->fields++;
	head->malformed = head->malformed || !is_token(name);
	if (strcasecmp(name, "Content-Length") == 0)
		note(head, &head->length, value ? value : "");
	else if (strcasecmp(name, "Transfer-Encoding") == 0)
		note(head, &head->encoding, value ? value : "");
}

bool head_has_body(const struct head *head)
{
	return head->malformed || head->encoding || (head->length && strcmp(head->length, "0") != 0);
}

static bool is_number(const char *text)
{
	return *text && strspn(text, "0123456789") == strlen(text);
}

void head_check(const struct head *head, struct reply *reply)
{
	if (head->conflict || (head->length && head->encoding) || (head->length && !is_number(head->length)))
		reply_message(reply, 400, "the length of the body is given in conflicting or malformed ways");
	else if (head->malformed)
		reply_message(reply, 400, "a header field has a malformed name");
	else if (head->encoding && strcasecmp(head->encoding, "chunked") != 0)
		reply_message(reply, 501, "unknown transfer encoding");
	else if (head->size_bytes > HEAD_MAX_BYTES || head->fields > HEAD_MAX_FIELDS)
		reply_message(reply, 431, "the request's head is too large");
}

unsigned long long head_body_length(const struct head *head)
{
	return head->length ? strtoull(head->length, NULL, 10) : 0;
}
