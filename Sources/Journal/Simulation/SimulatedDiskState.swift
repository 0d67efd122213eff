import Glibc

/// What a simulated disk holds, durable and not.
struct SimulatedDiskState {
    struct Refusal: Error {
        let errno: CInt
    }

    private enum DirectoryChange {
        case added(String, file: Int)
        case removed(String)
        case renamed(String, to: String, file: Int)
    }

    var generator: SplitMix
    var calls = 0
    var isDead = false
    var isLocked = false
    /// By file number; a file that nobody names any more stays, empty of meaning.
    var files: [SimulatedFile] = []
    /// The directory as processes see it.
    private(set) var entries: [String: Int] = [:]
    private var durableEntries: [String: Int] = [:]
    private var unsyncedChanges: [DirectoryChange] = []

    init(seed: UInt64) {
        generator = SplitMix(seed: seed)
    }

    func file(_ name: String) throws(Refusal) -> Int {
        guard let file = entries[name] else { throw Refusal(errno: ENOENT) }
        return file
    }

    mutating func create(_ name: String) throws(Refusal) -> Int {
        guard entries[name] == nil else { throw Refusal(errno: EEXIST) }
        files.append(SimulatedFile(durable: []))
        change(.added(name, file: files.count - 1))
        return files.count - 1
    }

    mutating func rename(_ name: String, to newName: String) throws(Refusal) {
        change(.renamed(name, to: newName, file: try file(name)))
    }

    mutating func unlink(_ name: String) throws(Refusal) {
        _ = try file(name)
        change(.removed(name))
    }

    mutating func syncDirectory() {
        durableEntries = entries
        unsyncedChanges = []
    }

    mutating func lose(_ name: String) {
        entries[name] = nil
        durableEntries[name] = nil
    }

    private mutating func change(_ change: DirectoryChange) {
        Self.apply(change, to: &entries)
        unsyncedChanges.append(change)
    }

    private static func apply(_ change: DirectoryChange, to entries: inout [String: Int]) {
        switch change {
        case .added(let name, let file): entries[name] = file
        case .removed(let name): entries[name] = nil
        case .renamed(let name, let newName, let file):
            if entries[name] == file { entries[name] = nil }
            entries[newName] = file
        }
    }

    /// A power cut: of the directory changes a prefix or any subset, of each file any of its unsynced
    /// sectors.
    mutating func surviving(seed: UInt64) -> SimulatedDiskState {
        var random = SplitMix(seed: seed)
        var next = SimulatedDiskState(seed: random.next())
        var entries = durableEntries
        let keepsOrder = random.next() % 2 == 0
        let kept = Int(random.next() % UInt64(unsyncedChanges.count + 1))
        for (index, change) in unsyncedChanges.enumerated() {
            if keepsOrder ? index < kept : random.next() % 2 == 0 { Self.apply(change, to: &entries) }
        }
        next.entries = entries
        next.durableEntries = entries
        next.files = files.map { $0.surviving(&random) }
        return next
    }

    /// A process death: everything written is there, durable or not as before.
    func restarted() -> SimulatedDiskState {
        var next = self
        next.isDead = false
        next.isLocked = false
        next.calls = 0
        return next
    }
}

/// A file: what is on the medium, and the writes that are only in the cache.
struct SimulatedFile {
    private(set) var durable: [UInt8]
    /// As processes read it.
    private(set) var current: [UInt8]
    private var unsynced: [(offset: Int, bytes: [UInt8])] = []
    private var sizeIsUnsynced = false

    init(durable: [UInt8]) {
        self.durable = durable
        current = durable
    }

    mutating func write(_ bytes: ArraySlice<UInt8>, at offset: Int) {
        let end = offset + bytes.count
        if end > current.count {
            current.append(contentsOf: Self.zeros(end - current.count))
            sizeIsUnsynced = true
        }
        Self.copy(bytes, into: &current, at: offset)
        unsynced.append((offset, Array(bytes)))
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

    mutating func truncate(to size: Int) {
        if size < current.count { current.removeLast(current.count - size) }
        if size > current.count { current.append(contentsOf: Self.zeros(size - current.count)) }
        sizeIsUnsynced = true
    }

    mutating func sync() {
        guard !unsynced.isEmpty || sizeIsUnsynced else { return }
        durable = current
        unsynced = []
        sizeIsUnsynced = false
    }

    /// A failed write-back: some sectors reached the medium, none will be written again, and the cache shows
    /// them all.
    mutating func abandon(_ random: inout SplitMix) {
        durable = surviving(&random).durable
        unsynced = []
        sizeIsUnsynced = false
    }

    /// Clean pages are read anew from the medium.
    ///
    /// While a write waits to be written back its file is left alone.
    mutating func dropCache() {
        if unsynced.isEmpty, !sizeIsUnsynced { current = durable }
    }

    mutating func flip(_ bit: Int) {
        guard bit / 8 < durable.count else { return }
        durable[bit / 8] ^= 1 << UInt8(bit % 8)
        current[bit / 8] ^= 1 << UInt8(bit % 8)
    }

    func surviving(_ random: inout SplitMix) -> SimulatedFile {
        guard !unsynced.isEmpty || sizeIsUnsynced else { return self }
        var bytes = durable
        let size = random.next() % 2 == 0 ? current.count : durable.count
        if bytes.count > size { bytes.removeLast(bytes.count - size) }
        if bytes.count < size { bytes.append(contentsOf: Self.zeros(size - bytes.count)) }
        for write in unsynced { Self.keepSome(of: write.bytes, at: write.offset, in: &bytes, &random) }
        return SimulatedFile(durable: bytes)
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

/// A small seeded generator: the same numbers from the same seed, on every machine.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
