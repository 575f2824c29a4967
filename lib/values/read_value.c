/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "values/read_value.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/visible.h"
#include "values/mask.h"
#include "values/settings.h"
#include "values/size.h"

#define MAX_FIELDS 4

enum shape_kind {
	SHAPE_STRING,
	SHAPE_BOOL,
	SHAPE_INT,
	SHAPE_SIZE,
	SHAPE_IP,
	SHAPE_ANY_OBJECT,
	SHAPE_ARRAY,
	SHAPE_MAP,
	SHAPE_RECORD,
};

struct field {
	const char *name;
	const struct shape *shape;
};

struct shape {
	enum shape_kind kind;
	const char *wanted;
	const struct shape *element;         /* of an array or a map */
	struct field fields[MAX_FIELDS + 1]; /* of a record, by name; a member whose name is NULL ends them */
	bool must_be_there;                  /* an address: "" is none */
	bool drops_empty;                    /* a record: without members that are empty */
	bool reports_others;                 /* a record: other members are reported as ignored */
};

static const struct shape string_shape = {.kind = SHAPE_STRING, .wanted = "a string"};
static const struct shape bool_shape = {.kind = SHAPE_BOOL, .wanted = "a boolean"};
static const struct shape int_shape = {.kind = SHAPE_INT, .wanted = "an integer"};
static const struct shape size_shape = {.kind = SHAPE_SIZE, .wanted = "a string with a size"};
static const struct shape ip_shape = {.kind = SHAPE_IP, .wanted = "a string with an IP address"};
static const struct shape ip_element_shape = {
        .kind = SHAPE_IP, .wanted = "a string with an IP address", .must_be_there = true};
static const struct shape any_object_shape = {.kind = SHAPE_ANY_OBJECT, .wanted = "an object"};
static const struct shape strings_shape = {
        .kind = SHAPE_ARRAY, .wanted = "an array of strings", .element = &string_shape};
static const struct shape ips_shape = {
        .kind = SHAPE_ARRAY, .wanted = "an array of IP addresses", .element = &ip_element_shape};
static const struct shape string_map_shape = {
        .kind = SHAPE_MAP, .wanted = "an object of strings", .element = &string_shape};
static const struct shape bool_map_shape = {
        .kind = SHAPE_MAP, .wanted = "an object of booleans", .element = &bool_shape};
static const struct shape string_maps_shape = {
        .kind = SHAPE_MAP, .wanted = "an object of objects", .element = &string_map_shape};
static const struct shape pool_shape = {
        .kind = SHAPE_RECORD,
        .wanted = "an object with base and size",
        .fields = {{"base", &string_shape}, {"size", &int_shape}},
        .reports_others = true,
};
static const struct shape pools_shape = {
        .kind = SHAPE_ARRAY, .wanted = "an array of objects", .element = &pool_shape};
static const struct shape ulimit_shape = {
        .kind = SHAPE_RECORD,
        .wanted = "an object with Name, Hard and Soft",
        .fields = {{"Hard", &int_shape}, {"Name", &string_shape}, {"Soft", &int_shape}},
        .reports_others = true,
};
static const struct shape ulimits_shape = {
        .kind = SHAPE_MAP, .wanted = "an object of limits", .element = &ulimit_shape};
/* Its other members are errors, found with the unknown keys. */
static const struct shape nri_shape = {
        .kind = SHAPE_RECORD,
        .wanted = "an object",
        .fields = {{"enable", &bool_shape},
                   {"plugin-config-path", &string_shape},
                   {"plugin-path", &string_shape},
                   {"socket-path", &string_shape}},
};
static const struct shape runtime_shape = {
        .kind = SHAPE_RECORD,
        .wanted = "an object with path, runtimeArgs, runtimeType or options",
        .fields = {{"options", &any_object_shape},
                   {"path", &string_shape},
                   {"runtimeArgs", &strings_shape},
                   {"runtimeType", &string_shape}},
        .drops_empty = true,
        .reports_others = true,
};
static const struct shape runtimes_shape = {
        .kind = SHAPE_MAP, .wanted = "an object of runtimes", .element = &runtime_shape};

