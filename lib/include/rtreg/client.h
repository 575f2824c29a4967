/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * rtreg for engines that do not hold a registry themselves: the same questions, asked of rtregd over its socket
 * (docs/client.md). liburcu is not needed. A program that uses the registry too includes this behind the
 * flavour of liburcu, as <rtreg/rtreg.h>.
 *
 *  - A client is one connection, kept open and made anew by itself when rtregd was restarted. One thread at a
 *    time uses a client; there may be any number of clients.
 *  - Each call has a time limit, 5 s unless set otherwise. It blocks no longer, whatever rtregd does.
 *  - Descriptors are close-on-exec, SIGPIPE is never raised, no thread is made. A child process may go on with a
 *    client that it got by fork(): it makes a connection of its own.
 *
 * Functions that return int return 0 or a negative errno; outputs are untouched on failure; a `struct
 * rtreg_error *` may be NULL. Wherever rtregd is asked these may come, besides what each function names:
 *
 *   -ENOTCONN    rtregd cannot be reached: it does not run, or has another socket
 *   -EPERM       not allowed to open the socket, or to do what was asked for
 *   -ETIMEDOUT   no answer within the time limit; what was asked for may still be done
 *   -ECONNRESET  the connection ended twice before the answer was there; the same
 *   -EAGAIN      rtregd is stopping, or has too many connections: again, later
 *   -EPROTO      what answers is no rtregd
 *   -EIO         rtregd failed: no space, a read-only state directory …
 *   -ENOMEM, -EMFILE … of this process
 *
 * None of these is -ENOENT or -EACCES, which are said of a runtime's binary alone: so rtreg_exit_code() holds
 * for every error here too.
 */
#ifndef RTREG_CLIENT_H
#define RTREG_CLIENT_H

#include <rtreg/rtreg.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rtreg_client;

/*
 * Connects to rtregd. `socket` NULL: $RTREG_SOCKET (not in a setuid program), then /run/rtreg/rtreg.sock.
 * Context: any thread. Ownership: *ret is the caller's, to be closed with rtreg_client_close().
 * Errors: -ENOTCONN, -EPERM, -ETIMEDOUT, -ENAMETOOLONG, -ENOMEM, -EMFILE …
 */
RTREG_EXPORT int rtreg_client_open(const char *socket, struct rtreg_client **ret, struct rtreg_error *error);

/* Frees the client and everything that it returned. NULL is allowed. Context: any thread, once. */
RTREG_EXPORT void rtreg_client_close(struct rtreg_client *client);

/* The limit of each later call, in milliseconds, connecting included. 0: the default, 5000. */
RTREG_EXPORT void rtreg_client_set_timeout(struct rtreg_client *client, unsigned int timeout_ms);

/*
 * What a container with this runtime gets, of the live generation; NULL or "" is the default. Has the look-up of
 * CONTRACT C45 done too, which rtreg_resolve() leaves to rtreg_runtime_check(); but not where it is answered from
 * memory: see rtreg_client_map().
 * Ownership: the strings belong to the client and are valid until its next call. rtregd answers with `name`,
 * `shim` and `options_json`; `binary` is the option BinaryName where the shim is io.containerd.runc.v2, else
 * NULL: the path, or the wrapper script. `path`, `wrapper` and `features_json` are always NULL here.
 * Errors: -EINVAL an unknown runtime; -ENOENT, -EACCES its binary is missing, or cannot be executed.
 */
RTREG_EXPORT int rtreg_client_resolve(struct rtreg_client *client, const char *name,
                                      struct rtreg_runtime *ret, struct rtreg_error *error);

/*
 * Has rtreg_client_resolve() read the live configuration from memory that rtregd shares (docs/shared.md), from its
 * next call on: then it makes no system call, takes no lock and allocates nothing, until a new generation comes. The
 * answers are those of the socket, but for the look-up of the binary (CONTRACT C45), which needs system calls and is
 * not done: rtreg_client_check() does it, and rtreg_client_lock_in() does. Where nothing can be mapped, by an older
 * rtregd or for want of descriptors, everything goes over the socket as before, look-up included.
 * A mapping costs a second connection, and the check of the whole configuration once a generation.
 */
RTREG_EXPORT void rtreg_client_map(struct rtreg_client *client);

/* Whether the live configuration is mapped at this moment. Asks nobody; false before the first resolve. */
RTREG_EXPORT bool rtreg_client_mapped(const struct rtreg_client *client);

/*
 * Whether rtreg_client_resolve() may answer from what is mapped while nobody is there who could tell whether it is
 * still so: in place of -ENOTCONN, -ECONNRESET and -EAGAIN. At first it may not.
 */
RTREG_EXPORT void rtreg_client_set_stale(struct rtreg_client *client, bool allowed);

/*
 * Asks rtregd, over the socket, whether a container with this runtime can be started: it resolves, and the binary
 * that a wrapper script executes is there (CONTRACT C45). For mapped clients; others have it done by
 * rtreg_client_resolve(). Errors: as there.
 */
RTREG_EXPORT int rtreg_client_check(struct rtreg_client *client, const char *name, struct rtreg_error *error);

/* The generation that answered this client's last successful rtreg_client_resolve(); 0 before. Asks nobody. */
RTREG_EXPORT uint64_t rtreg_client_generation(const struct rtreg_client *client);

/*
 * rtreg_lock_in() over the socket: durable when it returns 0. *ret (NULL: not wanted) is the caller's,
 * rtreg_lock_in_fini(), and outlives the client. Where the connection was lost on the way rtregd is asked again,
 * and ret->created is then false though it may have been this call that made it.
 * Errors: as rtreg_lock_in(); the state directory's are -EIO, with the reason in the message.
 */
RTREG_EXPORT int rtreg_client_lock_in(struct rtreg_client *client, const char *root, const char *container,
                                      const char *runtime, struct rtreg_lock_in *ret,
                                      struct rtreg_error *error);

/* rtreg_locked() over the socket: the lock-in of one container; -ESRCH: none. Ownership as above. */
RTREG_EXPORT int rtreg_client_locked(struct rtreg_client *client, const char *root, const char *container,
                                     struct rtreg_lock_in *ret, struct rtreg_error *error);

/*
 * rtreg_unlock() over the socket. -ESRCH: there is none; but if the connection was lost on the way and rtregd
 * asked again, that is success: the first time may have removed it. So a container is not to be locked in again
 * before its unlock has returned.
 */
RTREG_EXPORT int rtreg_client_unlock(struct rtreg_client *client, const char *root, const char *container,
                                     struct rtreg_error *error);

#ifdef __cplusplus
}
#endif

#endif
