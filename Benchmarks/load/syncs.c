#define _GNU_SOURCE
#include "histogram.h"
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The machine's limit: 256 bytes and fdatasync, one after the other, over a file written full of zeros
   before, as the journal's segments are. */
void run_syncs(const struct options *options) {
    static struct histogram latencies;
    static char zeros[1 << 20];
    enum { FILE_BYTES = 16 << 20, WRITE_BYTES = 256 };
    int descriptor = open(options->file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (descriptor < 0) die("open %s: %s", options->file, strerror(errno));
    for (int written = 0; written < FILE_BYTES; written += (int)sizeof zeros)
        if (write(descriptor, zeros, sizeof zeros) != (ssize_t)sizeof zeros)
            die("write: %s", strerror(errno));
    if (fsync(descriptor) != 0) die("fsync: %s", strerror(errno));
    char data[WRITE_BYTES];
    memset(data, 'x', sizeof data);
    uint64_t start = now_ns(), until = start + (uint64_t)(options->seconds * 1e9), now = start;
    off_t offset = 0;
    while (now < until) {
        uint64_t before = now;
        if (pwrite(descriptor, data, sizeof data, offset) != (ssize_t)sizeof data)
            die("pwrite: %s", strerror(errno));
        if (fdatasync(descriptor) != 0) die("fdatasync: %s", strerror(errno));
        offset = (offset + WRITE_BYTES) % FILE_BYTES;
        now = now_ns();
        histogram_add(&latencies, now - before);
    }
    close(descriptor);
    unlink(options->file);
    printf("{\"rate\": %.1f, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           (double)latencies.total / ((double)(now - start) / 1e9), histogram_quantile_us(&latencies, 0.5),
           histogram_quantile_us(&latencies, 0.99));
}
