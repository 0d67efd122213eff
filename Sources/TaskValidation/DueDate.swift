/// A point in time with its distance from UTC, as a task's `due_date` names it.
struct DueDate: Hashable, Sendable {
    var year: Int
    var month: Int
    var day: Int
    var hour = 0
    var minute = 0
    var second = 0
    var microsecond = 0
    /// Minutes east of UTC; 0 for what was written without an offset.
    var offsetMinutes = 0

    /// Microseconds from 1970-01-01T00:00Z to this moment.
    var microsecondsSince1970: Int {
        let days = Self.daysSince1970(year: year, month: month, day: day)
        let minutes = days * 1_440 + hour * 60 + minute - offsetMinutes
        return (minutes * 60 + second) * 1_000_000 + microsecond
    }

    /// A moment of UTC; `seconds` since 1970 lie in the years 0 to 9999.
    init(secondsSince1970 seconds: Int, microsecond: Int) {
        let dayNumber = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let rest = seconds - dayNumber * 86_400
        (year, month, day) = Self.civil(daysSince1970: dayNumber)
        hour = rest / 3_600
        minute = rest / 60 % 60
        second = rest % 60
        self.microsecond = microsecond
    }

    init(year: Int, month: Int, day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// Python's `isoformat`: microseconds only if they are not zero, the offset always.
    ///
    /// At most 32 bytes.
    func write(to cursor: inout ByteCursor) {
        cursor.writeTwoDigits(year / 100)
        cursor.writeTwoDigits(year % 100)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeTwoDigits(month)
        cursor.write(UInt8(ascii: "-"))
        cursor.writeTwoDigits(day)
        cursor.write(UInt8(ascii: "T"))
        cursor.writeTwoDigits(hour)
        cursor.write(UInt8(ascii: ":"))
        cursor.writeTwoDigits(minute)
        cursor.write(UInt8(ascii: ":"))
        cursor.writeTwoDigits(second)
        if microsecond != 0 {
            cursor.write(UInt8(ascii: "."))
            cursor.writeTwoDigits(microsecond / 10_000)
            cursor.writeTwoDigits(microsecond / 100 % 100)
            cursor.writeTwoDigits(microsecond % 100)
        }
        cursor.write(offsetMinutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+"))
        cursor.writeTwoDigits(abs(offsetMinutes) / 60)
        cursor.write(UInt8(ascii: ":"))
        cursor.writeTwoDigits(abs(offsetMinutes) % 60)
    }
}

extension DueDate {
    // Days are counted from 0000-03-01 in eras of 400 years (146,097 days): the leap day is then the last
    // of its year.

    private static let daysPerEra = 146_097
    /// From 0000-03-01 to 1970-01-01.
    private static let daysTo1970 = 719_468

    static func daysSince1970(year: Int, month: Int, day: Int) -> Int {
        let shifted = month <= 2 ? year - 1 : year
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let monthFromMarch = (month + 9) % 12
        let dayOfYear = (153 * monthFromMarch + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * daysPerEra + dayOfEra - daysTo1970
    }

    static func civil(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + daysTo1970
        let era = (shifted >= 0 ? shifted : shifted - (daysPerEra - 1)) / daysPerEra
        let dayOfEra = shifted - era * daysPerEra
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    static func daysInMonth(_ month: Int, year: Int) -> Int {
        switch month {
        case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
        case 4, 6, 9, 11: 30
        case _: 31
        }
    }
}
