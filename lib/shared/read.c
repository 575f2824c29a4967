/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "shared/read.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Kernels that are told to make no memfd executable add a seal that says so. */
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

/* -EPROTO unless it has exactly these seals; only then its size stays what it is. */
static int look_at(int fd, int seals, size_t size_min, uint64_t *ret_size)
{
	int found = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (found < 0)
		return errno == EINVAL ? -EPROTO : -errno;
	if ((found & ~F_SEAL_EXEC) != seals)
		return -EPROTO;
	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size < 0 || (uint64_t)st.st_size < size_min || (uint64_t)st.st_size > UINT32_MAX)
		return -EPROTO;
	*ret_size = (uint64_t)st.st_size;
	return 0;
}

/* --- the control page --- */

static bool is_control(const struct shared_control *control, uint64_t size)
{
	return memcmp(control->magic, SHARED_CONTROL_MAGIC, sizeof(control->magic)) == 0 &&
	       control->version == SHARED_VERSION && control->epoch != 0 &&
	       control->owner_offset >= sizeof(*control) && control->owner_offset % sizeof(uint32_t) == 0 &&
	       control->owner_offset <= size - sizeof(uint32_t);
}

int shared_view_map(int fd, struct shared_view *ret)
{
	uint64_t size = 0;
	int r = look_at(fd, SHARED_CONTROL_SEALS, sizeof(struct shared_control) + sizeof(uint32_t), &size);
	void *mapped;
	uint32_t owner;

	if (r < 0)
		return r;
	mapped = mmap(NULL, size, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	/* Its owner can write there: what is used is what was checked. */
	owner = __atomic_load_n(&((const struct shared_control *)mapped)->owner_offset, __ATOMIC_RELAXED);
	if (!is_control(mapped, size) || owner % sizeof(uint32_t) != 0 || owner > size - sizeof(uint32_t)) {
		munmap(mapped, size);
		return -EPROTO;
	}
	*ret = (struct shared_view){mapped, (const uint32_t *)(const void *)((const char *)mapped + owner),
	                            size};
	return 0;
}

void shared_view_unmap(struct shared_view *view)
{
	if (view->control)
		munmap((void *)(uintptr_t)view->control, view->size);
	*view = (struct shared_view){0};
}

/* --- a snapshot --- */

/* Whether a table of `count` parts of `size` bytes lies within the file, behind the header. */
static bool fits(const struct shared_header *header, uint32_t offset, uint64_t count, size_t size)
{
	return offset >= sizeof(*header) && offset % sizeof(uint64_t) == 0 && offset <= header->size &&
	       count <= (header->size - offset) / size;
}

static bool is_header(const struct shared_header *header, uint64_t size)
{
	return memcmp(header->magic, SHARED_SNAPSHOT_MAGIC, sizeof(header->magic)) == 0 &&
	       header->version == SHARED_VERSION && header->size == size && header->epoch != 0 &&
	       header->generation != 0 &&
	       header->hash_sample == rtreg_hash(SHARED_HASH_SAMPLE, strlen(SHARED_HASH_SAMPLE)) &&
	       header->slot_count > 1 && (header->slot_count & (header->slot_count - 1)) == 0 &&
	       header->entry_count > 0 && header->default_entry < header->entry_count &&
	       fits(header, header->slots, header->slot_count, sizeof(struct shared_slot)) &&
	       fits(header, header->entries, header->entry_count, sizeof(struct shared_entry)) &&
	       header->strings >= sizeof(*header) && header->strings <= size;
}

/* With an empty slot at least, or a look-up would not end. */
static bool are_slots(const struct shared_header *header, const struct shared_slot *slots)
{
	uint32_t empty = 0;

	for (uint32_t i = 0; i < header->slot_count; i++) {
		if (slots[i].entry > header->entry_count)
			return false;
		empty += slots[i].entry == 0;
	}
	return empty > 0;
}

static bool is_string(const struct shared_header *header, const struct shared_string *string)
{
	const char *bytes = (const char *)header;

	return string->offset >= header->strings && string->offset < header->size &&
	       string->length < header->size - string->offset &&
	       bytes[string->offset + string->length] == '\0';
}

static bool is_string_or_none(const struct shared_header *header, const struct shared_string *string)
{
	return (string->offset == 0 && string->length == 0) || is_string(header, string);
}

static bool are_entries(const struct shared_header *header, const struct shared_entry *entries)
{
	for (uint32_t i = 0; i < header->entry_count; i++)
		if (!is_string(header, &entries[i].name) || !is_string(header, &entries[i].shim) ||
		    !is_string_or_none(header, &entries[i].binary) ||
		    !is_string_or_none(header, &entries[i].options))
			return false;
	return true;
}

int shared_snapshot_check(const void *bytes, uint64_t size, struct shared_snapshot *ret)
{
	const struct shared_header *header = bytes;
	struct shared_snapshot snapshot;

	if (size < sizeof(*header) || !is_header(header, size))
		return -EPROTO;
	snapshot = (struct shared_snapshot){
	        .bytes = bytes,
	        .size = size,
	        .slots = (const struct shared_slot *)(const void *)((const char *)bytes + header->slots),
	        .entries = (const struct shared_entry *)(const void *)((const char *)bytes + header->entries),
	        .mask = header->slot_count - 1,
	        .default_entry = header->default_entry,
	        .epoch = header->epoch,
	        .generation = header->generation,
	};
	if (!are_slots(header, snapshot.slots) || !are_entries(header, snapshot.entries))
		return -EPROTO;
	*ret = snapshot;
	return 0;
}

int shared_snapshot_map(int fd, struct shared_snapshot *ret)
{
	uint64_t size = 0;
	int r = look_at(fd, SHARED_SNAPSHOT_SEALS, sizeof(struct shared_header), &size);
	void *mapped;

	if (r < 0)
		return r;
	mapped = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	r = shared_snapshot_check(mapped, size, ret);
	if (r < 0)
		munmap(mapped, size);
	return r;
}

void shared_snapshot_unmap(struct shared_snapshot *snapshot)
{
	if (snapshot->bytes)
		munmap((void *)(uintptr_t)snapshot->bytes, snapshot->size);
	*snapshot = (struct shared_snapshot){0};
}
