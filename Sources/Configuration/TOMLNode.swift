/// A value as it was written, with its place.
package struct TOMLNode: Hashable, Sendable {
    package enum Value: Hashable, Sendable {
        case table([String: TOMLNode])
        case array([TOMLNode])
        case string(String)
        case integer(Int64)
        case float(Double)
        case boolean(Bool)
        /// Dates and times, which no key of ours takes.
        case dateTime
    }

    package var value: Value
    package var position: SourcePosition

    package init(_ value: Value, at position: SourcePosition) {
        self.value = value
        self.position = position
    }

    /// `the integer 30`, for "expected …, found …".
    package var found: String {
        switch value {
        case .table: "a table"
        case .array: "an array"
        case .string(let text): "the string \(Self.quoted(text))"
        case .integer(let number): "the integer \(number)"
        case .float(let number): "the number \(number)"
        case .boolean(let flag): "\(flag)"
        case .dateTime: "a date"
        }
    }

    /// Cut to something that a message can carry, and without control characters.
    static func quoted(_ text: String) -> String {
        var shown = ""
        for scalar in text.unicodeScalars.prefix(60) {
            shown +=
                scalar.value < 32 || scalar == "\"" || scalar.value == 127
                ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return "\"\(shown)\"" + (text.unicodeScalars.count > 60 ? "…" : "")
    }

    /// Lays `above` over this table: tables are merged key by key, everything else is replaced.
    package mutating func overlay(_ above: TOMLNode) {
        guard case .table(var members) = value, case .table(let replacing) = above.value else {
            self = above
            return
        }
        for (key, node) in replacing {
            if var present = members[key] {
                present.overlay(node)
                members[key] = present
            } else {
                members[key] = node
            }
        }
        value = .table(members)
    }
}
