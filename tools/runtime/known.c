/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether a runtime still knows a container. A lock-in goes by that answer, and without it nobody could reach its
 * container any more: so only an answer that leaves no doubt is a no.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/fs.h"
#include "base/problems.h"
#include "base/visible.h"
#include "runtime/child.h"
#include "runtime/front_door.h"
#include "runtime/target.h"

#define QUOTED_MAX 300

/* What shells exit with where a script's command is missing or no program. */
#define SHELL_NOT_EXECUTABLE 126
#define SHELL_NOT_FOUND      127

/* How runtimes say that there is no such container: runc, runsc, kata, youki; and others. */
static const char *const unknown_texts[] = {"does not exist", "no such container", "container not found",
                                            "unknown container"};

/* crun tells of the file that it looked for: `…/ID/status`: No such file or directory. */
static bool lacks_file(const char *said, const char *container)
{
	_cleanup_free_ char *file = NULL;

	if (!strcasestr(said, "no such file or directory"))
		return false;
	if (asprintf(&file, "/%s/status", container) < 0) {
		file = NULL;
		return false;
	}
	return strstr(said, file) != NULL;
}

/* `container "ID" not found`, also quoted within a log line; a path that ends so is not the container. */
static bool says_not_found(const char *said, const char *container)
{
	for (const char *at = said; (at = strstr(at, container)); at++) {
		const char *behind = at + strlen(container);

		behind += strspn(behind, "\\\"'`):");
		if ((at == said || strchr(" \"'`(", at[-1])) &&
		    strncasecmp(behind, " not found", strlen(" not found")) == 0)
			return true;
	}
	return false;
}

/* One that says nothing at all says so by its exit code. */
static bool says_unknown(const struct child_answer *answer, const char *container)
{
	const char *said = answer->said;

	if (!WIFEXITED(answer->status) || WEXITSTATUS(answer->status) == SHELL_NOT_EXECUTABLE ||
	    WEXITSTATUS(answer->status) == SHELL_NOT_FOUND)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(unknown_texts); i++)
		if (strcasestr(said, unknown_texts[i]))
			return true;
	return !*said || lacks_file(said, container) || says_not_found(said, container);
}

static int does_not_tell(const struct front_door *door, const char *path, int code, const char *why,
                         struct rtreg_error *error)
{
	return error_set(error, code, path,
	                 "%s does not tell whether it knows container %s, which is locked in to it: %s; if "
	                 "there is none any more: rtregctl unlock",
	                 path, door->container, why);
}

static int no_answer(const struct front_door *door, const char *path, const struct child_answer *answer,
                     struct rtreg_error *error)
{
	_cleanup_text_ struct text why = {0};

	if (WIFEXITED(answer->status))
		text_printf(&why, "exit code %d", WEXITSTATUS(answer->status));
	else
		text_printf(&why, "signal %d", WTERMSIG(answer->status));
	if (*answer->said) {
		text_append(&why, ", ");
		visible_append_cut(&why, answer->said, QUOTED_MAX);
	}
	return why.failed ? error_no_memory(error)
	                  : does_not_tell(door, path, -EPROTO, text_string(&why), error);
}

int known_ask(struct front_door *door, const char *path, bool *ret_known, struct rtreg_error *error)
{
	char **argv = target_state_arguments(door->arena, door->invocation, door->container);
	struct child_answer answer;
	int r = argv ? child_ask(path, argv, &answer) : -ENOMEM;

	if (r == -ENOMEM)
		return error_no_memory(error);
	if (r < 0)
		return does_not_tell(door, path, r, fs_error_text(r), error);
	*ret_known = WIFEXITED(answer.status) && WEXITSTATUS(answer.status) == 0;
	if (*ret_known || says_unknown(&answer, door->container))
		return 0;
	return no_answer(door, path, &answer, error);
}
