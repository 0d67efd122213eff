/// The last bytes of a stream, at most `limitBytes` of them.
package struct TailBuffer: Sendable {
    private let limitBytes: Int
    private var kept: [UInt8] = []

    package init(limitBytes: Int) {
        self.limitBytes = limitBytes
    }

    package var bytes: ArraySlice<UInt8> { kept.suffix(limitBytes) }

    package mutating func append(_ bytes: UnsafeRawBufferPointer) {
        kept.append(contentsOf: bytes.suffix(limitBytes))
        // Trimmed only at twice the size, so that many short lines do not move the buffer each time.
        if kept.count > 2 * limitBytes { kept.removeFirst(kept.count - limitBytes) }
    }

    package mutating func removeAll() {
        kept.removeAll(keepingCapacity: true)
    }
}
