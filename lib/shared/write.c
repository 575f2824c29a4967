/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A snapshot as a sealed memfd: measured, then filled, through the public getters alone. */
#include "shared/write.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "values/parse.h"

#define RUNC_SHIM "io.containerd.runc.v2"

/* What one runtime is to others: the same as `rtreg_client_resolve` makes of the API's reply. */
struct facts {
	const char *texts[4]; /* name, shim, binary, options; NULL: none */
};
#define FACT_COUNT 4

struct image {
	const struct rtreg_snapshot *snapshot;
	struct arena *arena; /* binaries that only the options name */
	size_t runtime_count, entry_count;
	struct rtreg_runtime fallback; /* what "" resolves to */
	uint32_t default_entry;
	uint64_t slot_count, size;
	char *bytes;
	uint32_t used; /* of the strings, from the beginning of all */
	/* neighbours often share their shim: it is written once for them */
	const char *last_shim;
	struct shared_string last_shim_at;
};

/* A type runtime's options are the operator's own; only there has the binary to be looked for. */
static int find_binary(struct image *image, const struct rtreg_runtime *runtime, const char **ret)
{
	struct value options;
	int r;

	*ret = strcmp(runtime->shim, RUNC_SHIM) == 0 ? runtime->binary : NULL;
	if (*ret || !runtime->options_json || strcmp(runtime->shim, RUNC_SHIM) != 0)
		return 0;
	if (!image->arena)
		image->arena = arena_new();
	if (!image->arena)
		return -ENOMEM;
	r = parse_json(image->arena, runtime->options_json, strlen(runtime->options_json), &options, NULL);
	if (r == 0)
		*ret = value_string(value_member(&options, "BinaryName"));
	return r;
}

static int find_facts(struct image *image, const struct rtreg_runtime *runtime, struct facts *ret)
{
	bool has_options = runtime->options_json && strcmp(runtime->options_json, "{}") != 0;
	const char *binary;
	int r = find_binary(image, runtime, &binary);

	*ret = (struct facts){
	        {runtime->name, runtime->shim, binary, has_options ? runtime->options_json : NULL}};
	return r;
}

