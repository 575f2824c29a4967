/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a start makes of the record of a trial. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "registry/registry.h"

#define RECORD_MAX ((off_t)512 << 20) /* no configuration is as large */

bool trial_record_exists(const char *path)
{
	_cleanup_free_ char *record = NULL;
	struct stat st;

	if (asprintf(&record, "%s/" RECORD_FILE, path) < 0) {
		record = NULL;
		return true; /* whoever looks at it says that there is no memory */
	}
	/* What cannot be looked at is not known to be missing. */
	return lstat(record, &st) == 0 || (errno != ENOENT && errno != ENOTDIR);
}

int trial_open_failed(const struct rtreg *registry, int code, struct rtreg_error *error)
{
	_cleanup_error_ struct rtreg_error own = {0};

	if (code == -ENOMEM || !error)
		return code;
	own = *error;
	*error = (struct rtreg_error){0};
	error_set(error, code, registry->setup.state_dir,
	          "cannot start with the confirmed configuration, %s/" RECORD_FILE
	          ": %s; put it right, or remove the file to start with the configuration files",
	          registry->setup.state_dir, own.message);
	error->more = take(own.more);
	return code;
}

static int open_record(const struct rtreg *registry, size_t *ret_size, struct rtreg_error *error)
{
	_cleanup_close_ int fd = openat(state_directory(registry->state), RECORD_FILE,
	                                O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return -ENOENT;
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_set(error, state_code(-errno), NULL, "cannot be read: %s",
		                 fs_error_text(-errno));
	if (!S_ISREG(st.st_mode) || st.st_size > RECORD_MAX)
		return error_set(error, -EIO, NULL, "it is no regular file, or too large");
	*ret_size = (size_t)st.st_size;
	return take_fd(&fd);
}

/* -ENOENT without a message: there is none. */
static int read_record(const struct rtreg *registry, char **ret, size_t *ret_length,
                       struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	_cleanup_close_ int fd = -1;
	size_t size = 0;
	int r;

	fd = open_record(registry, &size, error);
	if (fd < 0)
		return fd;
	text = malloc(size + 1);
	if (!text)
		return error_no_memory(error);
	r = fs_read_full(fd, text, size, ret_length);
	if (r < 0)
		return error_set(error, state_code(r), NULL, "cannot be read: %s", fs_error_text(r));
	*ret = take(text);
	return 0;
}

static void warn(const struct record *record, struct problems *problems)
{
	const char *again = record->files[0] ? "; change the files, or reload them, to leave it" : "";

	problems_warn(problems, NULL,
	              record->state == RECORD_PENDING
	                      ? "the configuration on trial was not confirmed: started with the confirmed "
	                        "one, of generation %llu, in place of the configuration files%s"
	                      : "the configuration files are those that were reverted: started with the "
	                        "confirmed configuration, of generation %llu, in their place%s",
	              (unsigned long long)record->generation, again);
}

/* A pending record is taken always; that of what was reverted, while it is in the files. */
static int is_taken(const struct rtreg *registry, bool *ret)
{
	const struct record *record = &registry->trial.record;
	char files[DIGEST_LENGTH + 1];
	int r;

	*ret = true;
	if (record->state == RECORD_PENDING)
		return 0;
	r = input_digest_files(&registry->setup, files);
	if (r == -ENOMEM)
		return r;
	/* Files that cannot be read are not what they were, and say so themselves. */
	*ret = r == 0 && strcmp(files, record->files) == 0;
	return 0;
}

static int read_input(struct rtreg *registry, struct input *input, bool *ret_taken, struct problems *problems,
                      struct rtreg_error *error)
{
	_cleanup_free_ char *text = NULL;
	struct record_tree tree;
	size_t length;
	int r = read_record(registry, &text, &length, error);

	if (r < 0)
		return r;
	*input = (struct input){.arena = arena_new(), .exact = true};
	if (!input->arena)
		return error_no_memory(error);
	r = record_parse(input->arena, text, length, &registry->trial.record, &tree, error);
	if (r < 0)
		return r;
	if (is_taken(registry, ret_taken) < 0)
		return error_no_memory(error);
	if (*ret_taken &&
	    record_settings(input->arena, registry->setup.keys, &tree, &input->file, problems) < 0)
		return error_no_memory(error);
	return 0;
}

int trial_open(struct rtreg *registry, struct input *input, bool *ret, struct problems *problems,
               struct rtreg_error *error)
{
	bool taken = false;
	int r = read_input(registry, input, &taken, problems, error);

	if (r < 0 || !taken)
		input_fini(input);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return trial_open_failed(registry, r, error);
	if (!taken)
		return 0;
	settings_conflicts(&registry->setup.flags, &input->file, problems);
	warn(&registry->trial.record, problems);
	registry->trial.at_open = *ret = true;
	return 0;
}

void trial_opened(struct rtreg *registry, struct problems *problems)
{
	struct record next = registry->trial.record;
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_free_ char *text = NULL;
	int r = 0;

	if (next.state == RECORD_NONE || (next.state == RECORD_REVERTED && registry->trial.at_open))
		return;
	/* Left alone it is taken by the next start as well, which is why this is but a warning. */
	if (next.state == RECORD_PENDING && next.files[0]) {
		next.state = RECORD_REVERTED;
		text = record_write(&next, store_live(&registry->store), registry->setup.flags.keys);
		r = text ? 0 : error_no_memory(&error);
	} else {
		next = (struct record){0};
	}
	if (r == 0)
		r = trial_replace_record(registry, text, &next, &error);
	if (r < 0)
		problems_warn(problems, NULL, "%s", error.message);
}
