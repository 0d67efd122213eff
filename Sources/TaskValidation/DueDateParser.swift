/// Reads a due date from everything that pydantic 2.13 takes for a `datetime`, and says no in its words.
///
/// From strings: a date; a date, `T`, `t`, `_` or a space, and a time with seconds, fraction and offset
/// optional; a Unix time in decimal. From numbers: a Unix time. Unix times beyond ±2·10¹⁰ are milliseconds.
/// A fraction longer than microseconds is cut. pydantic tries a bare date last, so a string's error is that
/// of reading a bare date.
enum DueDateParser {
    enum Problem: Error, Hashable, Sendable {
        /// pydantic's `datetime_from_date_parsing`.
        case dateText(StaticText)
        /// pydantic's `datetime_parsing`.
        case dateTime(StaticText)
        /// pydantic's `datetime_type`.
        case type
    }

    enum StaticText: String, Hashable, Sendable {
        case tooShort = "input is too short"
        case extraCharacters = "unexpected extra characters at the end of the input"
        case yearCharacter = "invalid character in year"
        case monthCharacter = "invalid character in month"
        case dayCharacter = "invalid character in day"
        case dateSeparator = "invalid date separator, expected `-`"
        case monthRange = "month value is outside expected range of 1-12"
        case dayRange = "day value is outside expected range"
        case tooEarly = "dates before 0000 are not supported as unix timestamps"
        case tooLate = "dates after 9999 are not supported as unix timestamps"
        case yearZero = "year 0 is out of range"
    }

    /// A Unix time above this, or below its negative, counts milliseconds.
    private static let millisecondWatershed = 20_000_000_000
    /// 0000-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
    private static let unixRange = -62_167_219_200...253_402_300_799

    static func parse(text: UnsafeRawBufferPointer) throws(Problem) -> DueDate {
        var cursor = DateCursor(text)
        let date: DueDate
        do throws(DateCursor.Failure) {
            date = try cursor.date()
        } catch {
            if let moment = try unixTime(text: text) { return moment }
            throw .dateText(error.text)
        }
        if let moment = cursor.timeAndOffset(on: date) { return try refusingYearZero(moment) }
        guard cursor.isAtEnd else { throw .dateText(.extraCharacters) }
        return try refusingYearZero(date)
    }

    static func parse(number: String) throws(Problem) -> DueDate {
        let isInteger = number.utf8.allSatisfy { JSONScanner.isDigit($0) || $0 == UInt8(ascii: "-") }
        do throws(RangeFailure) {
            if isInteger, let seconds = Int(number) {
                return try refusingYearZero(unix: try unixTime(seconds))
            }
            guard let value = Double(number), value.isFinite || !isInteger else { throw .type }
            return try refusingYearZero(unix: try unixTime(number: value))
        } catch {
            throw error.problem(ofText: false)
        }
    }
}

extension DueDateParser {
    private enum RangeFailure: Error {
        case range(StaticText)
        case yearZero
        case type

        func problem(ofText isText: Bool) -> Problem {
            switch self {
            case .range(let text): isText ? .dateText(text) : .dateTime(text)
            case .yearZero: .dateTime(.yearZero)
            case .type: .type
            }
        }
    }

    private static func refusingYearZero(_ date: DueDate) throws(Problem) -> DueDate {
        guard date.year > 0 else { throw .dateTime(.yearZero) }
        return date
    }

    private static func refusingYearZero(unix date: DueDate) throws(RangeFailure) -> DueDate {
        guard date.year > 0 else { throw .yearZero }
        return date
    }

    /// A Unix time written in decimal; nil where the text is none, so that the date's error stands.
    private static func unixTime(text: UnsafeRawBufferPointer) throws(Problem) -> DueDate? {
        guard let number = DecimalText(text) else { return nil }
        do throws(RangeFailure) {
            switch number {
            case .integer(let value): return try refusingYearZero(unix: try unixTime(value))
            case .fractional(let value): return try refusingYearZero(unix: try unixTime(text: value))
            }
        } catch {
            // Only whole numbers are tried as a date afterwards, and fail there in the same way.
            if case .range = error, case .fractional = number { return nil }
            throw error.problem(ofText: true)
        }
    }

