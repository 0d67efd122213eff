import Testing

@testable import TaskValidation

@Suite struct DueDateParserTests {
    @Test func everyValueIsReadOrRefusedAsPydanticDoes() throws {
        let cases = try FixtureTable.read("due_dates")
        #expect(cases.count >= 300)
        for row in cases {
            let text = try #require(row["value"]?.string)
            let value = try JSONValue.parse(Array(text.utf8))
            let expected = row["iso"]?.string ?? "\(row["type"]?.string ?? "") \(row["msg"]?.string ?? "")"
            #expect(outcome(of: value) == expected, "\(text)")
        }
    }

    /// The date in isoformat, or the error's type and message.
    private func outcome(of value: JSONValue) -> String {
        do throws(DueDateParser.Problem) {
            let date =
                switch value.content {
                case .string(let text):
                    try Array(text.utf8).withText { (bytes) throws(DueDateParser.Problem) in
                        try DueDateParser.parse(text: bytes)
                    }
                case .number(let number): try DueDateParser.parse(number: number)
                case .object, .array, .bool, .null: throw .type
                }
            return withUnsafeTemporaryAllocation(byteCount: 32, alignment: 1) { buffer in
                var cursor = ByteCursor(buffer)
                date.write(to: &cursor)
                return String(decoding: cursor.written, as: UTF8.self)
            }
        } catch {
            let problem: ValidationError.Problem =
                switch error {
                case .type: .datetimeType
                case .dateText(let text): .datetimeFromDateParsing(text.rawValue)
                case .dateTime(let text): .datetimeParsing(text.rawValue)
                }
            let shown = ValidationError(problem, at: [], input: [])
            return "\(shown.type) \(shown.message)"
        }
    }

    @Test func everyDayOfTheCalendarIsCountedAndNamedAlike() {
        var days = DueDate.daysSince1970(year: 1, month: 1, day: 1)
        #expect(days == -719_162)
        for year in 1...9_999 {
            for month in 1...12 {
                let last = DueDate.daysInMonth(month, year: year)
                for day in [1, 2, last] {
                    let number = DueDate.daysSince1970(year: year, month: month, day: day)
                    #expect(number == days + day - 1)
                    #expect(DueDate.civil(daysSince1970: number) == (year, month, day))
                }
                days += last
            }
        }
    }

    @Test func aMomentIsTheSameWhateverItsOffset() throws {
        let texts = [
            "2030-06-01T00:00:00Z", "2030-06-01T05:30:00+05:30", "2030-05-31T16:00:00-0800", "2030-06-01",
        ]
        let moments = try texts.map { text in
            try Array(text.utf8).withText { (bytes) throws(DueDateParser.Problem) in
                try DueDateParser.parse(text: bytes).microsecondsSince1970
            }
        }
        #expect(moments == Array(repeating: 1_906_502_400_000_000, count: 4))
    }
}
