/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A client that does what it is told, for test_client.py. Linked with the shared library and nothing else.
 *
 *     client-driver SOCKET                     reads commands, a line each, words separated by tabs:
 *         resolve NAME | lock ROOT ID RUNTIME | locked ROOT ID | unlock ROOT ID | timeout MS | again NAME COUNT
 *         map | mapped | stale 0|1 | check NAME | fork COMMAND … (what a child answers to it) | descriptors COUNT (limit)
 *     client-driver SOCKET THREADS CALLS       as many clients at once
 *
 * One line for each command: the code and what came back, or the message, separated by tabs.
 */
#include <pthread.h>
#include <rtreg/client.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS_MAX   4
#define THREADS_MAX 1000

static const char *or_none(const char *text)
{
	return text ? text : "-";
}

static int resolve(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	struct rtreg_runtime runtime;
	int code = rtreg_client_resolve(client, words[1], &runtime, error);

	if (code == 0)
		printf("0\t%s\t%s\t%s\t%s\t%llu\n", runtime.name, runtime.shim, or_none(runtime.binary),
		       or_none(runtime.options_json), (unsigned long long)rtreg_client_generation(client));
	return code;
}

static int again(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	struct rtreg_runtime runtime;
	int count = atoi(words[2]);

	for (int i = 0; i < count; i++) {
		int code = rtreg_client_resolve(client, words[1], &runtime, error);

		if (code < 0)
			return code;
	}
	printf("0\t%d\n", count);
	return 0;
}

static void print_lock_in(struct rtreg_lock_in *lock_in)
{
	printf("0\t%s\t%s\t%s\t%s\n", lock_in->created ? "created" : "found", lock_in->runtime,
	       or_none(lock_in->binary), lock_in->json);
	rtreg_lock_in_fini(lock_in);
}

static int lock(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	struct rtreg_lock_in lock_in;
	int code = rtreg_client_lock_in(client, words[1], words[2], words[3], &lock_in, error);

	if (code == 0)
		print_lock_in(&lock_in);
	return code;
}

static int locked(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	struct rtreg_lock_in lock_in;
	int code = rtreg_client_locked(client, words[1], words[2], &lock_in, error);

	if (code == 0)
		print_lock_in(&lock_in);
	return code;
}

static int unlock(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	int code = rtreg_client_unlock(client, words[1], words[2], error);

	if (code == 0)
		printf("0\n");
	return code;
}

static int set_timeout(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	(void)error;
	rtreg_client_set_timeout(client, (unsigned int)atoi(words[1]));
	printf("0\n");
	return 0;
}

static int map(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	(void)words;
	(void)error;
	rtreg_client_map(client);
	printf("0\n");
	return 0;
}

static int mapped(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	(void)words;
	(void)error;
	printf("0\t%d\n", rtreg_client_mapped(client));
	return 0;
}

static int set_stale(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	(void)error;
	rtreg_client_set_stale(client, atoi(words[1]));
	printf("0\n");
	return 0;
}

static int check(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	int code = rtreg_client_check(client, words[1], error);

	if (code == 0)
		printf("0\n");
	return code;
}

static int limit_descriptors(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	struct rlimit limit;

	(void)client;
	(void)error;
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = (rlim_t)atoi(words[1]);
	printf("%d\n", setrlimit(RLIMIT_NOFILE, &limit));
	return 0;
}

static void obey_words(struct rtreg_client *client, char **words);

/* The child's answer is the answer. */
static int in_child(struct rtreg_client *client, char **words, struct rtreg_error *error)
{
	pid_t child = fork();

	(void)error;
	if (child == 0) {
		obey_words(client, words + 1);
		rtreg_client_close(client);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	return 0;
}

static const struct command {
	const char *name;
	int (*run)(struct rtreg_client *client, char **words, struct rtreg_error *error);
} commands[] = {{"resolve", resolve}, {"again", again},   {"lock", lock},
                {"locked", locked},   {"unlock", unlock}, {"timeout", set_timeout},
                {"map", map},         {"mapped", mapped}, {"stale", set_stale},
                {"check", check},     {"fork", in_child}, {"descriptors", limit_descriptors}};

static void obey_words(struct rtreg_client *client, char **words)
{
	struct rtreg_error error = {0};
	int code = 0;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(commands[i].name, words[0]) == 0)
			code = commands[i].run(client, words, &error);
	if (code < 0)
		printf("%d\t%s\t%d\n", error.code, error.message, rtreg_exit_code(&error));
	rtreg_error_fini(&error);
	fflush(stdout);
}

static void obey(struct rtreg_client *client, char *line)
{
	char *words[WORDS_MAX + 1] = {"", "", "", "", ""};

	line[strcspn(line, "\n")] = '\0';
	for (int i = 0; i < WORDS_MAX && line; i++)
		words[i] = strsep(&line, "\t");
	obey_words(client, words);
}

/* --- many at once --- */

struct job {
	const char *socket;
	int number, calls, failed;
};

/* One container's life, again and again, with a client of its own. */
static int live(const struct job *job)
{
	struct rtreg_client *client;
	struct rtreg_runtime runtime;
	struct rtreg_lock_in lock_in;
	char id[32];
	int failed = 0;

	if (rtreg_client_open(job->socket, &client, NULL) < 0)
		return job->calls;
	rtreg_client_set_timeout(client, 60000);
	snprintf(id, sizeof(id), "c%d", job->number);
	for (int i = 0; i < job->calls; i++) {
		int done = rtreg_client_resolve(client, "", &runtime, NULL) == 0 && *runtime.name;

		if (rtreg_client_lock_in(client, NULL, id, "", &lock_in, NULL) == 0) {
			done = done && lock_in.created && strcmp(lock_in.id, id) == 0;
			rtreg_lock_in_fini(&lock_in);
		} else {
			done = 0;
		}
		failed += !done || rtreg_client_unlock(client, NULL, id, NULL) < 0;
	}
	rtreg_client_close(client);
	return failed;
}

static void *work(void *context)
{
	struct job *job = context;

	job->failed = live(job);
	return NULL;
}

static int work_at_once(const char *socket, int count, int calls)
{
	static struct job jobs[THREADS_MAX];
	static pthread_t threads[THREADS_MAX];
	int failed = 0, started = 0;

	for (; started < count && started < THREADS_MAX; started++) {
		jobs[started] = (struct job){.socket = socket, .number = started, .calls = calls};
		if (pthread_create(&threads[started], NULL, work, &jobs[started]) != 0)
			break;
	}
	for (int i = 0; i < started; i++) {
		pthread_join(threads[i], NULL);
		failed += jobs[i].failed;
	}
	printf("%d\t%d\n", started, failed);
	return failed > 0 || started < count;
}

int main(int argc, char **argv)
{
	struct rtreg_error error = {0};
	struct rtreg_client *client;
	char line[4096];

	if (argc == 4)
		return work_at_once(argv[1], atoi(argv[2]), atoi(argv[3]));
	if (argc != 2 || rtreg_client_open(argv[1], &client, &error) < 0) {
		fprintf(stderr, "%s\n", error.message);
		rtreg_error_fini(&error);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		obey(client, line);
	rtreg_client_close(client);
	return 0;
}
