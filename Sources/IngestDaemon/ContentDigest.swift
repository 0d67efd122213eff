package import TaskModel

/// The 128-bit digests behind an `Idempotency-Key`.
///
/// They are SipHash-2-4 with 128 bits of output under a fixed key. They are kept in journals, so neither
/// the function, nor its key, nor what goes into it may ever change: a new one needs a new kind of record.
/// The key is public, so the digests tell apart what honest clients send; a client that makes two of its
/// own posts collide has only fooled itself, since the API key's id is part of what is hashed.
package enum ContentDigest {
    /// "taskq content digest v1", cut to 16 bytes, read little-endian.
    private static let key: (UInt64, UInt64) = (0x6F63_2071_6B73_6174, 0x6964_2074_6E65_746E)

    /// Of an API key's id (empty without API keys) and the `Idempotency-Key`, without its quotes.
    package static func ofKey(apiKey: some Collection<UInt8>, key: some Collection<UInt8>) -> Digest {
        digest(first: apiKey, second: key)
    }

    /// Of the group's name (empty for the default) and the stored bytes without the task's id.
    package static func ofContent(group: some Collection<UInt8>, stored: some Collection<UInt8>) -> Digest {
        digest(first: group, second: stored)
    }

    /// The first part's length (8 bytes, little-endian) stands before the parts, so that no two pairs look
    /// alike.
    private static func digest(first: some Collection<UInt8>, second: some Collection<UInt8>) -> Digest {
        var hash = SipHash128(key: key)
        let count = UInt64(first.count)
        for shift in stride(from: UInt64(0), to: 64, by: 8) {
            hash.add(UInt8(truncatingIfNeeded: count >> shift))
        }
        for byte in first { hash.add(byte) }
        for byte in second { hash.add(byte) }
        return hash.finish()
    }
}

/// SipHash-2-4 with 128 bits of output, byte by byte.
struct SipHash128 {
    private var state: (UInt64, UInt64, UInt64, UInt64)
    private var tail: UInt64 = 0
    private var count: UInt64 = 0

    init(key: (UInt64, UInt64)) {
        state = (
            0x736F_6D65_7073_6575 ^ key.0, 0x646F_7261_6E64_6F6D ^ key.1 ^ 0xEE,
            0x6C79_6765_6E65_7261 ^ key.0, 0x7465_6462_7974_6573 ^ key.1
        )
    }

    mutating func add(_ byte: UInt8) {
        tail |= UInt64(byte) << (8 * (count & 7))
        count &+= 1
        guard count & 7 == 0 else { return }
        compress(tail)
        tail = 0
    }

    mutating func finish() -> Digest {
        compress(tail | count << 56)
        state.2 ^= 0xEE
        for _ in 0..<4 { round() }
        let low = state.0 ^ state.1 ^ state.2 ^ state.3
        state.1 ^= 0xDD
        for _ in 0..<4 { round() }
        return Digest(high: state.0 ^ state.1 ^ state.2 ^ state.3, low: low)
    }

    private mutating func compress(_ word: UInt64) {
        state.3 ^= word
        round()
        round()
        state.0 ^= word
    }

    private mutating func round() {
        state.0 &+= state.1
        state.1 = rotate(state.1, 13) ^ state.0
        state.0 = rotate(state.0, 32)
        state.2 &+= state.3
        state.3 = rotate(state.3, 16) ^ state.2
        state.0 &+= state.3
        state.3 = rotate(state.3, 21) ^ state.0
        state.2 &+= state.1
        state.1 = rotate(state.1, 17) ^ state.2
        state.2 = rotate(state.2, 32)
    }

    private func rotate(_ value: UInt64, _ bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }
}
