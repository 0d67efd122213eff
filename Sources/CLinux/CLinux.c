#define _GNU_SOURCE 1

#include "CLinux.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

int clinux_pidfd_open(int pid) {
    return (int)syscall(SYS_pidfd_open, pid, 0);
}

int clinux_pidfd_send_signal(int pidfd, int signal) {
    return (int)syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0);
}

int clinux_close_range(unsigned first, unsigned last, unsigned flags) {
    return (int)syscall(SYS_close_range, first, last, flags);
}

intptr_t clinux_pread_nowait(int descriptor, void *buffer, size_t count, int64_t offset) {
    struct iovec piece = {.iov_base = buffer, .iov_len = count};
    return preadv2(descriptor, &piece, 1, offset, RWF_NOWAIT);
}

int clinux_prctl(int option, unsigned long argument) {
    return prctl(option, argument, 0, 0, 0);
}

int clinux_set_thread_name(const char *name) {
    return prctl(PR_SET_NAME, (unsigned long)(uintptr_t)name, 0, 0, 0);
}

static void take_ancillary(struct msghdr *message, struct clinux_datagram *result) {
    for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header; header = CMSG_NXTHDR(message, header)) {
        if (header->cmsg_level != SOL_SOCKET) continue;
        if (header->cmsg_type == SCM_CREDENTIALS) {
            struct ucred credentials;
            memcpy(&credentials, CMSG_DATA(header), sizeof(credentials));
            result->pid = credentials.pid;
            result->uid = credentials.uid;
        } else if (header->cmsg_type == SCM_RIGHTS) {
            size_t held = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            for (size_t index = 0; index < held; index++) {
                int descriptor;
                memcpy(&descriptor, CMSG_DATA(header) + index * sizeof(int), sizeof(int));
                close(descriptor);
            }
        }
    }
}

struct clinux_datagram clinux_receive_datagram(int descriptor, void *buffer, size_t capacity) {
    struct iovec piece = {.iov_base = buffer, .iov_len = capacity};
    union {
        char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * 16)];
        struct cmsghdr alignment;
    } control;
    struct msghdr message = {
        .msg_iov = &piece,
        .msg_iovlen = 1,
        .msg_control = control.bytes,
        .msg_controllen = sizeof(control.bytes)};
    struct clinux_datagram result = {.count = recvmsg(descriptor, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC)};
    if (result.count >= 0) take_ancillary(&message, &result);
    return result;
}

/* Closes after a failure without losing errno. */
static int give_up(int descriptor) {
    int failure = errno;
    close(descriptor);
    errno = failure;
    return -1;
}

/* The address's size, or 0 with ENAMETOOLONG. */
static socklen_t unix_address(const char *path, struct sockaddr_un *address) {
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (strlen(path) >= sizeof(address->sun_path)) {
        errno = ENAMETOOLONG;
        return 0;
    }
    strcpy(address->sun_path, path);
    if (path[0] != '@') return sizeof(*address);
    /* An abstract name: its length is its end, and no file remains. */
    address->sun_path[0] = 0;
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
}

int clinux_bind_datagram(const char *path) {
    struct sockaddr_un address;
    socklen_t size = unix_address(path, &address);
    if (size == 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    int on = 1;
    if (setsockopt(descriptor, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0 &&
        bind(descriptor, (struct sockaddr *)&address, size) == 0)
        return descriptor;
    return give_up(descriptor);
}

int clinux_listen_stream(const char *path, unsigned mode, int backlog) {
    struct sockaddr_un address;
    socklen_t size = unix_address(path, &address);
    if (size == 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    /* Before the bind, so that the file is never more open than asked; after it, because of the umask. */
    if (fchmod(descriptor, mode) == 0 && bind(descriptor, (struct sockaddr *)&address, size) == 0 &&
        chmod(path, mode) == 0 && listen(descriptor, backlog) == 0)
        return descriptor;
    return give_up(descriptor);
}

int clinux_connect_stream(const char *path) {
    struct sockaddr_un address;
    socklen_t size = unix_address(path, &address);
    if (size == 0) return -1;
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (descriptor < 0) return -1;
    if (connect(descriptor, (struct sockaddr *)&address, size) == 0) return descriptor;
    return give_up(descriptor);
}

int clinux_accept(int listener) {
    return accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
}

int clinux_peer_credentials(int descriptor, int *pid, unsigned *uid, unsigned *gid) {
    struct ucred peer;
    socklen_t size = sizeof(peer);
    if (getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return -1;
    *pid = peer.pid;
    *uid = peer.uid;
    *gid = peer.gid;
    return 0;
}

intptr_t clinux_send(
    int descriptor, const void *first, size_t first_count, const void *second, size_t second_count) {
    struct iovec pieces[2] = {
        {.iov_base = (void *)first, .iov_len = first_count},
        {.iov_base = (void *)second, .iov_len = second_count},
    };
    struct msghdr message = {.msg_iov = pieces, .msg_iovlen = 2};
    return sendmsg(descriptor, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
}

char *const *clinux_environment(void) {
    return environ;
}

int clinux_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int clinux_clock_is_synchronised(void) {
    struct timex state = {0};
    return adjtimex(&state) != TIME_ERROR;
}
