import BinaryCoding
import TaskModel
import TestSupport
import Testing

@Suite struct AttemptCodingTests {
    private func attempt(_ number: UInt32, reason: String = "no", stderr: [UInt8] = []) -> AttemptRecord {
        AttemptRecord(
            number: number, outcome: .exited(status: 3), startedAt: WallTime(rawValue: 1_000),
            durationMilliseconds: 12, worker: "a@tasks", reason: reason, stderrTail: stderr[...])
    }

    @Test(arguments: [
        AttemptOutcome.exited(status: 255), .signalled(9), .timedOut, .outOfMemory, .nacked, .rejected,
        .badAnswer,
        .workerLost, .leaseExpired, .operatorAct,
    ])
    func everyOutcomeSurvives(outcome: AttemptOutcome) throws {
        var record = attempt(4, stderr: [0, 10, 255])
        record.outcome = outcome
        var writer = ByteWriter()
        record.encode(to: &writer)
        var reader = ByteReader(writer.bytes)
        #expect(try AttemptRecord(from: &reader) == record)
        #expect(reader.isAtEnd)
    }

    @Test func aHistoryKeepsTheNewestAttempts() throws {
        var history: [UInt8] = []
        for number in 1...UInt32(AttemptRecord.keptMax + 5) {
            history = try AttemptRecord.history(history[...], adding: attempt(number))
        }
        let attempts = try AttemptRecord.decodeHistory(history[...])
        #expect(attempts.map(\.number) == Array(6...UInt32(AttemptRecord.keptMax + 5)))
    }

    @Test func longWordsAreCutAtACharacterAndStderrKeepsItsTail() throws {
        let reason = String(repeating: "é", count: AttemptRecord.reasonBytesMax)
        let stderr =
            [UInt8](repeating: 1, count: 10) + [UInt8](repeating: 2, count: AttemptRecord.stderrBytesMax)
        let history = try AttemptRecord.history([], adding: attempt(1, reason: reason, stderr: stderr))
        let read = try #require(try AttemptRecord.decodeHistory(history[...]).first)
        #expect(read.reason.utf8.count <= AttemptRecord.reasonBytesMax)
        #expect(read.reason.allSatisfy { $0 == "é" })
        #expect(read.stderrTail.elementsEqual(stderr.suffix(AttemptRecord.stderrBytesMax)))
    }

    @Test func randomBytesAreAHistoryOrAFailure() {
        var random = SeededGenerator(announcedAs: "randomBytesAreAHistoryOrAFailure", seed: 21)
        var failures = 0
        for _ in 0..<20_000 {
            let bytes = random.bytes(count: Int.random(in: 1..<80, using: &random))
            do {
                _ = try AttemptRecord.decodeHistory(bytes[...])
            } catch {
                failures += 1
            }
        }
        #expect(failures > 19_000)
    }
}
