import Glibc
import Synchronization
import TestSupport
import Testing

extension EndToEndTests {
    /// Sixteen clients, one group, and every daemon killed again and again on the way.
    ///
    /// `TASKQ_KILLS` says how often each of the three; `make crash` has a hundred.
    @Suite struct KillTests {
        private static let clients = 16
        private static let kills = getenv("TASKQ_KILLS").flatMap { Int(String(cString: $0)) } ?? 10
        /// About a hundred posts lie between two kills at the least.
        private static let tasksPerClient = max(625, kills * 20)

        /// Reads tasks one by one and writes down each delivery before it answers.
        private static let recorder = """
            #!/usr/bin/env python3
            import json, os, sys
            answers = os.fdopen(3, "w", buffering=1)
            log = os.open(os.environ["RECORD"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            print('{"ready":true,"protocol":1}', file=answers)
            for line in sys.stdin:
                task = json.loads(line)
                os.write(log, (task["id"] + " " + str(task["attempt"]) + "\\n").encode())
                print(json.dumps({"id": task["id"], "ack": True}), file=answers)

            """

        @Test(.timeLimit(.minutes(15))) func nothingIsLostOrReorderedWhileEveryDaemonIsKilled()
            async throws
        {
            let configuration = "[queue]\nmax_attempts = 100\n"
            try await Stack.with(configuration: configuration) { stack in
                let record = stack.directory.path("record")
                let plugin = try stack.plugin(
                    "tasks", Self.recorder,
                    manifest: "mode = \"stream\"\n[environment]\nRECORD = \"\(record)\"\n")
                try await stack.startAll(plugin: plugin)
                let accepted = try await post(to: stack, plugin: plugin)

                #expect(accepted.count == Self.clients * Self.tasksPerClient)
                // In the order of acceptance, so that each wait is short; one that fails says what all others
                // wait for.
                for (id, _) in accepted.sorted(by: { $0.value < $1.value }) {
                    let view = try await stack.finished(id)
                    try #require(view["state"].string == "completed", "task \(id): \(view)")
                }
                try check(record: record, against: accepted)
                try await checkSums(of: stack, accepted: accepted.count)
                try await stack.stopAndReadJournal()
            }
        }

        /// Posts everything; kills and restarts a daemon after each so many answers.
        ///
        /// Gives id and sequence of every 201.
        private func post(to stack: Stack, plugin: String) async throws -> [String: UInt64] {
            let progress = TestSignal<Void>()
            let answers = progress.arm()
            let address = try stack.address
            return try await withThrowingTaskGroup(of: [String: UInt64].self) { group in
                for client in 0..<Self.clients {
                    group.addTask {
                        try await DedicatedThreads.run { try Self.postAll(as: client, to: address, progress) }
                    }
                }
                let total = Self.clients * Self.tasksPerClient
                async let killed = kill(stack, plugin: plugin, after: answers, total: total)
                var accepted: [String: UInt64] = [:]
                for try await part in group { accepted.merge(part) { first, _ in first } }
                progress.disarm()
                let kills = try await killed
                #expect(kills.allSatisfy { $0.value >= Self.kills }, "\(kills)")
                return accepted
            }
        }

        private func kill(
            _ stack: Stack, plugin: String, after answers: AsyncStream<Void>, total: Int
        ) async throws -> [String: Int] {
            let names = ["broker", "ingest", "worker tasks"]
            var kills: [String: Int] = [:]
            var count = 0
            let step = total / (Self.kills * names.count + 2)
            for await _ in answers {
                count += 1
                guard count % step == 0, kills.values.reduce(0, +) < Self.kills * names.count else {
                    continue
                }
                let name = names[(count / step) % names.count]
                try await stack.process(name).killHard()
                switch name {
                case "broker": try await stack.startBroker()
                case "ingest": try await stack.startIngest()
                case _: try await stack.startWorker("tasks", plugin: plugin)
                }
                kills[name, default: 0] += 1
            }
            return kills
        }

        /// One client: each task with a key of its own, repeated until it is answered with 201.
        private static func postAll(
            as client: Int, to address: SocketAddress, _ progress: TestSignal<Void>
        ) throws -> [String: UInt64] {
            var accepted: [String: UInt64] = [:]
            var connection: HTTPTestClient?
            let deadline = MonotonicDeadline.after(.seconds(700))
            for number in 0..<tasksPerClient {
                while true {
                    guard MonotonicDeadline.now() < deadline else { return accepted }
                    do {
                        if connection == nil { connection = try HTTPTestClient(address) }
                        let answer = try connection?.post(
                            "/tasks", #"{"title":"\#(client)","description":"\#(number)","priority":"low"}"#,
                            headers: ["Idempotency-Key": "\(client)-\(number)"])
                        guard let answer, answer.status == 201, let id = answer.taskID,
                            let sequence = answer[header: "Taskq-Sequence"].flatMap({ UInt64($0) })
                        else { continue }
                        accepted[id] = sequence
                        progress.fire(())
                        break
                    } catch {
                        connection = nil
                    }
                }
            }
            return accepted
        }

        /// Every 201 was processed, and the first deliveries came in the order of acceptance.
        private func check(record: String, against accepted: [String: UInt64]) throws {
            var seen: Set<String> = []
            var order: [UInt64] = []
            for line in try TextFile.lines(of: record) where !line.isEmpty {
                let id = String(line.prefix(36))
                if seen.insert(id).inserted, let sequence = accepted[id] { order.append(sequence) }
            }
            #expect(Set(accepted.keys).isSubset(of: seen), "every 201 was processed")
            #expect(seen.count == accepted.count, "nothing was processed that was not accepted")
            #expect(order == order.sorted(), "first deliveries are in the order of Taskq-Sequence")
        }

        /// Guarantee K.
        private func checkSums(of stack: Stack, accepted: Int) async throws {
            let status = try JSON(Array(try await stack.taskq(["status", "--json"]).utf8))
            let queue = try #require(status["queues"].array.first { $0["name"].string == "tasks" })
            let parts = ["pending", "leased", "parked", "completed", "dead", "cancelled", "purged"]
            let sum = parts.reduce(0) { $0 + (queue[$1].int ?? 1_000_000) }
            #expect(queue["accepted"].int == accepted, "\(queue)")
            #expect(sum == accepted, "\(queue)")
            #expect(queue["completed"].int == accepted, "\(queue)")
        }
    }
}
