package import BinaryCoding

/// The bytes of an attempt, the same in the journal and on the wire (docs/journal-format.md, "attempts").
///
/// A history is the concatenation of attempts, oldest first, so that one is added without decoding the
/// others.
extension AttemptRecord {
    package func encode(to writer: inout ByteWriter) {
        writer.write(number)
        let (code, detail) = outcome.coded
        writer.write(code)
        writer.write(detail)
        writer.write(startedAt.rawValue)
        writer.write(durationMilliseconds)
        writer.writePrefixed(worker)
        writer.writePrefixed(reason.cutToUTF8(bytes: Self.reasonBytesMax))
        writer.writePrefixed(stderrTail.suffix(Self.stderrBytesMax))
    }

    package init(from reader: inout ByteReader) throws(DecodingFailure) {
        number = try reader.read()
        outcome = try AttemptOutcome(code: reader.read(), detail: reader.read())
        startedAt = WallTime(rawValue: try reader.read())
        durationMilliseconds = try reader.read()
        worker = try reader.readText(maximum: Limits.workerNameBytesMax)
        reason = try reader.readText(maximum: Self.reasonBytesMax)
        stderrTail = try reader.readPrefixed(maximum: Self.stderrBytesMax)
    }

    package static func decodeHistory(_ bytes: ArraySlice<UInt8>) throws(DecodingFailure) -> [AttemptRecord] {
        var reader = ByteReader(bytes)
        var attempts: [AttemptRecord] = []
        while !reader.isAtEnd { attempts.append(try AttemptRecord(from: &reader)) }
        return attempts
    }

    /// The history with one attempt more, the oldest dropped where ``keptMax`` is passed.
    package static func history(
        _ earlier: ArraySlice<UInt8>, adding attempt: AttemptRecord
    ) throws(DecodingFailure) -> [UInt8] {
        var starts: [Int] = []
        var reader = ByteReader(earlier)
        while !reader.isAtEnd {
            starts.append(reader.consumed)
            _ = try AttemptRecord(from: &reader)
        }
        let dropped = max(0, starts.count + 1 - keptMax)
        let kept = dropped < starts.count ? earlier.dropFirst(starts[dropped]) : []
        var writer = ByteWriter(reservingCapacity: kept.count + 512)
        writer.writeRaw(kept)
        attempt.encode(to: &writer)
        return writer.bytes
    }
}

extension AttemptOutcome {
    fileprivate var coded: (code: UInt8, detail: Int32) {
        switch self {
        case .exited(let status): (1, Int32(status))
        case .signalled(let number): (2, number)
        case .timedOut: (3, 0)
        case .outOfMemory: (4, 0)
        case .nacked: (5, 0)
        case .rejected: (6, 0)
        case .badAnswer: (7, 0)
        case .workerLost: (8, 0)
        case .leaseExpired: (9, 0)
        case .operatorAct: (10, 0)
        }
    }

    fileprivate init(code: UInt8, detail: Int32) throws(DecodingFailure) {
        switch code {
        case 1: self = .exited(status: UInt8(truncatingIfNeeded: detail))
        case 2: self = .signalled(detail)
        case 3: self = .timedOut
        case 4: self = .outOfMemory
        case 5: self = .nacked
        case 6: self = .rejected
        case 7: self = .badAnswer
        case 8: self = .workerLost
        case 9: self = .leaseExpired
        case 10: self = .operatorAct
        case let other: throw .unknown(kind: "attempt outcome", value: UInt64(other))
        }
    }
}

extension String {
    /// The longest prefix of whole characters within a number of UTF-8 bytes.
    package func cutToUTF8(bytes limit: Int) -> String {
        guard utf8.count > limit else { return self }
        var end = utf8.index(utf8.startIndex, offsetBy: limit)
        while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
        return String(self[..<end])
    }
}
