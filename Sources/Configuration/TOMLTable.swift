/// Reads one table key by key.
///
/// What is absent is nil; what is wrong is nil too, and told to the problem list.
///
/// Every key asked for is a known one: ``rejectUnknownKeys()``, called last, refuses all others.
package final class TOMLTable {
    /// Dotted path of the table, empty for the root.
    package let path: String
    package let position: SourcePosition
    package let problems: ProblemList
    private let members: [String: TOMLNode]
    private var known: Set<String> = []

    package init(_ members: [String: TOMLNode], path: String, position: SourcePosition, problems: ProblemList)
    {
        self.members = members
        self.path = path
        self.position = position
        self.problems = problems
    }

    /// The root of a document.
    package convenience init(root: TOMLNode, problems: ProblemList) {
        guard case .table(let members) = root.value else {
            preconditionFailure("a document's root is a table")
        }
        self.init(members, path: "", position: root.position, problems: problems)
    }

    package var keys: [String] { members.keys.sorted() }

    /// The key with the tables above it.
    package func fullKey(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The node itself, for what the functions below do not read.
    package func node(_ key: String) -> TOMLNode? {
        known.insert(key)
        return members[key]
    }

    /// The node of a key whose value the caller checks against `expected`.
    package func node(_ key: String, expected: String) -> TOMLNode? {
        problems.expect(fullKey(key), expected)
        return node(key)
    }

    package func reject(_ key: String, _ node: TOMLNode, expected: String) {
        problems.add(fullKey(key), at: node.position, "expected \(expected), found \(node.found)")
    }

    package func rejectUnknownKeys() {
        for key in members.keys.sorted() where !known.contains(key) {
            guard let node = members[key] else { continue }
            let meant = Spelling.nearest(to: key, among: known).map { "did you mean \(TOMLNode.quoted($0))?" }
            let all = "expected one of \(known.sorted().joined(separator: ", "))"
            problems.add(fullKey(key), at: node.position, "unknown key, \(meant ?? all)")
        }
    }

    package func string(_ key: String) -> String? {
        text(key, expected: "a string") { $0 }
    }

    /// What `parse` makes of a string; nil from it is told as not being `expected`.
    package func text<Value>(_ key: String, expected: String, parse: (String) -> Value?) -> Value? {
        guard let node = node(key, expected: expected) else { return nil }
        if case .string(let text) = node.value, let value = parse(text) { return value }
        reject(key, node, expected: expected)
        return nil
    }

    package func boolean(_ key: String) -> Bool? {
        let expected = "true or false"
        guard let node = node(key, expected: expected) else { return nil }
        if case .boolean(let flag) = node.value { return flag }
        reject(key, node, expected: expected)
        return nil
    }

    package func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        let expected = "an integer from \(range.lowerBound) to \(range.upperBound)"
        guard let node = node(key, expected: expected) else { return nil }
        if case .integer(let number) = node.value, range.contains(number) { return number }
        reject(key, node, expected: expected)
        return nil
    }

    /// A number from `1` to a bound, with at most two decimals, in hundredths.
    package func hundredths(_ key: String, in range: ClosedRange<UInt32>) -> UInt32? {
        let low = Double(range.lowerBound) / 100
        let expected =
            "a number from \(low) to \(Double(range.upperBound) / 100) with at most two decimals"
        guard let node = node(key, expected: expected) else { return nil }
        let number: Double? =
            switch node.value {
            case .integer(let whole): Double(whole)
            case .float(let fraction): fraction
            case .table, .array, .string, .boolean, .dateTime: nil
            }
        if let number, number.isFinite, number >= 0, number < 1_000_000 {
            let scaled = (number * 100).rounded()
            if abs(scaled - number * 100) < 1e-6, range.contains(UInt32(scaled)) { return UInt32(scaled) }
        }
        reject(key, node, expected: expected)
        return nil
    }

    /// Milliseconds.
    ///
    /// `forever` says whether the word is allowed.
    package func duration(_ key: String, in range: ClosedRange<UInt64>, forever: Bool = false) -> UInt64? {
        let low = Quantities.durationText(range.lowerBound)
        let bounds =
            range.upperBound >= Quantities.foreverMilliseconds
            ? "of at least \(low)" : "from \(low) to \(Quantities.durationText(range.upperBound))"
        let expected = "a duration \(bounds) such as \"30s\"" + (forever ? ", or \"forever\"" : "")
        guard let node = node(key, expected: expected) else { return nil }
        if case .string(let text) = node.value {
            if forever, text == "forever" { return Quantities.foreverMilliseconds }
            if let value = Quantities.milliseconds(text), range.contains(value) { return value }
        }
        if case .integer(0) = node.value, range.contains(0) { return 0 }
        reject(key, node, expected: expected)
        return nil
    }

    /// Bytes; a bare integer counts bytes too.
    ///
    /// `unlimited` says whether the word is allowed.
    package func size(_ key: String, in range: ClosedRange<UInt64>, unlimited: Bool = false) -> UInt64? {
        let bounds =
            "from \(Quantities.sizeText(range.lowerBound)) to \(Quantities.sizeText(range.upperBound))"
        let expected = "a size \(bounds) such as \"64 MiB\"" + (unlimited ? ", or \"unlimited\"" : "")
        guard let node = node(key, expected: expected) else { return nil }
        var value: UInt64?
        if case .string(let text) = node.value {
            if unlimited, text == "unlimited" { return Quantities.unlimitedBytes }
            value = Quantities.bytes(text)
        }
        if case .integer(let number) = node.value { value = UInt64(exactly: number) }
        if let value, range.contains(value) { return value }
        reject(key, node, expected: expected)
        return nil
    }

    /// One of a few words.
    package func choice<Value>(_ key: String, among words: [(word: String, value: Value)]) -> Value? {
        let list = words.map { "\"\($0.word)\"" }.joined(separator: ", ")
        guard let node = node(key, expected: "one of \(list)") else { return nil }
        if case .string(let text) = node.value, let match = words.first(where: { $0.word == text }) {
            return match.value
        }
        var hint = ""
        if case .string(let text) = node.value,
            let meant = Spelling.nearest(to: text, among: words.map(\.word))
        {
            hint = ", did you mean \"\(meant)\"?"
        }
        problems.add(fullKey(key), at: node.position, "expected one of \(list), found \(node.found)\(hint)")
        return nil
    }

    package func strings(_ key: String) -> [String]? {
        list(key, of: "strings", element: "a string in the array") { $0 }
    }

    /// An array of what `parse` makes of each string; the element that is wrong is named.
    package func list<Value>(_ key: String, of what: String, element: String, parse: (String) -> Value?)
        -> [Value]?
    {
        let expected = "an array of \(what)"
        guard let node = node(key, expected: expected) else { return nil }
        guard case .array(let elements) = node.value else {
            reject(key, node, expected: expected)
            return nil
        }
        var values: [Value] = []
        for node in elements {
            guard case .string(let text) = node.value, let value = parse(text) else {
                reject(key, node, expected: element)
                return nil
            }
            values.append(value)
        }
        return values
    }

    package func table(_ key: String) -> TOMLTable? {
        guard let node = node(key, expected: "a table") else { return nil }
        guard case .table(let members) = node.value else {
            reject(key, node, expected: "a table")
            return nil
        }
        return TOMLTable(members, path: fullKey(key), position: node.position, problems: problems)
    }

    /// A table whose every value is a string, such as `[environment]`.
    package func stringTable(_ key: String) -> [String: String]? {
        guard let table = table(key) else { return nil }
        var texts: [String: String] = [:]
        for name in table.keys {
            if let text = table.string(name) { texts[name] = text }
        }
        return texts
    }
}
