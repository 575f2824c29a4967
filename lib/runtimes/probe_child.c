/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One poll loop over the children of a probe. Each child is a process group of its own, so that what it
 * starts ends with it. The program around the library may ignore SIGCHLD, or reap every child that it sees:
 * then waiting says ECHILD, the exit status is unknown and the output alone counts.
 */
#include "runtimes/probe_child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "base/fs.h"
#include "base/problems.h"
#include "base/utf8.h"
#include "bytes/scan.h"

#define RUNNING_MAX  32
#define TICK_MS      20   /* looking for ended children where the kernel has no pidfds */
#define REAP_WAIT_MS 1000 /* for a killed process that hangs in the kernel */

struct probe_loop {
	struct probe_child *running[RUNNING_MAX];
	size_t count;
	int64_t deadline_ms;
	int limit_ms;
	bool failed; /* out of memory */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

__attribute__((format(printf, 4, 5))) static void answer_failure(struct probe_loop *loop,
                                                                 struct probe_child *child, bool final,
                                                                 const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (vasprintf(&child->failure, format, args) < 0) {
		child->failure = NULL;
		loop->failed = true;
	}
	va_end(args);
	child->final = final;
}

static void answer_late(struct probe_loop *loop, struct probe_child *child)
{
	if (loop->limit_ms % 1000 == 0)
		answer_failure(loop, child, false, "no answer within %d s", loop->limit_ms / 1000);
	else
		answer_failure(loop, child, false, "no answer within %d ms", loop->limit_ms);
}

/* --- the document --- */

static bool is_utf8(const char *text, size_t length)
{
	size_t step;

	for (size_t i = 0; i < length; i += step) {
		step = utf8_sequence(text + i, length - i);
		if (step == 0)
			return false;
	}
	return true;
}

/* Takes the white space between the tokens of valid JSON away; all else stays as it was written. */
static void make_compact(char *json)
{
	bool in_string = false;
	char *to = json;

	for (const char *from = json; *from; from++) {
		if (!in_string && strchr(" \t\r\n", *from))
			continue;
		if (*from == '"')
			in_string = !in_string;
		/* What is escaped, a quote perhaps, goes along unseen. */
		if (in_string && *from == '\\')
			*to++ = *from++;
		*to++ = *from;
	}
	*to = '\0';
}

static void answer_output(struct probe_loop *loop, struct probe_child *child)
{
	_cleanup_error_ struct rtreg_error error = {0};
	size_t length = child->text.length;
	struct scan scan;
	char *document;

	if (length == 0) {
		answer_failure(loop, child, true, "no output");
		return;
	}
	document = text_steal(&child->text);
	if (!document) {
		loop->failed = true;
		return;
	}
	if (!is_utf8(document, length))
		answer_failure(loop, child, true, "the output is not UTF-8");
	else if (scan_json(document, length, &scan, &error) < 0)
		answer_failure(loop, child, true, "%s", error.message);
	else if (document[strspn(document, " \t\r\n")] != '{')
		answer_failure(loop, child, true, "the output is not a JSON object");
	if (child->failure || loop->failed) {
		free(document);
		return;
	}
	make_compact(document);
	child->document = document;
	child->final = true;
}

/* --- one child --- */

static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none, all;
	int rc;

	sigemptyset(&none);
	sigfillset(&all);
	rc = posix_spawnattr_setflags(attributes,
	                              POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (rc == 0)
		rc = posix_spawnattr_setpgroup(attributes, 0);
	if (rc == 0)
		rc = posix_spawnattr_setsigmask(attributes, &none);
	if (rc == 0)
		rc = posix_spawnattr_setsigdefault(attributes, &all);
	return rc;
}

static int set_files(posix_spawn_file_actions_t *files, int output)
{
	/* First, in case `output` itself is 0 or 2, as in a process without standard descriptors. */
	int rc = posix_spawn_file_actions_adddup2(files, output, 1);

	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);
	if (rc == 0)
		rc = posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
	/* The program around the library may have opened some without O_CLOEXEC. */
	if (rc == 0)
		rc = posix_spawn_file_actions_addclosefrom_np(files, 3);
	return rc;
}

/* Returns 0 or an errno, as posix_spawn() does. */
static int spawn(struct probe_child *child, int output)
{
	char *argv[] = {(char *)child->binary, (char *)"features", NULL};
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int rc;

	rc = posix_spawnattr_init(&attributes);
	if (rc != 0)
		return rc;
	rc = posix_spawn_file_actions_init(&files);
	if (rc != 0) {
		posix_spawnattr_destroy(&attributes);
		return rc;
	}
	rc = set_attributes(&attributes);
	if (rc == 0)
		rc = set_files(&files, output);
	if (rc == 0)
		rc = posix_spawn(&child->pid, child->binary, &files, &attributes, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return rc;
}

static bool is_passing(int number)
{
	return number == EAGAIN || number == ENOMEM || number == EMFILE || number == ENFILE ||
	       number == ETXTBSY;
}

/* False: it could not be started, and has its answer. */
static bool start(struct probe_loop *loop, struct probe_child *child)
{
	int ends[2], rc;

	child->output = child->pidfd = -1;
	if (pipe2(ends, O_CLOEXEC) < 0) {
		answer_failure(loop, child, false, "cannot make a pipe: %s", fs_error_text(-errno));
		return false;
	}
	rc = spawn(child, ends[1]);
	close(ends[1]);
	if (rc != 0) {
		close(ends[0]);
		answer_failure(loop, child, !is_passing(rc), "cannot execute it: %s", fs_error_text(-rc));
		return false;
	}
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	child->output = ends[0];
	child->pidfd = (int)syscall(SYS_pidfd_open, child->pid, 0);
	return true;
}

/* Reads what there is, at most one byte more than allowed. */
static void read_output(struct probe_loop *loop, struct probe_child *child)
{
	char buffer[16384];
	ssize_t n;

	while (child->output >= 0 && child->text.length <= PROBE_OUTPUT_MAX) {
		n = read(child->output, buffer, sizeof(buffer));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			close(child->output);
			child->output = -1;
			return;
		}
		text_append_n(&child->text, buffer, (size_t)n);
		if (child->text.failed) {
			loop->failed = true;
			return;
		}
	}
}

