/// Builds ``JSONValue``s from a scanner's reports.
struct JSONTreeBuilder: JSONVisitor {
    private struct Frame {
        var members: [JSONValue.Member] = []
        var elements: [JSONValue] = []
        var key = ""
        let isObject: Bool
        var hasLoneSurrogateInKey = false
    }

    private let bytes: ArraySlice<UInt8>
    private let text: UnsafeRawBufferPointer
    private var open: [Frame] = []
    private var root: JSONValue?
    /// Where the values begin, in bytes of the text, that are strings with a lone surrogate or have such a
    /// key.
    private var loneSurrogates: Set<Int> = []

    private init(_ bytes: ArraySlice<UInt8>, text: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.text = text
    }

    struct Tree {
        let root: JSONValue
        /// Where the first string with a lone surrogate begins, keys included; such characters were left out.
        let firstLoneSurrogate: Int?
        /// The byte offsets of strings with a lone surrogate and of objects with one in a key of theirs.
        let loneSurrogateValues: Set<Int>
    }

    static func build(
        _ bytes: ArraySlice<UInt8>, depthMax: Int = JSONScanner.depthMax
    ) throws(JSONError) -> Tree {
        let outcome = bytes.withUnsafeBytes { text -> Result<Tree, JSONError> in
            var builder = JSONTreeBuilder(bytes, text: text)
            var scanner = JSONScanner(text, depthMax: depthMax)
            do throws(JSONError) {
                try scanner.scanText(into: &builder)
            } catch {
                return .failure(error)
            }
            guard let root = builder.root else { return .failure(JSONError(.expectingValue, at: 0)) }
            return .success(
                Tree(
                    root: root, firstLoneSurrogate: scanner.firstLoneSurrogate,
                    loneSurrogateValues: builder.loneSurrogates))
        }
        return try outcome.get()
    }

    private func slice(_ range: Range<Int>) -> ArraySlice<UInt8> {
        bytes[bytes.startIndex + range.lowerBound..<bytes.startIndex + range.upperBound]
    }

    private func decode(_ token: JSONStringToken) -> String {
        guard token.hasEscapes else {
            return String(decoding: UnsafeRawBufferPointer(rebasing: text[token.content]), as: UTF8.self)
        }
        return String(decoding: JSONEscapes.decode(token, in: text), as: UTF8.self)
    }

    private mutating func add(_ content: JSONValue.Content, _ range: Range<Int>) {
        let value = JSONValue(content: content, rawBytes: slice(range))
        guard let last = open.indices.last else {
            root = value
            return
        }
        if open[last].isObject {
            open[last].members.append(JSONValue.Member(key: open[last].key, value: value))
        } else {
            open[last].elements.append(value)
        }
    }

    mutating func visit(string: JSONStringToken) {
        if string.hasLoneSurrogate { loneSurrogates.insert(string.range.lowerBound) }
        add(.string(decode(string)), string.range)
    }

    mutating func visit(number range: Range<Int>) {
        add(.number(String(decoding: UnsafeRawBufferPointer(rebasing: text[range]), as: UTF8.self)), range)
    }

    mutating func visit(literal: JSONLiteral, range: Range<Int>) {
        switch literal {
        case .true: add(.bool(true), range)
        case .false: add(.bool(false), range)
        case .null: add(.null, range)
        }
    }

    mutating func beginObject() {
        open.append(Frame(isObject: true))
    }

    mutating func visit(key: JSONStringToken) {
        let last = open.count - 1
        open[last].key = decode(key)
        if key.hasLoneSurrogate { open[last].hasLoneSurrogateInKey = true }
    }

    mutating func endObject(range: Range<Int>) {
        let frame = open.removeLast()
        if frame.hasLoneSurrogateInKey { loneSurrogates.insert(range.lowerBound) }
        add(.object(frame.members), range)
    }

    mutating func beginArray() {
        open.append(Frame(isObject: false))
    }

    mutating func endArray(range: Range<Int>) {
        let frame = open.removeLast()
        add(.array(frame.elements), range)
    }
}
