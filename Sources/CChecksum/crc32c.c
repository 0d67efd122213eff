#include "CChecksum.h"

#include <string.h>

// The polynomial 0x1EDC6F41 with its bits reversed.
#define POLYNOMIAL 0x82F63B78u

// Bytes that each of three streams takes before they are combined; the instruction has a latency of three
// cycles and a throughput of one, so that three streams keep it busy.
#define LONG_STREAM 2048
#define SHORT_STREAM 128

static uint32_t byte_table[8][256];
static uint32_t long_shift[4][256];
static uint32_t short_shift[4][256];

// Vector times matrix over GF(2): a CRC seen as a polynomial, moved on by a number of zero bytes.
static uint32_t times(const uint32_t *matrix, uint32_t vector) {
    uint32_t sum = 0;
    for (; vector != 0; vector >>= 1, matrix++) {
        if (vector & 1) sum ^= *matrix;
    }
    return sum;
}

static void square(uint32_t *result, const uint32_t *matrix) {
    for (int bit = 0; bit < 32; bit++) result[bit] = times(matrix, matrix[bit]);
}

// `bytes` is a power of two.
static void make_shift(uint32_t table[4][256], size_t bytes) {
    uint32_t odd[32], even[32];
    odd[0] = POLYNOMIAL;
    for (int bit = 1; bit < 32; bit++) odd[bit] = 1u << (bit - 1);
    square(even, odd);
    square(odd, even);
    // `odd` now moves by four zero bits; each squaring doubles that.
    uint32_t *now = odd, *next = even;
    for (size_t bits = 4; bits < bytes * 8; bits *= 2) {
        square(next, now);
        uint32_t *swap = now;
        now = next;
        next = swap;
    }
    for (uint32_t value = 0; value < 256; value++) {
        for (int byte = 0; byte < 4; byte++) table[byte][value] = times(now, value << (8 * byte));
    }
}

__attribute__((constructor)) static void make_tables(void) {
    for (uint32_t value = 0; value < 256; value++) {
        uint32_t crc = value;
        for (int bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ POLYNOMIAL : crc >> 1;
        byte_table[0][value] = crc;
    }
    for (uint32_t value = 0; value < 256; value++) {
        for (int row = 1; row < 8; row++) {
            uint32_t before = byte_table[row - 1][value];
            byte_table[row][value] = (before >> 8) ^ byte_table[0][before & 255];
        }
    }
    make_shift(long_shift, LONG_STREAM);
    make_shift(short_shift, SHORT_STREAM);
}

uint32_t taskq_crc32c_portable(uint32_t crc, const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    crc = ~crc;
    for (; count >= 8; count -= 8, next += 8) {
        uint32_t low = crc ^ ((uint32_t)next[0] | (uint32_t)next[1] << 8 | (uint32_t)next[2] << 16
                              | (uint32_t)next[3] << 24);
        crc = byte_table[7][low & 255] ^ byte_table[6][low >> 8 & 255] ^ byte_table[5][low >> 16 & 255]
            ^ byte_table[4][low >> 24] ^ byte_table[3][next[4]] ^ byte_table[2][next[5]]
            ^ byte_table[1][next[6]] ^ byte_table[0][next[7]];
    }
    for (; count > 0; count--, next++) crc = (crc >> 8) ^ byte_table[0][(crc ^ *next) & 255];
    return ~crc;
}

static uint64_t load(const unsigned char *bytes) {
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

#if defined(__x86_64__)

#define HARDWARE __attribute__((target("sse4.2")))
#define STEP_8(crc, value) __builtin_ia32_crc32di(crc, value)
#define STEP_1(crc, value) __builtin_ia32_crc32qi((uint32_t)(crc), value)

static int has_hardware(void) { return __builtin_cpu_supports("sse4.2"); }

#elif defined(__aarch64__) && defined(__linux__)

#include <sys/auxv.h>
#define HARDWARE __attribute__((target("crc")))
#define STEP_8(crc, value) __builtin_arm_crc32cd((uint32_t)(crc), value)
#define STEP_1(crc, value) __builtin_arm_crc32cb((uint32_t)(crc), value)

// HWCAP_CRC32
static int has_hardware(void) { return (getauxval(AT_HWCAP) & (1 << 7)) != 0; }

#endif

#ifdef HARDWARE

static uint32_t shift(uint32_t table[4][256], uint32_t crc) {
    return table[0][crc & 255] ^ table[1][crc >> 8 & 255] ^ table[2][crc >> 16 & 255]
        ^ table[3][crc >> 24];
}

HARDWARE static uint32_t
three_streams(uint32_t crc, const unsigned char *next, size_t stream, uint32_t table[4][256]) {
    uint64_t first = crc, second = 0, third = 0;
    for (size_t at = 0; at < stream; at += 8) {
        first = STEP_8(first, load(next + at));
        second = STEP_8(second, load(next + stream + at));
        third = STEP_8(third, load(next + 2 * stream + at));
    }
    uint32_t joined = shift(table, (uint32_t)first) ^ (uint32_t)second;
    return shift(table, joined) ^ (uint32_t)third;
}

HARDWARE static uint32_t crc32c_hardware(uint32_t crc, const unsigned char *next, size_t count) {
    crc = ~crc;
    for (; count >= 3 * LONG_STREAM; count -= 3 * LONG_STREAM, next += 3 * LONG_STREAM) {
        crc = three_streams(crc, next, LONG_STREAM, long_shift);
    }
    for (; count >= 3 * SHORT_STREAM; count -= 3 * SHORT_STREAM, next += 3 * SHORT_STREAM) {
        crc = three_streams(crc, next, SHORT_STREAM, short_shift);
    }
    uint64_t wide = crc;
    for (; count >= 8; count -= 8, next += 8) wide = STEP_8(wide, load(next));
    crc = (uint32_t)wide;
    for (; count > 0; count--, next++) crc = STEP_1(crc, *next);
    return ~crc;
}

uint32_t taskq_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return has_hardware() ? crc32c_hardware(crc, bytes, count) : taskq_crc32c_portable(crc, bytes, count);
}

#else

uint32_t taskq_crc32c(uint32_t crc, const void *bytes, size_t count) {
    return taskq_crc32c_portable(crc, bytes, count);
}

#endif
