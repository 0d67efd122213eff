package struct JournalOptions: Hashable, Sendable {
    /// What a configuration may ask for.
    ///
    /// Smaller segments, down to 4 KiB, are for tests.
    package static let segmentBytesMin = 1 << 20
    package static let segmentBytesMax = 1 << 30
    /// A batch, header included; also the most that one ``Journal/ensureRoom(bytes:)`` may ask for, less 64.
    package static let batchBytesMax = 64 << 20

    /// Length that segments are made with.
    package let segmentBytes: Int
    /// Bytes kept for acks, dead-letter moves and compaction when the disk is full.
    package let reserveBytes: Int

    /// `reserveBytes` is two segments unless said otherwise.
    package init(segmentBytes: Int = 64 << 20, reserveBytes: Int? = nil) {
        let bounded = min(max(segmentBytes, 4_096), Self.segmentBytesMax)
        self.segmentBytes = bounded
        self.reserveBytes = max(0, reserveBytes ?? 2 * bounded)
    }

    /// Room at the end of the last segment that is for answers to deliveries alone when no other can be made,
    /// bytes.
    package var answerBytes: Int { min(256 << 10, segmentBytes / 4) }

    /// Segments to hold ready behind the one in use.
    ///
    /// That the disk is full is found out when the first of them is in use: it and the others are the
    /// reserve.
    var preparedSegmentsWanted: Int {
        max(1, (reserveBytes + segmentBytes - 1) / segmentBytes)
    }
}
