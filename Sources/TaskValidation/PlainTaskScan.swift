import TaskModel

/// The way that nearly every post takes: one pass, no allocation, and only what is plainly right.
///
/// Anything else (an unknown key, an escape in a key, a value of another type, any error) is not decided
/// here but left to ``TaskFieldCheck``, which takes longer and finds every error. What this accepts, that
/// accepts too.
struct PlainTaskScan {
    private enum Field {
        case title
        case description
        case priority
        case dueDate
    }

    private var title: JSONStringToken?
    private var description: JSONStringToken?
    private var priority: JSONStringToken?
    private var dueDate: DueDate?
    private var hasDueDate = false

    static func scan(_ text: UnsafeRawBufferPointer, now: WallTime) -> PlainTaskScan? {
        var scan = PlainTaskScan()
        do throws(JSONError) {
            guard try scan.read(text) else { return nil }
        } catch {
            return nil
        }
        guard let title = scan.title, let description = scan.description, scan.priority != nil else {
            return nil
        }
        guard JSONEscapes.codePointCount(title, in: text) <= TaskSchema.titleCodePointsMax else { return nil }
        guard !title.content.isEmpty, !description.content.isEmpty else { return nil }
        if let dueDate = scan.dueDate {
            guard TaskFieldCheck.isFuture(dueDate, now: now) else { return nil }
        }
        return scan
    }

    func append(id: TaskID, text: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        guard let title, let description, let priority else {
            preconditionFailure("a scan without its fields")
        }
        StoredTask.append(
            id: id,
            title: UnsafeRawBufferPointer(rebasing: text[title.range]),
            description: UnsafeRawBufferPointer(rebasing: text[description.range]),
            priority: UnsafeRawBufferPointer(rebasing: text[priority.range]),
            dueDate: dueDate, to: &output)
    }

    /// False where the text needs a closer look.
    private mutating func read(_ text: UnsafeRawBufferPointer) throws(JSONError) -> Bool {
        var scanner = JSONScanner(text)
        scanner.skipWhitespace()
        guard scanner.consume(UInt8(ascii: "{")) else { return false }
        repeat {
            scanner.skipWhitespace()
            guard scanner.position < text.count, text[scanner.position] == UInt8(ascii: "\"") else {
                return false
            }
            let key = try scanner.scanString()
            scanner.skipWhitespace()
            guard scanner.consume(UInt8(ascii: ":")), let field = Self.field(key, in: text) else {
                return false
            }
            scanner.skipWhitespace()
            guard try readValue(of: field, with: &scanner) else { return false }
            scanner.skipWhitespace()
        } while scanner.consume(UInt8(ascii: ","))
        guard scanner.consume(UInt8(ascii: "}")) else { return false }
        scanner.skipWhitespace()
        return scanner.position == text.count && scanner.firstLoneSurrogate == nil
    }

    private mutating func readValue(of field: Field, with scanner: inout JSONScanner) throws(JSONError)
        -> Bool
    {
        let text = scanner.text
        guard scanner.position < text.count else { return false }
        guard text[scanner.position] == UInt8(ascii: "\"") else {
            guard field == .dueDate, !hasDueDate, Self.matches(text, at: scanner.position, "null") else {
                return false
            }
            scanner.position += 4
            hasDueDate = true
            return true
        }
        let value = try scanner.scanString()
        switch field {
        case .title:
            guard title == nil else { return false }
            title = value
        case .description:
            guard description == nil else { return false }
            description = value
        case .priority:
            guard priority == nil, Self.isPriority(value, in: text) else { return false }
            priority = value
        case .dueDate:
            guard !hasDueDate, !value.hasEscapes else { return false }
            hasDueDate = true
            do throws(DueDateParser.Problem) {
                dueDate = try DueDateParser.parse(text: UnsafeRawBufferPointer(rebasing: text[value.content]))
            } catch {
                return false
            }
        }
        return true
    }

    private static func field(_ key: JSONStringToken, in text: UnsafeRawBufferPointer) -> Field? {
        let start = key.content.lowerBound
        switch key.content.count {
        case 5: return matches(text, at: start, "title") ? .title : nil
        case 11: return matches(text, at: start, "description") ? .description : nil
        case 8:
            if matches(text, at: start, "priority") { return .priority }
            return matches(text, at: start, "due_date") ? .dueDate : nil
        case _: return nil
        }
    }

    private static func isPriority(_ value: JSONStringToken, in text: UnsafeRawBufferPointer) -> Bool {
        TaskSchema.priorities.contains { word in
            value.content.count == word.utf8CodeUnitCount && matches(text, at: value.content.lowerBound, word)
        }
    }

    @inline(__always)
    private static func matches(_ text: UnsafeRawBufferPointer, at start: Int, _ word: StaticString) -> Bool {
        guard text.count - start >= word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount where text[start &+ index] != word.utf8Start[index] {
            return false
        }
        return true
    }
}
