private import CLinux
private import Glibc

/// A bound unix datagram socket that says who sent what; sd_notify's receiving side.
package struct DatagramSocket: ~Copyable, Sendable {
    package struct Datagram: Hashable, Sendable {
        package let bytes: [UInt8]
        /// The kernel's word for the sender, in this pid namespace; 0 if it gave none.
        package let senderPID: CInt
    }

    private let descriptor: OwnedDescriptor

    /// Binds to a path that must not exist, or to an abstract name, which begins with `@`.
    ///
    /// ENAMETOOLONG over 107 bytes.
    package init(bindingTo path: String) throws(SystemError) {
        descriptor = OwnedDescriptor(
            adopting: try retryingInterrupted("bind \(path)") { clinux_bind_datagram(path) })
    }

    package var rawValue: CInt { descriptor.rawValue }

    /// The next datagram, nil if none waits.
    ///
    /// Longer ones are cut to 4 KiB.
    package borrowing func receive() throws(SystemError) -> Datagram? {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let own = descriptor.rawValue
            let result = buffer.withUnsafeMutableBytes {
                clinux_receive_datagram(own, $0.baseAddress, $0.count)
            }
            if result.count >= 0 {
                return Datagram(bytes: Array(buffer[..<result.count]), senderPID: result.pid)
            }
            switch Glibc.errno {
            case EINTR: continue
            case EAGAIN: return nil
            case let failure: throw SystemError(call: "recvmsg", errno: failure)
            }
        }
    }
}
