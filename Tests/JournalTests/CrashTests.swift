import Journal
import TaskModel
import TestSupport
import Testing

/// Guarantees A and I under power cuts: at every call to the disk, with any part of what was not synced.
@Suite struct CrashTests {
    private static let options = JournalOptions(segmentBytes: 4 << 10)

    /// A life that writes, completes, forgets, seals, rolls, checkpoints, compacts and deletes; the same
    /// every time.
    private static func live(_ broker: inout ModelBroker) throws(JournalError) {
        var random = SeededGenerator(seed: 77)
        var next: UInt64 = 1
        var open: [UInt64] = []
        // One old task that every segment after it must not be pinned by.
        try broker.turn([[accepted(100_000, payload: payload(of: 9))]])
        for step in 0..<36 {
            var outputs: [[JournalRecord]] = []
            for _ in 0...random.next() % 3 {
                outputs.append([
                    accepted(next, payload: payload(of: next, count: 40 + Int(random.next() % 400)))
                ])
                open.append(next)
                next += 1
            }
            while open.count > 3 { outputs.append([completed(open.removeFirst())]) }
            if step % 9 == 8 {
                outputs.append([.historyForgotten(HistoryForgotten(count: 1_000, newestForgotten: 1))])
            }
            try broker.turn(outputs)
            if step % 5 == 4 { try broker.journal.seal() }
            try broker.background()
        }
    }

    private static func calls() throws -> Int {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: options)
        try live(&broker)
        return disk.calls
    }

    @Test func theScriptedLifePassesThroughEverythingThatAJournalDoes() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: Self.options)
        try Self.live(&broker)
        let (names, candidates) = (disk.names, broker.journal.segmentCount)
        #expect(!names.contains(firstSegment), "the first segment was compacted and deleted")
        #expect(names.filter { $0.hasPrefix("checkpoint") }.count == 2)
        #expect(candidates <= 8)
    }

    /// What a crash left must be what was committed, or that and the whole batch that was being written.
    private static func recover(_ disk: SimulatedDisk, _ allowed: Set<ModelQueue.Meaning>, _ note: String)
        -> Bool
    {
        do throws(JournalError) {
            var broker = try ModelBroker(disk, options: options)
            guard allowed.contains(broker.queue.meaning) else {
                Issue.record("\(note): \(broker.queue.meaning) not in \(allowed)")
                return false
            }
            for (id, span) in broker.queue.waiting {
                guard try broker.journal.read(span).task?.id == id else {
                    Issue.record("\(note): \(id) is not where it should be")
                    return false
                }
            }
            try broker.turn([[accepted(200_000, payload: [1, 2, 3])]])
            return true
        } catch {
            Issue.record("\(note): \(error)")
            return false
        }
    }

    @Test(arguments: 0..<4)
    func aCrashAtAnyCallLosesNothingCommittedAndRecoveringTwiceChangesNothing(part: Int) throws {
        let calls = try Self.calls()
        for call in stride(from: 1 + part, through: calls, by: 4) {
            let disk = SimulatedDisk(seed: 1)
            disk.inject { $0.number == call ? .dies : nil }
            var allowed: Set<ModelQueue.Meaning> = [.init(waiting: [], finished: [], accepted: 0)]
            do throws(JournalError) {
                var broker = try ModelBroker(disk, options: Self.options)
                do throws(JournalError) { try Self.live(&broker) } catch {}
                allowed = [broker.committed, broker.queue.meaning]
            } catch {}
            for seed in 0..<2 {
                // The next owner dies too, somewhere in its recovery, and another one comes.
                let once = disk.crashed(seed: UInt64(call * 10 + seed))
                let second = 1 + (call * 7 + seed) % 24
                once.inject { $0.number == second ? .dies : nil }
                do throws(JournalError) { _ = try ModelBroker(once, options: Self.options) } catch {}
                let twice = once.crashed(seed: UInt64(call))
                guard Self.recover(twice, allowed, "call \(call), seed \(seed), then call \(second)") else {
                    return
                }
            }
        }
    }

    @Test func aLyingSyncLosesCommittedRecordsSoThatThisTestCanFail() throws {
        var lost = 0
        for seed in 0..<20 as Range<UInt64> {
            let disk = SimulatedDisk(seed: seed)
            var broker = try ModelBroker(disk, options: Self.options)
            disk.inject { $0.operation == .sync ? .lies : nil }
            do throws(JournalError) { try Self.live(&broker) } catch {}
            let committed = broker.committed
            broker.close()
            do throws(JournalError) {
                let next = try ModelBroker(disk.crashed(seed: seed), options: Self.options)
                if next.queue.meaning != committed { lost += 1 }
            } catch {
                lost += 1
            }
        }
        #expect(lost > 10)
    }

    @Test func aProcessDeathWithoutAPowerCutKeepsEverythingWritten() throws {
        let disk = SimulatedDisk(seed: 1)
        var broker = try ModelBroker(disk, options: Self.options)
        try Self.live(&broker)
        let meaning = broker.queue.meaning
        broker.close()
        #expect(Self.recover(disk.restarted(), [meaning], "restart"))
    }
}