enum child_state { CHILD_RUNS, CHILD_ENDED, CHILD_LOST };

/* Leaves an ended child unreaped: until then nobody else can get its number. */
static enum child_state look_at(const struct probe_child *child)
{
	siginfo_t info = {0};

	while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
		if (errno != EINTR)
			return CHILD_LOST;
	return info.si_pid == 0 ? CHILD_RUNS : CHILD_ENDED;
}

/* Returns the wait status, or -1 if it is unknown. */
static int reap(struct probe_child *child)
{
	struct pollfd ended = {.fd = child->pidfd, .events = POLLIN};
	int status;
	pid_t pid;

	/* Even a killed process may hang in the kernel; then rather a zombie than a reload that hangs. */
	if (child->pidfd >= 0 && poll(&ended, 1, REAP_WAIT_MS) == 0)
		return -1;
	do
		pid = waitpid(child->pid, &status, 0);
	while (pid < 0 && errno == EINTR);
	return pid == child->pid ? status : -1;
}

/* Ends the child and everything that it started, and frees what it took. Returns as reap(). */
static int end(struct probe_child *child, enum child_state state)
{
	int status = -1;

	/* A lost one's number may be somebody else's already. */
	if (state != CHILD_LOST) {
		kill(-child->pid, SIGKILL);
		status = reap(child);
	}
	if (child->output >= 0)
		close(child->output);
	if (child->pidfd >= 0)
		close(child->pidfd);
	return status;
}

/* True: the child is done with, and has its answer unless memory ran out. */
static bool advance(struct probe_loop *loop, struct probe_child *child)
{
	/* Before the reading, so that what it wrote last is read. */
	enum child_state state = look_at(child);
	int status;

	read_output(loop, child);
	if (child->text.length > PROBE_OUTPUT_MAX) {
		end(child, state);
		answer_failure(loop, child, true, "more than 1 MiB of output");
		return true;
	}
	if (state == CHILD_RUNS)
		return false;
	status = end(child, state);
	if (status >= 0 && WIFSIGNALED(status))
		answer_failure(loop, child, true, "killed by signal %d", WTERMSIG(status));
	else if (status >= 0 && WEXITSTATUS(status) != 0)
		answer_failure(loop, child, true, "exit status %d", WEXITSTATUS(status));
	else
		answer_output(loop, child);
	return true;
}

/* --- all of them --- */

/* Until something happens, or the time is over. */
static void wait_for_any(const struct probe_loop *loop)
{
	struct pollfd fds[2 * RUNNING_MAX];
	int64_t left_ms = loop->deadline_ms - now_ms();

	for (size_t i = 0; i < loop->count; i++) {
		fds[2 * i] = (struct pollfd){.fd = loop->running[i]->output, .events = POLLIN};
		fds[2 * i + 1] = (struct pollfd){.fd = loop->running[i]->pidfd, .events = POLLIN};
		if (loop->running[i]->pidfd < 0 && left_ms > TICK_MS)
			left_ms = TICK_MS;
	}
	poll(fds, 2 * loop->count, left_ms > 0 ? (int)left_ms : 0);
}

static void advance_all(struct probe_loop *loop)
{
	size_t kept = 0;

	for (size_t i = 0; i < loop->count; i++) {
		struct probe_child *child = loop->running[i];

		if (advance(loop, child))
			text_fini(&child->text);
		else
			loop->running[kept++] = child;
	}
	loop->count = kept;
}

static void end_all(struct probe_loop *loop)
{
	for (size_t i = 0; i < loop->count; i++) {
		struct probe_child *child = loop->running[i];

		end(child, look_at(child));
		text_fini(&child->text);
		answer_late(loop, child);
	}
	loop->count = 0;
}

int probe_children_run(struct probe_child *children, size_t count, int limit_ms)
{
	struct probe_loop loop = {.deadline_ms = now_ms() + limit_ms, .limit_ms = limit_ms};
	size_t next = 0;

	while (!loop.failed && (next < count || loop.count > 0) && now_ms() < loop.deadline_ms) {
		while (next < count && loop.count < RUNNING_MAX) {
			struct probe_child *child = &children[next++];

			if (start(&loop, child))
				loop.running[loop.count++] = child;
		}
		if (loop.count > 0)
			wait_for_any(&loop);
		advance_all(&loop);
	}
	end_all(&loop);
	while (next < count)
		answer_late(&loop, &children[next++]);
	return loop.failed ? -ENOMEM : 0;
}
