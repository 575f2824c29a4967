/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writing wrapper scripts (CONTRACT section 5), for script_store.c alone. A batch is written in the order
 * create all, each with its writing to the disk begun, fsync all from several threads, put all in place, close all.
 * Behind the last batch the directory is fsynced once, and it is waited until nobody has one open for writing. Most of
 * the time goes into the fsyncs, which the disk takes together. So each content is durable before it has a name, and all
 * names are when this returns.
 *
 * A file without a name (O_TMPFILE) has to be put in place before it is closed; a dot-file does not mind.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "base/fs.h"
#include "runtimes/script_file.h"

#define BATCH_MAX        256
#define SYNC_THREADS     16
#define LEASE_WAIT_MS    1000
#define LEASE_RETRY_NS   100000 /* 0.1 ms */
#define TEMPORARY_TRIALS 1000

int script_write_error(const struct script_store *store, const struct script_file *file, int code,
                       struct rtreg_error *error)
{
	return error_set(error, code, store->path, "cannot write wrapper script %s/%s: %s; %s and reload",
	                 store->path, file->name, fs_error_text(code), fs_error_advice(code));
}

/* --- creating --- */

static int create_dot_file(struct script_store *store, struct script_job *job)
{
	for (int trial = 0; trial < TEMPORARY_TRIALS; trial++) {
		snprintf(job->temporary, sizeof(job->temporary), ".tmp.%ld.%lu", (long)getpid(),
		         store->temporaries++);
		job->fd = openat(store->directory, job->temporary,
		                 O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, SCRIPT_MODE);
		if (job->fd >= 0)
			return 0;
		/* One that an earlier process with our number has left behind. */
		if (errno != EEXIST)
			break;
	}
	job->temporary[0] = '\0';
	return -errno;
}

static int create(struct script_store *store, struct script_job *job)
{
	/*
	 * Only a named file can replace another, and it can always be put in place: what a second try needs.
	 */
	bool named = job->fault != SCRIPT_MISSING || job->again || store->no_tmpfile;

	if (!named) {
		job->fd = openat(store->directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, SCRIPT_MODE);
		if (job->fd >= 0)
			return 0;
		if (!fs_lacks_tmpfile(errno))
			return -errno;
		store->no_tmpfile = true;
	}
	return create_dot_file(store, job);
}

/* Removes what is not in place yet. */
static void drop(struct script_store *store, struct script_job *job)
{
	if (job->fd >= 0)
		close(job->fd);
	job->fd = -1;
	if (job->temporary[0])
		unlinkat(store->directory, job->temporary, 0);
	job->temporary[0] = '\0';
}

/* Mostly it is right: looking costs less than changing. */
static int set_mode(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && (st.st_mode & 07777) == SCRIPT_MODE)
		return 0;
	/* Whatever the umask took away. */
	return fchmod(fd, SCRIPT_MODE) < 0 ? -errno : 0;
}

static int create_and_fill(struct script_store *store, struct script_job *job)
{
	int rc = create(store, job);

	if (rc == 0)
		rc = fs_write_all(job->fd, job->content, job->file->length);
	if (rc == 0)
		rc = set_mode(job->fd);
	if (rc < 0)
		drop(store, job);
	else
		sync_file_range(job->fd, 0, 0, SYNC_FILE_RANGE_WRITE); /* only begins what fsync waits for */
	return rc;
}

/* --- fsync from several threads --- */

struct sync_work {
	struct script_job *jobs;
	size_t count;
	atomic_size_t next;
};

static void *sync_some(void *context)
{
	struct sync_work *work = context;
	size_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->count)
		work->jobs[i].sync_result = fsync(work->jobs[i].fd) < 0 ? -errno : 0;
	return NULL;
}

/*
 * The caller takes part, so that one file needs no thread, and without memory for threads it is only slower.
 */
static void sync_all(struct script_job *jobs, size_t count)
{
	struct sync_work work = {.jobs = jobs, .count = count};
	size_t wanted = (count < SYNC_THREADS ? count : SYNC_THREADS) - 1, started = 0;
	pthread_t threads[SYNC_THREADS];
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	while (started < wanted && pthread_create(&threads[started], NULL, sync_some, &work) == 0)
		started++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	sync_some(&work);
	while (started > 0)
		pthread_join(threads[--started], NULL);
}

/* --- putting in place --- */

static int place_unnamed(struct script_store *store, struct script_job *job)
{
	int rc = fs_link_unnamed(job->fd, store->directory, job->file->name);

	if (rc == 0) {
		job->created = job->placed = true;
		return 0;
	}
	if (rc == -EEXIST) {
		/* Somebody was faster. If it is the right one, so much the better; else replace it. */
		rc = script_file_look(store, job->file, &job->fault);
		job->again = rc == 0 && job->fault;
		job->placed = rc == 0 && !job->fault;
		return rc;
	}
	if (rc == -ENOSPC || rc == -EDQUOT)
		return rc;
	/* What else can be wrong is that such files cannot be linked here; a dot-file will tell. */
	store->no_tmpfile = true;
	job->again = true;
	return 0;
}

