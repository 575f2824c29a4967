/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who has a wrapper script open for writing: nobody can execute it then. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "runtimes/script_file.h"

/* Closing too: two opens with nothing between them would be told as one. */
#define WATCHED (IN_OPEN | IN_CLOSE_NOWRITE | IN_CLOSE_WRITE | IN_ONLYDIR)

/* From here on it is not known of any file whether it is open. */
static void forget_all(struct script_store *store)
{
	store->epoch++;
}

void script_opens_begin(struct script_store *store)
{
	char path[32];

	script_opens_end(store);
	forget_all(store);
	store->opens = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", store->directory);
	if (store->opens >= 0 && inotify_add_watch(store->opens, path, WATCHED) < 0)
		script_opens_end(store);
}

void script_opens_end(struct script_store *store)
{
	if (store->opens >= 0)
		close(store->opens);
	store->opens = -1;
}

/* What was known of a file before the epoch counts no more. */
static void enter_epoch(const struct script_store *store, struct script_file *file)
{
	if (file->epoch == store->epoch)
		return;
	file->epoch = store->epoch;
	file->opened = true;
	file->own_opens = 0;
}

static void note(struct script_store *store, const struct inotify_event *event)
{
	struct script_file *file;

	if (event->mask & (IN_Q_OVERFLOW | IN_IGNORED))
		forget_all(store);
	if (!(event->mask & IN_OPEN) || event->len == 0)
		return;
	file = script_store_find(store, event->name);
	if (!file || file->epoch != store->epoch)
		return;
	if (file->own_opens > 0)
		file->own_opens--;
	else
		file->opened = true;
}

void script_opens_read(struct script_store *store)
{
	_Alignas(struct inotify_event) char buffer[4096];
	ssize_t size;

	while (store->opens >= 0 && (size = read(store->opens, buffer, sizeof(buffer))) > 0) {
		for (char *at = buffer; at < buffer + size;) {
			const struct inotify_event *event = (const void *)at;

			note(store, event);
			at += sizeof(*event) + event->len;
		}
	}
}

int script_file_open(struct script_store *store, struct script_file *file)
{
	int fd = openat(store->directory, file->name,
	                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	enter_epoch(store, file);
	if (fd >= 0 && store->opens >= 0)
		file->own_opens++;
	return fd;
}

/*
 * -EAGAIN if anybody has the file behind `fd`, open for reading, open for writing: executing it fails with ETXTBSY then.
 * A read lease is granted exactly when nobody has. Where leases are not to be had, 0.
 */
static int script_file_lease(int fd)
{
	/* Should somebody open the file this very moment, the signal must not be SIGIO, which kills. */
	if (fcntl(fd, F_SETSIG, SIGURG) < 0)
		return 0;
	if (fcntl(fd, F_SETLEASE, F_RDLCK) < 0)
		return errno == EAGAIN ? -EAGAIN : 0;
	fcntl(fd, F_SETLEASE, F_UNLCK);
	return 0;
}

bool script_is_written_to(struct script_file *file, int fd)
{
	file->opened = script_file_lease(fd) == -EAGAIN;
	return file->opened;
}

bool script_is_open_for_writing(struct script_store *store, struct script_file *file)
{
	_cleanup_close_ int fd = -1;

	if (store->opens >= 0 && file->epoch == store->epoch && !file->opened)
		return false;
	fd = script_file_open(store, file);
	return fd >= 0 && script_is_written_to(file, fd);
}
