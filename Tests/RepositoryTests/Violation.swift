/// One place that breaks a rule, in the form in which editors jump to it.
struct Violation: Equatable, CustomStringConvertible {
    let path: String
    /// From 1; 0 where the whole file is meant.
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
