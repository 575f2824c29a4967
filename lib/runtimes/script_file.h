/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the parts of the script store share: one known file, looking whether it is still right
 * (script_file.c), and writing files durably in batches (script_write.c). Nobody else includes this.
 *
 * All access goes through the store's descriptor of the directory, so that nobody who moves directories about
 * can make us write elsewhere.
 */
#ifndef RTREG_RUNTIMES_SCRIPT_FILE_H
#define RTREG_RUNTIMES_SCRIPT_FILE_H

#include <sys/stat.h>

#include "base/problems.h"
#include "base/statistics.h"
#include "runtimes/script_table.h"

#define SCRIPT_MODE 0700

struct script_store {
	char *path; /* of the directory, without trailing slashes */
	int directory;
	uid_t uid; /* whose the files must be */
	struct script_table files;
	bool no_tmpfile;           /* the file system has no O_TMPFILE, or such a file cannot be linked */
	unsigned long temporaries; /* dot-files made so far */
	struct statistics *statistics;
	int opens;      /* inotify: tells of files that are opened; -1: nobody does */
	uint32_t epoch; /* begins anew where it may not have told of all */
};

/*
 * What a file looked like when its content was last known to be right, beside what it has to look like. All zero: never.
 * There is one for each known script, so the times are in ns.
 */
struct script_identity {
	dev_t device;
	ino_t inode;
	uint64_t modified_ns, changed_ns;
};

struct script_file {
	struct script_identity identity;
	/* False if the file had changed so shortly before that a further change could bear the same time. */
	bool settled;
	/* script_opens.c's own: opened by others since its lease was tried; opened by us, and not yet told. */
	bool opened;
	unsigned own_opens;
	uint32_t epoch;
	uint32_t length;
	char *content; /* owned; NULL: the live snapshot makes it again. The name has its digest in any case */
	char name[];
};

/* Keeps no content. NULL without memory. */
struct script_file *script_file_new(const char *name, size_t length);
/* NULL is allowed. */
void script_file_free(struct script_file *file);
/* -ENOMEM. */
int script_file_keep(struct script_file *file, const char *content);

/*
 * Looks whether `file` is in place, whole, ours and can be executed, and remembers what it looks like. *ret_fault
 * is NULL if so, else SCRIPT_MISSING or what is wrong in words. Fails only if it cannot be told.
 */
extern const char SCRIPT_MISSING[];
int script_file_look(struct script_store *store, struct script_file *file, const char **ret_fault);

/* Remembers that the file behind `fd` is `file`, and right. */
int script_file_remember(struct script_file *file, int fd);

/* The known file of that name, or NULL. */
struct script_file *script_store_find(const struct script_store *store, const char *name);

/*
 * A file that somebody has open for writing cannot be executed, and nothing that stat() tells changes. A lease tells,
 * but costs an open of the file; so inotify tells which files were opened at all, and only those are tried
 * (script_opens.c). begin: of the directory that is the store's now; read: what has happened since.
 */
void script_opens_begin(struct script_store *store);
void script_opens_read(struct script_store *store);
void script_opens_end(struct script_store *store);
bool script_is_open_for_writing(struct script_store *store, struct script_file *file);
/* Opens the file in place for reading. All that open it use this: so that it can be told from what others do. */
int script_file_open(struct script_store *store, struct script_file *file);
/* The same as script_is_open_for_writing() of what script_file_open() has opened as `fd`. */
bool script_is_written_to(struct script_file *file, int fd);

/* One file to be written. */
struct script_job {
	struct script_file *file;
	const char *content; /* `file->length` bytes; only for writing */
	const char *fault;   /* as script_file_look() said: what is in place already gets replaced */
	bool created;        /* set: there is a new file, where none was before */

	/* script_write.c's own, zeroed */
	int fd;
	int sync_result;
	bool again;         /* has to be written anew, as a dot-file */
	bool placed;        /* is in place */
	char temporary[48]; /* name of the dot-file, empty if there is none */
};

/*
 * Writes the files of all jobs; when it returns they are durable and can be executed. On failure some may be
 * in place, `created` tells which; nothing else is left behind.
 */
int script_files_write(struct script_store *store, struct script_job *jobs, size_t count,
                       struct problems *problems, struct rtreg_error *error);

/* `cannot write wrapper script DIR/NAME: No space left on device; free some space and reload` */
int script_write_error(const struct script_store *store, const struct script_file *file, int code,
                       struct rtreg_error *error);

#endif
