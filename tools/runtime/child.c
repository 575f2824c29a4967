/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtime/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

/* Nothing to read; what it says goes to `said`. */
static void redirect(int said)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(fd == STDERR_FILENO ? said : null, fd);
}

/* systemd names the process that is to have its sockets: that is whoever is executed, not we. */
static void take_over_sockets(pid_t parent)
{
	const char *meant = getenv("LISTEN_PID");
	char ours[16], theirs[16];

	snprintf(theirs, sizeof(theirs), "%d", parent);
	snprintf(ours, sizeof(ours), "%d", getpid());
	if (meant && strcmp(meant, theirs) == 0)
		setenv("LISTEN_PID", ours, 1);
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
	take_over_sockets(parent);
	argv[0] = (char *)path;
	execv(path, argv);
	code = -errno;
	(void)fs_write_all(failure, &code, sizeof(code));
	_exit(127);
}

/*
 * Returns the process that has executed `path`, or why there is none, as a negative errno. `said` NULL: with our
 * standard descriptors.
 */
static pid_t start(const char *path, char **argv, const struct inherited *inherited, const int *said)
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
		if (said)
			redirect(*said);
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
 * `before` it; and that the terminal has gone is told to the leader of its session alone.
 */
static bool is_for_child(const siginfo_t *info, pid_t pid, sigset_t *before)
{
	const bool early = sigismember(before, info->si_signo) == 1;

	if (info->si_signo == SIGCHLD)
		return false;
	sigdelset(before, info->si_signo);
	if (info->si_signo == SIGHUP && getsid(0) == getpid())
		return true;
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
	pid = start(path, argv, &inherited, NULL);
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

/* A file in memory that cannot grow past what is read of it; -1: none to be had, see errno. */
static int begin_said(size_t size)
{
	int fd = (int)syscall(SYS_memfd_create, "said", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 &&
	    (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) < 0))
		close(take_fd(&fd));
	return fd;
}

static int end_said(int fd, struct child_answer *ret)
{
	ssize_t size = pread(fd, ret->said, sizeof(ret->said) - 1, 0);

	if (size < 0)
		return -errno;
	ret->said[size] = '\0';
	return 0;
}

int child_ask(const char *path, char **argv, struct child_answer *ret)
{
	_cleanup_close_ int said = begin_said(sizeof(ret->said));
	struct inherited ours, standard = {.child = {.sa_handler = SIG_DFL}};
	pid_t pid;
	int r;

	if (said < 0)
		return -errno;
	sigemptyset(&standard.mask);
	prepare(&ours);
	pid = start(path, argv, &standard, &said);
	r = pid < 0 ? pid : wait_a_while(pid);
	if (r == -ETIMEDOUT)
		kill(pid, SIGKILL);
	if (pid > 0)
		while (waitpid(pid, &ret->status, 0) < 0 && errno == EINTR)
			;
	sigaction(SIGCHLD, &ours.child, NULL);
	return r < 0 ? r : end_said(said, ret);
}
