/// Collects what is wrong while tables are read, so that all of it is told at once.
package final class ProblemList {
    package private(set) var problems: [ConfigurationProblem] = []

    package init() {}

    package func add(_ key: String, at position: SourcePosition, _ message: String) {
        problems.append(ConfigurationProblem(position: position, key: key, message: message))
    }

    /// Throws if anything is wrong, in the order of sources, lines and columns.
    package func throwIfAny() throws(ConfigurationError) {
        guard !problems.isEmpty else { return }
        let sources = problems.map(\.position.source)
        let ordered = problems.enumerated().sorted { left, right in
            let leftRank = sources.firstIndex(of: left.element.position.source) ?? 0
            let rightRank = sources.firstIndex(of: right.element.position.source) ?? 0
            return (leftRank, left.element.position.line, left.element.position.column, left.offset)
                < (rightRank, right.element.position.line, right.element.position.column, right.offset)
        }
        throw ConfigurationError(problems: ordered.map(\.element))
    }
}

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

    package func reject(_ key: String, _ node: TOMLNode, expected: String) {
        problems.add(fullKey(key), at: node.position, "expected \(expected), found \(node.found)")
    }

    package func rejectUnknownKeys() {
        for key in members.keys.sorted() where !known.contains(key) {
            guard let node = members[key] else { continue }
            let meant =
                Spelling.nearest(to: key, among: known).map { ", did you mean \(TOMLNode.quoted($0))?" } ?? ""
            problems.add(fullKey(key), at: node.position, "unknown key\(meant)")
        }
    }

    package func string(_ key: String) -> String? {
        guard let node = node(key) else { return nil }
        if case .string(let text) = node.value { return text }
        reject(key, node, expected: "a string")
        return nil
    }

    package func boolean(_ key: String) -> Bool? {
        guard let node = node(key) else { return nil }
        if case .boolean(let flag) = node.value { return flag }
        reject(key, node, expected: "true or false")
        return nil
    }

    package func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let node = node(key) else { return nil }
        if case .integer(let number) = node.value, range.contains(number) { return number }
        let bounds =
            range.upperBound == .max
            ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        reject(key, node, expected: "an integer \(bounds)")
        return nil
    }

    /// A number from `1` to a bound, with at most two decimals, in hundredths.
    package func hundredths(_ key: String, in range: ClosedRange<UInt32>) -> UInt32? {
        guard let node = node(key) else { return nil }
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
        let low = Double(range.lowerBound) / 100
        reject(
            key, node,
            expected: "a number from \(low) to \(Double(range.upperBound) / 100) with at most two decimals")
        return nil
    }

    /// Milliseconds.
    ///
    /// `forever` says whether the word is allowed.
    package func duration(_ key: String, in range: ClosedRange<UInt64>, forever: Bool = false) -> UInt64? {
        guard let node = node(key) else { return nil }
        if case .string(let text) = node.value {
            if forever, text == "forever" { return Quantities.foreverMilliseconds }
            if let value = Quantities.milliseconds(text), range.contains(value) { return value }
        }
        if case .integer(0) = node.value, range.contains(0) { return 0 }
        let low = Quantities.durationText(range.lowerBound)
        let bounds =
            range.upperBound >= Quantities.foreverMilliseconds
            ? "of at least \(low)" : "from \(low) to \(Quantities.durationText(range.upperBound))"
        reject(
            key, node, expected: "a duration \(bounds) such as \"30s\"" + (forever ? ", or \"forever\"" : ""))
        return nil
    }

    /// Bytes; a bare integer counts bytes too.
    package func size(_ key: String, in range: ClosedRange<UInt64>) -> UInt64? {
        guard let node = node(key) else { return nil }
        var value: UInt64?
        if case .string(let text) = node.value { value = Quantities.bytes(text) }
        if case .integer(let number) = node.value { value = UInt64(exactly: number) }
        if let value, range.contains(value) { return value }
        let bounds =
            "from \(Quantities.sizeText(range.lowerBound)) to \(Quantities.sizeText(range.upperBound))"
        reject(key, node, expected: "a size \(bounds) such as \"64 MiB\"")
        return nil
    }

    /// One of a few words.
    package func choice<Value>(_ key: String, among words: [(word: String, value: Value)]) -> Value? {
        guard let node = node(key) else { return nil }
        if case .string(let text) = node.value, let match = words.first(where: { $0.word == text }) {
            return match.value
        }
        let list = words.map { "\"\($0.word)\"" }.joined(separator: ", ")
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
        guard let node = node(key) else { return nil }
        guard case .array(let elements) = node.value else {
            reject(key, node, expected: "an array of strings")
            return nil
        }
        var texts: [String] = []
        for element in elements {
            guard case .string(let text) = element.value else {
                reject(key, element, expected: "a string in the array")
                return nil
            }
            texts.append(text)
        }
        return texts
    }

    package func table(_ key: String) -> TOMLTable? {
        guard let node = node(key) else { return nil }
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
