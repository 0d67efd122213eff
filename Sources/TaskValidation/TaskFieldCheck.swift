import TaskModel

/// Looks at every field of a task's body and finds everything that is wrong with it.
struct TaskFieldCheck {
    private let body: JSONValue
    private let loneSurrogates: Set<Int>
    private var errors = HTTPValidationError()

    /// The accepted fields, as they were written.
    struct Fields {
        let title: ArraySlice<UInt8>
        let description: ArraySlice<UInt8>
        let priority: ArraySlice<UInt8>
        let dueDate: DueDate?

        func append(id: TaskID, to output: inout [UInt8]) {
            title.withUnsafeBytes { title in
                description.withUnsafeBytes { description in
                    priority.withUnsafeBytes { priority in
                        StoredTask.append(
                            id: id, title: title, description: description, priority: priority,
                            dueDate: dueDate,
                            to: &output)
                    }
                }
            }
        }
    }

    static func check(_ bytes: [UInt8], now: WallTime) throws(ValidationFailure) -> Fields {
        let tree = try BodySyntax.read(bytes)
        var check = TaskFieldCheck(body: tree.root, loneSurrogates: tree.loneSurrogateValues)
        guard tree.root.members != nil else {
            check.errors.add(.modelAttributesType, at: [.key("body")], input: EchoedInput.render(tree.root))
            throw .invalid(check.errors)
        }
        let title = check.string("title", maximum: TaskSchema.titleCodePointsMax)
        let description = check.string("description", maximum: nil)
        let priority = check.priority()
        let dueDate = check.dueDate(now: now)
        check.ignoredFields()
        guard check.errors.errors.isEmpty, let title, let description, let priority else {
            throw .invalid(check.errors)
        }
        return Fields(title: title, description: description, priority: priority, dueDate: dueDate)
    }

    static func isFuture(_ date: DueDate, now: WallTime) -> Bool {
        date.microsecondsSince1970 > Int(clamping: now.rawValue).multipliedClamping(by: 1_000)
    }

    private init(body: JSONValue, loneSurrogates: Set<Int>) {
        self.body = body
        self.loneSurrogates = loneSurrogates
    }

    private mutating func fail(_ problem: ValidationError.Problem, _ field: String, _ value: JSONValue) {
        errors.add(problem, at: [.key("body"), .key(field)], input: EchoedInput.render(value))
    }

    /// The field's value, unless it is missing or holds half a character, both of which are noted.
    private mutating func required(_ field: String) -> JSONValue? {
        guard let value = body[field] else {
            fail(.missing, field, body)
            return nil
        }
        return isWhole(value, field) ? value : nil
    }

    private mutating func isWhole(_ value: JSONValue, _ field: String) -> Bool {
        guard value.string != nil, loneSurrogates.contains(value.rawBytes.startIndex) else { return true }
        fail(.stringUnicode, field, value)
        return false
    }

    private mutating func string(_ field: String, maximum: Int?) -> ArraySlice<UInt8>? {
        guard let value = required(field) else { return nil }
        guard let text = value.string else {
            fail(.stringType, field, value)
            return nil
        }
        let length = text.unicodeScalars.count
        if length < 1 {
            fail(.stringTooShort(minimum: 1), field, value)
            return nil
        }
        if let maximum, length > maximum {
            fail(.stringTooLong(maximum: maximum), field, value)
            return nil
        }
        return value.rawBytes
    }

    private mutating func priority() -> ArraySlice<UInt8>? {
        guard let value = required("priority") else { return nil }
        guard let text = value.string, TaskSchema.priorities.contains(where: { $0.description == text })
        else {
            fail(.literal(expected: "'low', 'medium' or 'high'"), "priority", value)
            return nil
        }
        return value.rawBytes
    }

    private mutating func dueDate(now: WallTime) -> DueDate? {
        guard let value = body["due_date"], !value.isNull, isWhole(value, "due_date") else { return nil }
        do throws(DueDateParser.Problem) {
            let date = try Self.parse(value)
            if Self.isFuture(date, now: now) { return date }
            fail(.value("due_date must be in the future"), "due_date", value)
        } catch {
            switch error {
            case .type: fail(.datetimeType, "due_date", value)
            case .dateText(let text): fail(.datetimeFromDateParsing(text.rawValue), "due_date", value)
            case .dateTime(let text): fail(.datetimeParsing(text.rawValue), "due_date", value)
            }
        }
        return nil
    }

    private static func parse(_ value: JSONValue) throws(DueDateParser.Problem) -> DueDate {
        switch value.content {
        case .string(let text):
            return try Array(text.utf8).withText { (bytes) throws(DueDateParser.Problem) in
                try DueDateParser.parse(text: bytes)
            }
        case .number(let text): return try DueDateParser.parse(number: text)
        case .object, .array, .bool, .null: throw .type
        }
    }

    /// Unknown fields may hold anything but half a character.
    private mutating func ignoredFields() {
        guard !loneSurrogates.isEmpty else { return }
        let known: Set<String> = ["title", "description", "priority", "due_date"]
        var walk = LoneSurrogateWalk(offsets: loneSurrogates, errors: errors)
        walk.noteObject(body, at: [.key("body")])
        for member in body.members ?? [] where !(known.contains(member.key) && member.value.string != nil) {
            walk.descend(into: member.value, at: [.key("body"), .key(member.key)])
        }
        errors = walk.errors
    }
}

extension Int {
    fileprivate func multipliedClamping(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
