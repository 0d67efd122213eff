import Glibc
import TaskModel
import TestSupport
import Testing
import WireProtocol

/// No space left, on real file systems.
@Suite(.serialized, .enabled(if: !SmallDisk.usable.isEmpty, "mounting is not permitted here"))
struct FullDiskTests {
    /// Posts are refused at once with a name for it, what was accepted is drained while the disk is full, and
    /// the space that this frees is used for posts again, all in one life.
    @Test(arguments: SmallDisk.usable, [1_000, 100_000])
    func aFullDiskRefusesPostsAndDrains(_ disk: SmallDisk, bytes: Int) async throws {
        try await live(on: disk, mebibytes: 10) { talk, _ in try Self.fillAndDrain(talk, bytes: bytes) }
    }

    /// Tens of thousands of tasks, whose deliveries and ends take as much room as they do themselves.
    @Test(arguments: SmallDisk.usable) func aDiskFullOfSmallTasksDrains(_ disk: SmallDisk) async throws {
        try await live(on: disk, mebibytes: 7) { talk, _ in try Self.fillAndDrain(talk, bytes: 100) }
    }

    @Test func aDiskFullOfTasksWithoutHistoryDrains() async throws {
        try await live(on: .tmpfs, mebibytes: 7, queue: #"history = "0s""#) { talk, _ in
            try Self.fillAndDrain(talk, bytes: 100)
        }
    }

    private static func fillAndDrain(_ talk: Conversation, bytes: Int) throws {
        try talk.greet([.client, .admin])
        try postUntilRefused(talk, bytes: bytes)
        #expect(talk.ledger.order.count * bytes > 1_000_000)
        try talk.greet([.worker])
        try talk.until("every task's end", within: .seconds(60)) { $0.isFinished }
        try postUntilAccepted(talk)
    }

    /// The space belongs to somebody else, who gives it back.
    @Test(arguments: SmallDisk.usable) func spaceThatComesBackIsUsedWithoutARestart(_ disk: SmallDisk)
        async throws
    {
        try await live(on: disk, mebibytes: 16) { talk, folder in
            try talk.greet([.client, .admin])
            let filler = "\(folder.parent)/filler"
            try Self.fill(filler)
            try Self.postUntilRefused(talk, bytes: 50_000)
            // Refused posts are no news to what was accepted: it can still be looked up and worked on.
            try talk.greet([.worker])
            try talk.until("every task's end", within: .seconds(30)) { $0.isFinished }
            unlink(filler)
            try Self.postUntilAccepted(talk)
        }
    }

    /// One life on a small disk, and one after it.
    private func live(
        on disk: SmallDisk, mebibytes: Int, queue: String = "",
        _ play: @escaping @Sendable (Conversation, LifeFolder) throws -> Void
    ) async throws {
        try await LifeFolder.with(journal: "", queue: queue) { folder in
            try await disk.with(mebibytes: mebibytes, on: folder) {
                var ledger = Ledger()
                ledger.mayForget = true
                let run = try await BrokerRun.run(folder, environment: [:], ledger: ledger) { talk in
                    try play(talk, folder)
                }
                ledger = run.ledger
                #expect(ledger.violations == [])
                #expect(run.status == .exited(0), "\(run.output.suffix(1))")
                ledger.beginLife(isNewSession: true)
                let after = try await BrokerRun.run(folder, environment: [:], ledger: ledger, Aftermath.play)
                #expect(after.ledger.violations == [])
                #expect(after.status == .exited(0), "\(after.output.suffix(1))")
                let violations = try await JournalReader.violations(inState: folder.state)
                #expect(violations == [])
            }
        }
    }

    /// Posts until the disk is full, and some more; each answer comes within a second.
    private static func postUntilRefused(_ talk: Conversation, bytes: Int) throws {
        var refusals = 0
        while refusals < 3 {
            let first = talk.ledger.order.count
            let began = MonotonicDeadline.now()
            let count = max(10, min(200, 1_000_000 / bytes))
            talk.say((0..<count).map { talk.ledger.post("g\($0)", .ack, bytes: bytes) }, as: .client)
            try Life.untilAnswered(talk)
            #expect(MonotonicDeadline.now() - began < 1_000_000_000)
            let outcomes = talk.ledger.order[first...].compactMap { talk.ledger.posts[$0]?.outcome }
            if outcomes.contains(.diskFull) { refusals += 1 }
            #expect(
                outcomes.allSatisfy { outcome in
                    if case .accepted = outcome { true } else { outcome == .diskFull }
                })
        }
    }

    /// The broker looks for space once a second.
    private static func postUntilAccepted(_ talk: Conversation) throws {
        let deadline = MonotonicDeadline.after(.seconds(5))
        while MonotonicDeadline.now() < deadline {
            talk.say([talk.ledger.post("again", .ack)], as: .client)
            try Life.untilAnswered(talk)
            let last = talk.ledger.order.last.flatMap { talk.ledger.posts[$0] }
            if last?.sequence != nil { return try Life.untilQuiet(talk) }
        }
        Issue.record("no post is accepted although there is space again")
    }

    /// Takes every block that is free.
    private static func fill(_ path: String) throws {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        try #require(descriptor >= 0)
        defer { close(descriptor) }
        var block = [UInt8](repeating: 1, count: 4_096)
        while write(descriptor, &block, block.count) > 0 {}
        fsync(descriptor)
    }
}