static int place_dot_file(struct script_store *store, struct script_job *job)
{
	if (renameat(store->directory, job->temporary, store->directory, job->file->name) < 0)
		return -errno;
	job->temporary[0] = '\0';
	job->placed = true;
	job->created = job->fault == SCRIPT_MISSING;
	return 0;
}

static int place(struct script_store *store, struct script_job *job)
{
	/*
	 * A failed fsync is final: the next one on the same file would report success for pages that never
	 * reached the disk. The file is dropped and written anew.
	 */
	if (job->sync_result < 0) {
		job->again = true;
		return 0;
	}
	return job->temporary[0] ? place_dot_file(store, job) : place_unnamed(store, job);
}

/* --- batches --- */

/* Creates up to `count` files, fewer where descriptors run out. *ret_count is how many. */
static int create_all(struct script_store *store, struct script_job *jobs, size_t count, size_t *ret_count,
                      struct rtreg_error *error)
{
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		rc = create_and_fill(store, &jobs[i]);
		if ((rc == -EMFILE || rc == -ENFILE) && i > 0)
			break;
		if (rc < 0) {
			script_write_error(store, jobs[i].file, rc, error);
			while (i > 0)
				drop(store, &jobs[--i]);
			return rc;
		}
	}
	*ret_count = i;
	return 0;
}

/* One that cannot be put in place keeps none of the others from it. Returns the first error. */
static int place_all(struct script_store *store, struct script_job *jobs, size_t count,
                     struct rtreg_error *error)
{
	int result = 0;

	for (size_t i = 0; i < count; i++) {
		int rc = place(store, &jobs[i]);

		drop(store, &jobs[i]);
		if (rc < 0 && result == 0)
			result = script_write_error(store, jobs[i].file, rc, error);
	}
	return result;
}

/* The second time, after which a failure stays one. */
static int write_anew(struct script_store *store, struct script_job *job, struct rtreg_error *error)
{
	int rc = create_and_fill(store, job);

	if (rc == 0) {
		sync_all(job, 1);
		rc = job->sync_result;
	}
	if (rc == 0)
		rc = place_dot_file(store, job);
	drop(store, job);
	return rc < 0 ? script_write_error(store, job->file, rc, error) : 0;
}

/* --- waiting until each can be executed --- */

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* A child that another thread forked while we wrote holds our descriptor until its exec. */
static int wait_executable(struct script_store *store, struct script_file *file, int64_t deadline_ms,
                           struct problems *problems)
{
	static const struct timespec pause = {.tv_nsec = LEASE_RETRY_NS};
	_cleanup_close_ int fd = -1;

	fd = script_file_open(store, file);
	if (fd < 0)
		return -errno;
	while (script_is_written_to(file, fd)) {
		if (now_ms() >= deadline_ms) {
			problems_warn(
			        problems, store->path,
			        "wrapper script %s/%s: another process has it open for writing; until it "
			        "closes it, containers fail to start with \"Text file busy\"",
			        store->path, file->name);
			break;
		}
		nanosleep(&pause, NULL);
	}
	return script_file_remember(file, fd);
}

static int wait_all(struct script_store *store, struct script_job *jobs, size_t count,
                    struct problems *problems, struct rtreg_error *error)
{
	int64_t deadline_ms = now_ms() + LEASE_WAIT_MS;
	int rc;

	for (size_t i = 0; i < count; i++) {
		if (!jobs[i].placed)
			continue;
		rc = wait_executable(store, jobs[i].file, deadline_ms, problems);
		if (rc < 0)
			return script_write_error(store, jobs[i].file, rc, error);
	}
	return 0;
}

static int sync_directory(struct script_store *store, struct rtreg_error *error)
{
	int rc;

	if (fsync(store->directory) == 0)
		return 0;
	rc = -errno;
	return error_set(error, rc, store->path,
	                 "cannot make the wrapper scripts in %s durable: %s; %s and reload", store->path,
	                 fs_error_text(rc), fs_error_advice(rc));
}

/* On return *count is how many of the jobs were worked on. */
static int write_batch(struct script_store *store, struct script_job *jobs, size_t *count,
                       struct rtreg_error *error)
{
	int r = create_all(store, jobs, *count, count, error);

	if (r < 0)
		return r;
	sync_all(jobs, *count);
	r = place_all(store, jobs, *count, error);
	for (size_t i = 0; r == 0 && i < *count; i++)
		if (jobs[i].again)
			r = write_anew(store, &jobs[i], error);
	return r;
}

int script_files_write(struct script_store *store, struct script_job *jobs, size_t count,
                       struct problems *problems, struct rtreg_error *error)
{
	size_t written = 0;
	int r = 0, rc;

	if (count == 0)
		return 0;
	for (size_t i = 0; i < count; i++)
		jobs[i].fd = -1;
	for (size_t n; r == 0 && written < count; written += n) {
		n = count - written < BATCH_MAX ? count - written : BATCH_MAX;
		r = write_batch(store, jobs + written, &n, error);
	}
	/* What is in place stays there after a failure too, where it replaced something. */
	rc = sync_directory(store, r < 0 ? NULL : error);
	if (rc == 0)
		rc = wait_all(store, jobs, written, problems, r < 0 ? NULL : error);
	return r < 0 ? r : rc;
}