static const struct shape *const shapes[] = {
        [KEY_STRING] = &string_shape,
        [KEY_BOOL] = &bool_shape,
        [KEY_INT] = &int_shape,
        [KEY_BYTES] = &size_shape,
        [KEY_IP] = &ip_shape,
        [KEY_STRINGS] = &strings_shape,
        [KEY_IPS] = &ips_shape,
        [KEY_POOLS] = &pools_shape,
        [KEY_STRING_MAP] = &string_map_shape,
        [KEY_BOOL_MAP] = &bool_map_shape,
        [KEY_STRING_MAPS] = &string_maps_shape,
        [KEY_ULIMITS] = &ulimits_shape,
        [KEY_NRI] = &nri_shape,
        [KEY_OBJECT] = &any_object_shape,
        [KEY_RUNTIMES] = &runtimes_shape,
};

static void read_shape(struct reader *reader, const struct shape *shape, const struct place *place,
                       struct value *value);

static void place_write(struct text *text, const struct place *place)
{
	if (place->up) {
		place_write(text, place->up);
		text_append_char(text, '.');
	}
	mask_name(text, place->name);
}

void read_type_error(struct reader *reader, const struct place *place, const struct value *value,
                     const char *wanted)
{
	_cleanup_text_ struct text path = {0}, found = {0};

	place_write(&path, place);
	text_append(&found, value_type_name(value->type));
	if (value->type == VALUE_INT || value->type == VALUE_NUMBER) {
		text_append_char(&found, ' ');
		if (place->up && mask_hides(place->name))
			text_append(&found, MASKED);
		else if (value->type == VALUE_INT)
			text_printf(&found, "%lld", (long long)value->integer);
		else
			text_append(&found, value->string);
	}
	reader->bad = true;
	reader->failed |= path.failed || found.failed;
	problems_error(reader->problems, -EINVAL, text_string(&path),
	               "cannot unmarshal %s into %s: %s is wanted", text_string(&found), text_string(&path),
	               wanted);
}

static void format_error(struct reader *reader, const struct place *place, const char *message)
{
	_cleanup_text_ struct text path = {0}, line = {0};

	place_write(&path, place);
	visible_append(&line, message);
	reader->bad = true;
	reader->failed |= path.failed || line.failed;
	problems_error(reader->problems, -EINVAL, text_string(&path), "%s", text_string(&line));
}

bool read_ip_is_valid(const char *string)
{
	unsigned char address[sizeof(struct in6_addr)];
	char bare[INET6_ADDRSTRLEN];
	const char *zone = strchr(string, '%');

	if (!zone)
		return inet_pton(AF_INET, string, address) == 1 || inet_pton(AF_INET6, string, address) == 1;
	if (!zone[1] || (size_t)(zone - string) >= sizeof(bare))
		return false;
	memcpy(bare, string, (size_t)(zone - string));
	bare[zone - string] = '\0';
	return inet_pton(AF_INET6, bare, address) == 1;
}

static void check_ip(struct reader *reader, const struct shape *shape, const struct place *place,
                     const struct value *value)
{
	_cleanup_text_ struct text message = {0};

	if (read_ip_is_valid(value->string) || (value->count == 0 && !shape->must_be_there))
		return;
	/* Somebody may have put a URL there, and in it a password. */
	text_append(&message, "invalid IP address: ");
	mask_url(&message, value->string);
	reader->failed |= message.failed;
	format_error(reader, place, text_string(&message));
}

static void read_size(struct reader *reader, const struct place *place, struct value *value)
{
	_cleanup_error_ struct rtreg_error error = {0};
	int64_t bytes;

	if (size_parse(value->string, &bytes, &error) < 0)
		format_error(reader, place, error.message);
	else
		*value = value_of_int(bytes);
}

static int compare_members(const void *a, const void *b)
{
	return strcmp(((const struct member *)a)->key, ((const struct member *)b)->key);
}

void read_sort_members(struct value *object)
{
	if (!value_is_sorted(object))
		qsort(object->members, object->count, sizeof(object->members[0]), compare_members);
}

