/// One value of a JSON text, read-only, with the bytes that it was read from.
///
/// Numbers stay as they were written; strings are decoded. Two values are equal if they were written alike.
package struct JSONValue: Hashable, Sendable {
    package enum Content: Hashable, Sendable {
        /// Members in the order of the text; no key occurs twice.
        case object([Member])
        case array([JSONValue])
        case string(String)
        /// The number as it was written, e.g. `-1.50e3`.
        case number(String)
        case bool(Bool)
        case null
    }

    package struct Member: Hashable, Sendable {
        package let key: String
        package let value: JSONValue
    }

    package let content: Content
    /// The value's own bytes in the text it was read from, verbatim: white space inside it included, around
    /// it not.
    package let rawBytes: ArraySlice<UInt8>

    /// Reads one JSON text strictly by RFC 8259; nesting is at most 64 deep.
    package static func parse(_ bytes: ArraySlice<UInt8>) throws(JSONError) -> JSONValue {
        try parse(bytes, depthMax: JSONScanner.depthMax)
    }

    package static func parse(_ bytes: [UInt8]) throws(JSONError) -> JSONValue {
        try parse(bytes[...])
    }

    /// Reads an object that carries one whole JSON text as a member: one level more than ``parse(_:)``, so
    /// that whatever may be posted fits.
    package static func parse(envelope bytes: ArraySlice<UInt8>) throws(JSONError) -> JSONValue {
        try parse(bytes, depthMax: JSONScanner.depthMax + 1)
    }

    private static func parse(
        _ bytes: ArraySlice<UInt8>, depthMax: Int
    ) throws(JSONError) -> JSONValue {
        let tree = try JSONTreeBuilder.build(bytes, depthMax: depthMax)
        if let offset = tree.firstLoneSurrogate { throw JSONError(.loneSurrogate, at: offset) }
        return tree.root
    }

    /// The member's value; nil if there is none, or this is no object.
    package subscript(key: String) -> JSONValue? {
        guard case .object(let members) = content else { return nil }
        return members.first { $0.key == key }?.value
    }

    package var members: [Member]? {
        guard case .object(let members) = content else { return nil }
        return members
    }

    package var elements: [JSONValue]? {
        guard case .array(let elements) = content else { return nil }
        return elements
    }

    package var string: String? {
        guard case .string(let text) = content else { return nil }
        return text
    }

    package var bool: Bool? {
        guard case .bool(let flag) = content else { return nil }
        return flag
    }

    package var isNull: Bool { content == .null }

    /// The number as a double, rounded to the nearest; infinite where it was written too large for one.
    package var double: Double? {
        guard case .number(let text) = content else { return nil }
        return Double(text)
    }

    /// The number, if it was written as a whole one without fraction or exponent and fits.
    package func integer<Integer: FixedWidthInteger>(_: Integer.Type = Int.self) -> Integer? {
        guard case .number(let text) = content else { return nil }
        return Integer(text)
    }
}
