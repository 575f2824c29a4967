/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "runtimes/probe.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>

#include "runtimes/lookup.h"
#include "runtimes/probe_child.h"

/* What makes a binary the same one (CONTRACT C46). All zero: there is none. */
struct binary_identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec modified;
};

struct probe_entry {
	char *path;     /* as configured */
	char *document; /* NULL: none */
	struct binary_identity identity;
	bool answered; /* document, or its absence, is this binary's answer */
	unsigned idle; /* runs since the path was last asked for */
};

struct entry_list {
	struct probe_entry *entries; /* sorted by path */
	size_t count;
};

struct probe_answers {
	struct entry_list list;
};

struct probe_cache {
	struct statistics *statistics;
	pthread_mutex_t run_lock; /* one run at a time; taken before `lock` */
	pthread_mutex_t lock;     /* of `list`, which a run alone exchanges */
	struct entry_list list;
};

static void list_fini(struct entry_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->entries[i].path);
		free(list->entries[i].document);
	}
	free(list->entries);
	*list = (struct entry_list){0};
}

struct probe_cache *probe_cache_new(struct statistics *statistics)
{
	struct probe_cache *cache = calloc(1, sizeof(*cache));

	if (cache) {
		cache->statistics = statistics;
		pthread_mutex_init(&cache->run_lock, NULL);
		pthread_mutex_init(&cache->lock, NULL);
	}
	return cache;
}

void probe_cache_free(struct probe_cache *cache)
{
	if (!cache)
		return;
	list_fini(&cache->list);
	pthread_mutex_destroy(&cache->lock);
	pthread_mutex_destroy(&cache->run_lock);
	free(cache);
}

static int compare_paths(const void *a, const void *b)
{
	return strcmp(((const struct probe_entry *)a)->path, ((const struct probe_entry *)b)->path);
}

static struct probe_entry *find(const struct entry_list *list, const char *path)
{
	struct probe_entry key = {.path = (char *)path};

	return list->count ? bsearch(&key, list->entries, list->count, sizeof(key), compare_paths) : NULL;
}

/* One empty entry for each distinct path, sorted; room for `more`. */
static int list_init(struct entry_list *list, const char *const *paths, size_t count, size_t more)
{
	size_t kept = 0;

	list->entries = calloc(count + more + 1, sizeof(*list->entries));
	if (!list->entries)
		return -ENOMEM;
	for (; list->count < count; list->count++) {
		list->entries[list->count].path = strdup(paths[list->count]);
		if (!list->entries[list->count].path)
			return -ENOMEM;
	}
	qsort(list->entries, count, sizeof(*list->entries), compare_paths);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && compare_paths(&list->entries[kept - 1], &list->entries[i]) == 0)
			free(list->entries[i].path);
		else
			list->entries[kept++] = list->entries[i];
	}
	list->count = kept;
	return 0;
}

/* A copy of paths and documents. */
static int answers_new(const struct entry_list *list, struct probe_answers **ret)
{
	struct probe_answers *answers = calloc(1, sizeof(*answers));

	if (!answers)
		return -ENOMEM;
	answers->list.entries = calloc(list->count + 1, sizeof(*answers->list.entries));
	if (!answers->list.entries) {
		free(answers);
		return -ENOMEM;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct probe_entry *entry = &answers->list.entries[answers->list.count++];

		entry->path = strdup(list->entries[i].path);
		entry->document = list->entries[i].document ? strdup(list->entries[i].document) : NULL;
		if (!entry->path || (list->entries[i].document && !entry->document)) {
			probe_answers_free(answers);
			return -ENOMEM;
		}
	}
	*ret = answers;
	return 0;
}

void probe_answers_free(struct probe_answers *answers)
{
	if (!answers)
		return;
	list_fini(&answers->list);
	free(answers);
}

const char *probe_answers_get(const struct probe_answers *answers, const char *path)
{
	const struct probe_entry *entry = find(&answers->list, path);

	return entry ? entry->document : NULL;
}

static bool same_binary(const struct binary_identity *a, const struct binary_identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->modified.tv_sec == b->modified.tv_sec && a->modified.tv_nsec == b->modified.tv_nsec;
}

/* What has to be asked, each child with the entry that it is asked for. */
struct question_list {
	struct probe_child *children;
	struct probe_entry **entries;
	char **binaries;
	size_t count;
};

static void questions_fini(struct question_list *questions)
{
	for (size_t i = 0; i < questions->count; i++) {
		free(questions->children[i].document);
		free(questions->children[i].failure);
		free(questions->binaries[i]);
	}
	free(questions->children);
	free(questions->entries);
	free(questions->binaries);
}

static int questions_init(struct question_list *questions, size_t count)
{
	questions->children = calloc(count + 1, sizeof(*questions->children));
	questions->entries = calloc(count + 1, sizeof(*questions->entries));
	questions->binaries = calloc(count + 1, sizeof(*questions->binaries));
	return questions->children && questions->entries && questions->binaries ? 0 : -ENOMEM;
}

/*
 * Adds to `list`, which has the room and is sorted, what `before` knows of other paths, and leaves it the
 * rest.
 */