static void read_map(struct reader *reader, const struct shape *shape, const struct place *place,
                     struct value *value)
{
	read_sort_members(value);
	for (uint32_t i = 0; i < value->count; i++) {
		struct place member = {.up = place, .name = value->members[i].key};

		read_shape(reader, shape->element, &member, &value->members[i].value);
	}
}

/* The index of a record's field, or -1. */
static int find_field(const struct shape *record, const char *name)
{
	for (int i = 0; record->fields[i].name; i++)
		if (strcasecmp(record->fields[i].name, name) == 0)
			return i;
	return -1;
}

static void report_other(struct reader *reader, const struct place *place, const char *name)
{
	const struct place member = {.up = place, .name = name};
	_cleanup_text_ struct text path = {0};

	place_write(&path, &member);
	reader->failed |= path.failed;
	problems_ignore(reader->problems, text_string(&path), "not known here, and ignored");
}

/* Of a field written twice, in different case, the last one counts, as for any key. */
static void read_record(struct reader *reader, const struct shape *shape, const struct place *place,
                        struct value *value)
{
	struct value found[MAX_FIELDS];
	bool is_there[MAX_FIELDS] = {false};
	uint32_t count = 0;

	for (uint32_t i = 0; i < value->count; i++) {
		int field = find_field(shape, value->members[i].key);

		if (field >= 0) {
			found[field] = value->members[i].value;
			is_there[field] = true;
		} else if (shape->reports_others) {
			report_other(reader, place, value->members[i].key);
		}
	}
	/* There are no more of them than members were, so they fit in their place. */
	for (int i = 0; i < MAX_FIELDS; i++) {
		struct place member = {.up = place, .name = shape->fields[i].name};

		if (!is_there[i])
			continue;
		read_shape(reader, shape->fields[i].shape, &member, &found[i]);
		if (!shape->drops_empty || !settings_is_empty(&found[i]))
			value->members[count++] =
			        (struct member){.key = shape->fields[i].name, .value = found[i]};
	}
	value->count = count;
}

static enum value_type type_of(enum shape_kind kind)
{
	switch (kind) {
	case SHAPE_STRING:
	case SHAPE_SIZE:
	case SHAPE_IP:
		return VALUE_STRING;
	case SHAPE_BOOL:
		return VALUE_BOOL;
	case SHAPE_INT:
		return VALUE_INT;
	case SHAPE_ARRAY:
		return VALUE_ARRAY;
	case SHAPE_ANY_OBJECT:
	case SHAPE_MAP:
	case SHAPE_RECORD:
		return VALUE_OBJECT;
	}
	return VALUE_NULL;
}

static struct value zero_of(enum shape_kind kind)
{
	enum value_type type = type_of(kind);

	return type == VALUE_STRING ? value_of_string("") : (struct value){.type = type};
}

static void read_shape(struct reader *reader, const struct shape *shape, const struct place *place,
                       struct value *value)
{
	if (value->type == VALUE_NULL && shape->kind != SHAPE_SIZE) {
		*value = zero_of(shape->kind);
		return;
	}
	if (value->type != type_of(shape->kind)) {
		read_type_error(reader, place, value, shape->wanted);
		return;
	}
	if (shape->kind == SHAPE_SIZE)
		read_size(reader, place, value);
	else if (shape->kind == SHAPE_IP)
		check_ip(reader, shape, place, value);
	else if (shape->kind == SHAPE_ANY_OBJECT)
		value_sort(value);
	else if (shape->kind == SHAPE_MAP)
		read_map(reader, shape, place, value);
	else if (shape->kind == SHAPE_RECORD)
		read_record(reader, shape, place, value);
	/* An element counts for its array's place. */
	for (uint32_t i = 0; shape->kind == SHAPE_ARRAY && i < value->count; i++)
		read_shape(reader, shape->element, place, &value->elements[i]);
}

void read_value(struct reader *reader, enum key_type type, const struct place *place, struct value *value)
{
	read_shape(reader, shapes[type], place, value);
}

bool read_member_is_known(enum key_type type, const char *name)
{
	return shapes[type]->kind == SHAPE_RECORD && find_field(shapes[type], name) >= 0;
}
