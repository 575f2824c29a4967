/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A mapped client makes no system call and allocates nothing: it resolves in seccomp's strict mode, in which the
 * kernel kills it for any call but read, write and exit, and with every allocation counted.
 */
#include "world.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "client/client.h"

#define ROUNDS 10000

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
static unsigned long counted;

void *malloc(size_t size)
{
	counted++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	counted++;
	return __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	counted++;
	return __libc_realloc(old, size);
}

static struct rtreg_client *client;
static char mapped_socket[] = "/nowhere";

/* As it is when it has fetched what is live. */
static void make_client(struct shared_page **ret)
{
	struct shared_file file = write_live();
	struct shared_page *page;

	client = calloc(1, sizeof(*client));
	client->socket = strdup(mapped_socket);
	client->connection.fd = client->mapping.fd = -1;
	client->mapping.wanted = true;
	ck_assert_int_eq(shared_page_new(&page), 0);
	close(file.fd);
	const struct rtreg_snapshot *snapshot = rtreg_pin(registry);
	ck_assert_int_eq(shared_write(snapshot, shared_page_epoch(page), &file), 0);
	rtreg_unpin(snapshot);
	shared_page_publish(page, 1);
	ck_assert_int_eq(shared_view_map(shared_page_file(page).fd, &client->mapping.view), 0);
	ck_assert_int_eq(shared_snapshot_map(file.fd, &client->mapping.snapshot), 0);
	close(file.fd);
	*ret = page;
}

static bool ask_once(void)
{
	struct rtreg_runtime runtime;
	bool ok = rtreg_client_mapped(client);

	ok = ok && rtreg_client_resolve(client, "crun", &runtime, NULL) == 0 &&
	     strcmp(runtime.binary, "/opt/crun") == 0;
	ok = ok && rtreg_client_resolve(client, "", &runtime, NULL) == 0 && strcmp(runtime.name, "crun") == 0;
	ok = ok && rtreg_client_resolve(client, "my.shim", &runtime, NULL) == 0 && runtime.shim_length == 7;
	ok = ok && rtreg_client_resolve(client, runtime.shim, &runtime, NULL) == 0 &&
	     strcmp(runtime.name, "my.shim") == 0;
	return ok && rtreg_client_resolve(client, "unknown", &runtime, NULL) == -EINVAL &&
	       rtreg_client_generation(client) == 1;
}

static void ask_confined(void)
{
	unsigned long answers = 0;
	bool clean;

	ask_once();
	counted = 0;
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
	for (int i = 0; i < ROUNDS; i++)
		answers += ask_once();
	clean = answers == ROUNDS && counted == 0;
	syscall(SYS_exit, clean ? 0 : 4);
}

START_TEST(mapped_client_makes_no_system_call_and_allocates_nothing)
{
	struct shared_page *page;
	int status;
	pid_t child;

	world_open("{\"runtimes\":{\"crun\":{\"path\":\"/opt/crun\"}},\"default-runtime\":\"crun\"}");
	make_client(&page);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		ask_confined();
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_msg(!WIFSIGNALED(status), "killed by signal %d: it made a system call", WTERMSIG(status));
	ck_assert_msg(WEXITSTATUS(status) == 0, "wrong answers, or allocations");
	rtreg_client_close(client);
	shared_page_end(page);
	shared_page_free(page);
	world_close();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("shared-confined");
	TCase *tcase = tcase_create("confined");

	tcase_set_timeout(tcase, 60);
	tcase_add_test(tcase, mapped_client_makes_no_system_call_and_allocates_nothing);
	suite_add_tcase(suite, tcase);
	return unit_run(suite);
}
