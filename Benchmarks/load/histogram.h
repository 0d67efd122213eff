#pragma once
#include <stdint.h>

/* Counts of durations: 64 equal steps in every power of two, so that a quantile is off by less than 1.6 %. */
enum { STEP_BITS = 6, BUCKETS = (64 - STEP_BITS + 1) << STEP_BITS };

struct histogram {
    uint64_t total;
    uint64_t counts[BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);

/* The duration that a share of the entries does not exceed, in microseconds; 0 when there are none. */
double histogram_quantile_us(const struct histogram *histogram, double share);
