#ifndef TASKQ_CSPAWN_H
#define TASKQ_CSPAWN_H

#include <stdbool.h>

/* What taskq_spawn was doing when it failed. */
enum taskq_spawn_step {
    TASKQ_SPAWN_CLONE = 0,
    TASKQ_SPAWN_DIRECTORY = 1,
    TASKQ_SPAWN_DESCRIPTORS = 2,
    TASKQ_SPAWN_EXEC = 3,
};

struct taskq_spawn_request {
    const char *path;
    char *const *arguments;
    char *const *environment;
    /* NULL keeps the parent's. */
    const char *directory;
    /* The child's descriptors 0 to count-1, nothing above them; -1 leaves that number closed. At most 16. */
    const int *descriptors;
    int descriptor_count;
    /* The child leads a process group of its own. */
    bool own_group;
    /* Sets the umask to `file_mask`. */
    bool set_file_mask;
    unsigned file_mask;
    /* Written to oom_score_adj where it is not 0; a refusal is ignored. */
    int oom_score_adjustment;
};

struct taskq_spawned {
    int pid;
    int pidfd;
    /* Set when taskq_spawn fails. */
    int step;
};

/* Starts a program with default signals, an empty mask, and SIGKILL at the death of the calling THREAD, so
 * call it from one that lives as long as the process. Returns 0, or the errno of `step`; no child then. */
int taskq_spawn(const struct taskq_spawn_request *request, struct taskq_spawned *spawned);

/* How a child ended. */
struct taskq_exit {
    /* False while it runs. */
    bool ended;
    bool by_signal;
    /* The exit status or the signal's number. */
    int number;
};

/* Looks at a child without waiting; takes the zombie away only where `reap`. Returns 0 or an errno. */
int taskq_child_exit(int pid, bool reap, struct taskq_exit *result);

/* pipe2 with O_CLOEXEC: the reading end, then the writing end. -1 and errno on failure. */
int taskq_pipe(int ends[2]);

/* inotify on one directory for entries that come, go, or change; -1 and errno on failure. */
int taskq_watch_directory(const char *path);

#endif
