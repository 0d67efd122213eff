private import TaskModel

/// One line that a processor wrote to stdout or stderr.
package struct OutputLine: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
        case standardOutput
        case standardError
    }

    /// The longest line handed on whole, bytes; longer ones come in pieces.
    package static let bytesMax = 32 << 10
    /// syslog's `err`: a plugin cannot wake everybody up.
    package static let gravestPriority: UInt8 = 3
    /// syslog's `info`, for lines without a prefix.
    package static let usualPriority: UInt8 = 6

    package var source: Source
    /// syslog's numbers, 3 (err) to 7 (debug).
    package var priority: UInt8
    /// Without the prefix and the line's end; not necessarily UTF-8.
    package var text: ArraySlice<UInt8>
    /// Who wrote it, for people who look for it with `ps`.
    package var pid: Int32
    /// The task in hand when the line was read; nil between tasks.
    package var task: ProcessorTask.Label?

    /// Takes a level prefix `<0>` to `<7>` off the line.
    package init(source: Source, line: ArraySlice<UInt8>, pid: Int32, task: ProcessorTask.Label?) {
        self.source = source
        self.pid = pid
        self.task = task
        let head = Array(line.prefix(3))
        let digits = UInt8(ascii: "0")...UInt8(ascii: "7")
        if head.count == 3, head[0] == UInt8(ascii: "<"), digits.contains(head[1]),
            head[2] == UInt8(ascii: ">")
        {
            priority = max(Self.gravestPriority, head[1] - UInt8(ascii: "0"))
            text = line.dropFirst(3)
        } else {
            priority = Self.usualPriority
            text = line
        }
    }
}
