/*
 * Preloaded into the broker, it counts the system calls that the broker makes on files below one directory,
 * and makes one of them fail.
 *
 * Calls are numbered from 1 within a series: the thread ("main", or the name of another one), the system call
 * and the kind of file. TASKQ_FAULT names one call and what becomes of it, for example
 * "main fdatasync segment 3 EIO". What it did is said in one line on standard error.
 *
 *   EIO ENOSPC EINTR EAGAIN   the call does nothing and fails
 *   SHORT                     half of the bytes are read or written
 *   DROP                      what was written to the file since its last sync is lost, and the sync fails
 *   KILL                      SIGKILL before the call
 *   TORN                      half of the bytes are written, then SIGKILL
 *   CUT                       everything that was not synced is lost, names included, then SIGKILL
 *
 * For DROP and CUT a log of what has not been synced is kept, and undone from its end. The log knows the
 * calls that the journal makes; the contents of the file `lock` are nobody's promise and are left out.
 *
 * TASKQ_FAULT_LIE is a disk that lies: that call, fdatasync or fsync, says that it has synced and has not.
 *
 * TASKQ_FAULT_BELOW is the directory, TASKQ_FAULT_KEEP a directory beside it for the contents of unlinked
 * files, TASKQ_FAULT_TRACE a file that gets a line for every call.
 */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { PATH_BYTES = 256, DESCRIPTORS = 1024, SERIES = 128 };

/* The next definition of a function: libc's. */
#define REAL(name) ((__typeof__(&name))real(#name))

struct series {
    char name[64];
    unsigned long count;
};

enum undo_kind { UNDO_WRITE, UNDO_CREATE, UNDO_RENAME, UNDO_UNLINK, UNDO_MKDIR };

struct undo {
    struct undo *older;
    enum undo_kind kind;
    ino_t inode;
    char path[PATH_BYTES];
    char other[PATH_BYTES];
    off_t offset, size;
    size_t count;
    char *bytes;
};

struct armed {
    char series[64];
    unsigned long number;
    char action[16];
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static bool is_set_up;
/* Without a fault that needs the log, no call is made but the broker's own. */
static bool keeps_log;
static const char *lie;
static char below[PATH_BYTES], above[PATH_BYTES], keep[PATH_BYTES];
static int trace = -1;
static struct armed armed;
static struct series series[SERIES];
static char paths[DESCRIPTORS][PATH_BYTES];
static struct undo *newest;
static unsigned long kept;

static void *real(const char *name) {
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL) abort();
    return function;
}

static void set_up(void) {
    if (is_set_up) return;
    is_set_up = true;
    const char *directory = getenv("TASKQ_FAULT_BELOW");
    if (directory == NULL) return;
    snprintf(below, sizeof below, "%s", directory);
    snprintf(above, sizeof above, "%s", directory);
    char *slash = strrchr(above, '/');
    if (slash != NULL) *slash = 0;
    const char *place = getenv("TASKQ_FAULT_KEEP");
    if (place != NULL) snprintf(keep, sizeof keep, "%s", place);
    const char *file = getenv("TASKQ_FAULT_TRACE");
    int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
    if (file != NULL) trace = REAL(open)(file, flags, 0600);
    lie = getenv("TASKQ_FAULT_LIE");
    const char *fault = getenv("TASKQ_FAULT");
    char thread[16], call[24], kind[24];
    if (fault != NULL
        && sscanf(fault, "%15s %23s %23s %lu %15s", thread, call, kind, &armed.number, armed.action) == 5)
        snprintf(armed.series, sizeof armed.series, "%s %s %s", thread, call, kind);
    keeps_log = strcmp(armed.action, "DROP") == 0 || strcmp(armed.action, "CUT") == 0;
}

static bool is_ours(const char *path) {
    if (below[0] == 0 || path == NULL) return false;
    if (strcmp(path, above) == 0) return true;
    size_t length = strlen(below);
    return strncmp(path, below, length) == 0 && (path[length] == 0 || path[length] == '/');
}

/* The file behind a descriptor, or NULL if it is none of ours. */
static const char *path_of(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS || paths[descriptor][0] == 0) return NULL;
    return paths[descriptor];
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

static const char *kind_of(const char *path) {
    if (strcmp(path, above) == 0) return "parent";
    const char *rest = path + strlen(below);
    if (*rest == 0) return "state";
    if (strncmp(rest, "/run", 4) == 0) return "run";
    if (strncmp(rest, "/journal", 8) != 0) return "other";
    if (rest[8] == 0) return "journal";
    if (ends_with(rest, "/lock")) return "lock";
    if (strstr(rest, "/instance-") != NULL) return "instance";
    bool is_new = ends_with(rest, ".new");
    if (strstr(rest, "/checkpoint-") != NULL) return is_new ? "checkpoint.new" : "checkpoint";
    if (strstr(rest, ".segment") != NULL) return is_new ? "segment.new" : "segment";
    return "other";
}

static void remember(enum undo_kind kind, const char *path, const char *other) {
    if (!keeps_log) return;
    struct undo *entry = calloc(1, sizeof *entry);
    entry->kind = kind;
    snprintf(entry->path, sizeof entry->path, "%s", path);
    if (other != NULL) snprintf(entry->other, sizeof entry->other, "%s", other);
    entry->older = newest;
    newest = entry;
}