static void take_idle(struct entry_list *list, struct entry_list *before)
{
	size_t wanted = list->count;

	for (size_t i = 0; i < before->count; i++) {
		struct probe_entry *entry = &before->entries[i];
		struct entry_list own = {.entries = list->entries, .count = wanted};

		if (entry->idle >= PROBE_IDLE_RUNS || find(&own, entry->path))
			continue;
		entry->idle++;
		list->entries[list->count++] = *entry;
		*entry = (struct probe_entry){0};
	}
	if (list->count > wanted)
		qsort(list->entries, list->count, sizeof(*list->entries), compare_paths);
}

static void warn(struct problems *problems, const struct probe_entry *entry, const char *reason)
{
	problems_warn(problems, entry->path, "runtime %s: no OCI features: %s", entry->path, reason);
}

/*
 * Finds the entry's binary, and takes what `old` (NULL: nothing) knows of it; what has to be asked becomes a
 * question. A document is copied, since probe_get() may want the old one all the while.
 */
static int prepare(struct probe_entry *entry, const struct probe_entry *old, struct question_list *questions,
                   size_t *remembered, struct problems *problems)
{
	_cleanup_error_ struct rtreg_error error = {0};
	_cleanup_free_ char *binary = NULL;
	struct stat st;
	int rc;

	rc = lookup_binary(entry->path, &binary, &error);
	if (rc == -ENOMEM)
		return rc;
	if (rc == 0 && stat(binary, &st) == 0)
		entry->identity = (struct binary_identity){st.st_dev, st.st_ino, st.st_size, st.st_mtim};
	else
		entry->answered = true;
	if (old && old->answered && same_binary(&old->identity, &entry->identity)) {
		entry->answered = true;
		++*remembered;
		entry->document = old->document ? strdup(old->document) : NULL;
		return old->document && !entry->document ? -ENOMEM : 0;
	}
	if (entry->answered) {
		warn(problems, entry, rc < 0 ? error.message : "it has just been removed");
		return 0;
	}
	questions->children[questions->count].binary = binary;
	questions->entries[questions->count] = entry;
	questions->binaries[questions->count++] = take(binary);
	return 0;
}

static void take_answers(struct question_list *questions, struct problems *problems)
{
	for (size_t i = 0; i < questions->count; i++) {
		struct probe_child *child = &questions->children[i];

		questions->entries[i]->document = take(child->document);
		questions->entries[i]->answered = child->final;
		if (child->failure)
			warn(problems, questions->entries[i], child->failure);
	}
}

/* What was neither asked nor remembered had no binary to ask. */
static void count(const struct probe_cache *cache, const struct entry_list *list,
                  const struct question_list *questions, size_t remembered)
{
	size_t answered = 0;

	for (size_t i = 0; i < questions->count; i++)
		answered += questions->entries[i]->document != NULL;
	statistics_count(cache->statistics, COUNT_PROBES_ANSWERED, answered);
	statistics_count(cache->statistics, COUNT_PROBES_REMEMBERED, remembered);
	statistics_count(cache->statistics, COUNT_PROBES_FAILED, list->count - answered - remembered);
}

/* Fills `list`, whose entries know nothing yet. The cache is only read. */
static int ask(const struct probe_cache *cache, struct entry_list *list, int limit_ms,
               struct problems *problems)
{
	struct question_list questions = {0};
	size_t remembered = 0;
	int rc = questions_init(&questions, list->count);

	for (size_t i = 0; rc == 0 && i < list->count; i++)
		rc = prepare(&list->entries[i], find(&cache->list, list->entries[i].path), &questions,
		             &remembered, problems);
	if (rc == 0)
		rc = probe_children_run(questions.children, questions.count, limit_ms);
	if (rc == 0) {
		take_answers(&questions, problems);
		count(cache, list, &questions, remembered);
	}
	questions_fini(&questions);
	return rc;
}

int probe_run(struct probe_cache *cache, const char *const *paths, size_t count, int limit_ms,
              struct problems *problems, struct probe_answers **ret)
{
	struct entry_list list = {0}, before = {0};
	struct probe_answers *answers = NULL;
	int rc;

	pthread_mutex_lock(&cache->run_lock);
	rc = list_init(&list, paths, count, cache->list.count);
	if (rc == 0)
		rc = ask(cache, &list, limit_ms, problems);
	if (rc == 0 && ret)
		rc = answers_new(&list, &answers);
	if (rc == 0) {
		pthread_mutex_lock(&cache->lock);
		before = cache->list;
		take_idle(&list, &before);
		cache->list = list;
		pthread_mutex_unlock(&cache->lock);
		list = before;
	}
	list_fini(&list);
	pthread_mutex_unlock(&cache->run_lock);
	if (rc == 0 && ret)
		*ret = answers;
	return rc;
}

int probe_get(struct probe_cache *cache, const char *path, char **ret)
{
	const struct probe_entry *entry;
	char *document = NULL;
	int rc = 0;

	pthread_mutex_lock(&cache->lock);
	entry = find(&cache->list, path);
	if (!entry)
		rc = -ENOENT;
	else if (entry->document && !(document = strdup(entry->document)))
		rc = -ENOMEM;
	pthread_mutex_unlock(&cache->lock);
	if (rc == 0)
		*ret = document;
	return rc;
}
