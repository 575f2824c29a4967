/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/script_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/fs.h"
#include "runtimes/script_file.h"

/* Files that a call made known; they are the store's. */
struct script_batch {
	size_t count;
	struct {
		struct script_file *file;
		bool created; /* else it was in place, and right */
	} items[];
};

/* --- the known files --- */

struct script_file *script_store_find(const struct script_store *store, const char *name)
{
	return script_table_find(&store->files, name);
}

static bool is_known(const struct script_store *store, const char *name)
{
	return script_store_find(store, name) != NULL;
}

/* --- the directory --- */

static int directory_error(const char *path, int code, const char *what, struct rtreg_error *error)
{
	return error_set(error, code, path,
	                 "cannot %s the directory %s for wrapper scripts: %s; %s and try again", what, path,
	                 fs_error_text(code), fs_error_advice(code));
}

/* It must be ours; others must not be able to put anything there. */
static int check_owner_and_mode(const struct script_store *store, int fd, struct problems *problems,
                                struct rtreg_error *error)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return directory_error(store->path, -errno, "look at", error);
	if (st.st_uid != store->uid)
		return error_set(
		        error, -EPERM, store->path,
		        "the directory %s for wrapper scripts belongs to uid %lu, not to uid %lu; move it "
		        "away or give it to uid %lu",
		        store->path, (unsigned long)st.st_uid, (unsigned long)store->uid,
		        (unsigned long)store->uid);
	if ((st.st_mode & 07777) == SCRIPT_MODE)
		return 0;
	if (fchmod(fd, SCRIPT_MODE) < 0)
		return directory_error(store->path, -errno, "change the mode of", error);
	problems_warn(problems, store->path, "directory %s: mode %04o changed to %04o", store->path,
	              (unsigned)st.st_mode & 07777, SCRIPT_MODE);
	return 0;
}

static int open_directory(const struct script_store *store, int *ret_fd, struct problems *problems,
                          struct rtreg_error *error)
{
	_cleanup_close_ int fd = -1;
	bool made = mkdir(store->path, SCRIPT_MODE) == 0;
	int rc;

	if (!made && errno != EEXIST)
		return directory_error(store->path, -errno, "make", error);
	fd = open(store->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && (errno == ENOTDIR || errno == ELOOP))
		return error_set(
		        error, -ENOTDIR, store->path,
		        "%s must be a directory for wrapper scripts, not a symbolic link or a file; move "
		        "it away and try again",
		        store->path);
	if (fd < 0)
		return directory_error(store->path, -errno, "open", error);
	if (made && fchmod(fd, SCRIPT_MODE) < 0)
		return directory_error(store->path, -errno, "change the mode of", error);
	rc = check_owner_and_mode(store, fd, problems, error);
	if (rc < 0)
		return rc;
	if (made) {
		rc = fs_sync_parent(store->path);
		if (rc < 0)
			return directory_error(store->path, rc, "make durable", error);
	}
	*ret_fd = take_fd(&fd);
	return 0;
}

static void warn_noexec(const struct script_store *store, struct problems *problems)
{
	struct statvfs st;

	if (fstatvfs(store->directory, &st) == 0 && (st.f_flag & ST_NOEXEC))
		problems_warn(
		        problems, store->path,
		        "directory %s is on a file system mounted noexec: containers whose runtime has "
		        "arguments cannot start; remount it with exec or choose another state directory",
		        store->path);
}

/*
 * Somebody may have changed, removed or exchanged the directory; then go on with the one that is at its path.
 */
