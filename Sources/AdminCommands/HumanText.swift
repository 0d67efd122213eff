/// Numbers as people read them.
package enum HumanText {
    /// `340 ms`, `12 s`, `3 m 5 s`, `2 h 10 m`, `5 d 3 h`: at most two units.
    package static func duration(milliseconds: UInt64) -> String {
        if milliseconds < 1_000 { return "\(milliseconds) ms" }
        let seconds = milliseconds / 1_000
        if seconds < 60 {
            let tenths = milliseconds % 1_000 / 100
            return seconds < 10 && tenths > 0 ? "\(seconds).\(tenths) s" : "\(seconds) s"
        }
        for (large, unit, small, rest) in [
            (86_400, "d", 3_600, "h"), (3_600, "h", 60, "m"), (60, "m", 1, "s"),
        ] as [(UInt64, String, UInt64, String)] where seconds >= large {
            let remainder = seconds % large / small
            return remainder == 0
                ? "\(seconds / large) \(unit)" : "\(seconds / large) \(unit) \(remainder) \(rest)"
        }
        return "\(seconds) s"
    }

    /// `1.5 MiB`, `340 B`.
    package static func bytes(_ count: UInt64) -> String {
        for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] as [(UInt64, String)]
        where count >= 1 << shift {
            let tenths = count >> (shift - 10) & 1_023
            let fraction = tenths * 10 / 1_024
            return fraction == 0 ? "\(count >> shift) \(unit)" : "\(count >> shift).\(fraction) \(unit)"
        }
        return "\(count) B"
    }

    /// `1,234,567`.
    package static func count(_ number: UInt64) -> String {
        var groups: [Substring] = []
        var rest = Substring(String(number))
        while rest.count > 3 {
            groups.append(rest.suffix(3))
            rest = rest.dropLast(3)
        }
        return ([rest] + groups.reversed()).joined(separator: ",")
    }
}
