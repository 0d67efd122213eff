private import Glibc

/// One address, or all that begin with the same bits: `192.0.2.7`, `10.0.0.0/8`, `fd00::/8`.
package struct AddressRange: Hashable, Sendable {
    /// In network order, 4 of IPv4 or 16 of IPv6; those behind the prefix are zero.
    package let bytes: [UInt8]
    package let prefixBits: Int
    private let text: String

    /// Nil for what is no address, and where bits behind the prefix are set.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let bytes = Self.parse(String(parts[0])) else { return nil }
        var prefix = bytes.count * 8
        if parts.count == 2 {
            let digits = parts[1]
            guard !digits.isEmpty, digits.count <= 3, digits.allSatisfy({ $0.isASCII && $0.isNumber }),
                let number = Int(digits), number <= prefix
            else { return nil }
            prefix = number
        }
        for (index, byte) in bytes.enumerated() {
            let free = min(8, max(0, (index + 1) * 8 - prefix))
            guard UInt16(byte) & ((1 << UInt16(free)) - 1) == 0 else { return nil }
        }
        self.bytes = bytes
        self.prefixBits = prefix
        self.text = text
    }

    private static func parse(_ text: String) -> [UInt8]? {
        guard !text.utf8.contains(0) else { return nil }
        for (family, count) in [(AF_INET, 4), (AF_INET6, 16)] {
            var bytes = [UInt8](repeating: 0, count: count)
            if inet_pton(family, text, &bytes) == 1 { return bytes }
        }
        return nil
    }
}

extension AddressRange: CustomStringConvertible {
    package var description: String { text }
}
