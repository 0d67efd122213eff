/// One thing that is wrong with a body, in FastAPI's shape: `type`, `loc`, `msg`, `input`, `ctx`.
package struct ValidationError: Error, Hashable, Sendable {
    package enum Problem: Hashable, Sendable {
        case missing
        case stringType
        case stringUnicode
        case stringTooShort(minimum: Int)
        case stringTooLong(maximum: Int)
        /// `expected` lists the allowed words as Python quotes them: `'low', 'medium' or 'high'`.
        case literal(expected: String)
        case datetimeType
        case datetimeParsing(String)
        case datetimeFromDateParsing(String)
        /// A rule of the schema's own, in its own words.
        case value(String)
        case jsonInvalid(String)
        case modelAttributesType
        case integerParsing
        case greaterThanEqual(Int)
        case lessThanEqual(Int)
    }

    package enum Step: Hashable, Sendable {
        case key(String)
        case index(Int)
    }

    package let problem: Problem
    /// From `body` downwards.
    package let location: [Step]
    /// The offending value as JSON, already cut to ``EchoedInput/bytesMax``.
    package let input: [UInt8]

    init(_ problem: Problem, at location: [Step], input: [UInt8]) {
        self.problem = problem
        self.location = location
        self.input = input
    }

    package var type: String {
        switch problem {
        case .missing: "missing"
        case .stringType: "string_type"
        case .stringUnicode: "string_unicode"
        case .stringTooShort: "string_too_short"
        case .stringTooLong: "string_too_long"
        case .literal: "literal_error"
        case .datetimeType: "datetime_type"
        case .datetimeParsing: "datetime_parsing"
        case .datetimeFromDateParsing: "datetime_from_date_parsing"
        case .value: "value_error"
        case .jsonInvalid: "json_invalid"
        case .modelAttributesType: "model_attributes_type"
        case .integerParsing: "int_parsing"
        case .greaterThanEqual: "greater_than_equal"
        case .lessThanEqual: "less_than_equal"
        }
    }

    package var message: String {
        switch problem {
        case .missing: "Field required"
        case .stringType: "Input should be a valid string"
        case .stringUnicode: "Input should be a valid string, unable to parse raw data as a unicode string"
        case .stringTooShort(let minimum):
            "String should have at least \(minimum) character\(minimum == 1 ? "" : "s")"
        case .stringTooLong(let maximum):
            "String should have at most \(maximum) character\(maximum == 1 ? "" : "s")"
        case .literal(let expected): "Input should be \(expected)"
        case .datetimeType: "Input should be a valid datetime"
        case .datetimeParsing(let error): "Input should be a valid datetime, \(error)"
        case .datetimeFromDateParsing(let error): "Input should be a valid datetime or date, \(error)"
        case .value(let sentence): "Value error, \(sentence)"
        case .jsonInvalid: "JSON decode error"
        case .modelAttributesType: "Input should be a valid dictionary or object to extract fields from"
        case .integerParsing: "Input should be a valid integer, unable to parse string as an integer"
        case .greaterThanEqual(let bound): "Input should be greater than or equal to \(bound)"
        case .lessThanEqual(let bound): "Input should be less than or equal to \(bound)"
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", type)
        writer.key("loc")
        writer.beginArray()
        for step in location {
            switch step {
            case .key(let key): writer.string(key)
            case .index(let index): writer.integer(index)
            }
        }
        writer.endArray()
        writer.member("msg", message)
        writer.key("input")
        writer.raw(input)
        writeContext(to: &writer)
        writer.endObject()
    }

    private func writeContext(to writer: inout JSONWriter) {
        switch problem {
        case .missing, .stringType, .stringUnicode, .datetimeType, .modelAttributesType, .integerParsing:
            return
        case .stringTooShort(let minimum): writeContext(to: &writer) { $0.member("min_length", minimum) }
        case .stringTooLong(let maximum): writeContext(to: &writer) { $0.member("max_length", maximum) }
        case .literal(let expected): writeContext(to: &writer) { $0.member("expected", expected) }
        case .greaterThanEqual(let bound): writeContext(to: &writer) { $0.member("ge", bound) }
        case .lessThanEqual(let bound): writeContext(to: &writer) { $0.member("le", bound) }
        case .datetimeParsing(let error), .datetimeFromDateParsing(let error), .jsonInvalid(let error):
            writeContext(to: &writer) { $0.member("error", error) }
        case .value:
            // FastAPI has the exception object here, which it cannot serialise.
            writeContext(to: &writer) {
                $0.key("error")
                $0.beginObject()
                $0.endObject()
            }
        }
    }

    private func writeContext(to writer: inout JSONWriter, _ content: (inout JSONWriter) -> Void) {
        writer.key("ctx")
        writer.beginObject()
        content(&writer)
        writer.endObject()
    }
}

/// Everything that is wrong with a body, at once; what a 422 answers.
package struct HTTPValidationError: Error, Hashable, Sendable {
    /// Errors beyond this many are not listed.
    package static let errorsMax = 100

    package private(set) var errors: [ValidationError] = []

    init() {}

    init(_ error: ValidationError) {
        errors = [error]
    }

    /// One error about a header field or a part of the query: `place` is "header" or "query".
    package init(_ problem: ValidationError.Problem, in place: String, named name: String, input: String) {
        let shown = EchoedInput.render(text: Array(input.utf8)[...])
        self.init(ValidationError(problem, at: [.key(place), .key(name)], input: shown))
    }

    var isFull: Bool { errors.count >= Self.errorsMax }

    mutating func add(_ problem: ValidationError.Problem, at location: [ValidationError.Step], input: [UInt8])
    {
        guard !isFull else { return }
        errors.append(ValidationError(problem, at: location, input: input))
    }

    /// The answer's body, `{"detail":[…]}`.
    package var json: [UInt8] {
        var writer = JSONWriter(reservingCapacity: 256 * errors.count)
        writer.beginObject()
        writer.key("detail")
        writer.beginArray()
        for error in errors { error.write(to: &writer) }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }
}

/// Why a body was refused.
package enum ValidationFailure: Error, Hashable, Sendable {
    /// Not UTF-8, or nested too deeply: a 400.
    case unreadable
    /// A 422.
    case invalid(HTTPValidationError)
}