/* What a write is about to replace. */
static void remember_bytes(int descriptor, const char *path, size_t count, off_t offset) {
    struct stat status;
    if (!keeps_log || strcmp(kind_of(path), "lock") == 0 || REAL(fstat)(descriptor, &status) != 0) return;
    remember(UNDO_WRITE, path, NULL);
    newest->inode = status.st_ino;
    newest->offset = offset;
    newest->size = status.st_size;
    newest->bytes = malloc(count + 1);
    ssize_t found = offset < status.st_size ? REAL(pread)(descriptor, newest->bytes, count, offset) : 0;
    newest->count = found > 0 ? (size_t)found : 0;
}

static void undo(struct undo *entry) {
    int descriptor;
    switch (entry->kind) {
    case UNDO_WRITE:
        descriptor = REAL(open)(entry->path, O_WRONLY | O_CLOEXEC);
        if (descriptor < 0) break;
        if (REAL(pwrite)(descriptor, entry->bytes, entry->count, entry->offset) < 0
            || REAL(ftruncate)(descriptor, entry->size) != 0) abort();
        REAL(close)(descriptor);
        break;
    case UNDO_CREATE: REAL(unlink)(entry->path); break;
    case UNDO_RENAME: REAL(rename)(entry->other, entry->path); break;
    case UNDO_UNLINK: if (link(entry->other, entry->path) != 0) abort(); break;
    case UNDO_MKDIR: rmdir(entry->path); break;
    }
}

/* A rename that is durable: older writes to the file are now found under its new name. */
static void follow_rename(struct undo *done) {
    for (struct undo *entry = done->older; entry != NULL; entry = entry->older)
        if (entry->kind == UNDO_WRITE && strcmp(entry->path, done->path) == 0)
            strcpy(entry->path, done->other);
}

static bool is_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return strncmp(path, directory, length) == 0 && path[length] == '/'
        && strchr(path + length + 1, '/') == NULL;
}

/* Takes what a sync covers out of the log; with `undoing` it is undone first, newest first. */
static void settle(ino_t inode, const char *directory, bool undoing) {
    for (struct undo **link_ = &newest; *link_ != NULL;) {
        struct undo *entry = *link_;
        bool covered = entry->kind == UNDO_WRITE ? inode != 0 && entry->inode == inode
                                                 : directory != NULL && is_in(entry->path, directory);
        if (!covered) {
            link_ = &entry->older;
            continue;
        }
        if (undoing) undo(entry);
        else if (entry->kind == UNDO_RENAME) follow_rename(entry);
        else if (entry->kind == UNDO_UNLINK) REAL(unlink)(entry->other);
        *link_ = entry->older;
        free(entry->bytes);
        free(entry);
    }
}

static void synced(int descriptor, bool undoing) {
    struct stat status;
    if (!keeps_log || REAL(fstat)(descriptor, &status) != 0) return;
    bool is_directory = S_ISDIR(status.st_mode);
    settle(is_directory ? 0 : status.st_ino, is_directory ? path_of(descriptor) : NULL, undoing);
}

static void end_process(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static bool is_action(const char *action, const char *name) {
    return action != NULL && strcmp(action, name) == 0;
}

static void say(const char *format, ...) {
    char line[160];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    (void)!REAL(write)(STDERR_FILENO, line, (size_t)length);
}

/* Counts a call. NULL: nothing special becomes of it. The lock is held. */
static const char *meet(const char *call, const char *path) {
    char thread[16] = "main", name[64];
    if (getpid() != gettid()) prctl(PR_GET_NAME, thread);
    snprintf(name, sizeof name, "%s %s %s", thread, call, kind_of(path));
    if (trace >= 0) {
        char line[80];
        int length = snprintf(line, sizeof line, "%s\n", name);
        (void)!REAL(write)(trace, line, (size_t)length);
    }
    struct series *own = series;
    while (own->name[0] != 0 && strcmp(own->name, name) != 0)
        if (++own == series + SERIES) abort();
    strcpy(own->name, name);
    own->count += 1;
    if (own->count != armed.number || strcmp(own->name, armed.series) != 0) return NULL;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    say("fault %s %lu %s at %lld\n", name, own->count, armed.action,
        (long long)now.tv_sec * 1000000000 + now.tv_nsec);
    if (is_action(armed.action, "KILL")) end_process();
    if (is_action(armed.action, "CUT")) {
        for (struct undo *entry = newest; entry != NULL; entry = entry->older) undo(entry);
        end_process();
    }
    return armed.action;
}

/* 0 if the action is no errno. */
static int failure(const char *action) {
    if (is_action(action, "EIO") || is_action(action, "DROP")) return EIO;
    if (is_action(action, "ENOSPC")) return ENOSPC;
    if (is_action(action, "EINTR")) return EINTR;
    if (is_action(action, "EAGAIN")) return EAGAIN;
    return 0;
}

static void enter(void) {
    pthread_mutex_lock(&lock);
    set_up();
}

static void leave(void) {
    int number = errno;
    pthread_mutex_unlock(&lock);
    errno = number;
}

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
    if (path != NULL && is_action(lie, call)) return 0;
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
    if (number == 0 && keeps_log && is_ours(path) && strcmp(kind_of(path), "run") != 0) {
        snprintf(saved, sizeof saved, "%s/%lu", keep, kept++);
        if (link(path, saved) != 0) saved[0] = 0;
    }
    if (number != 0) errno = number;
    else status = REAL(unlink)(path);
    if (status == 0 && saved[0] != 0) remember(UNDO_UNLINK, path, saved);
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
