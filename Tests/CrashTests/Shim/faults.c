#include "fault-shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/prctl.h>
#include <time.h>

/* Which calls are watched, how they are counted, and what is to become of one of them. */
enum { SERIES = 128 };

struct series {
    char name[64];
    unsigned long count;
};

struct armed {
    char series[64];
    unsigned long number;
    char action[16];
};

static pthread_mutex_t lock = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static bool is_set_up;
static const char *lie;
static char below[PATH_BYTES], above[PATH_BYTES];
static int trace = -1;
static struct armed armed;
static struct series series[SERIES];
char paths[DESCRIPTORS][PATH_BYTES];

void *real(const char *name) {
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

bool is_ours(const char *path) {
    if (below[0] == 0 || path == NULL) return false;
    if (strcmp(path, above) == 0) return true;
    size_t length = strlen(below);
    return strncmp(path, below, length) == 0 && (path[length] == 0 || path[length] == '/');
}

const char *path_of(int descriptor) {
    if (descriptor < 0 || descriptor >= DESCRIPTORS || paths[descriptor][0] == 0) return NULL;
    return paths[descriptor];
}

static bool ends_with(const char *text, const char *end) {
    size_t length = strlen(text), wanted = strlen(end);
    return length >= wanted && strcmp(text + length - wanted, end) == 0;
}

const char *kind_of(const char *path) {
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

void end_process(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

bool is_action(const char *action, const char *name) {
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

const char *meet(const char *call, const char *path) {
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
        undo_all();
        end_process();
    }
    return armed.action;
}

bool is_lie(const char *call) { return is_action(lie, call); }

int failure(const char *action) {
    if (is_action(action, "EIO") || is_action(action, "DROP")) return EIO;
    if (is_action(action, "ENOSPC")) return ENOSPC;
    if (is_action(action, "EINTR")) return EINTR;
    if (is_action(action, "EAGAIN")) return EAGAIN;
    return 0;
}

void enter(void) {
    pthread_mutex_lock(&lock);
    set_up();
}

void leave(void) {
    int number = errno;
    pthread_mutex_unlock(&lock);
    errno = number;
}
