#include "fault-shim.h"

/* What has not been synced, newest first: what a power cut undoes. */
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

bool keeps_log;
char keep[PATH_BYTES];
static struct undo *newest;
static unsigned long kept;

void remember(enum undo_kind kind, const char *path, const char *other) {
    if (!keeps_log) return;
    struct undo *entry = calloc(1, sizeof *entry);
    entry->kind = kind;
    snprintf(entry->path, sizeof entry->path, "%s", path);
    if (other != NULL) snprintf(entry->other, sizeof entry->other, "%s", other);
    entry->older = newest;
    newest = entry;
}

void remember_bytes(int descriptor, const char *path, size_t count, off_t offset) {
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

void synced(int descriptor, bool undoing) {
    struct stat status;
    if (!keeps_log || REAL(fstat)(descriptor, &status) != 0) return;
    bool is_directory = S_ISDIR(status.st_mode);
    settle(is_directory ? 0 : status.st_ino, is_directory ? path_of(descriptor) : NULL, undoing);
}

void undo_all(void) {
    for (struct undo *entry = newest; entry != NULL; entry = entry->older) undo(entry);
}

bool keep_contents(const char *path, char *saved, size_t bytes) {
    if (!keeps_log || !is_ours(path) || strcmp(kind_of(path), "run") == 0) return false;
    snprintf(saved, bytes, "%s/%lu", keep, kept++);
    return link(path, saved) == 0;
}
