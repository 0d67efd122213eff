import Glibc

/// A file: what processes read, and how to tell from it what is on the medium.
struct SimulatedFile {
    private struct Write {
        let offset: Int
        let bytes: [UInt8]
        /// What stood there, as far as the file went.
        let replaced: [UInt8]
    }

    /// As processes read it.
    private(set) var current: [UInt8]
    /// What is on the medium, where taking the unsynced writes back does not give it.
    private var medium: [UInt8]?
    /// Lost for good are the sectors of a failed write-back, though the cache shows them.
    private var isAbandoned = false
    private var unsynced: [Write] = []
    private var durableCount: Int

    init(durable: [UInt8]) {
        current = durable
        durableCount = durable.count
    }

    var count: Int { current.count }
    var isSynced: Bool { unsynced.isEmpty && medium == nil && durableCount == current.count }

    private var durable: [UInt8] {
        if let medium { return medium }
        var bytes = current
        for write in unsynced.reversed() {
            Self.copy(write.replaced[...], into: &bytes, at: write.offset)
        }
        if bytes.count > durableCount { bytes.removeLast(bytes.count - durableCount) }
        return bytes
    }

    mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        let end = offset + bytes.count
        let replacedEnd = max(offset, min(end, current.count))
        let replaced = offset < current.count ? Array(current[offset..<replacedEnd]) : []
        if end > current.count { current.append(contentsOf: Self.zeros(end - current.count)) }
        Self.copy(bytes, into: &current, at: offset)
        unsynced.append(Write(offset: offset, bytes: Array(bytes), replaced: replaced))
    }

    // Plain copies and fills: the standard library's go byte by byte in a debug build.

    private static func copy(_ source: ArraySlice<UInt8>, into bytes: inout [UInt8], at offset: Int) {
        source.withUnsafeBytes { source in
            bytes.withUnsafeMutableBytes { target in
                UnsafeMutableRawBufferPointer(rebasing: target[offset...]).copyMemory(from: source)
            }
        }
    }

    private static func zeros(_ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            if let start = buffer.baseAddress { memset(start, 0, count) }
            initialized = count
        }
    }

    private static func resize(_ bytes: inout [UInt8], to size: Int) {
        if size < bytes.count { bytes.removeLast(bytes.count - size) }
        if size > bytes.count { bytes.append(contentsOf: zeros(size - bytes.count)) }
    }

    mutating func truncate(to size: Int) {
        if medium == nil { medium = durable }
        Self.resize(&current, to: size)
    }

    mutating func sync() {
        if isAbandoned, var bytes = medium {
            Self.resize(&bytes, to: current.count)
            for write in unsynced where write.offset + write.bytes.count <= bytes.count {
                Self.copy(write.bytes[...], into: &bytes, at: write.offset)
            }
            medium = bytes
        } else {
            medium = nil
        }
        unsynced = []
        durableCount = current.count
    }

    /// A failed write-back: some sectors reached the medium, none will be written again, and the cache shows
    /// them all.
    mutating func abandon(_ random: inout SplitMix) {
        guard !isSynced else { return }
        medium = survivingBytes(&random)
        isAbandoned = true
        unsynced = []
        durableCount = current.count
    }

    /// Clean pages are read anew from the medium.
    ///
    /// While a write waits to be written back its file is left alone.
    mutating func dropCache() {
        guard unsynced.isEmpty, isAbandoned, let bytes = medium else { return }
        self = SimulatedFile(durable: bytes)
    }

    mutating func flip(_ bit: Int) {
        guard bit / 8 < current.count else { return }
        current[bit / 8] ^= 1 << UInt8(bit % 8)
        if var bytes = medium, bit / 8 < bytes.count {
            bytes[bit / 8] ^= 1 << UInt8(bit % 8)
            medium = bytes
        }
    }

    func surviving(_ random: inout SplitMix) -> SimulatedFile {
        isSynced ? self : SimulatedFile(durable: survivingBytes(&random))
    }

    private func survivingBytes(_ random: inout SplitMix) -> [UInt8] {
        var bytes = durable
        Self.resize(&bytes, to: random.next() % 2 == 0 ? current.count : bytes.count)
        for write in unsynced { Self.keepSome(of: write.bytes, at: write.offset, in: &bytes, &random) }
        return bytes
    }

    /// Each sector of a write is there, is not, or is torn somewhere.
    private static func keepSome(
        of content: [UInt8], at offset: Int, in bytes: inout [UInt8], _ random: inout SplitMix
    ) {
        // Of long writes, mostly all or nothing: a walk over every sector would only take time.
        if content.count > 64 * SimulatedDisk.sectorBytes, random.next() % 4 > 0 {
            let end = min(offset + content.count, bytes.count)
            if random.next() % 2 == 0, offset < end {
                copy(content[..<(end - offset)], into: &bytes, at: offset)
            }
            return
        }
        var start = offset
        while start < offset + content.count {
            let sectorEnd = (start / SimulatedDisk.sectorBytes + 1) * SimulatedDisk.sectorBytes
            let end = min(sectorEnd, offset + content.count)
            var kept = end - start
            switch random.next() % 8 {
            case 0..<3: kept = 0
            case 3: kept = Int(random.next() % UInt64(kept))
            case _: break
            }
            let keptEnd = min(start + kept, bytes.count)
            if start < keptEnd {
                copy(content[(start - offset)..<(keptEnd - offset)], into: &bytes, at: start)
            }
            start = end
        }
    }
}
