#define _GNU_SOURCE
#include "CSpawn.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/types.h>
#include <unistd.h>

#define CHILD_STACK_BYTES (32 * 1024)
#define DESCRIPTORS_MAX 16

/* Shared by parent and child: the child runs in the parent's memory until it execs, and the parent sleeps. */
struct launch {
    const struct taskq_spawn_request *request;
    pid_t parent;
    int step;
    int error;
};

static int place_descriptors(const struct taskq_spawn_request *request) {
    int copies[DESCRIPTORS_MAX];
    /* First out of the way of the targets, so that no source is overwritten before it is used. */
    for (int index = 0; index < request->descriptor_count; index++) {
        copies[index] = -1;
        if (request->descriptors[index] < 0) continue;
        copies[index] = fcntl(request->descriptors[index], F_DUPFD_CLOEXEC, DESCRIPTORS_MAX);
        if (copies[index] < 0) return errno;
    }
    for (int index = 0; index < request->descriptor_count; index++) {
        if (copies[index] < 0) {
            close(index);
        } else if (dup2(copies[index], index) < 0) {
            return errno;
        }
    }
    if (syscall(SYS_close_range, (unsigned)request->descriptor_count, ~0U, 0) != 0) return errno;
    return 0;
}

static void write_oom_score(int adjustment) {
    char text[16];
    int length = snprintf(text, sizeof text, "%d", adjustment);
    int file = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (file < 0) return;
    /* A refusal only means that the kernel picks its victim without our advice. */
    ssize_t ignored = write(file, text, (size_t)length);
    (void)ignored;
    close(file);
}

/* Runs between clone and exec on borrowed memory: async-signal-safe calls only, no return to the caller. */
static int child_main(void *argument) {
    struct launch *launch = argument;
    const struct taskq_spawn_request *request = launch->request;

    /* Handlers before mask: a signal that becomes deliverable must never meet the parent's handler here. */
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    for (int number = 1; number < NSIG; number++) sigaction(number, &by_default, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    if (request->own_group) setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    /* The parent may have died before the line above. */
    if (getppid() != launch->parent) _exit(127);
    if (request->set_file_mask) umask((mode_t)request->file_mask);
    if (request->oom_score_adjustment != 0) write_oom_score(request->oom_score_adjustment);

    launch->step = TASKQ_SPAWN_DIRECTORY;
    if (request->directory && chdir(request->directory) != 0) {
        launch->error = errno;
        _exit(127);
    }
    launch->step = TASKQ_SPAWN_DESCRIPTORS;
    launch->error = place_descriptors(request);
    if (launch->error != 0) _exit(127);

    launch->step = TASKQ_SPAWN_EXEC;
    execve(request->path, request->arguments, request->environment);
    launch->error = errno;
    _exit(127);
}

int taskq_spawn(const struct taskq_spawn_request *request, struct taskq_spawned *spawned) {
    spawned->pid = -1;
    spawned->pidfd = -1;
    spawned->step = TASKQ_SPAWN_CLONE;
    if (request->descriptor_count < 0 || request->descriptor_count > DESCRIPTORS_MAX) return EINVAL;

    struct launch launch = {.request = request, .parent = getpid()};
    _Alignas(16) char stack[CHILD_STACK_BYTES];
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    /* CLONE_VFORK suspends this thread until the child has exec'ed or exited: `launch` then tells all. */
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
    pid_t pid = clone(child_main, stack + sizeof stack, flags, &launch, &spawned->pidfd);
    int error = pid < 0 ? errno : launch.error;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0) return error;
    if (error != 0) {
        spawned->step = launch.step;
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) {}
        close(spawned->pidfd);
        spawned->pidfd = -1;
        return error;
    }
    spawned->pid = pid;
    return 0;
}

int taskq_child_exit(int pid, bool reap, struct taskq_exit *result) {
    memset(result, 0, sizeof *result);
    siginfo_t info;
    memset(&info, 0, sizeof info);
    while (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | (reap ? 0 : WNOWAIT)) != 0) {
        if (errno != EINTR) return errno;
    }
    if (info.si_pid == 0) return 0;
    result->ended = true;
    result->by_signal = info.si_code != CLD_EXITED;
    result->number = info.si_status;
    return 0;
}

int taskq_pipe(int ends[2]) {
    return pipe2(ends, O_CLOEXEC);
}

int taskq_watch_directory(const char *path) {
    int watcher = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watcher < 0) return -1;
    uint32_t events = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ATTRIB;
    if (inotify_add_watch(watcher, path, events) < 0) {
        int error = errno;
        close(watcher);
        errno = error;
        return -1;
    }
    return watcher;
}
