/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text of the tables in man(7): it holds no requests and no escapes of its own, whatever it begins with. */
#ifndef RTREG_TOOLS_MANUAL_ROFF_H
#define RTREG_TOOLS_MANUAL_ROFF_H

#include "base/text.h"

/* Appends UTF-8 text; a hyphen becomes a minus, which can be searched for and copied. */
void roff_append(struct text *page, const char *string);
/* A help text as a sentence: it begins with a capital and ends with a full stop and the line. */
void roff_sentence(struct text *page, const char *help);
/* Text in bold. */
void roff_bold(struct text *page, const char *string);
/* A value in JSON, in bold, a string without its quotes. */
void roff_value(struct text *page, const char *json);
/* Appends what a usage line says of arguments: words in capitals in italics, options in bold. */
void roff_usage(struct text *page, const char *usage);
/* Begins a paragraph with the tag `-s, --socket SOCKET`; no letter: '\0', no value: NULL. */
void roff_option(struct text *page, char letter, const char *name, const char *value);

#endif
