import BrokerDaemon
import Glibc
import Journal
import Synchronization
import TaskModel
import Testing
import WireProtocol

/// W8 and W9: a full disk refuses posts, loses no answer, and lets the queue drain.
@Suite struct FullDiskTests {
    /// A disk that has room for so many segments and for checkpoints.
    private final class CappedStorage: JournalStorage {
        let disk: SimulatedDisk
        let segmentsMax: Atomic<Int>

        init(_ disk: SimulatedDisk, segmentsMax: Int) {
            self.disk = disk
            self.segmentsMax = Atomic(segmentsMax)
        }

        var segments: Int { disk.names.count { $0.hasSuffix(".segment") } }

        func lock() throws(JournalError) -> any JournalLock { try disk.lock() }
        func list() throws(JournalError) -> [String] { try disk.list() }
        func create(_ name: String) throws(JournalError) -> any JournalFile {
            if name.hasSuffix(".segment.new"), segments >= segmentsMax.load(ordering: .relaxed) {
                throw .storage(.create, file: name, errno: ENOSPC)
            }
            return try disk.create(name)
        }
        func open(_ name: String, forWriting: Bool) throws(JournalError) -> any JournalFile {
            try disk.open(name, forWriting: forWriting)
        }
        func rename(_ name: String, to newName: String) throws(JournalError) {
            try disk.rename(name, to: newName)
        }
        func unlink(_ name: String) throws(JournalError) { try disk.unlink(name) }
        func syncDirectory() throws(JournalError) { try disk.syncDirectory() }
        func random() throws(JournalError) -> UInt64 { try disk.random() }
    }

    private static let journal = JournalOptions(segmentBytes: 16 << 10)

