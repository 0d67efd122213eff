/* Preloaded into the broker: a disk that takes as long to sync as a file says, in whole seconds, and no
   longer once the file is gone. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

static unsigned seconds_per_sync(void) {
    unsigned seconds = 0;
    FILE *file = fopen("/var/lib/taskq/sync-seconds", "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%u", &seconds) != 1) seconds = 0;
    fclose(file);
    return seconds;
}

int fdatasync(int descriptor) {
    static int (*sync)(int);
    for (unsigned passed = 0; passed < seconds_per_sync(); passed++) sleep(1);
    if (sync == NULL) sync = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
    return sync(descriptor);
}
