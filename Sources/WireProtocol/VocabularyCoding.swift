import BinaryCoding
import TaskModel

/// The vocabulary's parts as they stand inside messages.
extension ByteWriter {
    mutating func write(_ id: TaskID) {
        write(id.high)
        write(id.low)
    }

    mutating func write(_ digest: Digest) {
        write(digest.high)
        write(digest.low)
    }

    mutating func write(_ receipt: Receipt) {
        write(receipt.instance.rawValue)
        write(receipt.lsn.rawValue)
    }

    mutating func write(_ receipts: [Receipt]) {
        writeVariable(UInt64(receipts.count))
        for receipt in receipts { write(receipt) }
    }

    /// 0 for none, else the value plus 1.
    mutating func writeOptional(_ value: UInt64?) {
        writeVariable(value.map { min($0, .max - 1) + 1 } ?? 0)
    }

    mutating func write(_ flag: Bool) {
        write(UInt8(flag ? 1 : 0))
    }

    mutating func write(_ failure: Failure) {
        AttemptRecord(
            number: 0, outcome: failure.outcome, startedAt: WallTime(rawValue: 0),
            durationMilliseconds: failure.durationMilliseconds, worker: "", reason: failure.reason,
            stderrTail: failure.stderrTail
        ).encode(to: &self)
        writeOptional(failure.retryAfterMilliseconds)
    }

    mutating func write(_ settings: QueueSettings) {
        writeVariable(settings.leaseMilliseconds)
        writeVariable(UInt64(settings.maxAttempts))
        write(settings.onExhausted.rawValue)
        write(settings.defaultGroup.rawValue)
        writeVariable(settings.retentionMilliseconds)
        writeVariable(settings.dedupWindowMilliseconds)
        writeVariable(settings.maxDepth)
        writeVariable(settings.historyMilliseconds)
        writeVariable(settings.retryInitialMilliseconds)
        writeVariable(UInt64(settings.retryFactorHundredths))
        writeVariable(settings.retryMaxMilliseconds)
    }
}

extension ByteReader {
    mutating func readTaskID() throws(DecodingFailure) -> TaskID {
        TaskID(high: try read(), low: try read())
    }

    mutating func readDigest() throws(DecodingFailure) -> Digest {
        Digest(high: try read(), low: try read())
    }

    mutating func readReceipt() throws(DecodingFailure) -> Receipt {
        Receipt(
            instance: JournalInstance(rawValue: try read()), lsn: LogSequenceNumber(rawValue: try read()))
    }

    mutating func readReceipts() throws(DecodingFailure) -> [Receipt] {
        let count = try readVariable()
        guard count <= UInt64(remaining / 16) else { throw .truncated }
        var receipts: [Receipt] = []
        receipts.reserveCapacity(Int(count))
        for _ in 0..<count { receipts.append(try readReceipt()) }
        return receipts
    }

    mutating func readOptional() throws(DecodingFailure) -> UInt64? {
        let value = try readVariable()
        return value == 0 ? nil : value - 1
    }

    mutating func readFlag() throws(DecodingFailure) -> Bool {
        let value: UInt8 = try read()
        guard value <= 1 else { throw .malformed("flag is neither 0 nor 1") }
        return value == 1
    }

    mutating func readNarrow<Integer: FixedWidthInteger & UnsignedInteger>(
        _: Integer.Type = Integer.self
    ) throws(DecodingFailure) -> Integer {
        guard let value = Integer(exactly: try readVariable()) else {
            throw .malformed("number over its range")
        }
        return value
    }

    mutating func readChoice<Choice: RawRepresentable>(
        _: Choice.Type = Choice.self
    ) throws(DecodingFailure) -> Choice where Choice.RawValue == UInt8 {
        let value: UInt8 = try read()
        guard let choice = Choice(rawValue: value) else {
            throw .unknown(kind: "\(Choice.self)", value: UInt64(value))
        }
        return choice
    }

    mutating func readFailure() throws(DecodingFailure) -> Failure {
        let attempt = try AttemptRecord(from: &self)
        return Failure(
            outcome: attempt.outcome, durationMilliseconds: attempt.durationMilliseconds,
            retryAfterMilliseconds: try readOptional(), reason: attempt.reason, stderrTail: attempt.stderrTail
        )
    }

    mutating func readSettings() throws(DecodingFailure) -> QueueSettings {
        var settings = QueueSettings()
        settings.leaseMilliseconds = try readVariable()
        settings.maxAttempts = try readNarrow()
        settings.onExhausted = try readChoice()
        settings.defaultGroup = try readChoice()
        settings.retentionMilliseconds = try readVariable()
        settings.dedupWindowMilliseconds = try readVariable()
        settings.maxDepth = try readVariable()
        settings.historyMilliseconds = try readVariable()
        settings.retryInitialMilliseconds = try readVariable()
        settings.retryFactorHundredths = try readNarrow()
        settings.retryMaxMilliseconds = try readVariable()
        return settings
    }
}