static int repair_directory(struct script_store *store, struct problems *problems, struct rtreg_error *error)
{
	struct stat ours, there;
	int fd = -1, rc;

	script_opens_read(store);
	if (fstat(store->directory, &ours) == 0 && lstat(store->path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino)
		return check_owner_and_mode(store, store->directory, problems, error);
	rc = open_directory(store, &fd, problems, error);
	if (rc < 0)
		return rc;
	close(store->directory);
	store->directory = fd;
	store->no_tmpfile = false;
	script_opens_begin(store);
	problems_warn(problems, store->path,
	              "directory %s was removed or replaced; its scripts are written anew", store->path);
	return 0;
}

/* --- opening and closing --- */

static char *copy_without_slashes(const char *path)
{
	size_t length = strlen(path);

	/* With one at its end, open() would follow a symbolic link. */
	while (length > 1 && path[length - 1] == '/')
		length--;
	return strndup(path, length);
}

int script_store_new(const char *directory, struct statistics *statistics, struct script_store **ret,
                     struct problems *problems, struct rtreg_error *error)
{
	struct script_store *store = calloc(1, sizeof(*store));
	int rc;

	if (!store)
		return error_no_memory(error);
	store->directory = store->opens = -1;
	store->uid = geteuid();
	store->statistics = statistics;
	store->path = copy_without_slashes(directory);
	rc = store->path ? open_directory(store, &store->directory, problems, error) : error_no_memory(error);
	if (rc < 0) {
		script_store_free(store);
		return rc;
	}
	script_opens_begin(store);
	warn_noexec(store, problems);
	*ret = store;
	return 0;
}

void script_store_free(struct script_store *store)
{
	if (!store)
		return;
	script_opens_end(store);
	script_table_fini(&store->files);
	if (store->directory >= 0)
		close(store->directory);
	free(store->path);
	free(store);
}

/* --- adding --- */

struct job_list {
	struct script_job *jobs;
	size_t count, capacity;
};

/* Makes the scripts that are not known yet known, with a job for each; `keep`: with their contents. */
static int enter_unknown(struct script_store *store, const struct script *scripts, size_t count, bool keep,
                         struct job_list *list)
{
	for (size_t i = 0; i < count; i++) {
		struct script_file *file;

		if (is_known(store, scripts[i].name))
			continue;
		file = script_file_new(scripts[i].name, scripts[i].length);
		if (!file || (keep && script_file_keep(file, scripts[i].content) < 0) ||
		    script_table_add(&store->files, file) < 0) {
			script_file_free(file);
			return -ENOMEM;
		}
		list->jobs[list->count++] = (struct script_job){.file = file, .content = scripts[i].content};
	}
	return 0;
}

/*
 * Counts what was written, and warns of faults that a person may want to know about; that one is missing is what a new
 * script looks like.
 */
static void tell_of_writes(const struct script_store *store, const struct job_list *list, bool missing_too,
                           struct problems *problems)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct script_job *job = &list->jobs[i];

		if (!job->fault)
			continue;
		if (job->fault == SCRIPT_MISSING && !missing_too) {
			statistics_count(store->statistics, COUNT_SCRIPTS_WRITTEN, 1);
			continue;
		}
		statistics_count(store->statistics, COUNT_SCRIPTS_REPAIRED, 1);
		problems_warn(problems, store->path, "wrapper script %s/%s: %s; put right", store->path,
		              job->file->name, job->fault);
	}
}

/*
 * Opening a script for a closer look is told to us too, and what is not read in time is lost: then it is not known of
 * any script whether it is open, and all are opened. So it is read now and then.
 */
#define LOOKS_BETWEEN_READS 1024

static int look(struct script_store *store, size_t index, struct script_job *job, struct rtreg_error *error)
{
	int rc;

	if (index % LOOKS_BETWEEN_READS == 0)
		script_opens_read(store);
	rc = script_file_look(store, job->file, &job->fault);
	if (rc < 0)
		error_set(error, rc, store->path, "cannot look at wrapper script %s/%s: %s; %s and reload",
		          store->path, job->file->name, fs_error_text(rc), fs_error_advice(rc));
	return rc;
}

/*
 * Orders the jobs so that those with a fault stand before the files that are already right; tells how many.
 */
static int find_faults(struct script_store *store, struct job_list *list, size_t *ret_faults,
                       struct rtreg_error *error)
{
	size_t faults = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct script_job job = list->jobs[i];
		int rc = look(store, i, &job, error);

