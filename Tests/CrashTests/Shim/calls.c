#include "fault-shim.h"

#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <sys/file.h>
#include <sys/uio.h>

/* The calls themselves, as the broker makes them. */

/* A call on a name that fails or is made as it is. */
#define ON_NAME(call, path, invocation)                             \
    do {                                                            \
        enter();                                                    \
        int status_ = 0, number_ = 0;                               \
        if (is_ours(path)) number_ = failure(meet(call, path));     \
        if (number_ != 0) { errno = number_; status_ = -1; }        \
        else { status_ = (invocation); }                            \
        leave();                                                    \
        return status_;                                             \
    } while (0)

/* The same on a descriptor. */
#define ON_DESCRIPTOR(call, descriptor, invocation)                                    \
    do {                                                                               \
        enter();                                                                       \
        int status_ = 0, number_ = 0;                                                  \
        if (path_of(descriptor)) number_ = failure(meet(call, path_of(descriptor)));   \
        if (number_ != 0) { errno = number_; status_ = -1; }                           \
        else { status_ = (invocation); }                                               \
        leave();                                                                       \
        return status_;                                                                \
    } while (0)

static int open_file(const char *path, int flags, mode_t mode) {
    if (!is_ours(path)) return REAL(open)(path, flags, mode);
    int number = failure(meet("openat", path));
    if (number != 0) {
        errno = number;
        return -1;
    }
    bool is_made = keeps_log && (flags & O_CREAT) != 0 && REAL(access)(path, F_OK) != 0;
    int descriptor = REAL(open)(path, flags, mode);
    if (descriptor >= 0 && descriptor < DESCRIPTORS)
        snprintf(paths[descriptor], PATH_BYTES, "%s", path);
    if (descriptor >= 0 && is_made) remember(UNDO_CREATE, path, NULL);
    return descriptor;
}

int open(const char *path, int flags, ...) {
    va_list arguments;
    va_start(arguments, flags);
    mode_t mode = (flags & O_CREAT) != 0 ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    enter();
    int descriptor = open_file(path, flags, mode);
    leave();
    return descriptor;
}

int open64(const char *path, int flags, ...) __attribute__((alias("open")));

int close(int descriptor) {
    enter();
    const char *path = path_of(descriptor);
    int number = path != NULL ? failure(meet("close", path)) : 0;
    if (path != NULL) paths[descriptor][0] = 0;
    int status = REAL(close)(descriptor);
    if (number != 0) {
        errno = number;
        status = -1;
    }
    leave();
    return status;
}

ssize_t pread(int descriptor, void *bytes, size_t count, off_t offset) {
    enter();
    const char *path = path_of(descriptor), *action = path != NULL ? meet("pread64", path) : NULL;
    ssize_t result = -1;
    if (failure(action) != 0) errno = failure(action);
    else if (is_action(action, "SHORT")) result = REAL(pread)(descriptor, bytes, (count + 1) / 2, offset);
    else result = REAL(pread)(descriptor, bytes, count, offset);
    leave();
    return result;
}

ssize_t pread64(int descriptor, void *bytes, size_t count, off_t offset) __attribute__((alias("pread")));

ssize_t preadv2(int descriptor, const struct iovec *pieces, int pieceCount, off_t offset, int flags) {
    enter();
    const char *path = path_of(descriptor), *action = path != NULL ? meet("preadv2", path) : NULL;
    ssize_t result = -1;
    struct iovec half = *pieces;
    if (is_action(action, "SHORT")) half.iov_len = (half.iov_len + 1) / 2;
    if (failure(action) != 0) errno = failure(action);
    else if (is_action(action, "SHORT")) result = REAL(preadv2)(descriptor, &half, 1, offset, flags);
    else result = REAL(preadv2)(descriptor, pieces, pieceCount, offset, flags);
    leave();
    return result;
}

ssize_t preadv64v2(int descriptor, const struct iovec *pieces, int pieceCount, off_t offset, int flags)
    __attribute__((alias("preadv2")));

ssize_t pwrite(int descriptor, const void *bytes, size_t count, off_t offset) {
    enter();
    const char *path = path_of(descriptor), *action = path != NULL ? meet("pwrite64", path) : NULL;
    ssize_t result = -1;
    if (failure(action) != 0) {
        errno = failure(action);
    } else {
        bool is_torn = is_action(action, "TORN");
        size_t part = is_torn || is_action(action, "SHORT") ? (count + 1) / 2 : count;
        if (path != NULL) remember_bytes(descriptor, path, part, offset);
        result = REAL(pwrite)(descriptor, bytes, part, offset);
        if (is_torn) end_process();
    }
    leave();
    return result;
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t count, off_t offset)
    __attribute__((alias("pwrite")));

static int sync_file(int descriptor, const char *call) {
    const char *path = path_of(descriptor), *action = path != NULL ? meet(call, path) : NULL;
    if (is_action(action, "DROP")) synced(descriptor, true);
    if (failure(action) != 0) {
        errno = failure(action);
        return -1;
    }
    if (path != NULL && is_lie(call)) return 0;
    int status = is_action(call, "fdatasync") ? REAL(fdatasync)(descriptor) : REAL(fsync)(descriptor);
    if (status == 0 && path != NULL) synced(descriptor, false);
    return status;
}

