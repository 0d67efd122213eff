import Glibc
import LinuxSystem

/// One request on a connection of its own, waiting for the answer.
struct HTTPClient {
    /// What an answer may hold; larger ones are refused.
    private static let responseBytesMax = 8 << 20

    let address: HTTPAddress
    /// Bounds each wait for the server, milliseconds.
    var waitMilliseconds: CInt = 10_000

    func post(
        _ path: String, headers: [(name: String, value: String)], body: [UInt8]
    ) throws(CommandFailure) -> HTTPResponse {
        var head =
            "POST \(address.prefix)\(path) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n"
        head += "Content-Type: application/json\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        return try exchange(Array((head + "\r\n").utf8) + body)
    }

    func get(_ path: String) throws(CommandFailure) -> HTTPResponse {
        let head =
            "GET \(address.prefix)\(path) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n\r\n"
        return try exchange(Array(head.utf8))
    }

    private func exchange(_ request: [UInt8]) throws(CommandFailure) -> HTTPResponse {
        let connection = try connect()
        let bytes: [UInt8]
        do throws(SystemError) {
            try send(request, on: connection)
            bytes = try receiveAll(connection)
        } catch {
            throw .failed(
                "the connection to \(address.authority) broke: \(SystemError.text(of: error.errno))")
        }
        do throws(HTTPResponse.Failure) {
            return try HTTPResponse(parsing: bytes)
        } catch {
            throw .failed("\(address.authority) sent no whole HTTP answer (\(error))")
        }
    }

    /// The first of the host's addresses that takes the connection.
    func connect() throws(CommandFailure) -> OwnedDescriptor {
        var hints = addrinfo()
        hints.ai_socktype = CInt(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0 else {
            throw .notReachable("\(address.host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var failure: CInt = ENOENT
        var next = list
        while let candidate = next?.pointee {
            do throws(SystemError) {
                return try connect(to: candidate)
            } catch {
                failure = error.errno
            }
            next = candidate.ai_next
        }
        throw .notReachable("\(address.authority): \(SystemError.text(of: failure))")
    }

    private func connect(to candidate: addrinfo) throws(SystemError) -> OwnedDescriptor {
        let type = candidate.ai_socktype | CInt(SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        let socket = OwnedDescriptor(
            adopting: try retryingInterrupted("socket") { Glibc.socket(candidate.ai_family, type, 0) })
        let descriptor = socket.rawValue
        if Glibc.connect(descriptor, candidate.ai_addr, candidate.ai_addrlen) == 0 { return socket }
        guard errno == EINPROGRESS || errno == EINTR else { throw SystemError("connect") }
        try waitFor(POLLOUT, on: socket)
        var outcome: CInt = 0
        var size = socklen_t(MemoryLayout<CInt>.size)
        _ = try retryingInterrupted("getsockopt") {
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &outcome, &size)
        }
        guard outcome == 0 else { throw SystemError(call: "connect", errno: outcome) }
        return socket
    }

    private func send(_ bytes: [UInt8], on connection: borrowing OwnedDescriptor) throws(SystemError) {
        var sent = 0
        while sent < bytes.count {
            let descriptor = connection.rawValue
            let count = bytes[sent...].withUnsafeBytes { rest in
                Glibc.send(descriptor, rest.baseAddress, rest.count, CInt(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                try waitFor(POLLOUT, on: connection)
            } else if errno == EPIPE || errno == ECONNRESET {
                // The server may have answered before it had read everything: its answer is what counts.
                return
            } else if errno != EINTR {
                throw SystemError("send")
            }
        }
    }

    private func receiveAll(_ connection: borrowing OwnedDescriptor) throws(SystemError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while bytes.count <= Self.responseBytesMax {
            do throws(SystemError) {
                switch try FileText.readPiece(connection.rawValue, into: &chunk) {
                case .read(let count): bytes += chunk[..<count]
                case .endOfFile: return bytes
                case .wouldBlock: try waitFor(POLLIN, on: connection)
                }
            } catch  where error.errno == ECONNRESET && !bytes.isEmpty {
                return bytes
            }
        }
        throw SystemError(call: "recv", errno: EMSGSIZE)
    }

    private func waitFor(_ events: CInt, on connection: borrowing OwnedDescriptor) throws(SystemError) {
        let isReady = try OwnedDescriptor.waitUntilReady(
            connection.rawValue, events: Int16(events), timeoutMilliseconds: waitMilliseconds)
        guard isReady else { throw SystemError(call: "poll", errno: ETIMEDOUT) }
    }
}
