private import TaskModel
private import TaskValidation

/// One line that a processor wrote to descriptor 3, read.
///
/// Keys that are not known are ignored.
package enum ProcessorAnswer: Hashable, Sendable {
    case ready(protocolVersion: Int)
    case ack(id: String?, result: ArraySlice<UInt8>?)
    case nack(id: String?, reason: String, retryAfterMilliseconds: UInt64?)
    case dead(id: String?, reason: String)
    case extend(id: String?, seconds: Double)
    case progress(id: String?, share: Double)
    /// A oneshot processor's result; its exit status is the answer.
    case result(ArraySlice<UInt8>)
    /// No answer at all; the text says why.
    case bad(String)

    /// The longest line that is read, bytes.
    package static let lineBytesMax = 64 << 10
    /// The only version there is.
    package static let protocolVersion = 1
    /// How much of what is no answer is shown.
    private static let shownBytesMax = 256

    package init(line: ArraySlice<UInt8>) {
        do {
            self = try Self.read(JSONValue.parse(envelope: line), line)
        } catch {
            self = .bad("not JSON (\(error.message), byte \(error.byteOffset)): \(Self.escaped(line))")
        }
    }

    /// For a line over ``lineBytesMax``.
    package init(tooLong start: ArraySlice<UInt8>) {
        self = .bad("a line over \(Self.lineBytesMax / 1_024) KiB: \(Self.escaped(start))")
    }

    private static func read(_ value: JSONValue, _ line: ArraySlice<UInt8>) -> ProcessorAnswer {
        guard value.members != nil else { return .bad("not an object: \(escaped(line))") }
        if value["ready"]?.bool == true {
            return .ready(protocolVersion: value["protocol"]?.integer() ?? protocolVersion)
        }
        let id = value["id"]?.string
        let verdicts = [value["ack"] != nil, value["nack"] != nil, value["dead"] != nil].count { $0 }
        guard verdicts <= 1 else { return .bad("more than one of ack, nack and dead: \(escaped(line))") }
        if let ack = value["ack"] {
            guard ack.bool == true else { return .bad("ack is not true: \(escaped(line))") }
            return .ack(id: id, result: value["result"].flatMap { $0.isNull ? nil : $0.rawBytes })
        }
        if let reason = value["nack"] {
            let seconds = value["retry_after"]?.double
            return .nack(id: id, reason: words(reason), retryAfterMilliseconds: seconds.map(milliseconds))
        }
        if let reason = value["dead"] { return .dead(id: id, reason: words(reason)) }
        if let seconds = value["extend"]?.double { return .extend(id: id, seconds: seconds) }
        if let share = value["progress"]?.double { return .progress(id: id, share: share) }
        if let result = value["result"] { return .result(result.rawBytes) }
        return .bad("none of ready, ack, nack, dead, extend, progress and result: \(escaped(line))")
    }

    /// A reason is text; anything else is shown as it was written.
    private static func words(_ reason: JSONValue) -> String {
        reason.string ?? String(decoding: reason.rawBytes, as: UTF8.self)
    }

    private static func milliseconds(_ seconds: Double) -> UInt64 {
        guard seconds > 0 else { return 0 }
        return UInt64(min(seconds * 1_000, Double(Limits.retryAfterMillisecondsMax)))
    }

    /// The bytes in printable ASCII, what is not as `\xNN`, cut to a length for people.
    package static func escaped(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        for byte in bytes.prefix(shownBytesMax) {
            switch byte {
            case UInt8(ascii: "\\"): text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            case _: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return bytes.count > shownBytesMax ? text + "…" : text
    }
}
