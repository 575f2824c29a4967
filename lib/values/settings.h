/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One typed value per key. Made from a tree (a file, a body), from flags, or from the defaults; merged by
 * lib/draft.
 *
 * How values are held, once typed (all objects sorted by key):
 *   KEY_STRING, KEY_IP         VALUE_STRING
 *   KEY_BOOL                   VALUE_BOOL
 *   KEY_INT, KEY_BYTES         VALUE_INT
 *   KEY_STRINGS, KEY_IPS       VALUE_ARRAY of VALUE_STRING
 *   KEY_RUNTIMES               VALUE_OBJECT, name → object with only those of `options` (object), `path`
 * (string), `runtimeArgs` (array of strings), `runtimeType` (string) that are not empty the other objects
 * VALUE_OBJECT; members of nri-opts and ulimits under their canonical names
 */
#ifndef RTREG_VALUES_SETTINGS_H
#define RTREG_VALUES_SETTINGS_H

#include "base/problems.h"
#include "values/keys.h"
#include "values/value.h"

enum origin {
	ORIGIN_DEFAULT,
	ORIGIN_FILE,
	ORIGIN_FLAG,
};

struct setting {
	bool set;     /* otherwise `value` is the type's zero value */
	bool invalid; /* set, but with an error that has been reported: checks leave it out */
	enum origin origin;
	const char *fragment; /* of ORIGIN_FILE: the drop-in file that set it; NULL: the main file */
	/*
	 * KEY_RUNTIMES: where each member is from, and the drop-in that has it, or NULL. NULL themselves: all
	 * as the key. The key's own are made of them, see settings_note_owner().
	 */
	const enum origin *origins;
	const char *const *fragments;
	struct value value;
};

struct settings {
	const struct keyset *keys; /* not owned */
	struct setting *items;     /* keys->count of them */
};

/* All unset, with zero values. -ENOMEM. */
int settings_init(struct arena *arena, const struct keyset *keys, struct settings *ret);

/*
 * Reads a configuration's tree (CONTRACT C4 to C12): unknown keys, types, formats. What is wrong goes to
 * `problems`, in the order of CONTRACT section 4, and the key in question is left unset. Values are moved, so
 * the tree is used up. Returns -ENOMEM, or 0, also when there were problems.
 */
int settings_from_tree(struct arena *arena, const struct keyset *keys, struct value *tree,
                       struct settings *ret, struct problems *problems);

/*
 * Reads flags ("label", "rack=7"), in order; lists add up. An unknown flag or a bad value is an error in
 * `problems` that begins with "flag --NAME: ". Returns -ENOMEM or 0.
 */
int settings_from_flags(struct arena *arena, const struct keyset *keys, const struct rtreg_flag *flags,
                        size_t count, struct settings *ret, struct problems *problems);

/* The defaults of CONTRACT section 3; exec-root is `exec_root` if not NULL. */
int settings_defaults(struct arena *arena, const struct keyset *keys, const char *exec_root,
                      struct settings *ret);

/* One file's settings. `path` is how messages name it; `fragment` is NULL for the main file or a body. */
struct layer {
	const char *path, *fragment;
	struct settings settings;
};

/*
 * Puts the settings of several files together, in their order; values are not copied. A key that two of them
 * set, runtimes and proxies one by one, is an error in `problems` that names both; the first one's value is
 * taken. `fragment` strings must live as long as the result. -ENOMEM.
 */
int settings_merge(struct arena *arena, const struct keyset *keys, const struct layer *layers, size_t count,
                   struct settings *ret, struct problems *problems);

/*
 * The flag/file conflict rule: every key set in both but `runtimes`, sorted, as one error ("the following
 * directives are specified both as a flag and in the configuration file: …"), masked.
 */
void settings_conflicts(const struct settings *flags, const struct settings *file, struct problems *problems);

static inline const struct value *settings_get(const struct settings *settings, enum key_id id)
{
	return &settings->items[id].value;
}

/* The origin, and the drop-in or NULL, of a runtime of a KEY_RUNTIMES. */
enum origin settings_member_origin(const struct setting *setting, uint32_t index);
const char *settings_member_fragment(const struct setting *setting, uint32_t index);
/*
 * Makes the key's origin from its runtimes': the file's if any is; one drop-in's if all are that one's.
 * Without runtimes it stays as it is.
 */
void settings_note_owner(struct setting *setting);

/* "" for an unset or empty string. */
const char *settings_string(const struct settings *settings, enum key_id id);

/* The zero value of a type. */
struct value settings_zero(enum key_type type);
/* Empty: "", 0, false, [], {}. */
bool settings_is_empty(const struct value *value);

#endif
