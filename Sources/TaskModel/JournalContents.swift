/// What makes a journal whole up to one LSN: one checkpoint, if there is any, the segments that it points
/// into, and every segment from there on.
///
/// The bytes named never change while their files exist, so that they can be copied while more is written
/// behind them.
package struct JournalContents: Hashable, Sendable {
    package struct Segment: Hashable, Sendable {
        package let number: UInt32
        /// Length that the file was made with.
        package let madeBytes: Int
        /// Where the last batch up to ``JournalContents/lastLSN`` ends.
        package let endBytes: Int

        package init(number: UInt32, madeBytes: Int, endBytes: Int) {
            self.number = number
            self.madeBytes = madeBytes
            self.endBytes = endBytes
        }
    }

    package let instance: JournalInstance
    /// The last record in it; 0 if there is none.
    package let lastLSN: LogSequenceNumber
    /// The checkpoint's file; nil where the segments reach back to the first record.
    package let checkpoint: String?
    /// Ascending; the last is the one in use.
    package let segments: [Segment]

    package init(
        instance: JournalInstance, lastLSN: LogSequenceNumber, checkpoint: String?, segments: [Segment]
    ) {
        self.instance = instance
        self.lastLSN = lastLSN
        self.checkpoint = checkpoint
        self.segments = segments
    }

    /// Bytes of all batches, the segments' headers included.
    package var segmentBytes: Int { segments.reduce(0) { $0 + $1.endBytes } }
}
