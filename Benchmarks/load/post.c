#include "connection.h"
#include "histogram.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

enum { EVENTS = 512 };

static double cpu_seconds(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* Closed loop: every connection sends the next task when the one before it is answered. Answers that come
   inside the window are counted; with a count, all of them. */
void run_post(const struct options *options) {
    static struct histogram latencies;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *connections = connections_open(options, epoll);
    bool by_count = options->count > 0;
    uint64_t start = now_ns();
    uint64_t from = by_count ? start : start + (uint64_t)(options->warmup * 1e9);
    uint64_t until = by_count ? UINT64_MAX : from + (uint64_t)(options->seconds * 1e9);
    uint64_t sent = 0, answered = 0, last = start;
    double cpu = cpu_seconds();
    for (int index = 0; index < options->connections; index++) {
        if (by_count && sent >= (uint64_t)options->count) break;
        connection_send(&connections[index], sent++, now_ns());
    }
    while (answered < sent) {
        struct epoll_event events[EVENTS];
        int count = epoll_wait(epoll, events, EVENTS, 60000);
        if (count == 0) die("no answer for a minute, %llu of %llu answered", (unsigned long long)answered,
                            (unsigned long long)sent);
        for (int event = 0; event < count; event++) {
            struct connection *connection = &connections[events[event].data.u32];
            if (!connection_receive(connection)) continue;
            answered++;
            uint64_t now = last = now_ns();
            if (now >= from && now < until) histogram_add(&latencies, now - connection->sent_at);
            bool more = by_count ? sent < (uint64_t)options->count : now < until;
            if (more) connection_send(connection, sent++, now);
        }
    }
    double window = by_count ? (double)(last - start) / 1e9 : options->seconds;
    printf("{\"rate\": %.1f, \"seconds\": %.3f, \"counted\": %llu, \"accepted\": %llu, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f, \"p999_us\": %.1f, \"client_cores\": %.2f}\n",
           (double)latencies.total / window, window, (unsigned long long)latencies.total,
           (unsigned long long)answered, histogram_quantile_us(&latencies, 0.5),
           histogram_quantile_us(&latencies, 0.99), histogram_quantile_us(&latencies, 0.999),
           (cpu_seconds() - cpu) / ((double)(last - start) / 1e9));
}
