/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The control page, by its owner. */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "shared/write.h"

#define PAGE_SIZE_BYTES 4096

/* The mutex is beside what readers load, in a cache line of its own. Its first word is the futex. */
struct layout {
	struct shared_control control;
	_Alignas(64) pthread_mutex_t owner;
};
_Static_assert(sizeof(struct layout) <= PAGE_SIZE_BYTES, "the control page is one page");
_Static_assert(offsetof(pthread_mutex_t, __data.__lock) == 0, "the futex word is the mutex's first");

struct shared_page {
	struct shared_file file;
	struct layout *layout;
};

static int lock_owner(pthread_mutex_t *owner)
{
	pthread_mutexattr_t attributes;
	int r = pthread_mutexattr_init(&attributes);

	if (r == 0)
		r = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	if (r == 0)
		r = pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	if (r == 0)
		r = pthread_mutex_init(owner, &attributes);
	if (r == 0)
		r = pthread_mutex_lock(owner);
	pthread_mutexattr_destroy(&attributes);
	return -r;
}

static int fill_page(struct layout *layout)
{
	uint64_t epoch = 0;

	while (epoch == 0)
		if (getrandom(&epoch, sizeof(epoch), 0) != sizeof(epoch))
			return errno ? -errno : -EIO;
	layout->control = (struct shared_control){
	        .version = SHARED_VERSION, .owner_offset = offsetof(struct layout, owner), .epoch = epoch};
	memcpy(layout->control.magic, SHARED_CONTROL_MAGIC, sizeof(layout->control.magic));
	return lock_owner(&layout->owner);
}

static void page_freep(struct shared_page **page)
{
	shared_page_free(*page);
}

int shared_page_new(struct shared_page **ret)
{
	_cleanup_(page_freep) struct shared_page *page = calloc(1, sizeof(*page));
	void *mapped;
	int r;

	if (!page)
		return -ENOMEM;
	page->file = (struct shared_file){memfd_create("rtreg-control", MFD_CLOEXEC | MFD_ALLOW_SEALING),
	                                  PAGE_SIZE_BYTES};
	if (page->file.fd < 0 || ftruncate(page->file.fd, PAGE_SIZE_BYTES) < 0)
		return -errno;
	mapped = mmap(NULL, PAGE_SIZE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, page->file.fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	page->layout = mapped;
	if (fcntl(page->file.fd, F_ADD_SEALS, SHARED_CONTROL_SEALS) < 0)
		return -errno;
	r = fill_page(page->layout);
	if (r < 0)
		return r;
	*ret = take(page);
	return 0;
}

void shared_page_end(struct shared_page *page)
{
	pthread_mutex_unlock(&page->layout->owner);
}

void shared_page_free(struct shared_page *page)
{
	if (!page)
		return;
	if (page->layout)
		munmap(page->layout, PAGE_SIZE_BYTES);
	cleanup_closep(&page->file.fd);
	free(page);
}

uint64_t shared_page_epoch(const struct shared_page *page)
{
	return page->layout->control.epoch;
}

struct shared_file shared_page_file(const struct shared_page *page)
{
	return page->file;
}

void shared_page_publish(struct shared_page *page, uint64_t generation)
{
	__atomic_store_n(&page->layout->control.generation, generation, __ATOMIC_RELEASE);
}
