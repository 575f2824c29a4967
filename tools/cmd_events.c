/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* rtregctl events: what has happened, and what happens. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "call.h"
#include "display.h"
#include "moment.h"
#include "say.h"
#include "terminal.h"

#define ATTRIBUTES_WIDTH     100 /* of a line that no terminal limits */
#define ATTRIBUTES_WIDTH_MIN 20

struct listing {
	bool json;
	bool over; /* an event has told that there is no more to come */
	int code;
};

/* Which attributes come first; the others follow in the order of their names. */
static const char *const first_attributes[] = {"error", "default-runtime", "runtimes", "runtime"};

static bool is_first(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(first_attributes); i++)
		if (strcmp(name, first_attributes[i]) == 0)
			return true;
	return false;
}

static void append_attribute(struct text *text, struct json_object *attributes, const char *name)
{
	const char *value = reply_string(attributes, name);

	/* what is not set, and the host's name, which the actor is */
	if (!*value || strcmp(value, "[]") == 0 || strcmp(value, "map[]") == 0 || strcmp(name, "name") == 0)
		return;
	text_printf(text, "%s%s=%s", text->length > 0 ? ", " : "", name, value);
}

static void append_attributes(struct text *text, struct json_object *attributes)
{
	_cleanup_free_ const char **names = reply_keys(attributes);

	for (size_t i = 0; i < ARRAY_SIZE(first_attributes); i++)
		append_attribute(text, attributes, first_attributes[i]);
	for (const char **name = names; name && *name; name++)
		if (!is_first(*name))
			append_attribute(text, attributes, *name);
}

static size_t attributes_width(size_t used)
{
	size_t columns, lines;

	if (!terminal_can_redraw())
		return ATTRIBUTES_WIDTH;
	terminal_size(&columns, &lines);
	return columns > used + ATTRIBUTES_WIDTH_MIN ? columns - used : ATTRIBUTES_WIDTH_MIN;
}

static enum style style_of(const char *action)
{
	static const struct {
		const char *action;
		enum style style;
	} styles[] = {{"reload", STYLE_GOOD}, {"reload-failed", STYLE_BAD}, {"revert", STYLE_BAD}};

	for (size_t i = 0; i < ARRAY_SIZE(styles); i++)
		if (strcmp(action, styles[i].action) == 0)
			return styles[i].style;
	return STYLE_PLAIN;
}

/* Appends at least `width` columns. */
static void append_column(struct text *text, const char *string, size_t width)
{
	size_t used = display_width(string);

	display_append(text, string);
	text_printf(text, "%*s", used < width ? (int)(width - used) : 0, "");
}

/* `2026-11-22 14:28:01   daemon      reload          host-7   default-runtime=kata, …` */
static void print_event(struct json_object *event)
{
	_cleanup_text_ struct text when = {0}, type = {0}, action = {0}, attributes = {0}, line = {0};
	struct json_object *actor = reply_object(event, "Actor");
	const char *id = reply_string(actor, "ID");
	enum style style = style_of(reply_string(event, "Action"));

	moment_append_seconds(&when, (time_t)reply_uint(event, "time"));
	append_column(&type, reply_string(event, "Type"), sizeof("container") - 1);
	append_column(&action, reply_string(event, "Action"), sizeof("reload-failed") - 1);
	append_attributes(&attributes, reply_object(actor, "Attributes"));
	text_printf(&line, "%s   %s   ", text_string(&when), text_string(&type));
	printf("%s%s%s%s   ", text_string(&line), terminal_begin(style), text_string(&action),
	       terminal_end(style));
	display_print(stdout, id);
	text_append(&line, text_string(&action));
	if (attributes.length > 0) {
		_cleanup_text_ struct text cut = {0};

		/* why something failed is told whole */
		if (*reply_string(reply_object(actor, "Attributes"), "error"))
			display_append(&cut, attributes.data);
		else
			display_cut(
			        &cut, attributes.data,
			        attributes_width(display_width(text_string(&line)) + 6 + display_width(id)));
		printf("   %s", text_string(&cut));
	}
	putchar('\n');
}

/* Says how many events were lost. */
static int lost(struct json_object *event)
{
	const char *count = reply_string(reply_object(reply_object(event, "Actor"), "Attributes"), "count");

	say_error("%s %s lost: they were not read fast enough", *count ? count : "some",
	          strcmp(count, "1") == 0 ? "event was" : "events were");
	return EXIT_REFUSED;
}

static bool is_daemon_event(struct json_object *event, const char *action)
{
	return strcmp(reply_string(event, "Type"), "daemon") == 0 &&
	       strcmp(reply_string(event, "Action"), action) == 0;
}

