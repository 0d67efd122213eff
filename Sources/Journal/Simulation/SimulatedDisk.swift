import Glibc
import Synchronization

/// A disk in memory that forgets what was not synced, tears, fails and lies, all from a seed.
///
/// Bytes written and directory changes made become durable only by a sync of the file or the directory.
/// ``crashed(seed:)`` gives the disk as the next process finds it: of what was not synced, any part is there.
package final class SimulatedDisk: JournalStorage {
    package static let sectorBytes = 512

    /// One call to the disk, before it has any effect.
    package struct Call: Hashable, Sendable {
        /// From 1, over the disk's life.
        package let number: Int
        package let operation: StorageOperation
        package let file: String
    }

    package enum Fault: Hashable, Sendable {
        /// The call fails; a write or sync may have done anything with what it was about.
        case fails(errno: CInt)
        /// A write takes only so many bytes, at least one.
        case short(bytes: Int)
        /// A sync answers well and makes nothing durable: what no correct journal can survive.
        case lies
        /// The process dies in the call: it fails and every later one too.
        case dies
        /// A read that must not wait finds nothing in the cache.
        case notCached
    }

    private let state: Mutex<SimulatedDiskState>
    private let plan: Mutex<Plan>

    /// A function in a box: kept in the mutex by itself, it is wrapped once more at every look, and calls
    /// would take longer and longer.
    private final class Plan: Sendable {
        let fault: @Sendable (Call) -> Fault?
        init(_ fault: @escaping @Sendable (Call) -> Fault?) { self.fault = fault }
    }

    package init(seed: UInt64) {
        state = Mutex(SimulatedDiskState(seed: seed))
        plan = Mutex(Plan { _ in nil })
    }

    private init(_ surviving: SimulatedDiskState) {
        state = Mutex(surviving)
        plan = Mutex(Plan { _ in nil })
    }

    /// Asked before every call from now on.
    package func inject(_ faults: @escaping @Sendable (Call) -> Fault?) {
        plan.withLock { $0 = Plan(faults) }
    }

    /// Calls made so far.
    package var calls: Int { state.withLock { $0.calls } }

    /// What is left when the power goes now; this disk answers nothing any more.
    package func crashed(seed: UInt64) -> SimulatedDisk {
        let surviving = state.withLock { state in
            state.isDead = true
            return state.surviving(seed: seed)
        }
        return SimulatedDisk(surviving)
    }

    /// What the next process finds when only this one died: everything written.
    package func restarted() -> SimulatedDisk {
        let surviving = state.withLock { state in
            state.isDead = true
            return state.restarted()
        }
        return SimulatedDisk(surviving)
    }

    /// Bounds the bytes of all files together: what would grow beyond gets ENOSPC; nil for no bound.
    package func limit(bytes: Int?) {
        state.withLock { $0.capacity = bytes }
    }

    package var isLimited: Bool { state.withLock { $0.capacity != nil } }

    /// Bytes of all files.
    package var usedBytes: Int { state.withLock { $0.usedBytes } }

    /// Names whose bytes, as a process sees them, are not all durable.
    package var unsyncedNames: [String] { state.withLock { $0.unsyncedNames } }

    /// A disk with the same content, durable and not, that goes its own way from here.
    package func copied() -> SimulatedDisk { SimulatedDisk(state.withLock { $0.restarted() }) }

    /// The names in the directory, as a process sees them.
    package var names: [String] { state.withLock { $0.entries.keys.sorted() } }

    /// A file's bytes as a process sees them; empty if there is none of the name.
    package func contents(_ name: String) -> [UInt8] {
        state.withLock { state in state.entries[name].map { state.files[$0].current } ?? [] }
    }

    /// Replaces a file's bytes for good: damage at rest.
    package func overwrite(_ name: String, with bytes: [UInt8]) {
        state.withLock { state in
            guard let file = state.entries[name] else { return }
            state.files[file] = SimulatedFile(durable: bytes)
        }
    }

    /// Turns one bit of a file over for good, also of one that was unlinked and may come back in a crash.
    package func flipBit(_ bit: Int, of name: String) {
        state.withLock { state in
            guard let file = state.entries[name] ?? state.durableFile(name) else { return }
            state.files[file].flip(bit)
        }
    }

    /// Takes a file out of the directory for good.
    package func lose(_ name: String) {
        state.withLock { $0.lose(name) }
    }

    private func begin(_ operation: StorageOperation, _ file: String) throws(JournalError) -> Fault? {
        let call = try state.withLock { (state) throws(JournalError) in
            guard !state.isDead else { throw JournalError.storage(operation, file: file, errno: EIO) }
            state.calls += 1
            return Call(number: state.calls, operation: operation, file: file)
        }
        let fault = plan.withLock { $0 }.fault(call)
        if fault == .dies { state.withLock { $0.isDead = true } }
        return fault
    }

    /// Runs a call's effect and throws what the fault says, in this order: a call that fails may have had its
    /// effect.
    private func perform<Result>(
        _ operation: StorageOperation, _ file: String,
        _ effect: (inout sending SimulatedDiskState, Fault?) throws(SimulatedDiskState.Refusal) ->
            sending Result
    ) throws(JournalError) -> Result {
        let fault = try begin(operation, file)
        if case .fails(let errno) = fault, errno != EIO {
            throw .storage(operation, file: file, errno: errno)
        }
        let result: Result
        do throws(SimulatedDiskState.Refusal) {
            result = try state.withLock { (state) throws(SimulatedDiskState.Refusal) in
                try effect(&state, fault)
            }
        } catch {
            throw .storage(operation, file: file, errno: error.errno)
        }
        switch fault {
        case .fails(let errno): throw .storage(operation, file: file, errno: errno)
        case .dies: throw .storage(operation, file: file, errno: EIO)
        case .short, .lies, .notCached, nil: return result
        }
    }

    package func lock() throws(JournalError) -> any JournalLock {
        let isOurs = try perform(.lock, "lock") { (state, fault) in
            guard fault == nil else { return false }
            defer { state.isLocked = true }
            return !state.isLocked
        }
        guard isOurs else { throw .locked(byPID: nil) }
        return SimulatedLock(disk: self)
    }

    fileprivate func unlock() {
        state.withLock { $0.isLocked = false }
    }

    package func list() throws(JournalError) -> [String] {
        try perform(.list, "") { (state, _) in state.entries.keys.sorted() }
    }

    package func create(_ name: String) throws(JournalError) -> any JournalFile {
        let file = try perform(.create, name) { (state, _) throws(SimulatedDiskState.Refusal) in
            try state.create(name)
        }
        return SimulatedOpenFile(disk: self, file: file, name: name)
    }

    package func open(_ name: String, forWriting: Bool) throws(JournalError) -> any JournalFile {
        let file = try perform(.open, name) { (state, _) throws(SimulatedDiskState.Refusal) in
            try state.file(name)
        }
        return SimulatedOpenFile(disk: self, file: file, name: name)
    }

    package func rename(_ name: String, to newName: String) throws(JournalError) {
        try perform(.rename, name) { (state, _) throws(SimulatedDiskState.Refusal) in
            try state.rename(name, to: newName)
        }
    }

    package func unlink(_ name: String) throws(JournalError) {
        try perform(.unlink, name) { (state, _) throws(SimulatedDiskState.Refusal) in try state.unlink(name) }
    }

    package func syncDirectory() throws(JournalError) {
        try perform(.syncDirectory, "") { (state, fault) in
            if fault == nil { state.syncDirectory() }
        }
    }

    package func random() throws(JournalError) -> UInt64 {
        try perform(.random, "") { (state, _) in state.generator.next() }
    }

    fileprivate func size(_ file: Int, _ name: String) throws(JournalError) -> Int {
        try perform(.open, name) { (state, _) in state.files[file].count }
    }

    fileprivate func read(
        _ file: Int, _ name: String, into buffer: UnsafeMutableRawBufferPointer, at offset: Int, waiting: Bool
    ) throws(JournalError) -> Int? {
        // Proof for the address: the buffer outlives the call, and nobody else has it.
        let target = UInt(bitPattern: buffer.baseAddress)
        let room = buffer.count
        return try perform(.read, name) { (state, fault) -> Int? in
            if !waiting, fault == .notCached { return nil }
            let count = min(max(0, state.files[file].count - offset), room)
            guard count > 0, let target = UnsafeMutableRawPointer(bitPattern: target) else { return 0 }
            state.files[file].current.withUnsafeBytes { bytes in
                let source = UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
                UnsafeMutableRawBufferPointer(start: target, count: count).copyMemory(from: source)
            }
            return count
        }
    }

    fileprivate func write(
        _ file: Int, _ name: String, _ bytes: UnsafeRawBufferPointer, at offset: Int
    ) throws(JournalError) -> Int {
        let content = [UInt8](copying: bytes)
        return try perform(.write, name) { (state, fault) throws(SimulatedDiskState.Refusal) in
            var count = try state.room(forWriting: content.count, at: offset, of: file)
            if case .short(let some) = fault { count = min(count, max(1, some)) }
            state.files[file].write(content[..<count], at: offset)
            return count
        }
    }

    fileprivate func sync(_ file: Int, _ name: String) throws(JournalError) {
        try perform(.sync, name) { (state, fault) in
            switch fault {
            case nil, .short, .notCached: state.files[file].sync()
            // The kernel drops the dirty pages of a failed write-back: they are never written again.
            case .fails: state.files[file].abandon(&state.generator)
            case .lies, .dies: break
            }
        }
    }

    fileprivate func truncate(_ file: Int, _ name: String, to size: Int) throws(JournalError) {
        try perform(.truncate, name) { (state, _) in state.files[file].truncate(to: size) }
    }

    fileprivate func dropCache(_ file: Int) {
        state.withLock { $0.files[file].dropCache() }
    }
}

private final class SimulatedLock: JournalLock {
    private let disk: SimulatedDisk

    init(disk: SimulatedDisk) {
        self.disk = disk
    }

    deinit { disk.unlock() }
}

private final class SimulatedOpenFile: JournalFile {
    private let disk: SimulatedDisk
    private let file: Int
    private let name: String

    init(disk: SimulatedDisk, file: Int, name: String) {
        self.disk = disk
        self.file = file
        self.name = name
    }

    func size() throws(JournalError) -> Int { try disk.size(file, name) }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        try disk.read(file, name, into: buffer, at: offset, waiting: true) ?? 0
    }

    func tryRead(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(JournalError) -> Int? {
        try disk.read(file, name, into: buffer, at: offset, waiting: false)
    }

    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int) throws(JournalError) -> Int {
        try disk.write(file, name, bytes, at: offset)
    }

    func sync() throws(JournalError) { try disk.sync(file, name) }

    func truncate(to size: Int) throws(JournalError) { try disk.truncate(file, name, to: size) }

    func dropCache() { disk.dropCache(file) }

    func prefetch(_ count: Int, at offset: Int) {}
}
