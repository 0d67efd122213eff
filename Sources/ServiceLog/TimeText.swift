private import Glibc

extension LineFormats {
    /// RFC 3339 in UTC with milliseconds, `2026-01-02T03:04:05.678Z`.
    package static func timestamp(_ milliseconds: UInt64) -> String {
        let parts = calendar(milliseconds, gmtime_r)
        let date =
            "\(padded(parts.tm_year + 1900, 4))-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        return "\(date)T\(clock(parts, milliseconds))Z"
    }

    /// The time of day here, `03:04:05.678`.
    static func clockText(_ milliseconds: UInt64) -> String {
        clock(calendar(milliseconds, localtime_r), milliseconds)
    }

    private static func calendar(
        _ milliseconds: UInt64,
        _ convert: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?
    ) -> tm {
        var seconds = time_t(clamping: milliseconds / 1_000)
        var parts = tm()
        _ = convert(&seconds, &parts)
        return parts
    }

    private static func clock(_ parts: tm, _ milliseconds: UInt64) -> String {
        let time = "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return "\(time).\(padded(Int32(milliseconds % 1_000), 3))"
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
