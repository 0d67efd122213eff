#pragma once
#include <stdint.h>

/* What the command line asks for. */
struct options {
    const char *address; /* "127.0.0.1:8080" */
    const char *path;    /* "/tasks" */
    const char *file;    /* for syncs */
    int connections;
    int groups;          /* 0: no Taskq-Group header, the queue's own order */
    int description;     /* bytes that fill the description up */
    double warmup;       /* seconds that are not counted */
    double seconds;      /* seconds that are counted */
    double rate;         /* requests a second, open loop */
    long count;          /* > 0: exactly so many requests, all counted */
};

/* Nanoseconds of CLOCK_MONOTONIC: the same clock in every process of the machine. */
uint64_t now_ns(void);

/* Prints a sentence and ends with status 1. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* Each prints one JSON object on stdout. */
void run_post(const struct options *options);
void run_rate(const struct options *options);
void run_syncs(const struct options *options);
