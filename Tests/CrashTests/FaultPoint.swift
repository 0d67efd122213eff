/// The calls of one thread on one kind of file, which are numbered together.
struct CallSeries: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// `main`, or the name of the broker's other thread.
    let thread: String
    /// The system call, as strace names it.
    let call: String
    /// `segment`, `checkpoint.new`, `journal` for the directory itself, and so on.
    let file: String

    /// From a line of the shim's trace.
    init?(traceLine: String) {
        let words = traceLine.split(separator: " ")
        guard words.count == 3 else { return nil }
        (thread, call, file) = (String(words[0]), String(words[1]), String(words[2]))
    }

    init(_ thread: String, _ call: String, _ file: String) {
        (self.thread, self.call, self.file) = (thread, call, file)
    }

    var description: String { "\(thread) \(call) \(file)" }

    static func < (left: CallSeries, right: CallSeries) -> Bool {
        (left.thread, left.call, left.file) < (right.thread, right.call, right.file)
    }

    /// Whether the call makes bytes or names durable.
    var isSync: Bool { call == "fdatasync" || call == "fsync" }

    /// What can become of such a call.
    var faults: [Fault] {
        let own: [Fault] =
            switch call {
            case "pread64": [.short]
            case "preadv2": [.short, .wouldWait]
            case "pwrite64": [.short, .torn]
            case "fdatasync", "fsync": [.drop]
            case _: []
            }
        return [.inputOutput, .noSpace, .interrupted] + own + [.kill, .cut]
    }
}

/// What becomes of a call; the raw value is what the shim is told.
enum Fault: String, CaseIterable, Sendable {
    case inputOutput = "EIO"
    case noSpace = "ENOSPC"
    case interrupted = "EINTR"
    /// `RWF_NOWAIT` found nothing in the page cache.
    case wouldWait = "EAGAIN"
    /// Half of the bytes.
    case short = "SHORT"
    /// The sync fails, and what it should have made durable is lost.
    case drop = "DROP"
    /// SIGKILL before the call.
    case kill = "KILL"
    /// Half of the bytes, then SIGKILL.
    case torn = "TORN"
    /// A power cut before the call: bytes and names that were not synced are lost.
    case cut = "CUT"

    var endsTheProcess: Bool { self == .kill || self == .torn || self == .cut }
    /// What a healthy kernel does too: the broker must go on as if nothing had been.
    var isHarmless: Bool { self == .short || self == .wouldWait }
}

/// One call of a life and what becomes of it.
struct FaultPoint: Hashable, Sendable, CustomStringConvertible {
    let series: CallSeries
    /// From 1.
    let number: Int
    let fault: Fault

    /// As the shim reads it.
    var description: String { "\(series) \(number) \(fault.rawValue)" }
}
