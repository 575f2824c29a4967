/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench/wrapped.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fs.h"

#define BINARY "/nonexistent/runtime"

/* --- configurations --- */

static void append_runtime(struct text *text, const char *name, const char *argument, bool first)
{
	text_append(text, first ? "\n" : ",\n");
	text_printf(text,
	            "    \"%s\": {\n      \"path\": \"" BINARY "\",\n      \"runtimeArgs\": [\n"
	            "        \"--debug\",\n        \"--for=%s\"\n      ]\n    }",
	            name, argument);
}

int wrapped_configuration(const struct world *world, size_t count, unsigned long label, unsigned long added,
                          struct text *ret)
{
	char name[32];

	text_printf(ret, "{\n  \"labels\": [\n    \"number=%lu\"\n  ],\n  \"runtimes\": {", label);
	for (size_t i = 0; i < count; i++)
		append_runtime(ret, world->names[i].text, world->names[i].text, i == 0);
	snprintf(name, sizeof(name), "added-%lu", added);
	if (added > 0)
		append_runtime(ret, name, name, count == 0);
	text_append(ret, "\n  }\n}\n");
	return ret->failed ? -ENOMEM : 0;
}

int wrapped_write(const struct world *world, size_t count, unsigned long label, unsigned long added,
                  size_t *ret_size)
{
	_cleanup_text_ struct text text = {0};
	_cleanup_close_ int fd = -1;
	int r = wrapped_configuration(world, count, label, added, &text);

	if (r < 0)
		return r;
	if (ret_size)
		*ret_size = text.length;
	fd = open(world->config, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	return fd < 0 ? -errno : fs_write_all(fd, text.data, text.length);
}

/* --- the bare writes --- */

static int read_one(int directory, const char *name, struct bare_file *ret)
{
	_cleanup_close_ int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);
	char content[4096];
	size_t length;

	if (fd < 0 || fs_read_full(fd, content, sizeof(content), &length) < 0)
		return -EIO;
	ret->name = strdup(name);
	text_append_n(&ret->content, content, length);
	return ret->name && !ret->content.failed ? 0 : -ENOMEM;
}

int bare_files_read(const struct world *world, struct bare_files *ret)
{
	_cleanup_text_ struct text path = {0};
	_cleanup_closedir_ DIR *directory = NULL;
	const struct dirent *entry;
	int r = 0;

	text_printf(&path, "%s/runtimes", world->state);
	directory = path.failed ? NULL : opendir(path.data);
	ret->files = calloc(world->count, sizeof(*ret->files));
	if (!directory || !ret->files)
		return -ENOMEM;
	while (r == 0 && ret->count < world->count && (entry = readdir(directory)))
		if (entry->d_name[0] != '.')
			r = read_one(dirfd(directory), entry->d_name, &ret->files[ret->count++]);
	return r;
}

void bare_files_fini(struct bare_files *bare)
{
	for (size_t i = 0; i < bare->count; i++) {
		free(bare->files[i].name);
		text_fini(&bare->files[i].content);
	}
	free(bare->files);
}

int bare_files_write(const struct bare_files *bare, const char *path)
{
	_cleanup_close_ int directory = -1;
	int r = mkdir(path, 0700) < 0 ? -errno : 0;

	directory = r < 0 ? -1 : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0)
		return r < 0 ? r : -errno;
	for (size_t i = 0; i < bare->count && r == 0; i++) {
		_cleanup_close_ int fd =
		        openat(directory, bare->files[i].name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

		r = fd < 0 ? -errno
		           : fs_write_all(fd, bare->files[i].content.data, bare->files[i].content.length);
	}
	return r;
}

/* --- memory --- */

static double status_bytes(const char *member)
{
	FILE *file = fopen("/proc/self/status", "re");
	size_t length = strlen(member);
	char line[256];
	double bytes = 0;

	while (file && fgets(line, sizeof(line), file))
		if (strncmp(line, member, length) == 0 && line[length] == ':')
			bytes = strtod(line + length + 1, NULL) * 1024;
	if (file)
		fclose(file);
	return bytes;
}

double memory_now(void)
{
	return status_bytes("RssAnon");
}

/* The most is told of all memory together; what belongs to files hardly changes meanwhile. */
double memory_most(void)
{
	return status_bytes("VmHWM") - status_bytes("RssFile") - status_bytes("RssShmem");
}

void memory_reset(void)
{
	_cleanup_close_ int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && write(fd, "5", 1) < 0)
		return; /* then the most is that since the start */
}
