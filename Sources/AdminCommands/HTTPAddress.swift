private import Configuration

/// The parts of `http://host:port/prefix`.
package struct HTTPAddress: Hashable, Sendable {
    package var host: String
    package var port: UInt16
    /// Put before every path; without a slash at its end.
    package var prefix: String

    /// Nil for anything but http; https needs a proxy on this side, which taskq does not have.
    package init?(_ url: String) {
        guard url.hasPrefix("http://") else { return nil }
        let rest = url.dropFirst("http://".count)
        let authority = rest.prefix { $0 != "/" }
        let hasPort = authority.last.map { $0 != "]" } ?? false && authority.contains(":")
        guard let address = ListenAddress(hasPort ? String(authority) : "\(authority):80") else { return nil }
        host = address.host
        port = address.port
        let path = rest.dropFirst(authority.count)
        guard path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        prefix = path.hasSuffix("/") ? String(path.dropLast()) : String(path)
    }

    /// The value of the header `Host`.
    package var authority: String { ListenAddress(host: host, port: port).description }
}
