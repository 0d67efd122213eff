/// A refused value as an error shows it: what Python's `json.dumps` makes of what Python's `json.loads` had
/// read.
package enum EchoedInput {
    /// Bytes of JSON that an error echoes at most.
    package static let bytesMax = 1_024

    /// The value as JSON.
    ///
    /// A longer string is cut after a whole character; any other value that is too long
    /// becomes a string with the beginning of its JSON.
    static func render(_ value: JSONValue) -> [UInt8] {
        var output: [UInt8] = []
        if case .string(let text) = value.content { return quote(text) }
        append(value, to: &output)
        guard output.count > bytesMax else { return output }
        return quote(String(decoding: output.prefix(bytesMax), as: UTF8.self))
    }

    /// A body that is no JSON, as the string that it is.
    ///
    /// What is not UTF-8 shows as U+FFFD.
    package static func render(text: ArraySlice<UInt8>) -> [UInt8] {
        quote(String(decoding: text.prefix(bytesMax + 4), as: UTF8.self))
    }

    /// The string in quotes, at most ``bytesMax`` bytes with them.
    private static func quote(_ text: String) -> [UInt8] {
        var output = [UInt8(ascii: "\"")]
        for scalar in text.unicodeScalars {
            let before = output.count
            for byte in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                JSONWriter.appendEscaped(byte, to: &output)
            }
            if output.count >= bytesMax {
                output.removeSubrange(before...)
                break
            }
        }
        output.append(UInt8(ascii: "\""))
        return output
    }

    /// Stops adding once the output is longer than will be shown.
    private static func append(_ value: JSONValue, to output: inout [UInt8]) {
        guard output.count <= bytesMax else { return }
        switch value.content {
        case .null: output += Array("null".utf8)
        case .bool(let flag): output += Array((flag ? "true" : "false").utf8)
        case .number(let text): output += Array(pythonNumber(text).utf8)
        case .string(let text): JSONWriter.appendQuoted(text, to: &output)
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                guard output.count <= bytesMax else { return }
                if index > 0 { output.append(UInt8(ascii: ",")) }
                append(element, to: &output)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let members):
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                guard output.count <= bytesMax else { return }
                if index > 0 { output.append(UInt8(ascii: ",")) }
                JSONWriter.appendQuoted(member.key, to: &output)
                output.append(UInt8(ascii: ":"))
                append(member.value, to: &output)
            }
            output.append(UInt8(ascii: "}"))
        }
    }

    /// Python's `repr` of the number; as it was written where Python could not show it.
    static func pythonNumber(_ text: String) -> String {
        let isInteger = text.utf8.allSatisfy { JSONScanner.isDigit($0) || $0 == UInt8(ascii: "-") }
        if isInteger { return text == "-0" ? "0" : text }
        guard let value = Double(text), value.isFinite else { return text }
        return pythonRepresentation(value)
    }

    /// The shortest digits that mean `value`; with an exponent below 10⁻⁴ and from 10¹⁶ on.
    static func pythonRepresentation(_ value: Double) -> String {
        // Swift finds the same shortest digits and sets them out differently.
        let description = value.magnitude.description.utf8
        let mantissa = description.prefix { $0 != UInt8(ascii: "e") }
        let written = Int(String(decoding: description.dropFirst(mantissa.count + 1), as: UTF8.self)) ?? 0
        let wholeDigits = mantissa.prefix { $0 != UInt8(ascii: ".") }.count
        var digits = mantissa.filter { $0 != UInt8(ascii: ".") }
        var exponent = wholeDigits - 1 + written
        let leadingZeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
        digits.removeFirst(min(leadingZeros, digits.count - 1))
        exponent -= digits == [UInt8(ascii: "0")] ? exponent : leadingZeros
        while digits.count > 1, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let sign = value.sign == .minus ? "-" : ""
        return sign + layOut(digits: String(decoding: digits, as: UTF8.self), exponent: exponent)
    }

    /// `digits` has one digit before its point, which stands `exponent` places further right.
    private static func layOut(digits: String, exponent: Int) -> String {
        if exponent < -4 || exponent >= 16 {
            let fraction = digits.count > 1 ? "." + digits.dropFirst() : ""
            let distance = exponent.magnitude < 10 ? "0\(exponent.magnitude)" : "\(exponent.magnitude)"
            return "\(digits.prefix(1))\(fraction)e\(exponent < 0 ? "-" : "+")\(distance)"
        }
        if exponent < 0 { return "0." + String(repeating: "0", count: -exponent - 1) + digits }
        let whole = digits.prefix(exponent + 1)
        let padding = String(repeating: "0", count: max(0, exponent + 1 - digits.count))
        let fraction = digits.dropFirst(exponent + 1)
        return "\(whole)\(padding).\(fraction.isEmpty ? "0" : fraction)"
    }
}
