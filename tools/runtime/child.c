/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/fs.h"
#include "base/problems.h"
#include "runtime/target.h"

#define ASK_MS 10000

/* What the child gets back of what was changed for its sake. */
struct inherited {
	sigset_t mask;
	struct sigaction child;
};

/* Whoever started us may ignore SIGCHLD, and nobody could be waited for then. */
static void prepare(struct inherited *ret)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};

	sigaction(SIGCHLD, &standard, &ret->child);
}

static void silence(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null, fd);
}

/* In the child. */
static _Noreturn void become(const char *path, char **argv, const struct inherited *inherited, pid_t parent,
                             int failure)
{
	int code;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent) /* it died before it could be heard of */
		_exit(1);
	sigaction(SIGCHLD, &inherited->child, NULL);
	sigprocmask(SIG_SETMASK, &inherited->mask, NULL);
	argv[0] = (char *)path;
	execv(path, argv);
	code = -errno;
	(void)fs_write_all(failure, &code, sizeof(code));
	_exit(127);
}

/* Returns the process that has executed `path`, or why there is none, as a negative errno. */
static pid_t start(const char *path, char **argv, const struct inherited *inherited, bool silent)
{
	_cleanup_close_ int from = -1, to = -1;
	const pid_t parent = getpid();
	int ends[2], code = 0;
	size_t size = 0;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	from = ends[0];
	to = ends[1];
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (silent)
			silence();
		become(path, argv, inherited, parent, to);
	}
	close(take_fd(&to));
	if (fs_read_full(from, &code, sizeof(code), &size) < 0 || size == 0)
		return pid;
	waitpid(pid, NULL, 0);
	return code;
}

static bool is_of_terminal(int number)
{
	return number == SIGTSTP || number == SIGTTIN || number == SIGTTOU;
}

/*
 * Looks after the child: true once it has ended. One that the terminal stopped stops us too, so that the shell
 * sees it, and goes on when we do. Who stops it by hand lets it go on by hand.
 */
static bool has_ended(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, WNOHANG | WUNTRACED) == pid) {
		if (!WIFSTOPPED(status)) {
			*ret_status = status;
			return true;
		}
		if (is_of_terminal(WSTOPSIG(status))) {
			raise(SIGSTOP);
			kill(pid, SIGCONT);
		}
	}
	return false;
}

/*
 * Those that the kernel sends, for the terminal, reach the whole process group; but not the child, if they came
 * `before` it.
 */
static bool is_for_child(const siginfo_t *info, pid_t pid, sigset_t *before)
{
	const bool early = sigismember(before, info->si_signo) == 1;

	if (info->si_signo == SIGCHLD)
		return false;
	sigdelset(before, info->si_signo);
	return early || (info->si_code <= 0 && info->si_pid != pid);
}

static int wait_for(pid_t pid, sigset_t *before)
{
	sigset_t all;
	siginfo_t info;
	int status = 0;

	sigfillset(&all);
	while (!has_ended(pid, &status)) {
		if (sigwaitinfo(&all, &info) > 0 && is_for_child(&info, pid, before))
			kill(pid, info.si_signo);
	}
	return status;
}

int child_run(const char *path, char **argv, int *ret_status, struct rtreg_error *error)
{
	struct inherited inherited;
	sigset_t all, before;
	pid_t pid;

	/* first, so that none is lost that comes before there is a child */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &inherited.mask);
	prepare(&inherited);
	sigpending(&before);
	pid = start(path, argv, &inherited, false);
	if (pid < 0) {
		sigaction(SIGCHLD, &inherited.child, NULL);
		sigprocmask(SIG_SETMASK, &inherited.mask, NULL);
		return target_failed(path, pid, error);
	}
	*ret_status = wait_for(pid, &before);
	return 0;
}

static void die_by(int number)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	const struct rlimit none = {0, 0};
	sigset_t one;

	setrlimit(RLIMIT_CORE, &none); /* the child has left its own, if any */
	sigaction(number, &standard, NULL);
	raise(number);
	sigemptyset(&one);
	sigaddset(&one, number);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

int child_end(int status)
{
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	die_by(WTERMSIG(status));
	return 128 + WTERMSIG(status);
}

/* Waits for the end of a process for a while; without pidfd_open(2), for ever. */
static int wait_a_while(pid_t pid)
{
	_cleanup_close_ int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd ended = {.fd = fd, .events = POLLIN};
	int count;

	if (fd < 0)
		return 0;
	do
		count = poll(&ended, 1, ASK_MS);
	while (count < 0 && errno == EINTR);
	return count == 0 ? -ETIMEDOUT : 0;
}

int child_ask(const char *path, char **argv, bool *ret_yes)
{
	struct inherited inherited;
	int status = 1, r = 0;
	pid_t pid;

	sigprocmask(SIG_SETMASK, NULL, &inherited.mask);
	prepare(&inherited);
	pid = start(path, argv, &inherited, true);
	if (pid > 0) {
		r = wait_a_while(pid);
		if (r < 0)
			kill(pid, SIGKILL);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		*ret_yes = r == 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	} else if (pid == -EAGAIN || pid == -ENOMEM) {
		r = pid;
	} else {
		*ret_yes = false;
	}
	sigaction(SIGCHLD, &inherited.child, NULL);
	return r;
}
