#define _GNU_SOURCE
#include "connection.h"
#include "histogram.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <time.h>

enum { EVENTS = 512 };

static struct connection *free_connection(struct connection *connections, int count) {
    for (int index = 0; index < count; index++)
        if (!connections[index].busy) return &connections[index];
    return NULL;
}

/* Open loop: a task is due every 1/rate seconds whatever the answers do; its time counts from then. */
void run_rate(const struct options *options) {
    static struct histogram latencies;
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct connection *connections = connections_open(options, epoll);
    uint64_t total = (uint64_t)(options->rate * (options->warmup + options->seconds));
    uint64_t uncounted = (uint64_t)(options->rate * options->warmup);
    uint64_t step = (uint64_t)(1e9 / options->rate);
    uint64_t start = now_ns() + 1000000, sent = 0, answered = 0;
    uint64_t give_up = start + (uint64_t)((options->warmup + options->seconds + 30) * 1e9);
    while (answered < total) {
        uint64_t now = now_ns();
        if (now > give_up) die("gave up: %llu of %llu answered", (unsigned long long)answered,
                               (unsigned long long)total);
        struct connection *connection;
        while (sent < total && start + sent * step <= now
               && (connection = free_connection(connections, options->connections))) {
            connection_send(connection, sent, start + sent * step);
            sent++;
        }
        uint64_t due = sent < total ? start + sent * step : now + 1000000000u;
        uint64_t wait = due > now ? due - now : 1000000u; /* all are busy: an answer will wake us */
        struct timespec timeout = {(time_t)(wait / 1000000000u), (long)(wait % 1000000000u)};
        struct epoll_event events[EVENTS];
        int count = epoll_pwait2(epoll, events, EVENTS, &timeout, NULL);
        for (int event = 0; event < count; event++) {
            struct connection *ready = &connections[events[event].data.u32];
            if (!connection_receive(ready)) continue;
            if (++answered > uncounted) histogram_add(&latencies, now_ns() - ready->sent_at);
        }
    }
    double p50 = histogram_quantile_us(&latencies, 0.5), p99 = histogram_quantile_us(&latencies, 0.99);
    printf("{\"accepted\": %llu, \"uncounted\": %llu, \"p50_us\": %.1f, \"p99_us\": %.1f}\n",
           (unsigned long long)answered, (unsigned long long)uncounted, p50, p99);
}
