import TaskModel
import TaskValidation

/// What a post's header says about it.
struct PostFields: Hashable, Sendable {
    /// Without its quotes.
    private(set) var idempotencyKey: [UInt8]?
    /// Empty: the queue's default group.
    private(set) var group = ""
    /// Empty where there is none, or none that W3C would call one.
    private(set) var traceparent: [UInt8] = []
    private(set) var saysJSON = false

    /// `bytes` is the whole head.
    init(_ head: RequestHead, in bytes: UnsafeRawBufferPointer) throws(HTTPValidationError) {
        if let range = head.contentType { saysJSON = Self.isJSON(bytes[range]) }
        if let range = head.idempotencyKey { idempotencyKey = try Self.readKey(bytes[range]) }
        if let range = head.group { group = try Self.readGroup(bytes[range]) }
        if let range = head.traceparent, Self.isTraceparent(bytes[range]) {
            traceparent = Array(bytes[range])
        }
    }

    /// `application/json` or `application/<anything>+json`, with or without parameters.
    static func isJSON(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        let bytes = UnsafeRawBufferPointer(rebasing: value)
        var end = 0
        while end < bytes.count, bytes[end] != UInt8(ascii: ";") { end += 1 }
        while end > 0, bytes[end - 1] == 0x20 || bytes[end - 1] == 0x09 { end -= 1 }
        guard holds(bytes, 0, "application/") else { return false }
        if end == 16 { return holds(bytes, 12, "json") }
        return end > 17 && holds(bytes, end - 5, "+json")
    }

    /// Whether a word, which is lower, stands there in whatever case.
    private static func holds(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ word: StaticString) -> Bool {
        guard bytes.count >= start + word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount
        where RequestHeadParser.lowercased(bytes[start + index]) != word.utf8Start[index] {
            return false
        }
        return true
    }

    /// A bare key, or one in quotes with `\"` and `\\` inside.
    private static func readKey(_ value: Slice<UnsafeRawBufferPointer>) throws(HTTPValidationError) -> [UInt8]
    {
        let quote = UInt8(ascii: "\"")
        guard value.first == quote else {
            guard !value.isEmpty, value.count <= Limits.idempotencyKeyBytesMax, isPrintable(value) else {
                throw keyError(value)
            }
            return Array(value)
        }
        var key: [UInt8] = []
        var rest = value.dropFirst()
        while let byte = rest.popFirst(), byte != quote {
            if byte == UInt8(ascii: "\\") {
                guard let escaped = rest.popFirst(), escaped == quote || escaped == byte else {
                    throw keyError(value)
                }
                key.append(escaped)
            } else {
                key.append(byte)
            }
        }
        // The closing quote is the last byte exactly if nothing is left and it was not eaten as an escape.
        guard rest.isEmpty, value.count >= 2, value.last == quote, !key.isEmpty,
            key.count <= Limits.idempotencyKeyBytesMax, isPrintable(value), isClosed(value)
        else { throw keyError(value) }
        return key
    }

    /// Whether the last quote stands for itself.
    private static func isClosed(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        let backslashes = value.dropLast().reversed().prefix { $0 == UInt8(ascii: "\\") }.count
        return backslashes % 2 == 0
    }

    private static func keyError(_ value: Slice<UnsafeRawBufferPointer>) -> HTTPValidationError {
        HTTPValidationError(
            .value(
                "expected 1 to \(Limits.idempotencyKeyBytesMax) printable ASCII characters, bare or in quotes"
            ),
            in: "header", named: "Idempotency-Key", input: String(decoding: value, as: UTF8.self))
    }

    private static func readGroup(_ value: Slice<UnsafeRawBufferPointer>) throws(HTTPValidationError)
        -> String
    {
        guard !value.isEmpty, value.count <= Limits.groupNameBytesMax, isPrintable(value) else {
            throw HTTPValidationError(
                .value("expected 1 to \(Limits.groupNameBytesMax) printable ASCII characters"),
                in: "header", named: "Taskq-Group", input: String(decoding: value, as: UTF8.self))
        }
        return String(decoding: value, as: UTF8.self)
    }

    private static func isPrintable(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        value.allSatisfy { (0x20...0x7E).contains($0) }
    }

    /// `00-<32 hexadecimal digits>-<16>-<2>`, lower case; later versions may have more behind it.
    private static func isTraceparent(_ value: Slice<UnsafeRawBufferPointer>) -> Bool {
        let text = Array(value)
        guard text.count >= 55, text.count <= Limits.traceparentBytesMax, isPrintable(value) else {
            return false
        }
        let dashes = [2, 35, 52]
        for index in 0..<55 {
            let isHexadecimal =
                text[index] &- UInt8(ascii: "0") < 10 || text[index] &- UInt8(ascii: "a") < 6
            guard dashes.contains(index) ? text[index] == UInt8(ascii: "-") : isHexadecimal else {
                return false
            }
        }
        if text.starts(with: "00".utf8) { return text.count == 55 }
        return !text.starts(with: "ff".utf8) && (text.count == 55 || text[55] == UInt8(ascii: "-"))
    }
}
