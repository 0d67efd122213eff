import QueueStateMachine
import TaskModel
import TestSupport
import Testing

@testable import Journal

/// The reader in Python, written from docs/journal-format.md alone, and this module understand the same.
@Suite struct JournalReaderTests {
    private struct Answer {
        let status: TestSupport.ExitStatus
        let lines: [String]

        func lines(_ kind: String) -> [[String]] {
            lines.filter { $0.hasPrefix("\(kind) ") }.map {
                $0.split(separator: " ", omittingEmptySubsequences: false).dropFirst().map(String.init)
            }
        }
    }

    private func read(_ directory: String) async throws -> Answer {
        let script = "\(BuiltProducts.repositoryRoot())/Tests/JournalReader/read_journal.py"
        let reader = ProcessDescription("/usr/bin/env", ["python3", "-B", script, "--tasks", directory])
        return try await ProcessFixture.with(reader) { process in
            let status = try await process.end(within: .seconds(120))
            return Answer(status: status, lines: process.lines.map(\.text))
        }
    }

    /// A line for each task that the recovered state knows, in the reader's words.
    private func described(_ ids: [TaskID], _ state: QueueStateMachine, _ journal: borrowing Journal) throws
        -> (live: Set<String>, finished: Set<String>)
    {
        var (live, finished): (Set<String>, Set<String>) = ([], [])
        for id in ids {
            switch state.lookup(id, now: MonotonicTime(rawValue: 0)) {
            case .live(let task):
                let span = try #require(state.payload(of: id))
                let payload = try #require(try journal.read(span).task?.payload)
                let words = [
                    "\(id)", task.state.word, "queue-\(task.queue.rawValue)", "\(task.sequence.rawValue)",
                    "\(task.receives)", "\(payload.count)", "\(zlibChecksum(payload))", task.group,
                ]
                live.insert(words.joined(separator: " "))
            case .finished(let finishedState, let queue, _):
                let word = finishedState == .completed ? "completed" : "cancelled"
                finished.insert("\(id) \(word) queue-\(queue.rawValue)")
            case .forgotten, .unknown: break
            }
        }
        return (live, finished)
    }

    /// CRC-32 as zlib computes it.
    private func zlibChecksum(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var crc: UInt32 = ~0
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? (crc >> 1) ^ 0xEDB8_8320 : crc >> 1 }
        }
        return ~crc
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func bothReadersFindTheSameTasksInTheSameStates(seed: UInt64) async throws {
        try await TemporaryDirectory.with { directory in
            let storage = FileStorage(directory: "\(directory.path)/journal")
            let options = JournalOptions(segmentBytes: 32 << 10)
            var life = try RandomLife(storage, options: options, seed: seed)
            try life.begin()
            for _ in 0..<500 { try life.turn() }
            let ids = life.ids
            life.close()
            let answer = try await read(directory.path)
            #expect(answer.status == .exited(0), "\(answer.lines)")
            var sink = StateSink()
            let journal = try Journal.open(
                storage: storage, options: options, clocks: clocks(0), sink: &sink)
            let (live, finished) = try described(ids, sink.state, journal)
            // The receipt is left out: lookups do not give it.
            let found = answer.lines("task").map { ($0[..<5] + $0[6...]).joined(separator: " ") }
            #expect(Set(found) == live)
            #expect(Set(answer.lines("finished").map { $0.joined(separator: " ") }) == finished)
            #expect(live.count > 20)
            #expect(answer.lines.contains { $0.hasPrefix("queue-1: ") && $0.hasSuffix(" ok") })
            let (isNew, checkpointed) = (journal.recovery.isNew, journal.recovery.checkpointLSN.rawValue > 0)
            #expect(!isNew && checkpointed)
        }
    }

    @Test func theReaderRefusesAJournalWithAFlippedBitAndOneThatLostItsLastSegment() async throws {
        try await TemporaryDirectory.with { directory in
            let disk = SimulatedDisk(seed: 1)
            var life = try RandomLife(disk, options: JournalOptions(segmentBytes: 32 << 10), seed: 9)
            try life.begin()
            while disk.segmentNames.count < 4 { try life.turn() }
            try life.journal.seal()
            life.close()
            let flipped = disk.restarted()
            flipped.flipBit(8 * 200, of: firstSegment)
            let lost = disk.restarted()
            // Behind the segment in use lie two that were made ahead and hold nothing.
            let used = try #require(lost.segmentNames.dropLast(2).last)
            for name in lost.checkpointNames + [used] { lost.lose(name) }
            for (name, image) in [("whole", disk), ("flipped", flipped), ("lost", lost)] {
                let path = "\(directory.path)/\(name)"
                try image.copy(to: path)
                let answer = try await read(path)
                #expect(answer.status == .exited(name == "whole" ? 0 : 1), "\(name): \(answer.lines)")
                #expect(answer.lines.contains { $0.hasPrefix("violation: ") } == (name != "whole"))
            }
        }
    }
}

extension LiveTask.State {
    fileprivate var word: String {
        switch self {
        case .pending: "pending"
        case .leased: "leased"
        case .parked: "parked"
        case .dead: "dead"
        }
    }
}
