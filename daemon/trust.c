/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "log.h"

/* Groups with which a peer connected; NULL if they are not to be had. */
static gid_t *peer_groups(int fd, size_t *ret_count)
{
	_cleanup_free_ gid_t *groups = NULL;
	socklen_t size = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) < 0 && errno != ERANGE)
		return NULL;
	if (size == 0)
		return NULL;
	groups = malloc(size);
	if (!groups || getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) < 0)
		return NULL;
	*ret_count = size / sizeof(*groups);
	return take(groups);
}

static bool is_member(int fd, gid_t primary, gid_t group)
{
	_cleanup_free_ gid_t *groups = NULL;
	size_t count = 0;

	if (group == NO_GROUP)
		return false;
	if (primary == group)
		return true;
	groups = peer_groups(fd, &count);
	for (size_t i = 0; groups && i < count; i++)
		if (groups[i] == group)
			return true;
	return false;
}

static void read_command(pid_t pid, char *ret, size_t size)
{
	_cleanup_close_ int fd = -1;
	char path[64];
	ssize_t length;

	snprintf(ret, size, "?");
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	length = read(fd, ret, size - 1);
	if (length <= 0)
		return;
	ret[length] = '\0';
	ret[strcspn(ret, "\n")] = '\0';
}

bool trust_peer(int fd, const struct ucred *credentials, gid_t group)
{
	char pid[24], uid[24], command[64];

	if (credentials->uid == 0 || credentials->uid == geteuid() || is_member(fd, credentials->gid, group))
		return true;
	snprintf(pid, sizeof(pid), "%d", (int)credentials->pid);
	snprintf(uid, sizeof(uid), "%u", (unsigned)credentials->uid);
	read_command(credentials->pid, command, sizeof(command));
	log_warn("request refused: not allowed to change anything", "pid", pid, "uid", uid, "command",
	         command);
	return false;
}
