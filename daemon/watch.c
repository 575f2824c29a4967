/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "base/json_write.h"
#include "log.h"
#include "reloads.h"
#include "seen.h"
#include "timestamp.h"

#define LINKS_MAX     40 /* as the kernel */
#define READS_AT_ONCE 16

#define CONTENT_EVENTS (IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB)
#define FILE_EVENTS    (CONTENT_EVENTS | IN_DELETE_SELF | IN_MOVE_SELF)
#define DIRECTORY_EVENTS \
	(IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

/* What counts of one watched inode: itself, and `name` in it. An inode has as many as there are names. */
struct place {
	int wd;
	char *name; /* NULL: that of any fragment */
};

struct places {
	struct place *items; /* by wd */
	size_t count, capacity;
};

struct watch {
	const char *config_file;
	int epoll_fd, fd;
	struct places places;
	int64_t first_ms, last_ms;  /* of the events that have not settled; 0: none */
	int64_t retry_ms;           /* when to try again; 0: all is watched */
	bool untold;                /* the error is not in the log yet */
	pthread_mutex_t lock;       /* of the following: the main loop writes */
	char error[PATH_MAX + 256]; /* why not all is watched; "": it is */
};

/* A file's way: where it has led to, and what is still to be gone. */
struct way {
	char at[PATH_MAX]; /* a directory without links, at last the file; "" is the root */
	char rest[PATH_MAX];
	unsigned links;
};

/* --- what is watched */

static void places_fini(struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		free(places->items[i].name);
	free(places->items);
	*places = (struct places){0};
}

static int places_add(struct places *places, int wd, const char *name)
{
	char *copy = name ? strdup(name) : NULL;

	if (places->count == places->capacity) {
		size_t capacity = places->capacity > 0 ? 2 * places->capacity : 32;
		struct place *items = reallocarray(places->items, capacity, sizeof(*items));

		if (!items) {
			free(copy);
			return -ENOMEM;
		}
		places->items = items;
		places->capacity = capacity;
	}
	if (name && !copy)
		return -ENOMEM;
	places->items[places->count++] = (struct place){.wd = wd, .name = copy};
	return 0;
}

static int by_wd(const void *a, const void *b)
{
	const struct place *left = a, *right = b;

	return (left->wd > right->wd) - (left->wd < right->wd);
}

static const struct place *find_place(const struct places *places, int wd)
{
	const struct place key = {.wd = wd}, *found;

	found = places->count > 0 ? bsearch(&key, places->items, places->count, sizeof(key), by_wd) : NULL;
	while (found && found > places->items && found[-1].wd == wd)
		found--;
	return found;
}

/* --- how it gets watched */

/* The kernel's own words for inotify's limits speak of disks and descriptors. */
static const char *error_text(int error)
{
	switch (error) {
	case ENOSPC:
		return "no more watches are to be had; raise the sysctl fs.inotify.max_user_watches";
	case EMFILE:
		return "too many open files, or inotify instances; raise the limit of this process, or the "
		       "sysctl fs.inotify.max_user_instances";
	default:
		return strerror(error);
	}
}

static void set_error(struct watch *watch, const char *what, int error)
{
	char text[sizeof(watch->error)];

	snprintf(text, sizeof(text), "cannot watch %s: %s", what, error_text(error));
	if (strcmp(text, watch->error) != 0)
		watch->untold = true;
	pthread_mutex_lock(&watch->lock);
	snprintf(watch->error, sizeof(watch->error), "%s", text);
	pthread_mutex_unlock(&watch->lock);
	watch->retry_ms = monotonic_now_ms() + WATCH_RETRY_MS;
}

static void tell_error(struct watch *watch)
{
	if (watch->untold)
		log_warn("changes of the configuration's files may go unnoticed", "error", watch->error);
	watch->untold = false;
}

/*
 * Watches an inode for `name` in it ("": for itself alone). False if it is not there. A directory that may
 * be passed through but not read is not `needed` unless something is to be found in it.
 */
static bool watch_inode(struct watch *watch, const char *path, uint32_t events, const char *name, bool needed)
{
	int wd = inotify_add_watch(watch->fd, path[0] ? path : "/", events | IN_MASK_ADD);

	if (wd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return false;
	if (wd < 0 && (errno != EACCES || needed))
		set_error(watch, path[0] ? path : "/", errno);
	if (wd >= 0 && places_add(&watch->places, wd, name) < 0)
		set_error(watch, path, ENOMEM);
	return true;
}

/* Cuts the next name off the rest; "" at the end of the way. */
static void next_name(struct way *way, char name[NAME_MAX + 1])
{
	const char *at = way->rest + strspn(way->rest, "/");
	size_t length = strcspn(at, "/");

	snprintf(name, NAME_MAX + 1, "%.*s", (int)length, at);
	memmove(way->rest, at + length, strlen(at + length) + 1);
}

/* Puts a link's target in front of the rest. */
static bool take_link(struct way *way, const char *target)
{
	char rest[PATH_MAX];

	if (++way->links > LINKS_MAX)
		return false;
	if (snprintf(rest, sizeof(rest), "%s%s", target, way->rest) >= (int)sizeof(rest))
		return false;
	memcpy(way->rest, rest, strlen(rest) + 1);
	if (target[0] == '/')
		way->at[0] = '\0';
	return true;
}

/* The kernel's own way for one name. False: it ends here. */
static bool take_name(struct watch *watch, struct way *way, const char *name)
{
	size_t length = strlen(way->at);
	char target[PATH_MAX];
	ssize_t size;

	if (strcmp(name, ".") == 0)
		return true;
	if (strcmp(name, "..") == 0) {
		char *parent = strrchr(way->at, '/');

		if (parent)
			*parent = '\0';
		return true;
	}
	/* Watched before it is looked up, so that nothing happens unseen in between. */
	if (!watch_inode(watch, way->at, DIRECTORY_EVENTS | IN_ONLYDIR, name, !strchr(way->rest, '/')))
		return false;
	if (snprintf(way->at + length, sizeof(way->at) - length, "/%s", name) >=
	    (int)(sizeof(way->at) - length))
		return false;
	size = readlink(way->at, target, sizeof(target) - 1);
	if (size < 0)
		return errno == EINVAL;
	target[size] = '\0';
	way->at[length] = '\0';
	return take_link(way, target);
}

/* Watches every name on the way to a file. True: it leads to something, which is way->at then. */
static bool follow(struct watch *watch, struct way *way)
{
	char name[NAME_MAX + 1];

	for (next_name(way, name); name[0]; next_name(way, name))
		if (!take_name(watch, way, name))
			return false;
	return true;
}

static void watch_file(struct watch *watch, const char *directory, const char *path)
{
	struct way way = {0};

	snprintf(way.at, sizeof(way.at), "%s", directory);
	snprintf(way.rest, sizeof(way.rest), "%s", path);
	if (follow(watch, &way))
		watch_inode(watch, way.at, FILE_EVENTS, "", true);
}

static void watch_fragments(struct watch *watch)
{
	_cleanup_closedir_ DIR *directory = NULL;
	struct way way = {0};
	const struct dirent *entry;

	snprintf(way.rest, sizeof(way.rest), "%s%s", watch->config_file, FRAGMENTS_SUFFIX);
	if (!follow(watch, &way) ||
	    !watch_inode(watch, way.at, DIRECTORY_EVENTS | IN_MODIFY | IN_CLOSE_WRITE | IN_ONLYDIR, NULL,
	                 true))
		return;
	directory = opendir(way.at);
	while (directory && (entry = readdir(directory)))
		if (seen_is_fragment(entry->d_name))
			watch_file(watch, way.at, entry->d_name);
}

static bool start_inotify(struct watch *watch)
{
	struct epoll_event event = {.events = EPOLLIN};

	if (watch->fd >= 0)
		return true;
	watch->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	event.data.fd = watch->fd;
	if (watch->fd >= 0 && epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->fd, &event) == 0)
		return true;
	set_error(watch, watch->config_file, errno);
	cleanup_closep(&watch->fd);
	watch->fd = -1;
	return false;
}

static void forget_error(struct watch *watch)
{
	pthread_mutex_lock(&watch->lock);
	watch->error[0] = '\0';
	pthread_mutex_unlock(&watch->lock);
	watch->untold = false;
}

/* Watches what is on the way now, and no longer what was. */
static void arm(struct watch *watch)
{
	struct places old = watch->places;

	watch->retry_ms = 0;
	if (!start_inotify(watch))
		return;
	watch->places = (struct places){0};
	watch_file(watch, "", watch->config_file);
	watch_fragments(watch);
	if (watch->places.count > 0)
		qsort(watch->places.items, watch->places.count, sizeof(*watch->places.items), by_wd);
	for (size_t i = 0; i < old.count; i++)
		if ((i == 0 || old.items[i - 1].wd != old.items[i].wd) &&
		    !find_place(&watch->places, old.items[i].wd))
			inotify_rm_watch(watch->fd, old.items[i].wd);
	places_fini(&old);
	if (watch->retry_ms == 0)
		forget_error(watch);
}

struct watch *watch_new(const char *config_file, int epoll_fd)
{
	struct watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->config_file = config_file;
	watch->epoll_fd = epoll_fd;
	watch->fd = -1;
	pthread_mutex_init(&watch->lock, NULL);
	arm(watch);
	tell_error(watch);
	return watch;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	cleanup_closep(&watch->fd);
	places_fini(&watch->places);
	pthread_mutex_destroy(&watch->lock);
	free(watch);
}

/* --- what happens */

int watch_fd(const struct watch *watch)
{
	return watch ? watch->fd : -1;
}

/* Whether an event is about the configuration. One without a name is about the inode itself. */
static bool concerns(const struct watch *watch, const struct inotify_event *event)
{
	const struct place *place = find_place(&watch->places, event->wd);
	const struct place *end = watch->places.items + watch->places.count;

	if (event->mask & IN_Q_OVERFLOW)
		return true;
	if (place && event->len == 0)
		return true;
	for (; place && place < end && place->wd == event->wd; place++)
		if (place->name ? strcmp(place->name, event->name) == 0 : seen_is_fragment(event->name))
			return true;
	return false;
}

static void note(struct watch *watch)
{
	watch->last_ms = monotonic_now_ms();
	if (watch->first_ms == 0)
		watch->first_ms = watch->last_ms;
}

/* The events of one read. *ret_moved: the way may be another one now. */
static bool take_events(const struct watch *watch, const char *buffer, ssize_t size, bool *ret_moved)
{
	const struct inotify_event *event;
	bool any = false;

	for (const char *at = buffer; at < buffer + size; at += sizeof(*event) + event->len) {
		event = (const struct inotify_event *)at;
		if (!concerns(watch, event))
			continue;
		any = true;
		log_debug("a file of the configuration may have changed", "name",
		          event->len > 0 ? event->name : NULL);
		*ret_moved = *ret_moved || (event->mask & ~(uint32_t)(IN_MODIFY | IN_CLOSE_WRITE));
	}
	return any;
}

void watch_read(struct watch *watch)
{
	_Alignas(struct inotify_event) char buffer[16384];
	bool any = false, moved = false;

	for (int i = 0; i < READS_AT_ONCE; i++) {
		ssize_t size = read(watch->fd, buffer, sizeof(buffer));

		if (size <= 0)
			break;
		any = take_events(watch, buffer, size, &moved) || any;
	}
	if (moved)
		arm(watch);
	if (any)
		note(watch);
}

static int64_t settled_ms(const struct watch *watch)
{
	int64_t quiet_ms = watch->last_ms + WATCH_QUIET_MS, latest_ms = watch->first_ms + WATCH_LATEST_MS;

	return quiet_ms < latest_ms ? quiet_ms : latest_ms;
}

int watch_tick(struct watch *watch, struct reloads *reloads)
{
	int64_t now_ms = monotonic_now_ms(), next_ms = INT64_MAX;

	if (!watch)
		return -1;
	if (watch->retry_ms > 0 && now_ms >= watch->retry_ms) {
		arm(watch);
		note(watch);
	}
	if (watch->first_ms > 0 && now_ms >= settled_ms(watch)) {
		watch->first_ms = 0;
		/* Not before: install(1) makes a file that only its owner may read, then gives it its mode. */
		tell_error(watch);
		reloads_watch(reloads);
	}
	if (watch->first_ms > 0)
		next_ms = settled_ms(watch);
	if (watch->retry_ms > 0 && watch->retry_ms < next_ms)
		next_ms = watch->retry_ms;
	return next_ms == INT64_MAX ? -1 : (int)(next_ms - now_ms);
}

void watch_append_status(struct watch *watch, struct text *text)
{
	json_open(text, '{');
	json_member_bool(text, "enabled", watch != NULL);
	json_key(text, "error");
	if (watch)
		pthread_mutex_lock(&watch->lock);
	json_string(text, watch && watch->error[0] ? watch->error : NULL);
	if (watch)
		pthread_mutex_unlock(&watch->lock);
	json_close(text, '}');
}
