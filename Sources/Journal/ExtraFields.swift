import BinaryCoding

/// Fields that a later version may put before the body of a record it writes (docs/journal-format.md, "Extra
/// fields").
///
/// This version writes none. It passes over those that may be passed over, so that a later version can add to
/// a record without a new format, and refuses the others.
enum ExtraFields {
    /// Set in the type byte of a record that has them.
    static let flag: UInt8 = 0x80
    /// Set in the tag of a field that must be understood.
    static let vitalTag: UInt64 = 1
}

extension BodyReader {
    mutating func skipExtraFields() throws(DecodingFailure) {
        let length = try readVariable()
        guard length <= UInt64(remaining) else { throw .truncated }
        let rest = remaining - Int(length)
        while remaining > rest {
            let tag = try readVariable()
            guard tag & ExtraFields.vitalTag == 0 else { throw .unknown(kind: "field", value: tag) }
            try skipPrefixed()
        }
        guard remaining == rest else { throw .malformed("a field ends behind the others") }
    }
}
