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
    /// Bytes that the files may have together; nil for no bound.
    var capacity: Int?

    init(seed: UInt64) {
        generator = SplitMix(seed: seed)
    }

    func file(_ name: String) throws(Refusal) -> Int {
        guard let file = entries[name] else { throw Refusal(errno: ENOENT) }
        return file
    }

    func durableFile(_ name: String) -> Int? { durableEntries[name] }

    mutating func create(_ name: String) throws(Refusal) -> Int {
        guard entries[name] == nil else { throw Refusal(errno: EEXIST) }
        if let capacity, usedBytes >= capacity { throw Refusal(errno: ENOSPC) }
        files.append(SimulatedFile(durable: []))
        change(.added(name, file: files.count - 1))
        return files.count - 1
    }

    var usedBytes: Int { entries.values.reduce(0) { $0 + files[$1].count } }

    /// How many of the bytes of a write there is room for; it may lie within the file.
    func room(forWriting bytes: Int, at offset: Int, of file: Int) throws(Refusal) -> Int {
        guard let capacity, offset + bytes > files[file].count else { return bytes }
        let room = max(0, capacity - usedBytes) + files[file].count - offset
        guard room > 0 || bytes == 0 else { throw Refusal(errno: ENOSPC) }
        return min(bytes, room)
    }

    /// Names whose bytes, as a process sees them, are not all durable.
    var unsyncedNames: [String] {
        entries.filter { !files[$0.value].isSynced }.map(\.key).sorted()
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
        let named = Set(entries.values)
        next.files = files.indices.map { index in
            named.contains(index) ? files[index].surviving(&random) : SimulatedFile(durable: [])
        }
        next.capacity = capacity
        return next
    }

    /// A process death: everything written is there, durable or not as before.
    func restarted() -> SimulatedDiskState {
        var next = self
        next.isDead = false
        next.isLocked = false
        next.calls = 0
        // What nobody names any more is in use by the dead process alone, unless a crash brings it back.
        let named = Set(entries.values).union(durableEntries.values)
        for index in files.indices where !named.contains(index) {
            next.files[index] = SimulatedFile(durable: [])
        }
        return next
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