int fdatasync(int descriptor) {
    enter();
    int status = sync_file(descriptor, "fdatasync");
    leave();
    return status;
}

int fsync(int descriptor) {
    enter();
    int status = sync_file(descriptor, "fsync");
    leave();
    return status;
}

int ftruncate(int descriptor, off_t size) {
    ON_DESCRIPTOR("ftruncate", descriptor, REAL(ftruncate)(descriptor, size));
}

int ftruncate64(int descriptor, off_t size) __attribute__((alias("ftruncate")));

int fstat(int descriptor, struct stat *status) {
    ON_DESCRIPTOR("newfstatat", descriptor, REAL(fstat)(descriptor, status));
}

int stat(const char *path, struct stat *status) {
    ON_NAME("newfstatat", path, REAL(stat)(path, status));
}

int access(const char *path, int mode) {
    ON_NAME("access", path, REAL(access)(path, mode));
}

int chmod(const char *path, mode_t mode) {
    ON_NAME("chmod", path, REAL(chmod)(path, mode));
}

int flock(int descriptor, int operation) {
    ON_DESCRIPTOR("flock", descriptor, REAL(flock)(descriptor, operation));
}

/* Gives the error instead of setting it. */
int posix_fadvise(int descriptor, off_t offset, off_t count, int advice) {
    enter();
    const char *path = path_of(descriptor);
    int number = path != NULL ? failure(meet("fadvise64", path)) : 0;
    if (number == 0) number = REAL(posix_fadvise)(descriptor, offset, count, advice);
    leave();
    return number;
}

int posix_fadvise64(int descriptor, off_t offset, off_t count, int advice)
    __attribute__((alias("posix_fadvise")));

int mkdir(const char *path, mode_t mode) {
    enter();
    int status = -1, number = is_ours(path) ? failure(meet("mkdir", path)) : 0;
    if (number != 0) errno = number;
    else status = REAL(mkdir)(path, mode);
    if (status == 0 && is_ours(path)) remember(UNDO_MKDIR, path, NULL);
    leave();
    return status;
}

int rename(const char *path, const char *other) {
    enter();
    int status = -1, number = is_ours(path) ? failure(meet("rename", path)) : 0;
    if (number != 0) errno = number;
    else status = REAL(rename)(path, other);
    if (status == 0 && is_ours(path)) {
        remember(UNDO_RENAME, path, other);
        for (int descriptor = 0; descriptor < DESCRIPTORS; descriptor++)
            if (strcmp(paths[descriptor], path) == 0)
                snprintf(paths[descriptor], PATH_BYTES, "%s", other);
    }
    leave();
    return status;
}

int unlink(const char *path) {
    enter();
    int status = -1, number = is_ours(path) ? failure(meet("unlink", path)) : 0;
    char saved[PATH_BYTES + 24] = "";
    bool is_kept = number == 0 && keep_contents(path, saved, sizeof saved);
    if (number != 0) errno = number;
    else status = REAL(unlink)(path);
    if (status == 0 && is_kept) remember(UNDO_UNLINK, path, saved);
    leave();
    return status;
}

/* opendir is open and fstat, the first readdir and the one that finds the end are getdents64 each. */
static DIR *unread;

DIR *opendir(const char *path) {
    enter();
    DIR *directory = NULL;
    int number = is_ours(path) ? failure(meet("openat", path)) : 0;
    if (number == 0) directory = REAL(opendir)(path);
    else errno = number;
    if (directory != NULL && is_ours(path)) {
        snprintf(paths[dirfd(directory)], PATH_BYTES, "%s", path);
        unread = directory;
        number = failure(meet("newfstatat", path));
        if (number != 0) {
            paths[dirfd(directory)][0] = 0;
            REAL(closedir)(directory);
            directory = NULL;
            errno = number;
        }
    }
    leave();
    return directory;
}

struct dirent *readdir(DIR *directory) {
    enter();
    const char *path = path_of(dirfd(directory));
    int before = errno;
    int number = path != NULL && unread == directory ? failure(meet("getdents64", path)) : 0;
    if (unread == directory) unread = NULL;
    errno = before;
    struct dirent *entry = number == 0 ? REAL(readdir)(directory) : NULL;
    if (path != NULL && number == 0 && entry == NULL) number = failure(meet("getdents64", path));
    if (number != 0) errno = number;
    leave();
    return entry;
}

struct dirent64 *readdir64(DIR *directory) __attribute__((alias("readdir")));

int closedir(DIR *directory) {
    enter();
    int descriptor = dirfd(directory), number = 0;
    if (path_of(descriptor) != NULL) {
        number = failure(meet("close", path_of(descriptor)));
        paths[descriptor][0] = 0;
    }
    int status = REAL(closedir)(directory);
    if (number != 0) {
        errno = number;
        status = -1;
    }
    leave();
    return status;
}