    private static func post(_ number: UInt64, bytes: Int) -> Request {
        .enqueue(
            Enqueue(
                correlation: number, queue: "tasks", group: "",
                id: TaskID(unixMilliseconds: number, random: (0, number)), key: nil, traceparent: [],
                payload: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: bytes)[...]))
    }

    /// Posts until one is refused, and says how many were taken.
    private func fill(_ fixture: inout BrokerFixture, bytes: Int) throws -> UInt64 {
        for number in 1...10_000 as ClosedRange<UInt64> {
            fixture.seconds += 0.01
            let replies = try fixture.turn([(.ingest, .ingest, Self.post(number, bytes: bytes))])
            if replies == [.enqueued(correlation: number, outcome: .diskFull)] { return number - 1 }
            #expect(
                replies
                    == [.enqueued(correlation: number, outcome: .accepted(TaskSequence(rawValue: number)))])
        }
        return 0
    }

    @Test func aQueueDrainsOnADiskThatStaysFullAndTakesPostsAgainWithoutARestart() throws {
        let storage = CappedStorage(SimulatedDisk(seed: 1), segmentsMax: 8)
        var fixture = try BrokerFixture(storage: storage, journal: Self.journal)
        _ = try fixture.greet(.ingest, .ingest)
        let posted = try fill(&fixture, bytes: 1_500)
        #expect(posted > 40)
        _ = try fixture.greet(.worker, .worker)
        var replies = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        var done: UInt64 = 0
        while let task = replies.deliveries.last {
            #expect(task.sequence.rawValue == done + 1)
            fixture.seconds += 0.5
            replies = try fixture.turn([
                (.worker, .worker, .ack(receipt: task.receipt, id: task.id, result: [], resultError: ""))
            ])
            #expect(replies.contains(.settled(receipt: task.receipt, .taken)))
            done += 1
            #expect(storage.segments <= 8)
        }
        #expect(done == posted)
        for _ in 0..<5 {
            fixture.seconds += 1.5
            _ = try fixture.turn()
        }
        replies = try fixture.turn([(.ingest, .ingest, Self.post(posted + 1, bytes: 100))])
        let accepted = EnqueueOutcome.accepted(TaskSequence(rawValue: posted + 1))
        #expect(replies.contains(.enqueued(correlation: posted + 1, outcome: accepted)))
    }

    /// Every end of a task is a record that is kept for its history: of small tasks they take as much room as
    /// the tasks did.
    @Test func finishedTasksAreForgottenEarlyWhereADrainNeedsTheirRoom() throws {
        let storage = CappedStorage(SimulatedDisk(seed: 1), segmentsMax: 8)
        var fixture = try BrokerFixture(storage: storage, journal: Self.journal)
        _ = try fixture.greet(.ingest, .ingest)
        let posted = try fill(&fixture, bytes: 10)
        #expect(posted > 500)
        _ = try fixture.greet(.worker, .worker)
        var replies = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        var done: UInt64 = 0
        let said = String(repeating: "no result ", count: 10)
        for _ in 0..<10_000 where done < posted {
            fixture.seconds += 0.01
            guard let task = replies.deliveries.last else {
                replies = try fixture.turn()
                continue
            }
            #expect(task.sequence.rawValue == done + 1)
            replies = try fixture.turn([
                (.worker, .worker, .ack(receipt: task.receipt, id: task.id, result: [], resultError: said))
            ])
            #expect(replies.contains(.settled(receipt: task.receipt, .taken)))
            done += 1
        }
        #expect(done == posted)
        let first = TaskID(unixMilliseconds: 1, random: (0, 1))
        _ = try fixture.greet(.admin, .admin)
        replies = try fixture.turn([
            (.admin, .admin, .lookup(correlation: 7, id: first, waitMilliseconds: 0))
        ])
        #expect(replies == [.task(correlation: 7, answer: .forgotten)])
    }

    @Test func aDiskThatIsFullForAMomentLetsNothingBeForgotten() throws {
        let storage = CappedStorage(SimulatedDisk(seed: 1), segmentsMax: 4)
        var fixture = try BrokerFixture(storage: storage, journal: Self.journal)
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fixture.turn([(.ingest, .ingest, Self.post(1, bytes: 10))])
        _ = try fixture.greet(.worker, .worker)
        let task = try #require(
            try fixture.turn([(.worker, .worker, .credit(tasks: 1))]).deliveries.last)
        _ = try fixture.turn([
            (.worker, .worker, .ack(receipt: task.receipt, id: task.id, result: [1], resultError: ""))
        ])
        for number in 2...60 as ClosedRange<UInt64> {
            fixture.seconds += 0.01
            _ = try fixture.turn([(.ingest, .ingest, Self.post(number, bytes: 1_500))])
        }
        storage.segmentsMax.store(8, ordering: .relaxed)
        for _ in 0..<3 {
            fixture.seconds += 1.5
            _ = try fixture.turn()
        }
        _ = try fixture.greet(.admin, .admin)
        let replies = try fixture.turn([
            (.admin, .admin, .lookup(correlation: 7, id: task.id, waitMilliseconds: 0))
        ])
        guard case .task(correlation: 7, answer: .found(let view)) = replies.last else {
            Issue.record("\(replies)")
            return
        }
        #expect(view.state == .completed && view.result == [1])
    }

    @Test func anAnswerForWhichThereIsNoRoomIsKeptAndTakenWhenThereIsSome() throws {
        let storage = CappedStorage(SimulatedDisk(seed: 1), segmentsMax: 3)
        var fixture = try BrokerFixture(storage: storage, journal: Self.journal)
        _ = try fixture.greet(.ingest, .ingest)
        _ = try fill(&fixture, bytes: 600)
        _ = try fixture.greet(.worker, .worker)
        let delivered = try fixture.turn([(.worker, .worker, .credit(tasks: 1))])
        var task = try #require(delivered.deliveries.last)
        var kept: Receipt?
        // Every try fails and is given back until the last room is used up.
        for _ in 0..<2_000 {
            fixture.seconds += 0.01
            let failure = Failure(
                outcome: .nacked, durationMilliseconds: 1, retryAfterMilliseconds: 0,
                reason: String(repeating: "x", count: 900))
            let replies = try fixture.turn([
                (.worker, .worker, .nack(receipt: task.receipt, id: task.id, failure: failure))
            ])
            guard replies.contains(.settled(receipt: task.receipt, .taken)) else {
                kept = task.receipt
                #expect(replies == [])
                break
            }
            guard let next = replies.deliveries.last else { break }
            task = next
        }
        // The deliveries stopped first, with room left for the answers; or the answer waits.
        storage.segmentsMax.store(5, ordering: .relaxed)
        var replies: [Reply] = []
        for _ in 0..<4 {
            fixture.seconds += 1.5
            replies += try fixture.turn()
        }
        if let kept { #expect(replies.contains(.settled(receipt: kept, .taken))) }
        #expect(replies.deliveries.count == 1, "\(replies)")
        let image = storage.disk.crashed(seed: 3)
        #expect(try BrokerFixture(storage: image, journal: Self.journal).broker.recovery.warnings.isEmpty)
    }
}
