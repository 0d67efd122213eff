/// Why bytes are not one JSON text in the sense of RFC 8259, and where.
///
/// The wordings and positions of syntax errors are those of Python's `json` module (3.11), which is what a
/// client of a FastAPI service has seen until now.
package struct JSONError: Error, Hashable, Sendable {
    package enum Reason: UInt8, Hashable, Sendable, CaseIterable {
        /// Not UTF-8, a byte order mark, or UTF-16.
        case notUTF8
        /// Arrays and objects nested deeper than ``JSONScanner/depthMax``.
        case tooDeep
        case expectingValue
        case expectingPropertyName
        case expectingColon
        case expectingComma
        case extraData
        case unterminatedString
        case invalidControlCharacter
        case invalidEscape
        case invalidUnicodeEscape
        case duplicateKey
        /// An escape such as `\ud800` without its other half: no UTF-8 text can hold it.
        case loneSurrogate
    }

    package let reason: Reason
    /// Bytes from the beginning of the text.
    package let byteOffset: Int

    package init(_ reason: Reason, at byteOffset: Int) {
        self.reason = reason
        self.byteOffset = byteOffset
    }

    /// What Python's `json` calls it, without the position.
    package var message: String {
        switch reason {
        case .notUTF8: "The text is not UTF-8"
        case .tooDeep: "The text is nested too deeply"
        case .expectingValue: "Expecting value"
        case .expectingPropertyName: "Expecting property name enclosed in double quotes"
        case .expectingColon: "Expecting ':' delimiter"
        case .expectingComma: "Expecting ',' delimiter"
        case .extraData: "Extra data"
        case .unterminatedString: "Unterminated string starting at"
        case .invalidControlCharacter: "Invalid control character at"
        case .invalidEscape: "Invalid \\escape"
        case .invalidUnicodeEscape: "Invalid \\uXXXX escape"
        case .duplicateKey: "Duplicate key"
        case .loneSurrogate: "Lone surrogate"
        }
    }

    /// The error's place in code points, as Python counts, in the text that it was found in.
    package func characterOffset(in text: UnsafeRawBufferPointer) -> Int {
        text.prefix(byteOffset).reduce(0) { $0 + ($1 & 0xC0 == 0x80 ? 0 : 1) }
    }
}
