internal import TaskValidation

/// A task's payload, or a part of it: JSON, read-only.
///
/// Each accessor gives nil where the JSON is of another kind. To read it as a type of one's own, see
/// ``decode(_:)``; a member of that type may in turn be a `TaskPayload`, which takes any JSON.
public struct TaskPayload: Sendable {
    let value: JSONValue

    init(_ value: JSONValue) {
        self.value = value
    }

    /// The JSON as it was posted, without the white space between its tokens.
    public var bytes: [UInt8] { Array(value.rawBytes) }

    /// The same as text.
    public var text: String { String(decoding: value.rawBytes, as: UTF8.self) }

    /// A member of an object.
    public subscript(key: String) -> TaskPayload? { value[key].map(TaskPayload.init) }

    /// The names of an object's members, in the order of the text; no name occurs twice.
    public var keys: [String]? { value.members?.map(\.key) }

    /// The elements of an array.
    public var elements: [TaskPayload]? { value.elements?.map(TaskPayload.init) }

    /// A text, its escapes decoded.
    public var string: String? { value.string }

    /// A number that was written as a whole one, without fraction and exponent, and fits.
    public var integer: Int? { value.integer() }

    /// Any number, rounded to the nearest double; infinite where it is larger than one can be.
    public var number: Double? { value.double }

    /// `true` or `false`.
    public var bool: Bool? { value.bool }

    /// Whether it is `null`.
    public var isNull: Bool { value.isNull }

    /// Whether it is an object.
    public var isObject: Bool { value.members != nil }
}

/// Why a payload is not of the type that a processor wants.
public struct PayloadError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Where, as `items[2].price`; empty for the payload itself.
    public let path: String
    /// What was expected there and what was found.
    public let problem: String

    /// For a check of one's own: thrown by a handler, it dead-letters the task.
    public init(path: String, problem: String) {
        self.path = path
        self.problem = problem
    }

    /// Both in one sentence.
    public var description: String { "payload\(path.isEmpty ? "" : " \(path)"): \(problem)" }
}
