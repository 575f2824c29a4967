/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/problems.h"
#include "call.h"
#include "display.h"
#include "say.h"
#include "terminal.h"

struct watcher {
	const struct ctl *ctl;
	const char *target;
	print_fn print;
	bool redraws;
	size_t lines; /* that stand on the terminal, the cursor below them */
	bool any, waiting;
};

/* Nothing about the terminal was changed that would have to be put right. */
static void end(int signal)
{
	(void)signal;
	_exit(EXIT_DONE);
}

/* Makes the block to show; there is none unless EXIT_DONE is returned. */
static int render(const struct watcher *w, const struct http_reply *reply, struct json_object *root,
                  char **ret_block)
{
	_cleanup_free_ char *block = NULL;
	size_t size;
	FILE *out = open_memstream(&block, &size);
	int code = EXIT_DONE;

	if (!out)
		return say_no_memory();
	if (w->ctl->json)
		call_print(reply, out);
	else
		code = w->print(root, out);
	if (fclose(out) != 0)
		return say_no_memory();
	if (code == EXIT_DONE)
		*ret_block = take(block);
	return code;
}

/* Draws a block over the one before it: each line cut to the terminal, and no more lines than it has. */
static void redraw(struct watcher *w, const char *block)
{
	_cleanup_text_ struct text text = {0};
	size_t columns, lines, drawn = 0;
	const char *end;

	terminal_size(&columns, &lines);
	if (w->lines > 0)
		text_printf(&text, "\r\033[%zuA", w->lines);
	for (; (end = strchr(block, '\n')); block = end + 1, drawn++) {
		_cleanup_free_ char *line = strndup(block, (size_t)(end - block));
		bool last = drawn + 2 >= lines && end[1];

		/* erased first: behind a line as wide as the terminal its last character would go */
		text_append(&text, "\033[K");
		display_cut_styled(&text, !line ? "?" : last ? "\xe2\x80\xa6" : line, columns);
		text_append_char(&text, '\n');
		if (last) {
			drawn++;
			break;
		}
	}
	text_append(&text, "\033[J");
	w->lines = drawn;
	fputs(text_string(&text), stdout);
}

/* Returns false if that cannot be written. */
static bool show(struct watcher *w, const char *block)
{
	if (w->redraws)
		redraw(w, block);
	else
		printf("%s%s", w->any ? "\n" : "", block);
	w->any = true;
	return fflush(stdout) == 0 && !ferror(stdout);
}

static int show_reply(struct watcher *w, const struct http_reply *reply, struct json_object *root)
{
	_cleanup_free_ char *block = NULL;
	int code = render(w, reply, root, &block);

	if (!block)
		return code;
	w->waiting = false;
	return show(w, block) ? EXIT_DONE : EXIT_REFUSED;
}

/* That rtregd does not answer is shown in the block's place, or once on stderr. */
static int show_waiting(struct watcher *w, const char *why)
{
	_cleanup_text_ struct text text = {0};

	if (!w->redraws) {
		if (!w->waiting)
			say_error("waiting for rtregd: %s", why);
		w->waiting = true;
		return EXIT_DONE;
	}
	text_append(&text, "waiting for rtregd: ");
	display_append(&text, why);
	text_append_char(&text, '\n');
	return show(w, text_string(&text)) ? EXIT_DONE : EXIT_REFUSED;
}

/* Asks as call() does, but takes no answer for one that is yet to come. */
static int again(struct watcher *w)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	struct http_request request = {.method = "GET", .target = w->target};
	struct http_wait wait = {.timeout_ms = w->ctl->timeout_ms};

	if (http_call(w->ctl->socket, &request, &wait, &reply, &error) < 0)
		return show_waiting(w, error.message);
	root = reply_parse(reply.body, reply.length);
	if (reply.status == 200 && root)
		return show_reply(w, &reply, root);
	return show_waiting(w, *reply_string(root, "message") ? reply_string(root, "message")
	                                                      : "it does not answer as it should");
}

int watch(const struct ctl *ctl, const char *target, print_fn print)
{
	_cleanup_http_reply_ struct http_reply reply = {0};
	_cleanup_reply_ struct json_object *root = NULL;
	struct watcher w = {.ctl = ctl, .target = target, .print = print};
	struct http_request request = {.method = "GET", .target = target};
	struct sigaction action = {.sa_handler = end};
	const struct timespec pause = {.tv_sec = 1};
	int code;

	w.redraws = terminal_can_redraw() && !ctl->json;
	sigaction(SIGINT, &action, NULL);
	code = call(ctl, &request, &reply, &root);
	if (code == EXIT_DONE)
		code = show_reply(&w, &reply, root);
	while (code == EXIT_DONE) {
		nanosleep(&pause, NULL);
		code = again(&w);
	}
	return code;
}
