/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * sd_notify() looks for its address in the environment at each call, where every child finds it too, and it
 * waits without end for a service manager that does not read. So the address is kept here, and the datagrams
 * are sent from here, each whole, as sd_notify() would.
 */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "base/text.h"
#include "base/visible.h"
#include "log.h"
#include "timestamp.h"

#define SEND_TIMEOUT_S  5
#define STATUS_MAX      512 /* systemd reads at most 4096 bytes of a datagram */
#define TRY_AGAIN_MS    250 /* when the service manager's queue is full */
#define EXTEND_S        30  /* more time to stop in, each time */
#define EXTEND_AGAIN_MS 10000
/* A reload that takes longer is stuck: so many intervals of the watchdog, and twice what probes may take. */
#define STUCK_INTERVALS 4
#define STUCK_LEAST_MS  10000

/* Written by notify_init() alone, but for the last ones. */
static struct {
	int fd; /* -1: nobody wants to know */
	struct sockaddr_un address;
	socklen_t address_size;
	int64_t watchdog_ms;                  /* its interval; 0: none */
	int64_t watchdog_at_ms, extend_at_ms; /* the main loop's */
	_Atomic int64_t reload_since_ms;      /* 0: none is under way */
	bool reload_told;                     /* the reload thread's */
	atomic_bool stopping;
} notify = {.fd = -1};

/* --- sending --- */

/* False: it was not sent. `flags` as for sendto(). */
static bool send_text(const char *text, int flags)
{
	ssize_t sent;

	if (notify.fd < 0)
		return true;
	do
		sent = sendto(notify.fd, text, strlen(text), MSG_NOSIGNAL | flags,
		              (const struct sockaddr *)&notify.address, notify.address_size);
	while (sent < 0 && errno == EINTR);
	if (sent < 0 && !(flags & MSG_DONTWAIT))
		log_warn("cannot tell the service manager", "what", text, "error", strerror(errno));
	return sent >= 0;
}

static void send_built(struct text *text)
{
	/* Without memory the least that may be said: what began must be seen to end. */
	send_text(text->failed ? "READY=1" : text_string(text), 0);
}

/* --- the start --- */

/* As sd_notify() reads it: a path, or '@' and a name that is in no file system. */
static int read_address(const char *value)
{
	size_t length = strlen(value);

	if ((value[0] != '/' && value[0] != '@') || !value[1])
		return -EAFNOSUPPORT;
	if (length >= sizeof(notify.address.sun_path))
		return -ENAMETOOLONG;
	notify.address.sun_family = AF_UNIX;
	memcpy(notify.address.sun_path, value, length);
	notify.address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (value[0] == '@')
		notify.address.sun_path[0] = '\0';
	return 0;
}

static void open_socket(const char *value)
{
	const struct timeval patience = {.tv_sec = SEND_TIMEOUT_S};
	int rc = read_address(value);

	if (rc == 0) {
		notify.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		rc = notify.fd < 0 ? -errno : 0;
	}
	if (rc < 0)
		log_warn("cannot tell the service manager anything", "NOTIFY_SOCKET", value, "error",
		         strerror(-rc));
	else
		setsockopt(notify.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
}

static void read_watchdog(void)
{
	uint64_t interval_us = 0;
	int rc = sd_watchdog_enabled(1, &interval_us);

	if (rc < 0)
		log_warn("the watchdog's interval is none", "error", strerror(-rc));
	else if (rc > 0)
		notify.watchdog_ms = interval_us < 2000 ? 2 : (int64_t)(interval_us / 1000);
}

static void free_names(char **names)
{
	for (size_t i = 0; names && names[i]; i++)
		free(names[i]);
	free(names);
}

static int take_socket(int *ret_fd, struct rtreg_error *error)
{
	char **names = NULL;
	int count = sd_listen_fds_with_names(1, &names);
	bool suits = count == 1 && sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) > 0;

	free_names(names);
	if (count < 0)
		return error_set(error, -EINVAL, "", "LISTEN_FDS cannot be read: %s", strerror(-count));
	if (count > 1)
		return error_set(error, -EINVAL, "",
		                 "%d sockets were handed over (LISTEN_FDS); rtregd takes one", count);
	if (count == 1 && !suits)
		return error_set(error, -EINVAL, "",
		                 "what was handed over (LISTEN_FDS) is no listening unix stream socket");
	*ret_fd = count == 1 ? SD_LISTEN_FDS_START : -1;
	return 0;
}

