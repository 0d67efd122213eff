/// Puts a body together from its chunks; extensions and trailers are read over and dropped.
struct ChunkedBody {
    private enum Stage {
        case size
        case data(left: Int)
        case dataEnd
        case trailer
    }

    private(set) var content: [UInt8] = []
    /// How far the bytes have been used.
    private(set) var offset: Int
    private let start: Int
    private let limits: RequestLimits
    private var stage = Stage.size
    private var trailerBytes = 0

    /// A chunk's size and its extensions, with the line's end.
    private static let sizeLineBytesMax = 256

    init(offset: Int, limits: RequestLimits) {
        self.offset = offset
        self.limits = limits
        start = offset
    }

    /// True when the last chunk and the trailer have come.
    mutating func advance(over bytes: UnsafeRawBufferPointer) throws(RequestFault) -> Bool {
        while true {
            // Tiny chunks cost more than they bring: all that is kept waits in memory until the end.
            guard offset - start <= 2 * limits.bodyBytesMax + limits.headBytesMax else { throw .bodyTooLarge }
            switch stage {
            case .size:
                guard let line = try takeLine(bytes, maximum: Self.sizeLineBytesMax) else { return false }
                let size = try Self.size(bytes, line)
                guard content.count + size <= limits.bodyBytesMax else { throw .bodyTooLarge }
                stage = size == 0 ? .trailer : .data(left: size)
            case .data(let left):
                let count = min(left, bytes.count - offset)
                content.append(contentsOf: bytes[offset..<offset + count])
                offset += count
                stage = count == left ? .dataEnd : .data(left: left - count)
                if count < left { return false }
            case .dataEnd:
                guard let line = try takeLine(bytes, maximum: 2) else { return false }
                guard line.isEmpty else { throw .malformed }
                stage = .size
            case .trailer:
                guard let line = try takeLine(bytes, maximum: limits.headBytesMax) else { return false }
                if line.isEmpty { return true }
                trailerBytes += line.count
                guard trailerBytes <= limits.headBytesMax else { throw .headTooLarge }
            }
        }
    }

    /// The next line without its CR LF; nil until it has come.
    private mutating func takeLine(
        _ bytes: UnsafeRawBufferPointer, maximum: Int
    ) throws(RequestFault) -> Range<Int>? {
        var index = offset
        while index < bytes.count, bytes[index] != 0x0A {
            guard index - offset < maximum else { throw .malformed }
            index += 1
        }
        guard index < bytes.count else { return nil }
        guard index > offset, bytes[index - 1] == 0x0D else { throw .malformed }
        defer { offset = index + 1 }
        let line = offset..<index - 1
        for place in line where bytes[place] == 0x0D || bytes[place] == 0 { throw .malformed }
        return line
    }

    /// Hexadecimal digits, then nothing or an extension.
    private static func size(_ bytes: UnsafeRawBufferPointer, _ line: Range<Int>) throws(RequestFault) -> Int
    {
        var value = 0
        var digits = 0
        for index in line {
            let byte = bytes[index]
            if byte == UInt8(ascii: ";") { break }
            guard let digit = hexadecimal(byte), digits < 8 else { throw .malformed }
            value = value << 4 | digit
            digits += 1
        }
        guard digits > 0 else { throw .malformed }
        return value
    }

    private static func hexadecimal(_ byte: UInt8) -> Int? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A") + 10)
        case _: nil
        }
    }
}
