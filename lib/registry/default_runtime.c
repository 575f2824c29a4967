/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * STATE/default-runtime: what a container without a lock-in gets, for those who must know it without asking
 * (docs/lockins.md). It is made anew at each start, so nothing is synced.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "registry/registry.h"

#define NEW_FILE "." DEFAULT_RUNTIME_FILE ".new"

static int write_text(const struct rtreg_snapshot *live, struct text *text)
{
	struct rtreg_runtime runtime;
	struct rtreg_lock_in lock_in;
	int r = rtreg_resolve(live, NULL, &runtime, NULL);

	if (r < 0)
		return r;
	lock_in = (struct rtreg_lock_in){.runtime = runtime.name,
	                                 .shim = runtime.shim,
	                                 .options_json = runtime.options_json,
	                                 .binary = runtime.binary,
	                                 .wrapper = runtime.wrapper};
	json_open(text, '{');
	lock_in_write_runtime(text, &lock_in);
	json_close(text, '}');
	text_append_char(text, '\n');
	return text->failed ? -ENOMEM : 0;
}

/* It is the right one, and nobody else may write to it: what stands there is executed. */
static bool is_there(int state, const struct text *text)
{
	_cleanup_close_ int fd =
	        openat(state, DEFAULT_RUNTIME_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	_cleanup_free_ char *found = fd < 0 ? NULL : malloc(text->length + 1);
	struct stat st;
	size_t length;

	if (!found || fstat(fd, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & (S_IWGRP | S_IWOTH)))
		return false;
	return fs_read_full(fd, found, text->length + 1, &length) == 0 && length == text->length &&
	       memcmp(found, text->data, length) == 0;
}

static int replace(int state, const struct text *text)
{
	_cleanup_close_ int fd = -1;
	int r;

	unlinkat(state, NEW_FILE, 0);
	fd = openat(state, NEW_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	r = fs_write_all(fd, text->data, text->length);
	if (r == 0 && renameat(state, NEW_FILE, state, DEFAULT_RUNTIME_FILE) < 0)
		r = -errno;
	if (r < 0)
		unlinkat(state, NEW_FILE, 0);
	return r;
}

int default_runtime_write(struct rtreg *registry, const struct rtreg_snapshot *live,
                          struct rtreg_error *error)
{
	int state = state_directory(registry->state), r;
	_cleanup_text_ struct text text = {0};

	r = write_text(live, &text);
	if (r == 0 && !is_there(state, &text))
		r = replace(state, &text);
	if (r < 0)
		return error_set(error, state_code(r), registry->setup.state_dir,
		                 "state directory %s: cannot write " DEFAULT_RUNTIME_FILE
		                 ", which rtreg-runtime needs for containers that are not locked in: %s; %s "
		                 "and reload",
		                 registry->setup.state_dir, fs_error_text(r), fs_error_advice(r));
	return 0;
}
