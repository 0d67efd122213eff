#include "CChecksum.h"

#include <string.h>

// libc's own memcmp and memchr do the work: they are fast in a debug build too.

static const unsigned char zeros[4096];

size_t taskq_zero_prefix(const void *bytes, size_t count) {
    const unsigned char *start = bytes;
    size_t at = 0;
    while (count - at >= sizeof zeros && memcmp(start + at, zeros, sizeof zeros) == 0) at += sizeof zeros;
    while (count - at >= 64 && memcmp(start + at, zeros, 64) == 0) at += 64;
    while (at < count && start[at] == 0) at++;
    return at;
}

size_t taskq_zero_suffix(const void *bytes, size_t count) {
    const unsigned char *start = bytes;
    size_t end = count;
    while (end >= sizeof zeros && memcmp(start + end - sizeof zeros, zeros, sizeof zeros) == 0)
        end -= sizeof zeros;
    while (end >= 64 && memcmp(start + end - 64, zeros, 64) == 0) end -= 64;
    while (end > 0 && start[end - 1] == 0) end--;
    return count - end;
}

size_t taskq_find(const void *bytes, size_t count, const void *wanted, size_t length) {
    const unsigned char *start = bytes, *sought = wanted;
    // What is searched is mostly zeros: the first byte to look for is one that is not.
    size_t key = 0;
    while (key + 1 < length && sought[key] == 0) key++;
    size_t at = 0;
    while (length > 0 && count - at >= length) {
        const unsigned char *found = memchr(start + at + key, sought[key], count - at - length + 1);
        if (!found) return count;
        at = (size_t)(found - start) - key;
        if (memcmp(start + at, sought, length) == 0) return at;
        at++;
    }
    return count;
}
