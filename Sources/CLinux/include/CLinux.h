#pragma once

// What Glibc's module map leaves out. Thin, errno untouched: Swift decides what a failure means.
// The header stays
// free of _GNU_SOURCE, which would give other definitions of types that Swift's own Glibc module has.

#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

int clinux_pidfd_open(int pid);
int clinux_pidfd_send_signal(int pidfd, int signal);
int clinux_close_range(unsigned first, unsigned last, unsigned flags);

/// Reads only what the page cache holds: -1 with EAGAIN where the disk would have to be asked.
intptr_t clinux_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset);

int clinux_prctl(int option, unsigned long argument);
int clinux_set_thread_name(const char *name);

/// One datagram and its sender's pid and uid, as the kernel vouches for them; pid 0 where it attached none.
struct clinux_datagram {
    intptr_t count;
    int pid;
    unsigned uid;
};

/// Does not wait. Needs SO_PASSCRED on the socket; descriptors that came along are closed.
struct clinux_datagram clinux_receive_datagram(int descriptor, void *buffer, size_t capacity);

/// A bound AF_UNIX datagram socket with SO_PASSCRED, or -1; a path that begins with @ is an abstract name.
int clinux_bind_datagram(const char *path);

/// A listening AF_UNIX stream socket that does not block, or -1. Its file gets `mode` whatever the umask is.
int clinux_listen_stream(const char *path, unsigned mode, int backlog);

/// A connected AF_UNIX stream socket that does not block, or -1; ECONNREFUSED, ENOENT and EAGAIN (its
/// backlog is full) where nobody takes the connection.
int clinux_connect_stream(const char *path);

/// The next connection of a listening socket, or -1; it does not block.
int clinux_accept(int listener);

/// The process that made the connection, as the kernel noted it then; 0 on success.
int clinux_peer_credentials(int descriptor, int *pid, unsigned *uid, unsigned *gid);

/// Sends two pieces one after the other without waiting and without SIGPIPE; how many bytes, or -1.
intptr_t clinux_send(
    int descriptor, const void *first, size_t first_count, const void *second, size_t second_count);

/// `environ`, which Swift takes for a variable that threads may race for. Read before the first thread.
char *const *clinux_environment(void);

/// The corresponding C function is `pipe2` with `O_CLOEXEC`.
int clinux_pipe(int ends[2]);

/// 0 where nobody told the kernel how exact the wall clock is. The corresponding C function is `adjtimex`.
int clinux_clock_is_synchronised(void);
