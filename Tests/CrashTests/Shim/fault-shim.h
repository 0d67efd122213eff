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
#ifndef FAULT_SHIM_H
#define FAULT_SHIM_H

#define _GNU_SOURCE 1

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

/* Nothing but the calls themselves may stand before the broker's own names. */
#pragma GCC visibility push(hidden)

enum { PATH_BYTES = 256, DESCRIPTORS = 1024 };

/* The next definition of a function: libc's. */
#define REAL(name) ((__typeof__(&name))real(#name))

void *real(const char *name);

/* The lock is held between the two; what was set up is known after the first. */
void enter(void);
void leave(void);

extern char paths[DESCRIPTORS][PATH_BYTES];
bool is_ours(const char *path);
/* The file behind a descriptor, or NULL if it is none of ours. */
const char *path_of(int descriptor);
const char *kind_of(const char *path);

/* Counts a call. NULL: nothing special becomes of it. The lock is held. */
const char *meet(const char *call, const char *path);
bool is_action(const char *action, const char *name);
/* 0 if the action is no errno. */
int failure(const char *action);
/* Whether this system call says that it has synced and has not. */
bool is_lie(const char *call);
void end_process(void) __attribute__((noreturn));

enum undo_kind { UNDO_WRITE, UNDO_CREATE, UNDO_RENAME, UNDO_UNLINK, UNDO_MKDIR };

/* Without a fault that needs the log, no call is made but the broker's own. */
extern bool keeps_log;
void remember(enum undo_kind kind, const char *path, const char *other);
/* What a write is about to replace. */
void remember_bytes(int descriptor, const char *path, size_t count, off_t offset);
/* Keeps the contents of a file that is about to be unlinked; false if they are not needed. */
bool keep_contents(const char *path, char *saved, size_t bytes);
/* What a sync covers is safe from now on; with `undoing` it is lost instead. */
void synced(int descriptor, bool undoing);
void undo_all(void);

extern char keep[PATH_BYTES];

#pragma GCC visibility pop

#endif
