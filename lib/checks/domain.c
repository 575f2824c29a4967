/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checks/domain.h"

static size_t label_length(struct span text)
{
	size_t length = 0;

	while (length < text.length && (span_is_alnum(text.start[length]) || text.start[length] == '-'))
		length++;
	if (length == 0 || text.start[0] == '-' || text.start[length - 1] == '-')
		return 0;
	return length;
}

size_t domain_length(struct span text)
{
	size_t end = 0, label;

	for (;;) {
		label = label_length((struct span){text.start + end, text.length - end});
		if (label == 0)
			return 0;
		end += label;
		if (end == text.length || text.start[end] != '.')
			return end;
		end++;
	}
}
