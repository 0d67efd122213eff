/// Checks names that a browser, a client or the machine knows: origins, hosts, users.
///
/// Nil for what is none.
enum WebNames {
    /// `*`, or a scheme, a host and perhaps a port, as a browser's `Origin` has them: in lower case, without
    /// a path.
    static func origin(_ text: String) -> String? {
        if text == "*" { return text }
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            let authority = text.dropFirst(scheme.count)
            guard authority == authority.lowercased() else { return nil }
            if let address = ListenAddress(authority) { return address.port > 0 ? text : nil }
            return ListenAddress("\(authority):1") != nil ? text : nil
        }
        return nil
    }

    /// In lower case; an IPv6 address in its brackets, as `Host` has it.
    static func host(_ text: String) -> String? {
        guard text.utf8.count <= 253, ListenAddress("\(text):1") != nil else { return nil }
        return text.lowercased()
    }

    /// `[a-z_][a-z0-9_-]{0,31}`.
    static func user(_ text: String) -> String? {
        let bytes = text.utf8
        guard let first = bytes.first, bytes.count <= 32 else { return nil }
        func isLetter(_ byte: UInt8) -> Bool {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
        }
        let isName = bytes.allSatisfy { byte in
            isLetter(byte) || byte == UInt8(ascii: "-")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return isLetter(first) && isName ? text : nil
    }
}
