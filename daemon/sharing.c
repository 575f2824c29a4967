/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sharing.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "log.h"
#include "shared/write.h"

/* `file.fd` -1: none. */
struct image {
	struct shared_file file;
	uint64_t generation;
};

struct sharing {
	struct shared_page *page; /* NULL: the kernel cannot */
	/* of the reload under way, its thread's alone */
	const struct rtreg_snapshot *prepared;
	struct image next;
	/* the lock is held for moments: nothing is made under it */
	pthread_mutex_t lock;
	size_t mappers;
	struct image newest;
};

int sharing_new(struct sharing **ret)
{
	struct sharing *sharing = calloc(1, sizeof(*sharing));
	int rc;

	if (!sharing)
		return -ENOMEM;
	pthread_mutex_init(&sharing->lock, NULL);
	sharing->next.file.fd = sharing->newest.file.fd = -1;
	rc = shared_page_new(&sharing->page);
	if (rc < 0)
		log_warn("the configuration cannot be shared with other processes: they ask over the socket",
		         "error", strerror(-rc));
	*ret = sharing;
	return 0;
}

void sharing_end(struct sharing *sharing)
{
	if (sharing && sharing->page)
		shared_page_end(sharing->page);
}

static void drop(struct image *image)
{
	cleanup_closep(&image->file.fd);
	*image = (struct image){.file.fd = -1};
}

/* Moves `from` to `to`. */
static void replace(struct image *to, struct image *from)
{
	drop(to);
	*to = *from;
	*from = (struct image){.file.fd = -1};
}

void sharing_free(struct sharing *sharing)
{
	if (!sharing)
		return;
	drop(&sharing->next);
	drop(&sharing->newest);
	shared_page_free(sharing->page);
	pthread_mutex_destroy(&sharing->lock);
	free(sharing);
}

static int make(const struct sharing *sharing, const struct rtreg_snapshot *snapshot, struct image *ret)
{
	struct shared_file file;
	int rc = shared_write(snapshot, shared_page_epoch(sharing->page), &file);

	if (rc < 0) {
		log_warn("cannot share the configuration: who maps it asks over the socket", "error",
		         strerror(-rc));
		return rc;
	}
	*ret = (struct image){file, rtreg_snapshot_generation(snapshot)};
	return 0;
}

static bool is_older(const struct image *image, uint64_t generation)
{
	return image->file.fd < 0 || image->generation < generation;
}

/* Whether somebody maps, and there is nothing to fetch that is as new. */
static bool is_wanted(struct sharing *sharing, uint64_t generation)
{
	bool wanted;

	pthread_mutex_lock(&sharing->lock);
	wanted = sharing->mappers > 0 && is_older(&sharing->newest, generation);
	pthread_mutex_unlock(&sharing->lock);
	return wanted;
}

/* --- a reload */

/* In this order: what the generation tells of is there. */
static int publish(void *context, struct rtreg_error *error)
{
	struct sharing *sharing = context;
	const struct rtreg_snapshot *prepared = take(sharing->prepared);
	uint64_t generation = rtreg_snapshot_generation(prepared);

	(void)error;
	/* The first who maps may have come behind the step. */
	if (sharing->next.file.fd < 0 && is_wanted(sharing, generation))
		make(sharing, prepared, &sharing->next);
	pthread_mutex_lock(&sharing->lock);
	/* Else one who joined in this moment has made it: the generation is live already. */
	if (is_older(&sharing->newest, generation))
		replace(&sharing->newest, &sharing->next);
	if (sharing->mappers == 0)
		drop(&sharing->newest);
	shared_page_publish(sharing->page, generation);
	pthread_mutex_unlock(&sharing->lock);
	drop(&sharing->next);
	return 0;
}

static int forget(void *context, struct rtreg_error *error)
{
	struct sharing *sharing = context;

	(void)error;
	sharing->prepared = NULL;
	drop(&sharing->next);
	return 0;
}

int sharing_prepare(struct rtreg_txn *txn, void *context, struct rtreg_error *error)
{
	struct sharing *sharing = context;

	(void)error;
	if (!sharing->page)
		return 0;
	sharing->prepared = rtreg_txn_new(txn);
	if (is_wanted(sharing, rtreg_snapshot_generation(sharing->prepared)))
		make(sharing, sharing->prepared, &sharing->next);
	rtreg_txn_on_commit(txn, publish, sharing);
	rtreg_txn_on_rollback(txn, forget, sharing);
	return 0;
}

/* --- those who map */

/* A reload that comes meanwhile makes its own: there is somebody who maps. */
static int make_live(struct sharing *sharing, struct rtreg *registry)
{
	const struct rtreg_snapshot *live = rtreg_pin(registry);
	struct image image = {.file.fd = -1};
	int rc = 0;

	if (is_wanted(sharing, rtreg_snapshot_generation(live)))
		rc = make(sharing, live, &image);
	rtreg_unpin(live);
	pthread_mutex_lock(&sharing->lock);
	if (image.file.fd >= 0 && is_older(&sharing->newest, image.generation))
		replace(&sharing->newest, &image);
	pthread_mutex_unlock(&sharing->lock);
	drop(&image);
	return rc;
}

int sharing_join(struct sharing *sharing, struct rtreg *registry)
{
	int rc;

	if (!sharing->page)
		return -EOPNOTSUPP;
	pthread_mutex_lock(&sharing->lock);
	sharing->mappers++;
	pthread_mutex_unlock(&sharing->lock);
	rc = make_live(sharing, registry);
	if (rc < 0)
		sharing_leave(sharing);
	return rc;
}

void sharing_leave(struct sharing *sharing)
{
	pthread_mutex_lock(&sharing->lock);
	if (--sharing->mappers == 0)
		drop(&sharing->newest);
	pthread_mutex_unlock(&sharing->lock);
}

/* --- answers */

/* Whole or not at all: there is nothing else on its way to the client. */
static int send_answer(int fd, struct shared_answer answer, int file)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec part = {&answer, sizeof(answer)};
	struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
	ssize_t sent;

	if (file >= 0) {
		message.msg_control = &control;
		message.msg_controllen = sizeof(control.bytes);
		control.header = (struct cmsghdr){
		        .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
		memcpy(CMSG_DATA(&control.header), &file, sizeof(file));
	}
	sent = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return sent == sizeof(answer) ? 0 : -EIO;
}

static int answer_snapshot(struct sharing *sharing, int fd)
{
	struct shared_answer answer = {.what = SHARED_ASK_SNAPSHOT};
	int rc;

	/* Under the lock: the descriptor is closed where the next generation takes its place. */
	pthread_mutex_lock(&sharing->lock);
	answer.code = sharing->newest.file.fd < 0 ? -ENOENT : 0;
	answer.size = sharing->newest.file.size;
	rc = send_answer(fd, answer, sharing->newest.file.fd);
	pthread_mutex_unlock(&sharing->lock);
	return rc;
}

int sharing_answer(struct sharing *sharing, int fd, uint32_t what)
{
	struct shared_file page = shared_page_file(sharing->page);

	if (what == SHARED_ASK_SNAPSHOT)
		return answer_snapshot(sharing, fd);
	if (what != SHARED_ASK_CONTROL)
		return -EPROTO;
	return send_answer(fd, (struct shared_answer){.what = what, .size = page.size}, page.fd);
}
