private import LinuxSystem

/// Cuts what comes out of a descriptor into numbered lines; holds no more than one line and one read.
package struct LineCutter {
    package enum Line: Hashable, Sendable {
        /// Without its end; the first line is 1.
        case text(number: Int, [UInt8])
        /// Longer than ``lineBytesMax``: it was passed over.
        case tooLong(number: Int)
    }

    /// More than any queue takes.
    package static let lineBytesMax = 4 << 20
    private static let readBytes = 64 << 10

    private let lineBytesMax: Int
    private var buffer: [UInt8] = []
    /// Where the next line begins in `buffer`.
    private var start = 0
    /// Bytes behind `start` that are known to hold no end of line.
    private var searched = 0
    private var number = 0
    /// Inside a line that is too long.
    private var isSkipping = false
    package private(set) var inputHasEnded = false
    /// Bytes read so far.
    package private(set) var bytesRead: UInt64 = 0

    package init(lineBytesMax: Int = Self.lineBytesMax) {
        self.lineBytesMax = lineBytesMax
    }

    /// The next line that has wholly come; nil where more has to be read, or at the end.
    ///
    /// What stands behind the last end of line is a line too. Blank lines are counted and passed over.
    package mutating func next() -> Line? {
        while let end = endOfLine() {
            let line = buffer[start..<end]
            let isLast = end == buffer.count
            start = isLast ? end : end + 1
            searched = 0
            number += 1
            if isSkipping {
                isSkipping = false
                return .tooLong(number: number)
            }
            if line.count > lineBytesMax { return .tooLong(number: number) }
            if !line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) {
                return .text(number: number, Array(line))
            }
        }
        return nil
    }

    private mutating func endOfLine() -> Int? {
        let from = start + searched
        if let end = buffer[from...].firstIndex(of: UInt8(ascii: "\n")) { return end }
        if inputHasEnded { return start < buffer.count || isSkipping ? buffer.count : nil }
        searched = buffer.count - start
        if searched > lineBytesMax {
            isSkipping = true
            start = buffer.count
            searched = 0
        }
        return nil
    }

    /// Reads once.
    package mutating func fill(from descriptor: CInt) throws(CommandFailure) {
        if start > 0 {
            buffer.removeFirst(start)
            start = 0
        }
        var chunk = [UInt8](repeating: 0, count: Self.readBytes)
        do throws(SystemError) {
            switch try FileText.readPiece(descriptor, into: &chunk) {
            case .read(let count): add(chunk[..<count])
            case .endOfFile: end()
            case .wouldBlock: break
            }
        } catch {
            throw .failed("the input cannot be read: \(error)")
        }
    }

    package mutating func add(_ bytes: ArraySlice<UInt8>) {
        buffer += bytes
        bytesRead += UInt64(bytes.count)
    }

    package mutating func end() { inputHasEnded = true }
}
