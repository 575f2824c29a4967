/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "client/mapping.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/problems.h"
#include "base/statistics.h"
#include "client/upgrade.h"

#define RETRY_NS ((int64_t)1000 * 1000 * 1000)

void mapping_disconnect(struct mapping *mapping)
{
	cleanup_closep(&mapping->fd);
	mapping->fd = -1;
}

void mapping_settle(struct mapping *mapping)
{
	if (mapping->before.bytes)
		shared_snapshot_unmap(&mapping->before);
}

void mapping_fini(struct mapping *mapping)
{
	mapping_disconnect(mapping);
	shared_view_unmap(&mapping->view);
	shared_snapshot_unmap(&mapping->snapshot);
	shared_snapshot_unmap(&mapping->before);
	free(mapping->long_shim);
}

/* --- fetching */

static int map_view(struct mapping *mapping, int64_t timeout_ms)
{
	_cleanup_close_ int fd = -1;
	struct shared_view view = {0};
	int result = upgrade_ask(mapping->fd, SHARED_ASK_CONTROL, timeout_ms, &fd);

	if (result == 0)
		result = shared_view_map(fd, &view);
	if (result < 0 || !view.control)
		return result < 0 ? result : -EPROTO;
	/* Where it is the same daemon, what it has told of before holds. */
	if (!mapping->view.control || mapping->view.control->epoch != view.control->epoch)
		mapping->floor = 0;
	shared_view_unmap(&mapping->view);
	mapping->view = view;
	return 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* The oldest generation that is still good enough. */
static uint64_t oldest_wanted(const struct mapping *mapping)
{
	uint64_t oldest = larger(mapping->floor, shared_view_generation(&mapping->view));

	if (mapping->snapshot.epoch == mapping->view.control->epoch)
		oldest = larger(oldest, mapping->snapshot.generation);
	return oldest;
}

static int map_snapshot(struct mapping *mapping, int64_t timeout_ms)
{
	uint64_t oldest = oldest_wanted(mapping);
	_cleanup_close_ int fd = -1;
	struct shared_snapshot snapshot = {0};
	int result = upgrade_ask(mapping->fd, SHARED_ASK_SNAPSHOT, timeout_ms, &fd);

	if (result == 0)
		result = shared_snapshot_map(fd, &snapshot);
	if (result < 0)
		return result;
	if (snapshot.epoch != mapping->view.control->epoch || snapshot.generation < oldest) {
		shared_snapshot_unmap(&snapshot);
		return -ESTALE;
	}
	mapping->before = mapping->snapshot;
	mapping->snapshot = snapshot;
	return 0;
}

static int connect_and_map(struct mapping *mapping, const char *socket, int64_t timeout_ms)
{
	int result;

	mapping_disconnect(mapping);
	result = upgrade_open(socket, timeout_ms, &mapping->fd);
	if (result == 0)
		result = map_view(mapping, timeout_ms);
	return result < 0 ? result : map_snapshot(mapping, timeout_ms);
}

bool mapping_fetch(struct mapping *mapping, const char *socket, int64_t timeout_ms)
{
	/* Of those that it comes to, each has its share. */
	int64_t share_ms = timeout_ms / 4 > 0 ? timeout_ms / 4 : 1;
	int result = -ENOTCONN;

	if (mapping->view.control && !shared_view_alive(&mapping->view)) {
		mapping_disconnect(mapping);
		shared_view_unmap(&mapping->view);
	}
	if (mapping->retry_ns > statistics_now_ns())
		return false;
	if (mapping->fd >= 0 && mapping->view.control)
		result = map_snapshot(mapping, share_ms);
	if (result < 0)
		result = connect_and_map(mapping, socket, share_ms);
	if (result == 0)
		return true;
	mapping_disconnect(mapping);
	if (result != -ENOTCONN)
		mapping->retry_ns = statistics_now_ns() + RETRY_NS;
	return false;
}

/* --- beside the socket */

void mapping_note(struct mapping *mapping, uint64_t generation)
{
	if (mapping->view.control) {
		mapping->floor = larger(mapping->floor, generation);
		return;
	}
	/* Somebody else is there now: what the one before said is no answer any more. */
	mapping->before = mapping->snapshot;
	mapping->snapshot = (struct shared_snapshot){0};
}

bool mapping_may_be_stale(const struct mapping *mapping)
{
	return mapping->stale && mapping->snapshot.bytes && mapping->snapshot.generation >= mapping->floor;
}

/* --- looking up */

/* The same text with the lifetime of an answer; the name may be part of the answer before. */
static int keep_shim(struct mapping *mapping, const char *name, size_t length, const char **ret)
{
	char *kept = mapping->shim;

	if (length >= sizeof(mapping->shim)) {
		kept = malloc(length + 1);
		if (!kept)
			return -ENOMEM;
	}
	memmove(kept, name, length);
	kept[length] = '\0';
	if (kept != mapping->shim) {
		free(mapping->long_shim);
		mapping->long_shim = kept;
	}
	*ret = kept;
	return 0;
}

static int resolve_shim(struct mapping *mapping, const char *name, size_t length, struct rtreg_runtime *ret,
                        struct rtreg_error *error)
{
	const char *shim;

	if (!rtreg_name_is_shim(name, length) || length > UINT32_MAX)
		return rtreg_resolve_failed(name, length, error);
	if (keep_shim(mapping, name, length, &shim) < 0)
		return error_no_memory(error);
	*ret = (struct rtreg_runtime){
	        .name = shim, .shim = shim, .name_length = (uint32_t)length, .shim_length = (uint32_t)length};
	return 0;
}

int mapping_resolve(struct mapping *mapping, const char *name, struct rtreg_runtime *ret,
                    struct rtreg_error *error)
{
	size_t length = name ? strlen(name) : 0;
	const struct shared_entry *entry = shared_snapshot_find(&mapping->snapshot, name, length);

	if (!entry)
		return resolve_shim(mapping, name, length, ret, error);
	shared_snapshot_get(&mapping->snapshot, entry, ret);
	return 0;
}
