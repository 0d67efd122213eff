/// A key of an object that is being read, kept to find the one that comes twice.
struct JSONKey {
    /// The bytes between the quotes, in the text.
    private let content: Range<Int>
    /// The key's characters, where they differ from those bytes.
    private let decoded: [UInt8]?

    init(_ token: JSONStringToken, in text: UnsafeRawBufferPointer) {
        content = token.content
        decoded = token.hasEscapes ? JSONEscapes.decode(token, in: text, keepsSurrogates: true) : nil
    }

    /// Objects up to this size are compared pair by pair; larger ones are sorted, so that no object is
    /// quadratic.
    private static let pairwiseMax = 12

    /// Where the first key begins, its quote included, that equals one before it.
    static func firstRepeated(_ keys: ArraySlice<JSONKey>, in text: UnsafeRawBufferPointer) -> Int? {
        if keys.count <= pairwiseMax {
            for later in keys.indices.dropFirst() {
                for earlier in keys.startIndex..<later where keys[earlier].order(keys[later], in: text) == 0 {
                    return keys[later].content.lowerBound - 1
                }
            }
            return nil
        }
        let sorted = keys.sorted { left, right in
            let order = left.order(right, in: text)
            return order == 0 ? left.content.lowerBound < right.content.lowerBound : order < 0
        }
        var first: Int?
        for (left, right) in zip(sorted, sorted.dropFirst()) where left.order(right, in: text) == 0 {
            first = min(first ?? .max, right.content.lowerBound - 1)
        }
        return first
    }

    /// Negative, zero or positive: some total order in which equal keys are equal; shorter keys come first.
    private func order(_ other: JSONKey, in text: UnsafeRawBufferPointer) -> Int {
        withBytes(in: text) { left in
            other.withBytes(in: text) { right in
                if left.count != right.count { return left.count < right.count ? -1 : 1 }
                for index in 0..<left.count where left[index] != right[index] {
                    return left[index] < right[index] ? -1 : 1
                }
                return 0
            }
        }
    }

    @inline(__always)
    private func withBytes<Result>(
        in text: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        guard let decoded else { return body(UnsafeRawBufferPointer(rebasing: text[content])) }
        return decoded.withUnsafeBytes(body)
    }
}
