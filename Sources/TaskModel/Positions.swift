/// A task's place in the order of acceptance, from 1, over all queues.
///
/// Given anew at redrive.
package struct TaskSequence: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// A record's number in the journal, from 1, without gaps.
package struct LogSequenceNumber: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Names one life of a journal: random, new at init and at restore from a backup.
package struct JournalInstance: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}

/// Names one delivery of one task; the fencing token.
///
/// Good until the delivery has ended, never again.
package struct Receipt: Hashable, Sendable {
    package let instance: JournalInstance
    /// The LSN of the `delivered` record.
    package let lsn: LogSequenceNumber

    package init(instance: JournalInstance, lsn: LogSequenceNumber) {
        self.instance = instance
        self.lsn = lsn
    }
}

/// Where one record lies in the journal and how many bytes it takes there, its header included.
package struct RecordSpan: Hashable, Sendable {
    /// Segment number, from 1.
    package let segment: UInt32
    /// Byte offset of the record's header in the segment file.
    package let offset: UInt32
    /// Bytes of header and body.
    package let length: UInt32

    package init(segment: UInt32, offset: UInt32, length: UInt32) {
        self.segment = segment
        self.offset = offset
        self.length = length
    }
}

/// What the journal tells the state machine about a record it has taken.
package struct RecordPosition: Hashable, Sendable {
    package let lsn: LogSequenceNumber
    package let span: RecordSpan
    /// The journal time of the record's batch.
    package let time: JournalTime

    package init(lsn: LogSequenceNumber, span: RecordSpan, time: JournalTime) {
        self.lsn = lsn
        self.span = span
        self.time = time
    }
}

/// A queue's number in the journal, from 1 in the order of first declaration, never reused.
package struct QueueNumber: RawRepresentable, Hashable, Comparable, Sendable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }
    package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// Names one run of one worker, ingest or admin process: random, new at every start.
package struct SessionID: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }
}
