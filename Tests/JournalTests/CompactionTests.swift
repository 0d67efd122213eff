import Journal
import TaskModel
import Testing

/// Guarantee J: the disk is bounded by what is live; one old task cannot pin the log.
@Suite struct CompactionTests {
    private static let segmentBytes = 4 << 10
    private static let options = JournalOptions(segmentBytes: segmentBytes)

    @Test func oneOldTaskPinsNothingAndTheDiskStaysWithinItsBound() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: Self.options)
        let old = accepted(1, payload: payload(of: 1, count: 300))
        try broker.turn([[old]])
        var most = 0
        for number in 2...400 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 300))]])
            try broker.turn([
                [completed(number)], [.historyForgotten(HistoryForgotten(count: 1, newestForgotten: 0))],
            ])
            try broker.background()
            let (disk, live) = (broker.journal.diskBytes, broker.journal.liveBytes)
            if number > 40 { most = max(most, disk - 2 * live) }
        }
        let segments = disk.names.filter { $0.hasSuffix(".segment") }
        #expect(!segments.contains(firstSegment))
        // Two segments, and those that wait for the second checkpoint after they became empty.
        #expect(most <= 8 * Self.segmentBytes)
        let span = try #require(broker.queue.waiting[taskID(1)])
        #expect(span.segment > 1)
        let moved = try broker.journal.read(span).record
        #expect(moved == old)
        let meaning = broker.queue.meaning
        broker.close()
        let again = try ModelBroker(disk.crashed(seed: 3), options: Self.options)
        #expect(again.queue.meaning == meaning)
        #expect(try again.journal.read(#require(again.queue.waiting[taskID(1)])).task?.id == taskID(1))
    }

    @Test func aSegmentStaysUntilNeitherCheckpointNeedsIt() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: Self.options)
        for number in 1...30 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 300))]])
        }
        let first = try broker.checkpoint()
        for number in 1...30 as ClosedRange<UInt64> { try broker.turn([[completed(number)]]) }
        try broker.turn([[.historyForgotten(HistoryForgotten(count: 30, newestForgotten: 0))]])
        let second = try broker.checkpoint()
        // Nothing lives in the first segments now, but the older checkpoint still points into them.
        #expect(first.isEmpty)
        #expect(second.isEmpty)
        #expect(disk.names.contains(firstSegment))
        try broker.turn([[accepted(31, payload: [1])]])
        let third = try broker.checkpoint()
        #expect(third.contains(1))
        #expect(!disk.names.contains(firstSegment))
        let gone = RecordSpan(segment: 1, offset: 64, length: 40)
        #expect(
            failure { () throws(JournalError) in _ = try broker.journal.reader.read(gone) } == .gone(gone))
    }

    @Test func aScanGivesEveryRecordThatATaskMayPointToAndNothingElse() throws {
        let disk = SimulatedDisk(seed: 1)
        var journal = try Journal.open(disk)
        let records: [JournalRecord] = [
            accepted(1, payload: payload(of: 1)), .unparked(taskID(1)), completed(1),
            .redriven(Redrive(id: taskID(2), sequence: TaskSequence(rawValue: 3), edited: nil)),
            .parked(Parking(id: taskID(2), haltsQueue: false, history: [1, 2, 3])),
            .queueDeleted(QueueNumber(rawValue: 1)),
        ]
        let spans = try journal.write(records).map(\.span)
        var scan = try journal.scan(segment: 1)
        let items = try #require(try scan.next(bytes: 1 << 20))
        let end = try scan.next(bytes: 1 << 20)
        #expect(end == nil)
        #expect(items.map(\.span) == [spans[0], spans[2], spans[4]])
        #expect(items.map(\.moved.role) == [.payload, .history, .history])
        #expect(items.map(\.moved.id) == [taskID(1), taskID(1), taskID(2)])
        // What was moved reads as what it was, also when it is moved once more.
        let once = try journal.write([.moved(items[0].moved)])[0].span
        var again = try journal.scan(segment: 1)
        let second = try #require(try again.next(bytes: 1 << 20)?.last { $0.span == once })
        let twice = try journal.write([.moved(second.moved)])[0].span
        let back = try journal.read(twice)
        #expect(back.record == records[0])
        #expect(once.length == twice.length)
    }

    @Test func aMovedPayloadIsRestoredFromACheckpointAsTheTaskItCarries() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk)
        try broker.turn([[accepted(5, payload: payload(of: 5))]])
        try broker.compact(1)
        try broker.checkpoint()
        let span = try #require(broker.queue.waiting[taskID(5)])
        broker.close()
        let sink = try recovered(disk.crashed(seed: 1)).sink
        #expect(sink.payloads.map(\.task.id) == [taskID(5)])
        #expect(sink.payloads.map(\.span) == [span])
    }

    @Test func noCandidateIsNamedWhileTheDiskIsWithinItsBound() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: Self.options)
        for number in 1...60 as ClosedRange<UInt64> {
            try broker.turn([[accepted(number, payload: payload(of: number, count: 400))]])
            let candidate = broker.journal.compactionCandidate()
            #expect(candidate == nil)
        }
    }
}
