/// What a daemon tells by sd_notify, as far as the foreground stack listens.
package struct NotifyMessage: Hashable, Sendable {
    package var isReady = false
    /// For people: recovery progress, mostly.
    package var status: String?

    /// Assignments, a line each; unknown ones are no concern of ours.
    package init(_ bytes: [UInt8]) {
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            if line == "READY=1" { isReady = true }
            if line.hasPrefix("STATUS=") { status = String(line.dropFirst("STATUS=".count)) }
        }
    }
}
