#include "histogram.h"

static unsigned bucket_of(uint64_t value) {
    if (value < (1u << STEP_BITS)) return (unsigned)value;
    unsigned exponent = 63u - (unsigned)__builtin_clzll(value);
    unsigned shift = exponent - STEP_BITS;
    return ((shift + 1) << STEP_BITS) + (unsigned)((value >> shift) & ((1u << STEP_BITS) - 1));
}

/* The largest value that falls into a bucket. */
static uint64_t upper_end(unsigned bucket) {
    if (bucket < (1u << STEP_BITS)) return bucket;
    unsigned shift = (bucket >> STEP_BITS) - 1;
    uint64_t base = (uint64_t)((1u << STEP_BITS) + (bucket & ((1u << STEP_BITS) - 1)));
    return ((base + 1) << shift) - 1;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds) {
    histogram->counts[bucket_of(nanoseconds)]++;
    histogram->total++;
}

double histogram_quantile_us(const struct histogram *histogram, double share) {
    uint64_t wanted = (uint64_t)(share * (double)histogram->total + 0.999999);
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->counts[bucket];
        if (seen >= wanted && seen > 0) return (double)upper_end(bucket) / 1000.0;
    }
    return 0;
}
