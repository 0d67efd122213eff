/// A value as it is shown, in the form in which a file would say it.
package enum ConfigurationValue: Hashable, Sendable {
    case text(String)
    case number(UInt64)
    case hundredths(UInt32)
    case flag(Bool)
    case list([String])
    /// Milliseconds.
    case duration(UInt64)
    /// Bytes.
    case size(UInt64)
    /// The key has no default, and nobody has set it.
    case absent
}

extension ConfigurationValue: CustomStringConvertible {
    /// TOML, but for ``absent``, which is `-`.
    package var description: String {
        switch self {
        case .text(let text): TOMLNode.quotedWhole(text)
        case .number(let number): "\(number)"
        case .hundredths(let number):
            number % 100 == 0 ? "\(number / 100)" : "\(Double(number) / 100)"
        case .flag(let flag): "\(flag)"
        case .list(let texts): "[" + texts.map { TOMLNode.quotedWhole($0) }.joined(separator: ", ") + "]"
        case .duration(let milliseconds): "\"\(Quantities.durationText(milliseconds))\""
        case .size(let bytes): "\"\(Quantities.sizeText(bytes))\""
        case .absent: "-"
        }
    }
}

extension TOMLNode {
    /// A basic string with nothing left out.
    fileprivate static func quotedWhole(_ text: String) -> String {
        var shown = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": shown += "\\\(scalar)"
            case _ where scalar.value < 32 || scalar.value == 127:
                let digits = String(scalar.value, radix: 16)
                shown += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: shown += String(scalar)
            }
        }
        return shown + "\""
    }
}
