#pragma once

#include <stddef.h>
#include <stdint.h>

/// CRC-32C (Castagnoli) of `count` bytes, continuing from `crc`; begin with 0.
/// In hardware where the processor has the instruction, with tables where it has not; the value is the same.
uint32_t taskq_crc32c(uint32_t crc, const void *bytes, size_t count);

/// The same by tables alone, for tests of the other.
uint32_t taskq_crc32c_portable(uint32_t crc, const void *bytes, size_t count);

/// How many of the first `count` bytes are zero before the first that is not.
size_t taskq_zero_prefix(const void *bytes, size_t count);

/// How many of the last `count` bytes are zero behind the last that is not.
size_t taskq_zero_suffix(const void *bytes, size_t count);

/// Where `wanted` first stands in `bytes`; `count` if it does not.
size_t taskq_find(const void *bytes, size_t count, const void *wanted, size_t length);
