private import Glibc

/// Cuts a stream of bytes into lines, never holding more than one line's limit and one read.
///
/// LF ends a line; one CR before it is dropped. What is longer than the limit either comes out in pieces, or
/// is reported once and skipped to its end.
package struct LineSplitter: Sendable {
    package enum LongLines: Hashable, Sendable {
        case comeInPieces
        case areReported
    }

    package enum Line: Hashable, Sendable {
        case whole(ArraySlice<UInt8>)
        /// The first bytes of a line over the limit; the rest of it is dropped.
        case tooLong(start: ArraySlice<UInt8>)
    }

    private let limitBytes: Int
    private let longLines: LongLines
    private var buffer: [UInt8] = []
    /// Where the first line not handed out begins.
    private var start = 0
    /// Everything before this holds no LF.
    private var scanned = 0
    /// Inside a line that was reported as too long.
    private var skipping = false

    package init(limitBytes: Int, longLines: LongLines) {
        self.limitBytes = limitBytes
        self.longLines = longLines
    }

    /// Bytes of a line that has not ended yet.
    package var pendingBytes: Int { buffer.count - start }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start == buffer.count {
            buffer.removeAll(keepingCapacity: true)
            start = 0
            scanned = 0
        } else if start > 0 {
            buffer.removeFirst(start)
            scanned -= start
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next line that is complete, or too long to ever be; nil until more bytes come.
    package mutating func next() -> Line? {
        while true {
            let end = endOfLine()
            if skipping {
                start = end.map { $0 + 1 } ?? buffer.count
                scanned = start
                guard end != nil else { return nil }
                skipping = false
                continue
            }
            let length = (end ?? buffer.count) - start
            if length > limitBytes, !isLimitAndCarriageReturn(end) { return cut(at: limitBytes) }
            guard let end else { return nil }
            defer {
                start = end + 1
                scanned = start
            }
            let hasReturn = end > start && buffer[end - 1] == UInt8(ascii: "\r")
            return .whole(buffer[start..<(hasReturn ? end - 1 : end)])
        }
    }

    /// What stands after the last LF, at the end of the stream; nil if nothing does.
    package mutating func finish() -> ArraySlice<UInt8>? {
        defer {
            buffer = []
            start = 0
            scanned = 0
            skipping = false
        }
        return skipping || start == buffer.count ? nil : buffer[start...]
    }

    private mutating func endOfLine() -> Int? {
        let from = scanned
        let found: Int? = buffer.withUnsafeBytes { bytes in
            guard from < bytes.count, let base = bytes.baseAddress else { return nil }
            return memchr(base + from, 10, bytes.count - from).map { UnsafeRawPointer($0) - base }
        }
        scanned = found ?? buffer.count
        return found
    }

    /// A CR before the LF does not count.
    private func isLimitAndCarriageReturn(_ end: Int?) -> Bool {
        guard let end else {
            return buffer.count - start == limitBytes + 1 && buffer.last == UInt8(ascii: "\r")
        }
        return end - start == limitBytes + 1 && buffer[end - 1] == UInt8(ascii: "\r")
    }

    private mutating func cut(at count: Int) -> Line {
        let piece = buffer[start..<start + count]
        start += count
        // The LF found may lie far behind the piece: look again from the piece's end.
        scanned = start
        switch longLines {
        case .comeInPieces:
            return .whole(piece)
        case .areReported:
            skipping = true
            return .tooLong(start: piece)
        }
    }
}