		if (rc < 0)
			return rc;
		list->jobs[i] = list->jobs[faults];
		list->jobs[job.fault ? faults : i] = job;
		if (job.fault)
			faults++;
	}
	*ret_faults = faults;
	return 0;
}

static int write_unknown(struct script_store *store, struct job_list *list, struct problems *problems,
                         struct rtreg_error *error)
{
	size_t faults = 0;
	int rc = find_faults(store, list, &faults, error);

	if (rc == 0)
		rc = script_files_write(store, list->jobs, faults, problems, error);
	return rc;
}

/* What could not be added is forgotten; files that were adopted or put right are right all the same. */
static void take_back(struct script_store *store, struct job_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->jobs[i].created)
			unlinkat(store->directory, list->jobs[i].file->name, 0);
		script_table_remove(&store->files, list->jobs[i].file);
	}
}

static struct script_batch *batch_new(size_t capacity)
{
	struct script_batch *batch;

	return calloc(1, sizeof(*batch) + capacity * sizeof(*batch->items));
}

static void batch_fill(struct script_batch *batch, const struct job_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		batch->items[i].file = list->jobs[i].file;
		batch->items[i].created = list->jobs[i].created;
	}
	batch->count = list->count;
}

/* `expected`: one that is missing is a fault; and contents are kept. */
static int add(struct script_store *store, const struct script *scripts, size_t count, bool expected,
               struct script_batch **ret_batch, struct problems *problems, struct rtreg_error *error)
{
	_cleanup_free_ struct script_job *jobs = calloc(count + 1, sizeof(*jobs));
	_cleanup_free_ struct script_batch *batch = NULL;
	struct job_list list = {.jobs = jobs};
	int rc;

	if (!jobs)
		return error_no_memory(error);
	rc = repair_directory(store, problems, error);
	if (rc < 0)
		return rc;
	batch = batch_new(count);
	if (!batch)
		return error_no_memory(error);
	rc = enter_unknown(store, scripts, count, expected, &list);
	rc = rc < 0 ? error_no_memory(error) : write_unknown(store, &list, problems, error);
	if (rc < 0) {
		take_back(store, &list);
		return rc;
	}
	tell_of_writes(store, &list, expected, problems);
	batch_fill(batch, &list);
	if (ret_batch)
		*ret_batch = take(batch);
	return 0;
}

int script_store_add(struct script_store *store, const struct script *scripts, size_t count,
                     struct script_batch **ret_batch, struct problems *problems, struct rtreg_error *error)
{
	return add(store, scripts, count, false, ret_batch, problems, error);
}

int script_store_restore(struct script_store *store, const struct script *scripts, size_t count,
                         struct problems *problems, struct rtreg_error *error)
{
	return add(store, scripts, count, true, NULL, problems, error);
}

int script_store_keep(struct script_store *store, const struct script *script)
{
	struct script_file *file = script_store_find(store, script->name);

	return file ? script_file_keep(file, script->content) : 0;
}

void script_store_discard(struct script_store *store, struct script_batch *batch)
{
	if (!batch)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->items[i].created)
			unlinkat(store->directory, batch->items[i].file->name, 0);
		script_table_remove(&store->files, batch->items[i].file);
	}
	free(batch);
}

void script_batch_free(struct script_batch *batch)
{
	free(batch);
}

/* --- repairing --- */

static int add_job(struct job_list *list, const struct script_job *job)
{
	size_t capacity = list->capacity ? 2 * list->capacity : 16;
	struct script_job *jobs;

	if (list->count == list->capacity) {
		jobs = reallocarray(list->jobs, capacity, sizeof(*jobs));
		if (!jobs)
			return -ENOMEM;
		list->jobs = jobs;
		list->capacity = capacity;
	}
	list->jobs[list->count++] = *job;
	return 0;
}

static int compare_jobs(const void *a, const void *b)
{
	return strcmp(((const struct script_job *)a)->file->name, ((const struct script_job *)b)->file->name);
}

