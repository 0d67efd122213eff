/// What a fixture could not do.
///
/// A test lets it out: the message then is the failure.
package enum TestSupportError: Error, Equatable, Sendable, CustomStringConvertible {
    case systemCall(name: String, errno: CInt)
    case productMissing(name: String, folder: String)
    case spawnFailed(executable: String, errno: CInt)
    case deadlinePassed(waitingFor: String, output: [String])
    case processEnded(ExitStatus, waitingFor: String, output: [String])
    case noAddress(line: String)
    case malformedResponse(bytes: [UInt8])
    case connectionClosed(received: [UInt8])

    package var description: String {
        switch self {
        case .systemCall(let name, let errno):
            "\(name) failed with errno \(errno)"
        case .productMissing(let name, let folder):
            "\(name) is not in \(folder); build it first"
        case .spawnFailed(let executable, let errno):
            "could not start \(executable), errno \(errno)"
        case .deadlinePassed(let goal, let output):
            "deadline passed while waiting for \(goal); its output:\n" + output.joined(separator: "\n")
        case .processEnded(let status, let goal, let output):
            "ended with \(status) before \(goal); its output:\n" + output.joined(separator: "\n")
        case .noAddress(let line):
            "no address in the line: \(line)"
        case .malformedResponse(let bytes):
            "not an HTTP response: \(String(decoding: bytes, as: UTF8.self).debugDescription)"
        case .connectionClosed(let received):
            "connection closed after \(received.count) bytes of the response"
        }
    }
}
