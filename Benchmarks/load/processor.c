/* The stream processor of the benchmark: acknowledges every task at once and writes down when it got it.
   One record of three 64-bit numbers a task goes to "received" in the plugin's folder, the working directory:
   nanoseconds of CLOCK_MONOTONIC, then the number and the time that stand in the description. Two zeros
   behind the first number say that a process is ready. */
#define _GNU_SOURCE
#include "load.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWERS = 3 };

static void write_all(int descriptor, const char *bytes, size_t count) {
    while (count > 0) {
        ssize_t written = write(descriptor, bytes, count);
        if (written <= 0) exit(0); /* the worker is gone */
        bytes += written;
        count -= (size_t)written;
    }
}

static void record(int file, uint64_t number, uint64_t stamp) {
    uint64_t entry[3] = {now_ns(), number, stamp};
    if (write(file, entry, sizeof entry) != (ssize_t)sizeof entry) die("cannot write the record");
}

/* The first string value after a key, up to its quote. Ids hold no escapes. */
static char *value_of(char *line, const char *key) {
    char *value = strstr(line, key);
    if (!value) die("no %s in %s", key, line);
    return value + strlen(key);
}

int main(void) {
    static const char ready[] = "{\"ready\":true,\"protocol\":1}\n";
    int file = open("received", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) die("cannot open the record");
    record(file, 0, 0);
    write_all(ANSWERS, ready, sizeof ready - 1);
    char *line = NULL, answer[256];
    size_t room = 0;
    while (getline(&line, &room, stdin) > 0) {
        char *id = value_of(line, "\"id\":\"");
        int id_length = (int)strcspn(id, "\"");
        int length = snprintf(answer, sizeof answer, "{\"id\":\"%.*s\",\"ack\":true}\n", id_length, id);
        char *rest = value_of(line, "\"description\":\"bench ");
        uint64_t number = strtoull(rest, &rest, 10);
        record(file, number, strtoull(rest, NULL, 10));
        write_all(ANSWERS, answer, (size_t)length);
    }
    return 0;
}
