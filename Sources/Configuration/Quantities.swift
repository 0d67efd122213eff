/// Durations and sizes as people write them, `30s` and `64 MiB`.
package enum Quantities {
    /// What stands for "never ends": a number like any other, 292 million years in milliseconds.
    package static let foreverMilliseconds = UInt64(Int64.max)

    /// What stands for "no bound": more than any disk holds.
    package static let unlimitedBytes = UInt64(Int64.max)

    private static let durationUnits: [(suffix: String, milliseconds: UInt64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("min", 60_000), ("h", 3_600_000), ("d", 86_400_000),
    ]

    private static let sizeUnits: [(suffix: String, bytes: UInt64)] = [
        ("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40),
        ("kB", 1_000), ("MB", 1_000_000), ("GB", 1_000_000_000), ("TB", 1_000_000_000_000),
    ]

    /// Milliseconds of `30s`, `1.5h`, `14 d`, `250ms`, or a bare `0`.
    ///
    /// Nil for anything else.
    package static func milliseconds(_ text: some StringProtocol) -> UInt64? {
        if text == "0" { return 0 }
        return quantity(text, units: durationUnits.map { ($0.suffix, $0.milliseconds) })
    }

    /// Bytes of `64 MiB`, `10MB`, `4096 B`.
    ///
    /// Nil for anything else.
    package static func bytes(_ text: some StringProtocol) -> UInt64? {
        quantity(text, units: sizeUnits.map { ($0.suffix, $0.bytes) })
    }

    /// Digits, perhaps a fraction of at most three, perhaps a space, and a unit.
    private static func quantity(_ text: some StringProtocol, units: [(suffix: String, factor: UInt64)])
        -> UInt64?
    {
        let number = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        var suffix = text.dropFirst(number.count)
        if suffix.first == " " { suffix = suffix.dropFirst() }
        guard let factor = units.first(where: { $0.suffix == suffix })?.factor else { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard let wholeText = parts.first, let whole = UInt64(wholeText), parts.count <= 2 else { return nil }
        let (scaled, overflow) = whole.multipliedReportingOverflow(by: factor)
        guard !overflow, scaled <= foreverMilliseconds else { return nil }
        guard parts.count == 2 else { return scaled }
        guard (1...3).contains(parts[1].count), let fraction = UInt64(parts[1]) else { return nil }
        let divisor: UInt64 = [10, 100, 1_000][parts[1].count - 1]
        let (product, tooLarge) = fraction.multipliedReportingOverflow(by: factor)
        guard !tooLarge, product % divisor == 0 else { return nil }
        return scaled + product / divisor
    }

    /// The shortest exact form, `3m` for 180,000.
    package static func durationText(_ milliseconds: UInt64) -> String {
        if milliseconds == 0 { return "0s" }
        if milliseconds >= foreverMilliseconds { return "forever" }
        for (suffix, factor) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
            as [(String, UInt64)]
        where milliseconds % factor == 0 {
            return "\(milliseconds / factor)\(suffix)"
        }
        return "\(milliseconds)ms"
    }

    /// The shortest exact form, `64 MiB` for 67,108,864.
    package static func sizeText(_ bytes: UInt64) -> String {
        if bytes >= unlimitedBytes { return "unlimited" }
        for (suffix, shift) in [("TiB", 40), ("GiB", 30), ("MiB", 20), ("KiB", 10)] as [(String, UInt64)]
        where bytes > 0 && bytes % (1 << shift) == 0 {
            return "\(bytes >> shift) \(suffix)"
        }
        return "\(bytes) B"
    }
}