    private static func unixTime(_ value: Int) throws(RangeFailure) -> DueDate {
        guard value != .min else { throw .range(.tooEarly) }
        return try unixTime(value, addingMicroseconds: 0)
    }

    private static func unixTime(_ value: Int, addingMicroseconds extra: Int) throws(RangeFailure) -> DueDate
    {
        var seconds = value
        var microseconds = extra
        if abs(value) > millisecondWatershed {
            seconds = value / 1_000
            var milliseconds = value % 1_000
            if milliseconds < 0 {
                seconds -= 1
                milliseconds += 1_000
            }
            microseconds += milliseconds * 1_000
        }
        seconds += microseconds / 1_000_000
        microseconds %= 1_000_000
        guard seconds >= unixRange.lowerBound else { throw .range(.tooEarly) }
        guard seconds <= unixRange.upperBound else { throw .range(.tooLate) }
        return DueDate(secondsSince1970: seconds, microsecond: microseconds)
    }

    /// As pydantic reads a number: the fraction is added to the whole number below it, even to a negative
    /// one.
    private static func unixTime(number value: Double) throws(RangeFailure) -> DueDate {
        let whole = try integer(value.rounded(.down))
        let unitsPerFraction = abs(whole) > millisecondWatershed ? 1_000.0 : 1_000_000.0
        let fraction = abs(value - value.rounded(.towardZero))
        let microseconds = (fraction * unitsPerFraction).rounded(.toNearestOrAwayFromZero)
        return try unixTime(whole, addingMicroseconds: Int(microseconds))
    }

    /// As pydantic reads a number in a string: milliseconds become seconds first, and the whole seconds are
    /// then looked at once more.
    private static func unixTime(text value: Double) throws(RangeFailure) -> DueDate {
        let normalised = abs(value) > Double(millisecondWatershed) ? value / 1_000 : value
        let whole = try integer(normalised.rounded(.down))
        let microseconds = ((normalised - Double(whole)) * 1_000_000).rounded(.toNearestOrAwayFromZero)
        return try unixTime(whole, addingMicroseconds: Int(microseconds))
    }

    /// A whole number that is far outside of the years even in milliseconds is refused before it overflows.
    private static func integer(_ whole: Double) throws(RangeFailure) -> Int {
        guard whole > -1e18 else { throw .range(.tooEarly) }
        guard whole < 1e18 else { throw .range(.tooLate) }
        return Int(whole)
    }
}

/// A decimal number as pydantic takes it from a string: a sign, leading zeros and, with a point, an
/// exponent allowed.
private enum DecimalText {
    case integer(Int)
    case fractional(Double)

    init?(_ text: UnsafeRawBufferPointer) {
        guard let first = text.first else { return nil }
        let isSigned = first == UInt8(ascii: "-") || first == UInt8(ascii: "+")
        if text.contains(UInt8(ascii: ".")) {
            guard Self.isFractional(text.dropFirst(isSigned ? 1 : 0)) else { return nil }
            guard let value = Double(String(decoding: text, as: UTF8.self)) else { return nil }
            self = .fractional(value)
        } else {
            let digits = text.dropFirst(isSigned ? 1 : 0)
            guard !digits.isEmpty, digits.allSatisfy(JSONScanner.isDigit) else { return nil }
            guard let value = Int(String(decoding: text, as: UTF8.self)), value != .min else { return nil }
            self = .integer(value)
        }
    }

    /// Digits with a point somewhere among or around them, then perhaps `e`, a sign and digits.
    private static func isFractional(_ text: Slice<UnsafeRawBufferPointer>) -> Bool {
        let mantissa = text.prefix { JSONScanner.isDigit($0) || $0 == UInt8(ascii: ".") }
        let points = mantissa.count { $0 == UInt8(ascii: ".") }
        guard points == 1, mantissa.count > 1 else { return false }
        var exponent = text.dropFirst(mantissa.count)
        guard let letter = exponent.popFirst() else { return true }
        guard letter | 0x20 == UInt8(ascii: "e") else { return false }
        if let sign = exponent.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
            exponent.removeFirst()
        }
        return !exponent.isEmpty && exponent.allSatisfy(JSONScanner.isDigit)
    }
}
