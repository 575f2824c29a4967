/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "command.h"
#include "say.h"

static int read_all(int fd, const char *file, struct text *text)
{
	char buffer[64 * 1024];

	for (;;) {
		ssize_t size = read(fd, buffer, sizeof(buffer));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0) {
			say_error("cannot read %s: %s", file, strerror(errno));
			return EXIT_REFUSED;
		}
		if (size == 0)
			return text->failed ? say_no_memory() : EXIT_DONE;
		if ((size_t)size > INPUT_SIZE_MAX - text->length) {
			say_error("%s is larger than %zu MiB", file, INPUT_SIZE_MAX >> 20);
			return EXIT_REFUSED;
		}
		text_append_n(text, buffer, (size_t)size);
	}
}

int input_load(const char *file, struct text *ret_text)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_close_ int opened = -1;
	int fd = STDIN_FILENO, code;

	if (strcmp(file, "-") != 0) {
		fd = opened = open(file, O_RDONLY | O_CLOEXEC);
		if (fd < 0) {
			say_error("cannot open %s: %s", file, strerror(errno));
			return EXIT_REFUSED;
		}
	}
	code = read_all(fd, opened < 0 ? "the standard input" : file, &text);
	if (code != EXIT_DONE)
		return code;
	if (text.length == 0)
		text_append(&text, "{}");
	if (text.failed)
		return say_no_memory();
	*ret_text = text;
	text = (struct text){0};
	return EXIT_DONE;
}