int notify_init(int *ret_fd, struct rtreg_error *error)
{
	const char *address = getenv("NOTIFY_SOCKET");

	if (address)
		open_socket(address);
	unsetenv("NOTIFY_SOCKET");
	read_watchdog();
	return take_socket(ret_fd, error);
}

/* --- the main loop --- */

void notify_started(uint64_t generation)
{
	char text[128];

	snprintf(text, sizeof(text), "READY=1\nMAINPID=%ld\nSTATUS=generation %" PRIu64, (long)getpid(),
	         generation);
	send_text(text, 0);
}

static bool reload_is_stuck(int64_t now_ms)
{
	int64_t since_ms = atomic_load(&notify.reload_since_ms);
	int64_t limit_ms = STUCK_INTERVALS * notify.watchdog_ms;

	return since_ms > 0 && now_ms - since_ms > (limit_ms < STUCK_LEAST_MS ? STUCK_LEAST_MS : limit_ms);
}

int notify_watchdog(void)
{
	int64_t now_ms = monotonic_now_ms(), next_ms = notify.watchdog_ms / 2;

	if (notify.watchdog_ms == 0)
		return -1;
	if (now_ms < notify.watchdog_at_ms) {
		next_ms = notify.watchdog_at_ms - now_ms;
	} else {
		if (reload_is_stuck(now_ms))
			log_error("a reload does not end: the watchdog is not told that all is well");
		else if (!send_text("WATCHDOG=1", MSG_DONTWAIT) && next_ms > TRY_AGAIN_MS)
			next_ms = TRY_AGAIN_MS;
		notify.watchdog_at_ms = now_ms + next_ms;
	}
	return next_ms < INT_MAX ? (int)next_ms : INT_MAX;
}

static void extend(const char *before)
{
	char text[128];

	snprintf(text, sizeof(text), "%sEXTEND_TIMEOUT_USEC=%d000000", before, EXTEND_S);
	notify.extend_at_ms = monotonic_now_ms() + EXTEND_AGAIN_MS;
	send_text(text, 0);
}

void notify_stopping(void)
{
	atomic_store(&notify.stopping, true);
	extend("STOPPING=1\nSTATUS=stopping, requests in flight are finished\n");
}

void notify_draining(void)
{
	notify_watchdog();
	if (monotonic_now_ms() >= notify.extend_at_ms)
		extend("");
}

/* --- the reload thread --- */

void notify_reload_begins(bool dry_run)
{
	struct timespec now;
	char text[64];

	atomic_store(&notify.reload_since_ms, monotonic_now_ms());
	notify.reload_told = !dry_run && !atomic_load(&notify.stopping);
	if (!notify.reload_told)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRId64,
	         (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	send_text(text, 0);
}

void notify_reload_ends(uint64_t generation, const char *failure)
{
	_cleanup_text_ struct text text = {0};

	text_append(&text, "READY=1");
	if (generation > 0)
		text_printf(&text, "\nSTATUS=generation %" PRIu64, generation);
	if (generation > 0 && failure) {
		text_append(&text, ", the last reload failed: ");
		/* A line break in it would be the next assignment. */
		visible_append_cut(&text, failure, STATUS_MAX);
	}
	/* Who stops is not ready again. */
	if (notify.reload_told && !atomic_load(&notify.stopping))
		send_built(&text);
	atomic_store(&notify.reload_since_ms, 0);
}
