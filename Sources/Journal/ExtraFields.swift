import BinaryCoding
import TaskModel

/// Fields that a later version may put before the body of a record it writes (docs/journal-format.md, "Extra
/// fields").
///
/// This version writes one, ``diedAtTag``. It passes over those that may be passed over, so that a later
/// version can add to a record without a new format, and refuses the others.
enum ExtraFields {
    /// Set in the type byte of a record that has them.
    static let flag: UInt8 = 0x80
    /// Set in the tag of a field that must be understood.
    static let vitalTag: UInt64 = 1
    /// In the snapshot record of a dead task: when it died, 8 bytes of journal time.
    static let diedAtTag: UInt64 = 8
}

extension BodyReader {
    mutating func skipExtraFields() throws(DecodingFailure) {
        _ = try readExtraFields(wanted: nil)
    }

    /// Passes over the fields and gives the value of the one that is wanted, if it is there.
    mutating func readExtraFields(wanted: UInt64?) throws(DecodingFailure) -> ArraySlice<UInt8>? {
        var found: ArraySlice<UInt8>?
        let length = try readVariable()
        guard length <= UInt64(remaining) else { throw .truncated }
        let rest = remaining - Int(length)
        while remaining > rest {
            let tag = try readVariable()
            guard tag & ExtraFields.vitalTag == 0 else { throw .unknown(kind: "field", value: tag) }
            if tag == wanted { found = try readPrefixed() } else { try skipPrefixed() }
        }
        guard remaining == rest else { throw .malformed("a field ends behind the others") }
        return found
    }

    /// As ``EncodingBuffer`` puts it before a dead task's snapshot.
    mutating func readDiedAt() throws(DecodingFailure) -> JournalTime? {
        guard let value = try readExtraFields(wanted: ExtraFields.diedAtTag) else { return nil }
        guard value.count == 8 else { throw .malformed("a time of death of \(value.count) bytes") }
        return JournalTime(rawValue: value.reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
}

extension EncodingBuffer {
    /// All the fields of a dead task's snapshot: their length, then the one there is.
    mutating func putDiedAt(_ time: JournalTime) {
        putVariable(10)
        putVariable(ExtraFields.diedAtTag)
        putVariable(8)
        put(time.rawValue)
    }
}
