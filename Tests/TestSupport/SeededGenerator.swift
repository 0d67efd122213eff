import Glibc

/// xoshiro256** seeded through SplitMix64: the same seed gives the same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
    package let seed: UInt64
    private var state: (UInt64, UInt64, UInt64, UInt64)

    package init(seed: UInt64) {
        var mixer = SplitMix64(state: seed)
        self.seed = seed
        state = (mixer.next(), mixer.next(), mixer.next(), mixer.next())
    }

    /// The generator of one random test.
    ///
    /// TASKQ_TEST_SEED in the environment overrides `seed`; the line on stderr names what to set in order to
    /// see the same run again.
    package init(announcedAs test: String = #function, seed: UInt64) {
        let chosen = getenv("TASKQ_TEST_SEED").flatMap { UInt64(String(cString: $0)) } ?? seed
        StandardError.write("\(test): TASKQ_TEST_SEED=\(chosen)\n")
        self.init(seed: chosen)
    }

    package mutating func next() -> UInt64 {
        let result = rotate(state.1 &* 5, by: 7) &* 9
        let shifted = state.1 << 17
        state.2 ^= state.0
        state.3 ^= state.1
        state.1 ^= state.2
        state.0 ^= state.3
        state.2 ^= shifted
        state.3 = rotate(state.3, by: 45)
        return result
    }

    package mutating func bytes(count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }

    /// True once in `odds` times on average.
    package mutating func oneIn(_ odds: Int) -> Bool {
        Int.random(in: 0..<odds, using: &self) == 0
    }

    private func rotate(_ value: UInt64, by bits: UInt64) -> UInt64 {
        (value << bits) | (value >> (64 - bits))
    }
}

/// Spreads a small seed over 64 bits; also enough by itself where one number is wanted per step.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    package var state: UInt64
    package init(state: UInt64) { self.state = state }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Unbuffered, so that a line is out even when the next step traps.
package enum StandardError {
    package static func write(_ text: String) {
        var text = text
        text.withUTF8 { _ = Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
