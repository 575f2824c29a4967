/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A program that is not linked with the library opens a plug-in that is: the thread-local storage of pins then comes out
 * of what the C library has set aside, in a thread that was there before too.
 *
 * usage: plug_in_loader PLUG-IN
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

struct rtreg_snapshot;

static const struct rtreg_snapshot *(*pin)(void);
static pthread_barrier_t ready, opened;

static void *pin_on_thread(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&ready);
	pthread_barrier_wait(&opened);
	return (void *)(pin ? pin() : NULL);
}

/* POSIX has it that a pointer to a function comes back from dlsym() whole. */
static int find(void *plug_in, const char *name, void *ret)
{
	*(void **)ret = plug_in ? dlsym(plug_in, name) : NULL;
	if (!*(void **)ret)
		fprintf(stderr, "%s: %s\n", name, dlerror());
	return *(void **)ret ? 0 : -1;
}

static int open_plug_in(const char *path, int (**ret_close)(const struct rtreg_snapshot *))
{
	void *plug_in = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*open)(void);

	if (find(plug_in, "plug_in_open", &open) < 0 || find(plug_in, "plug_in_close", ret_close) < 0)
		return -1;
	return open() == 0 ? find(plug_in, "plug_in_pin", &pin) : -1;
}

int main(int argc, char **argv)
{
	int (*close)(const struct rtreg_snapshot *) = NULL;
	pthread_t thread;
	void *pinned;
	int r;

	if (argc != 2)
		return 2;
	pthread_barrier_init(&ready, NULL, 2);
	pthread_barrier_init(&opened, NULL, 2);
	if (pthread_create(&thread, NULL, pin_on_thread, NULL) != 0)
		return 2;
	pthread_barrier_wait(&ready);
	r = open_plug_in(argv[1], &close);
	pthread_barrier_wait(&opened);
	pthread_join(thread, &pinned);
	return r == 0 && pinned && close(pinned) == 0 ? 0 : 1;
}
