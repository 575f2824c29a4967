/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What goes to stderr. All of it is made safe for terminals (display.h). */
#ifndef RTREG_TOOLS_SAY_H
#define RTREG_TOOLS_SAY_H

#include <stdint.h>

/* `rtregctl: MESSAGE` */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A further line that belongs to the error above it. */
void say_detail(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* `warning: MESSAGE` */
void say_warning(const char *message);
/* An error that came with a place, which is left out where the message tells it already. */
void say_detail_at(const char *where, const char *message);
/* Behind what is wrong with a command line: says what explains `command`, and returns the exit code for it. */
int say_usage(const char *command);
/* Says that memory ran out, and returns the exit code for it. */
int say_no_memory(void);

/*
 * The line that tells a person that a call takes its time: in front of anything else said, and only on a
 * terminal. `state` begins as 0 and goes from call to call.
 */
void say_waiting(int64_t *state, int64_t elapsed_ms);
void say_waiting_end(const int64_t *state);

#endif