/* Mostly none, so there are jobs for those alone; in order of name, as they are told of. */
static int find_damaged(struct script_store *store, struct job_list *list, struct rtreg_error *error)
{
	for (size_t i = 0; i < store->files.count; i++) {
		struct script_job job = {.file = store->files.files[i]};
		int rc = look(store, i, &job, error);

		if (rc < 0)
			return rc;
		if (job.fault && add_job(list, &job) < 0)
			return error_no_memory(error);
	}
	if (list->count > 0)
		qsort(list->jobs, list->count, sizeof(*list->jobs), compare_jobs);
	return 0;
}

/* A damaged script whose content is not kept. */
static struct script_job *job_without_content(const struct job_list *list, const char *name)
{
	size_t begin = 0, end = list->count;

	while (begin < end) {
		size_t middle = begin + (end - begin) / 2;
		int order = strcmp(name, list->jobs[middle].file->name);

		if (order == 0)
			return list->jobs[middle].content ? NULL : &list->jobs[middle];
		if (order < 0)
			end = middle;
		else
			begin = middle + 1;
	}
	return NULL;
}

/* The contents that are not kept, for as long as it takes to write them. */
static int fetch_contents(const struct job_list *list, struct script_source *source, struct script_list *made)
{
	const char *name;

	made->scripts = calloc(list->count + 1, sizeof(*made->scripts));
	if (!made->scripts)
		return -ENOMEM;
	for (size_t i = 0; i < list->count; i++)
		list->jobs[i].content = list->jobs[i].file->content;
	while (source && list->count > 0 && (name = source->next(source))) {
		struct script_job *job = job_without_content(list, name);
		struct script *script = &made->scripts[made->count];
		int r = job ? source->make(source, script) : 0;

		if (r < 0)
			return r;
		if (job) {
			job->content = script->content;
			made->count++;
		}
	}
	return 0;
}

/* Every script is kept, or the live snapshot's; so none is without content. */
static int check_contents(const struct script_store *store, const struct job_list *list,
                          struct rtreg_error *error)
{
	for (size_t i = 0; i < list->count; i++)
		if (!list->jobs[i].content)
			return error_set(error, -EIO, store->path,
			                 "wrapper script %s/%s: %s, and its content is not known any more",
			                 store->path, list->jobs[i].file->name, list->jobs[i].fault);
	return 0;
}

int script_store_repair(struct script_store *store, struct script_source *source, struct problems *problems,
                        struct rtreg_error *error)
{
	_cleanup_(script_list_fini) struct script_list made = {0};
	struct job_list list = {0};
	int rc;

	rc = repair_directory(store, problems, error);
	if (rc == 0)
		rc = find_damaged(store, &list, error);
	if (rc == 0 && fetch_contents(&list, source, &made) < 0)
		rc = error_no_memory(error);
	if (rc == 0)
		rc = check_contents(store, &list, error);
	if (rc == 0)
		rc = script_files_write(store, list.jobs, list.count, problems, error);
	if (rc == 0)
		tell_of_writes(store, &list, true, problems);
	free(list.jobs);
	return rc;
}

/* --- sweeping --- */

static void sweep_entry(struct script_store *store, const char *name, struct problems *problems)
{
	struct stat st;

	if (fstatat(store->directory, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode)) {
		problems_warn(problems, store->path,
		              "%s/%s is not a wrapper script and was left alone; remove it", store->path,
		              name);
		return;
	}
	if (unlinkat(store->directory, name, 0) < 0 && errno != ENOENT)
		problems_warn(problems, store->path, "cannot remove the unused wrapper script %s/%s: %s",
		              store->path, name, fs_error_text(-errno));
}

void script_store_sweep(struct script_store *store, struct problems *problems)
{
	int fd = openat(store->directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_closedir_ DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		problems_warn(problems, store->path, "cannot look for unused wrapper scripts in %s: %s",
		              store->path, fs_error_text(-errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    !is_known(store, entry->d_name))
			sweep_entry(store, entry->d_name, problems);
}