/* The default has an entry of its own, without a slot, where it is no configured or stock runtime. */
static int find_default(struct image *image)
{
	struct rtreg_runtime runtime;
	size_t low = 0, high = image->runtime_count;
	int r = rtreg_resolve(image->snapshot, "", &image->fallback, NULL);

	if (r < 0)
		return r;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		rtreg_snapshot_runtime(image->snapshot, middle, &runtime, NULL);
		if (strcmp(runtime.name, image->fallback.name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	image->default_entry = (uint32_t)low;
	if (rtreg_snapshot_runtime(image->snapshot, low, &runtime, NULL) < 0 ||
	    strcmp(runtime.name, image->fallback.name) != 0)
		image->default_entry = (uint32_t)image->runtime_count;
	image->entry_count = image->runtime_count + (image->default_entry == image->runtime_count);
	return 0;
}

static void get_runtime(const struct image *image, size_t index, struct rtreg_runtime *ret)
{
	if (index < image->runtime_count)
		rtreg_snapshot_runtime(image->snapshot, index, ret, NULL);
	else
		*ret = image->fallback;
}

static bool is_last_shim(const struct image *image, const char *shim)
{
	return image->last_shim && (image->last_shim == shim || strcmp(image->last_shim, shim) == 0);
}

/* Calls `add` for every string that is to be written, in order. */
static int for_each_entry(struct image *image, void (*add)(struct image *, size_t, const struct facts *))
{
	image->last_shim = NULL;
	for (size_t i = 0; i < image->entry_count; i++) {
		struct rtreg_runtime runtime;
		struct facts facts;
		int r;

		get_runtime(image, i, &runtime);
		r = find_facts(image, &runtime, &facts);
		if (r < 0)
			return r;
		add(image, i, &facts);
	}
	return 0;
}

static void measure(struct image *image, size_t index, const struct facts *facts)
{
	(void)index;
	for (size_t i = 0; i < FACT_COUNT; i++) {
		if (i == 1 && is_last_shim(image, facts->texts[1]))
			continue;
		if (facts->texts[i])
			image->size += strlen(facts->texts[i]) + 1;
	}
	image->last_shim = facts->texts[1];
}

static struct shared_header *header_of(const struct image *image)
{
	return (struct shared_header *)(void *)image->bytes;
}

static struct shared_string add_string(struct image *image, const char *text)
{
	struct shared_string string = {0};

	if (!text)
		return string;
	string = (struct shared_string){image->used, (uint32_t)strlen(text)};
	memcpy(image->bytes + image->used, text, string.length + 1);
	image->used += string.length + 1;
	return string;
}

static void add_slot(const struct image *image, const char *name, uint32_t length, size_t entry)
{
	struct shared_slot *slots = (struct shared_slot *)(void *)(image->bytes + header_of(image)->slots);
	uint64_t hash = rtreg_hash(name, length), mask = image->slot_count - 1, at = hash & mask;

	while (slots[at].entry != 0)
		at = (at + 1) & mask;
	slots[at] = (struct shared_slot){shared_tag(hash), (uint32_t)entry + 1};
}

static void fill(struct image *image, size_t index, const struct facts *facts)
{
	struct shared_entry *entry =
	        (struct shared_entry *)(void *)(image->bytes + header_of(image)->entries) + index;

	entry->name = add_string(image, facts->texts[0]);
	if (!is_last_shim(image, facts->texts[1]))
		image->last_shim_at = add_string(image, facts->texts[1]);
	image->last_shim = facts->texts[1];
	entry->shim = image->last_shim_at;
	entry->binary = add_string(image, facts->texts[2]);
	entry->options = add_string(image, facts->texts[3]);
	if (index < image->runtime_count)
		add_slot(image, facts->texts[0], entry->name.length, index);
}

/* At most half full, as the table in process. */
static void set_slot_count(struct image *image)
{
	image->slot_count = 8;
	while (image->slot_count < 2 * (uint64_t)image->runtime_count)
		image->slot_count *= 2;
}

static void write_header(struct image *image, uint64_t epoch)
{
	uint32_t slots = sizeof(struct shared_header);
	uint32_t entries = slots + (uint32_t)(image->slot_count * sizeof(struct shared_slot));
	uint32_t strings = entries + (uint32_t)(image->entry_count * sizeof(struct shared_entry));

	*header_of(image) = (struct shared_header){
	        .version = SHARED_VERSION,
	        .slot_count = (uint32_t)image->slot_count,
	        .entry_count = (uint32_t)image->entry_count,
	        .default_entry = image->default_entry,
	        .slots = slots,
	        .entries = entries,
	        .strings = strings,
	        .epoch = epoch,
	        .generation = rtreg_snapshot_generation(image->snapshot),
	        .size = image->size,
	        .hash_sample = rtreg_hash(SHARED_HASH_SAMPLE, strlen(SHARED_HASH_SAMPLE)),
	};
	memcpy(header_of(image)->magic, SHARED_SNAPSHOT_MAGIC, sizeof(header_of(image)->magic));
	image->used = strings;
}

static int measure_all(struct image *image)
{
	int r = find_default(image);

	if (r < 0)
		return r;
	set_slot_count(image);
	image->size = sizeof(struct shared_header) + image->slot_count * sizeof(struct shared_slot) +
	              image->entry_count * sizeof(struct shared_entry);
	r = for_each_entry(image, measure);
	if (r < 0)
		return r;
	return image->size > UINT32_MAX ? -EFBIG : 0;
}

/* Its memory is there before it is written to: else the lack of it would be a signal. */
static int write_all(struct image *image, uint64_t epoch, int fd)
{
	void *mapped;
	int r;

	if (fallocate(fd, 0, 0, (off_t)image->size) < 0)
		return -errno;
	mapped = mmap(NULL, image->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (mapped == MAP_FAILED)
		return -errno;
	image->bytes = mapped;
	write_header(image, epoch);
	r = for_each_entry(image, fill);
	munmap(mapped, image->size);
	if (r < 0)
		return r;
	return fcntl(fd, F_ADD_SEALS, SHARED_SNAPSHOT_SEALS) < 0 ? -errno : 0;
}

int shared_write(const struct rtreg_snapshot *snapshot, uint64_t epoch, struct shared_file *ret)
{
	struct image image = {.snapshot = snapshot, .runtime_count = rtreg_snapshot_runtime_count(snapshot)};
	_cleanup_close_ int fd = -1;
	int r = measure_all(&image);

	if (r == 0) {
		fd = memfd_create("rtreg-snapshot", MFD_CLOEXEC | MFD_ALLOW_SEALING);
		r = fd < 0 ? -errno : write_all(&image, epoch, fd);
	}
	arena_free(image.arena);
	if (r < 0)
		return r;
	*ret = (struct shared_file){take_fd(&fd), image.size};
	return 0;
}
