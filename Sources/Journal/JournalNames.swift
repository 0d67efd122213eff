import TaskModel

/// The names of the journal's own files.
///
/// Whatever else lies in the directory is never touched.
enum JournalName: Hashable {
    case segment(UInt32)
    case checkpoint(CheckpointName)
    /// An empty file that says which journal the directory holds.
    case instance(JournalInstance)
    /// A file that was being made when the process died.
    case unfinished
    /// Says that the directory is a whole backup, and of what; written last.
    case backupNote

    private static let segmentSuffix = ".segment"
    private static let checkpointPrefix = "checkpoint-"
    private static let instancePrefix = "instance-"
    private static let unfinishedSuffix = ".new"

    init?(_ name: String) {
        if name.hasSuffix(Self.unfinishedSuffix) {
            switch JournalName(String(name.dropLast(Self.unfinishedSuffix.count))) {
            case .segment, .checkpoint: self = .unfinished
            case .unfinished, .instance, .backupNote, nil: return nil
            }
        } else if name == Self.backupNoteFile {
            self = .backupNote
        } else if name.hasSuffix(Self.segmentSuffix) {
            guard let number = Self.hexadecimal(name.dropLast(Self.segmentSuffix.count), digits: 16),
                let segment = UInt32(exactly: number), segment > 0
            else { return nil }
            self = .segment(segment)
        } else if name.hasPrefix(Self.checkpointPrefix) {
            let parts = name.dropFirst(Self.checkpointPrefix.count).split(
                separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let lsn = Self.hexadecimal(parts[0], digits: 16),
                let ordinal = Self.hexadecimal(parts[1], digits: 8)
            else { return nil }
            self = .checkpoint(
                CheckpointName(
                    covered: LogSequenceNumber(rawValue: lsn), ordinal: UInt32(truncatingIfNeeded: ordinal)))
        } else if name.hasPrefix(Self.instancePrefix) {
            guard let value = Self.hexadecimal(name.dropFirst(Self.instancePrefix.count), digits: 16) else {
                return nil
            }
            self = .instance(JournalInstance(rawValue: value))
        } else {
            return nil
        }
    }

    static let backupNoteFile = "taskq-backup"
    static let lockFile = "lock"

    static func segmentFile(number: UInt32) -> String { padded(UInt64(number), digits: 16) + segmentSuffix }

    static func checkpointFile(_ name: CheckpointName) -> String {
        let covered = padded(name.covered.rawValue, digits: 16)
        return "\(checkpointPrefix)\(covered)-\(padded(UInt64(name.ordinal), digits: 8))"
    }

    static func instanceFile(_ instance: JournalInstance) -> String {
        instancePrefix + digits(of: instance)
    }

    /// As an instance is written wherever people read it.
    static func digits(of instance: JournalInstance) -> String { padded(instance.rawValue, digits: 16) }

    static func unfinishedFile(_ name: String) -> String { name + unfinishedSuffix }

    private static func padded(_ value: UInt64, digits: Int) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: max(0, digits - text.count)) + text
    }

    /// Lower-case digits only, so that every number has one name.
    private static func hexadecimal(_ text: Substring, digits: Int) -> UInt64? {
        guard text.utf8.count == digits else { return nil }
        let isPlain = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
        }
        return isPlain ? UInt64(text, radix: 16) : nil
    }
}

/// The journal's own files in a directory, each kind in its order.
struct JournalListing {
    var segments: [UInt32] = []
    private(set) var checkpoints: [CheckpointName] = []
    private(set) var instances: [JournalInstance] = []
    private(set) var unfinished: [String] = []
    private(set) var isBackup = false

    init(_ storage: any JournalStorage) throws(JournalError) {
        for name in try storage.list() {
            switch JournalName(name) {
            case .segment(let number): segments.append(number)
            case .checkpoint(let checkpoint): checkpoints.append(checkpoint)
            case .instance(let instance): instances.append(instance)
            case .unfinished: unfinished.append(name)
            case .backupNote: isBackup = true
            case nil: break
            }
        }
        segments.sort()
        checkpoints.sort()
    }

    var isEmpty: Bool { segments.isEmpty && checkpoints.isEmpty }
}

/// Checkpoints are told apart by what they cover, and two that cover the same by their order.
struct CheckpointName: Hashable, Comparable, Sendable {
    let covered: LogSequenceNumber
    let ordinal: UInt32

    static func < (left: Self, right: Self) -> Bool {
        (left.covered, left.ordinal) < (right.covered, right.ordinal)
    }
}
