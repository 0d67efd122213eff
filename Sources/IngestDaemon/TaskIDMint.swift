package import TaskModel

/// Makes task ids: UUIDs of version 7 that grow within the process, whatever the clock does.
///
/// Their 74 bits beside the time come from a generator seeded by the caller from the kernel; the time of
/// the first id of each millisecond draws them anew, each further one adds a random step.
package struct TaskIDMint: Sendable {
    private var generator: (UInt64, UInt64, UInt64, UInt64)
    private var milliseconds: UInt64 = 0
    /// 12 bits.
    private var high: UInt64 = 0
    /// 62 bits.
    private var low: UInt64 = 0

    private static let lowMask: UInt64 = 0x3FFF_FFFF_FFFF_FFFF

    /// The seed must not be all zero, which a generator would never leave.
    package init(seed: (UInt64, UInt64, UInt64, UInt64)) {
        generator = seed == (0, 0, 0, 0) ? (1, 0, 0, 0) : seed
    }

    /// The next id, larger than every one before.
    ///
    /// A clock that went back counts as standing still.
    package mutating func next(unixMilliseconds now: UInt64) -> TaskID {
        if now > milliseconds {
            milliseconds = now
            // The top bit stays free, so that a millisecond has room for its steps.
            high = random() & 0x7FF
            low = random() & Self.lowMask
        } else {
            step()
        }
        return TaskID(unixMilliseconds: milliseconds, random: (high, low))
    }

    private mutating func step() {
        // At most 2^40: more than 2^33 ids fit into one millisecond.
        low += 1 + random() & 0xFF_FFFF_FFFF
        guard low > Self.lowMask else { return }
        low &= Self.lowMask
        high += 1
        guard high > 0xFFF else { return }
        high = 0
        milliseconds += 1
    }

    /// xoshiro256**.
    private mutating func random() -> UInt64 {
        let scrambled = rotate(generator.1 &* 5, by: 7) &* 9
        let shifted = generator.1 << 17
        generator.2 ^= generator.0
        generator.3 ^= generator.1
        generator.1 ^= generator.2
        generator.0 ^= generator.3
        generator.2 ^= shifted
        generator.3 = rotate(generator.3, by: 45)
        return scrambled
    }

    private func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }
}
