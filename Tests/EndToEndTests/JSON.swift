import Foundation
import TestSupport

/// A JSON document as a test looks into it.
struct JSON: CustomStringConvertible {
    private let value: Any?

    init(_ bytes: [UInt8]) throws {
        value = try JSONSerialization.jsonObject(with: Data(bytes), options: [.fragmentsAllowed])
    }

    private init(value: Any?) { self.value = value }

    subscript(key: String) -> JSON { JSON(value: (value as? [String: Any])?[key]) }
    var array: [JSON] { (value as? [Any])?.map { JSON(value: $0) } ?? [] }
    var string: String? { value as? String }
    var int: Int? { (value as? NSNumber)?.intValue }
    var isNull: Bool { value == nil || value is NSNull }
    var description: String { value.map { "\($0)" } ?? "nothing" }
}

extension HTTPTestResponse {
    var taskID: String? {
        guard let json = try? JSON(body) else { return nil }  // ignoring: what is no JSON has no id
        return json["task_id"].string
    }
}
