/// Walks over the text of a date and a time.
struct DateCursor {
    struct Failure: Error {
        let text: DueDateParser.StaticText
        init(_ text: DueDateParser.StaticText) { self.text = text }
    }

    private let text: UnsafeRawBufferPointer
    private var position = 0

    init(_ text: UnsafeRawBufferPointer) {
        self.text = text
    }

    var isAtEnd: Bool { position == text.count }

    /// `YYYY-MM-DD`, whatever follows.
    mutating func date() throws(Failure) -> DueDate {
        guard text.count >= 10 else { throw Failure(.tooShort) }
        guard let century = twoDigits(), let years = twoDigits() else { throw Failure(.yearCharacter) }
        guard take(UInt8(ascii: "-")) else { throw Failure(.dateSeparator) }
        guard let month = twoDigits() else { throw Failure(.monthCharacter) }
        guard take(UInt8(ascii: "-")) else { throw Failure(.dateSeparator) }
        guard let day = twoDigits() else { throw Failure(.dayCharacter) }
        let year = century * 100 + years
        guard (1...12).contains(month) else { throw Failure(.monthRange) }
        guard day >= 1, day <= DueDate.daysInMonth(month, year: year) else { throw Failure(.dayRange) }
        return DueDate(year: year, month: month, day: day)
    }

    /// A separator, a time and perhaps an offset up to the end; nil, without having moved, if that is not so.
    mutating func timeAndOffset(on date: DueDate) -> DueDate? {
        let start = position
        var moment = date
        guard takeSeparator(), takeTime(into: &moment), takeOffset(into: &moment), isAtEnd else {
            position = start
            return nil
        }
        return moment
    }

    private mutating func takeSeparator() -> Bool {
        guard let byte = peek() else { return false }
        guard
            byte == UInt8(ascii: "T") || byte == UInt8(ascii: "t") || byte == 0x20
                || byte == UInt8(ascii: "_")
        else {
            return false
        }
        position += 1
        return true
    }

    /// `HH:MM`, then `:SS`, then `.` or `,` and digits; what lies below a microsecond is cut off.
    private mutating func takeTime(into moment: inout DueDate) -> Bool {
        guard let hour = twoDigits(), take(UInt8(ascii: ":")), let minute = twoDigits() else { return false }
        guard hour <= 23, minute <= 59 else { return false }
        moment.hour = hour
        moment.minute = minute
        guard take(UInt8(ascii: ":")) else { return true }
        guard let second = twoDigits(), second <= 59 else { return false }
        moment.second = second
        guard take(UInt8(ascii: ".")) || take(UInt8(ascii: ",")) else { return true }
        let start = position
        var weight = 100_000
        while let digit = peek(), JSONScanner.isDigit(digit) {
            moment.microsecond += Int(digit - UInt8(ascii: "0")) * weight
            weight /= 10
            position += 1
        }
        return position > start
    }

    /// Nothing, `Z`, `z`, or a sign (U+2212 too), hours, perhaps a colon, and minutes.
    private mutating func takeOffset(into moment: inout DueDate) -> Bool {
        guard let first = peek() else { return true }
        if take(UInt8(ascii: "Z")) || take(UInt8(ascii: "z")) { return true }
        let isMinus =
            first == UInt8(ascii: "-")
            || (first == 0xE2 && text.dropFirst(position).starts(with: Self.minusSign))
        guard isMinus || first == UInt8(ascii: "+") else { return false }
        position += first == 0xE2 ? 3 : 1
        guard let hours = twoDigits() else { return false }
        _ = take(UInt8(ascii: ":"))
        guard let minutes = twoDigits(), minutes <= 59, hours <= 23 else { return false }
        moment.offsetMinutes = (hours * 60 + minutes) * (isMinus ? -1 : 1)
        return true
    }

    /// U+2212 in UTF-8.
    private static let minusSign: [UInt8] = [0xE2, 0x88, 0x92]

    @inline(__always)
    private func peek() -> UInt8? {
        position < text.count ? text[position] : nil
    }

    @inline(__always)
    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        position += 1
        return true
    }

    @inline(__always)
    private mutating func twoDigits() -> Int? {
        guard position + 1 < text.count else { return nil }
        let tens = text[position] &- UInt8(ascii: "0")
        let ones = text[position + 1] &- UInt8(ascii: "0")
        guard tens < 10, ones < 10 else { return nil }
        position += 2
        return Int(tens) * 10 + Int(ones)
    }
}