static int take_line(void *context, const char *line, size_t length)
{
	_cleanup_reply_ struct json_object *event = reply_parse(line, length);
	struct listing *listing = context;
	bool was_lost = is_daemon_event(event, "lost");

	if (listing->json) {
		fwrite(line, 1, length, stdout);
		putchar('\n');
	} else if (!*reply_string(event, "Action")) {
		say_error("what rtregd has sent is not an event");
		listing->code = EXIT_NO_DAEMON;
	} else if (!was_lost) {
		print_event(event);
	}
	if (was_lost)
		listing->code = lost(event);
	if (fflush(stdout) != 0 || ferror(stdout))
		listing->code = EXIT_REFUSED; /* main() says why */
	listing->over = is_daemon_event(event, "stop");
	return listing->over || listing->code != EXIT_DONE;
}

/* Appends `,"V"` to the values of K in `filters`, which is what the daemon wants. */
static void append_values(struct text *filters, const struct arguments *arguments, const char *name,
                          size_t length)
{
	const char *filter;
	size_t at = 0;

	while ((filter = arguments_next(arguments, EVENTS_FILTER, &at)))
		if (strncmp(filter, name, length) == 0 && filter[length] == '=')
			json_string(filters, filter + length + 1);
}

/* `{"type":["daemon"],"event":["reload","revert"]}`. False: one has another form, which is said. */
static bool write_filters(struct text *filters, const struct arguments *arguments)
{
	const char *filter;
	size_t at = 0;

	json_open(filters, '{');
	while ((filter = arguments_next(arguments, EVENTS_FILTER, &at))) {
		_cleanup_free_ char *name = NULL;
		size_t length = strcspn(filter, "=");

		if (length == 0 || !filter[length]) {
			say_error("--filter wants K=V, not \"%s\"", filter);
			return false;
		}
		if (arguments_have_key(arguments, EVENTS_FILTER, filter, length, at))
			continue;
		name = strndup(filter, length);
		if (!name)
			return !say_no_memory();
		json_key(filters, name);
		json_open(filters, '[');
		append_values(filters, arguments, filter, length);
		json_close(filters, ']');
	}
	json_close(filters, '}');
	return true;
}

static bool append_time(struct text *target, char separator, const char *name, const char *typed)
{
	_cleanup_text_ struct text time = {0};

	if (!moment_append_typed(&time, typed)) {
		say_error("--%s wants a time or how long ago, not \"%s\"", name, typed);
		return false;
	}
	text_printf(target, "%c%s=", separator, name);
	http_append_encoded(target, text_string(&time));
	target->failed |= time.failed;
	return true;
}

/* False: an option is wrong, which is said. */
static bool write_target(struct text *target, const struct arguments *arguments)
{
	const char *since = arguments->options[EVENTS_SINCE], *until = arguments->options[EVENTS_UNTIL];
	_cleanup_text_ struct text filters = {0};
	char separator = '?';

	text_append(target, "/v1/events");
	if (since) {
		if (!append_time(target, separator, "since", since))
			return false;
		separator = '&';
	}
	if (until || !arguments->options[EVENTS_FOLLOW]) {
		if (!append_time(target, separator, "until", until ? until : "0s"))
			return false;
		separator = '&';
	}
	if (!arguments->options[EVENTS_FILTER])
		return true;
	if (!write_filters(&filters, arguments))
		return false;
	text_printf(target, "%cfilters=", separator);
	http_append_encoded(target, text_string(&filters));
	target->failed |= filters.failed;
	return true;
}

int cmd_events(const struct ctl *ctl, const struct arguments *arguments)
{
	_cleanup_text_ struct text target = {0};
	struct listing listing = {.json = ctl->json};
	struct http_request request = {.method = "GET"};
	bool has_until = arguments->options[EVENTS_UNTIL], left;
	struct http_stream stream = {
	        .line = take_line,
	        .context = &listing,
	        .endless = arguments->options[EVENTS_FOLLOW] || has_until, /* it can lie ahead */
	        .reader = STDOUT_FILENO,
	};
	int code;

	if (!write_target(&target, arguments))
		return say_usage("events");
	if (target.failed)
		return say_no_memory();
	request.target = target.data;
	code = call_stream(ctl, &request, &stream, &left);
	if (code != EXIT_DONE || listing.code != EXIT_DONE || listing.over)
		return code != EXIT_DONE ? code : listing.code;
	if (left) {
		raise(SIGPIPE); /* as if it had been written to */
		return EXIT_REFUSED;
	}
	if (!arguments->options[EVENTS_FOLLOW] || has_until)
		return EXIT_DONE;
	say_error("rtregd at %s has ended the stream of events", ctl->socket);
	return EXIT_NO_DAEMON;
}
