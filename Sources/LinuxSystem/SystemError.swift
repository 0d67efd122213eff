private import Glibc

/// A system call that failed: which one, and the errno it left.
package struct SystemError: Error, Hashable, Sendable {
    package let call: String
    package let errno: CInt

    package init(call: String, errno: CInt) {
        self.call = call
        self.errno = errno
    }

    /// Takes errno as it stands; to be made straight after the call.
    package init(_ call: String) {
        self.init(call: call, errno: Glibc.errno)
    }
}

extension SystemError: CustomStringConvertible {
    package var description: String { "\(call): \(Self.text(of: errno))" }

    /// The C library's words for an errno, "No such file or directory".
    package static func text(of errno: CInt) -> String {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: 256) { buffer in
            guard let start = buffer.baseAddress, strerror_r(errno, start, buffer.count) == 0 else {
                return "error \(errno)"
            }
            return String(cString: start)
        }
    }
}

/// Runs a call again while a signal interrupts it; any other failure is thrown.
@inline(__always)
package func retryingInterrupted<Value: FixedWidthInteger & SignedInteger>(
    _ call: String, _ body: () -> Value
) throws(SystemError) -> Value {
    while true {
        let value = body()
        if value >= 0 { return value }
        let failure = Glibc.errno
        guard failure == EINTR else { throw SystemError(call: call, errno: failure) }
    }
}
