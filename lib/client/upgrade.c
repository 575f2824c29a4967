/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/upgrade.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/statistics.h"
#include "client/exchange.h"
#include "shared/format.h"

#define NS_PER_MS 1000000

static int take_head(struct exchange *x)
{
	char *line;
	int result = exchange_line(x, &line);

	if (result < 0)
		return result;
	if (strncmp(line, "HTTP/1.1 101", strlen("HTTP/1.1 101")) != 0)
		return -EOPNOTSUPP;
	do
		result = exchange_line(x, &line);
	while (result == 0 && *line);
	if (result < 0)
		return result;
	return x->taken == x->in.length ? 0 : -EPROTO;
}

int upgrade_open(const char *socket, int64_t timeout_ms, int *ret_fd)
{
	struct http_wait wait = {.timeout_ms = timeout_ms};
	_cleanup_exchange_ struct exchange x = {.socket = socket, .wait = &wait, .fd = -1, .reader = -1};
	int result;

	text_printf(&x.out,
	            "GET %s HTTP/1.1\r\nHost: rtreg\r\nUser-Agent: rtreg/%s\r\nConnection: Upgrade\r\n",
	            SHARED_TARGET, RTREG_VERSION);
	text_append(&x.out, "Upgrade: " SHARED_PROTOCOL "\r\n\r\n");
	if (x.out.failed)
		return -ENOMEM;
	exchange_begin(&x);
	if (exchange_open(&x) < 0)
		return -ENOTCONN;
	result = take_head(&x);
	if (result < 0)
		return result;
	*ret_fd = take_fd(&x.fd);
	return 0;
}

static int wait_for_answer(int fd, int64_t end_ns)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};

	for (;;) {
		int64_t left_ms = (end_ns - statistics_now_ns()) / NS_PER_MS;
		int count;

		if (left_ms <= 0)
			return -ETIMEDOUT;
		count = poll(&poller, 1, left_ms < INT32_MAX ? (int)left_ms : INT32_MAX);
		if (count > 0)
			return 0;
		if (count < 0 && errno != EINTR)
			return -errno;
	}
}

/* Room for one descriptor and no more: what else comes the kernel closes. */
static int take_answer(int fd, struct shared_answer *ret, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {ret, sizeof(*ret)};
	struct msghdr message = {.msg_iov = &part,
	                         .msg_iovlen = 1,
	                         .msg_control = &control,
	                         .msg_controllen = CMSG_LEN(sizeof(int))};
	ssize_t size = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);

	if (size < 0)
		return -errno;
	if (message.msg_controllen >= CMSG_LEN(sizeof(int)) && control.header.cmsg_level == SOL_SOCKET &&
	    control.header.cmsg_type == SCM_RIGHTS && control.header.cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(ret_fd, CMSG_DATA(&control.header), sizeof(*ret_fd));
	if (size == 0)
		return -ECONNRESET;
	return size == sizeof(*ret) ? 0 : -EPROTO;
}

int upgrade_ask(int fd, uint32_t what, int64_t timeout_ms, int *ret_fd)
{
	int64_t end_ns = statistics_now_ns() + timeout_ms * NS_PER_MS;
	struct shared_question question = {.what = what};
	_cleanup_close_ int received = -1;
	struct shared_answer answer = {0};
	int result;

	if (send(fd, &question, sizeof(question), MSG_NOSIGNAL | MSG_DONTWAIT) != sizeof(question))
		return -ECONNRESET;
	do {
		result = wait_for_answer(fd, end_ns);
		if (result == 0)
			result = take_answer(fd, &answer, &received);
	} while (result == -EAGAIN || result == -EINTR);
	if (result < 0)
		return result;
	if (answer.what != what || answer.code > 0)
		return -EPROTO;
	if (answer.code < 0)
		return answer.code;
	if (received < 0)
		return -EMFILE;
	*ret_fd = take_fd(&received);
	return 0;
}
