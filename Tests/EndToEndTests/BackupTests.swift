import Glibc
import Synchronization
import TestSupport
import Testing

extension EndToEndTests {
    /// `taskq journal backup` and `restore`, with real daemons under real load.
    @Suite struct BackupTests {
        /// Small segments: many are sealed, compacted and deleted while the copy is taken.
        private static let configuration = """
            [journal]
            segment_bytes = "1 MiB"
            reserve_bytes = "1 MiB"
            [queue]
            history_max = 100000
            """

        /// Acks at once, but for what waits: so that tasks of every state are in the backup.
        private static let processor = """
            #!/usr/bin/env python3
            import json, os, sys
            answers = os.fdopen(3, "w", buffering=1)
            print('{"ready":true,"protocol":1}', file=answers)
            for line in sys.stdin:
                task = json.loads(line)
                if task["payload"]["title"] == "bad":
                    print(json.dumps({"id": task["id"], "dead": "bad"}), file=answers)
                else:
                    print(json.dumps({"id": task["id"], "ack": True}), file=answers)

            """

        /// What clients were told, in the order in which they were told it.
        private final class Told: Sendable {
            let ids = Mutex<[String]>([])
            let isOver = Mutex(false)
        }

        private static func body(_ number: Int) -> String {
            let text = String(repeating: "x", count: 900)
            let title = number % 50 == 0 ? "bad" : "good"
            return #"{"title":"\#(title)","description":"\#(text)","priority":"low"}"#
        }

        private func post(
            to address: SocketAddress, _ told: Told, _ progress: TestSignal<Void>
        ) async throws {
            try await DedicatedThreads.run {
                let connection = try HTTPTestClient(address)
                var number = 0
                while !told.isOver.withLock({ $0 }) {
                    number += 1
                    let answer = try connection.post(
                        "/tasks", Self.body(number), headers: ["Taskq-Group": "g\(number % 7)"])
                    guard answer.status == 201, let id = answer.taskID else { continue }
                    told.ids.withLock { $0.append(id) }
                    progress.fire(())
                }
            }
        }

        /// Gives what was acknowledged before the backup began.
        private func backUpUnderLoad(_ stack: Stack, to copy: String) async throws -> [String] {
            let told = Told()
            let progress = TestSignal<Void>()
            let answers = progress.arm()
            let address = try stack.address
            return try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<4 { group.addTask { try await post(to: address, told, progress) } }
                var count = 0
                for await _ in answers {
                    count += 1
                    if count == 4_000 { break }
                }
                let before = told.ids.withLock { $0 }
                let text = try await stack.taskq(["journal", "backup", copy])
                #expect(text.contains("backed up and checked"), "\(text)")
                let after = told.ids.withLock { $0.count }
                #expect(after > before.count, "clients went on while the copy was taken")
                told.isOver.withLock { $0 = true }
                progress.disarm()
                try await group.waitForAll()
                return before
            }
        }

        @Test(.timeLimit(.minutes(5))) func everythingAcknowledgedBeforeABackupUnderLoadIsInIt()
            async throws
        {
            try await Stack.with(configuration: Self.configuration) { stack in
                let plugin = try stack.plugin("tasks", Self.processor, manifest: "mode = \"stream\"\n")
                try await stack.startAll(plugin: plugin)
                let copy = stack.directory.path("backup/journal")
                let before = try await backUpUnderLoad(stack, to: copy)
                #expect(before.count >= 4_000)
                #expect(TemporaryDirectory.entries(of: copy).contains("taskq-backup"))
                #expect(try await JournalReader.violations(inState: stack.directory.path("backup")) == [])

                // A running broker's folder is refused, and stays as it is.
                let refusal = try await stack.failingTaskq(["journal", "restore", copy])
                #expect(refusal.contains("a broker has it"), "\(refusal)")
                let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
                let old = try #require(status["instance"].string)

                try await Stack.with(configuration: Self.configuration) { other in
                    let journal = "\(other.state)/journal"
                    let text = try await other.taskq(["journal", "restore", copy])
                    #expect(text.contains("will run again"), "\(text)")
                    let verdict = try await other.taskq(["journal", "verify", journal])
                    #expect(verdict.contains("whole up to LSN"), "\(verdict)")
                    #expect(try await JournalReader.violations(inState: other.state) == [])

                    try await other.startBroker()
                    try await other.startIngest()
                    let restored = try JSON(Array(try await other.taskq(["status", "--json"]).utf8))
                    #expect(restored["instance"].string != old)
                    let missing = try await absent(before, at: try other.address)
                    #expect(missing == [], "\(missing.count) of \(before.count)")
                    // What was not finished in the backup runs here.
                    try await other.startWorker("tasks", plugin: plugin)
                    for id in before.suffix(20) {
                        let state = try await other.finished(id)["state"].string
                        #expect(state == "completed" || state == "dead-lettered", "\(state ?? "none")")
                    }
                    let again = try await other.failingTaskq(["journal", "restore", copy, journal])
                    #expect(again.contains("a broker has it"), "\(again)")
                    try await other.stopAndReadJournal()
                    let full = try await other.failingTaskq(["journal", "restore", copy, journal])
                    #expect(full.contains("is not empty"), "\(full)")
                }
                try await stack.stopAndReadJournal()
            }
        }

        private func absent(_ ids: [String], at address: SocketAddress) async throws -> [String] {
            try await DedicatedThreads.run {
                let connection = try HTTPTestClient(address)
                var missing: [String] = []
                for id in ids where try connection.request("GET", "/tasks/\(id)").status != 200 {
                    missing.append(id)
                }
                return missing
            }
        }

        @Test func aStoppedBrokersJournalIsBackedUpAndMovesToAnotherFolder() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                var ids: [String] = []
                for _ in 0..<20 { ids.append(try #require(try await stack.post(EndToEndTests.task).taskID)) }
                for name in ["ingest", "broker"] { try await stack.process(name).terminate() }
                let copy = stack.directory.path("copy")
                let said = try JSON(
                    Array(try await stack.taskq(["journal", "backup", copy, "--json"]).utf8))
                #expect(said["live_tasks"].int == 20, "\(said)")
                let notEmpty = try await stack.failingTaskq(["journal", "backup", copy])
                #expect(notEmpty.contains("is not empty"), "\(notEmpty)")

                try await Stack.with { other in
                    _ = try await other.taskq(["journal", "restore", copy])
                    try await other.startBroker()
                    try await other.startIngest()
                    #expect(try await absent(ids, at: try other.address) == [])
                    try await other.stopAndReadJournal()
                }
            }
        }

        @Test func aBrokerRefusesABackupThatWasPutInItsPlace() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                let journal = "\(stack.state)/journal"
                _ = try await stack.taskq(["journal", "backup", "\(stack.state)/copy"])
                try await stack.process("broker").terminate()
                #expect(rename(journal, "\(stack.state)/old") == 0)
                #expect(rename("\(stack.state)/copy", journal) == 0)
                let broker = try ProcessDescription(product: "taskq-broker", ["--state", stack.state])
                try await ProcessFixture.with(broker) { process in
                    let status = try await process.end()
                    #expect(status == .exited(65))
                    #expect(process.lines.contains { $0.text.contains("this is a backup and no journal") })
                }
            }
        }
    }
}
