import Glibc
import TestSupport
import Testing

extension EndToEndTests {
    /// The broker's ends: what it refuses, and with which status.
    @Suite struct BrokerProcessTests {
        @Test func aSecondBrokerOnOneDirectoryIsRefused() async throws {
            try await Stack.with { stack in
                let first = try await stack.startBroker()
                let second = try ProcessDescription(product: "taskq-broker", ["--state", stack.state])
                try await ProcessFixture.with(second) { process in
                    let status = try await process.end()
                    #expect(status == .exited(75))
                    #expect(process.lines.contains { $0.text.contains("another broker has this journal") })
                }
                #expect(first.status == nil)
            }
        }

        @Test func aDamagedJournalIsNotServedAndSaysSo() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                for _ in 0..<3 { #expect(try await stack.post(EndToEndTests.task).status == 201) }
                #expect(try await stack.process("broker").terminate() == .exited(0))
                let journal = "\(stack.state)/journal"
                let names = TemporaryDirectory.entries(of: journal).filter { $0.hasSuffix(".segment") }
                let segment = "\(journal)/\(try #require(names.first))"
                var bytes = try TextFile.bytes(of: segment)
                // The first batch, behind the segment's 64 bytes of header.
                bytes[64 + 80] ^= 1
                let descriptor = open(segment, O_WRONLY | O_CLOEXEC)
                pwrite(descriptor, &bytes, 256, 0)
                close(descriptor)
                let broken = try ProcessDescription(product: "taskq-broker", ["--state", stack.state])
                try await ProcessFixture.with(broken) { process in
                    let status = try await process.end()
                    #expect(status == .exited(65))
                    let line = process.lines.first { $0.text.contains("journal is damaged") }?.text ?? ""
                    #expect(line.contains("segment 1, offset 64: "), "\(process.lines)")
                    #expect(line.contains("LSN 1 to "), "\(line)")
                }
            }
        }

        @Test func aJournalThatLostItsFilesIsNotServedAsANewOne() async throws {
            try await Stack.with { stack in
                try await stack.startBroker()
                try await stack.startIngest()
                #expect(try await stack.post(EndToEndTests.task).status == 201)
                #expect(try await stack.process("broker").terminate() == .exited(0))
                let journal = "\(stack.state)/journal"
                for name in TemporaryDirectory.entries(of: journal) where name.hasSuffix(".segment") {
                    unlink("\(journal)/\(name)")
                }
                let broken = try ProcessDescription(product: "taskq-broker", ["--state", stack.state])
                try await ProcessFixture.with(broken) { process in
                    let status = try await process.end()
                    #expect(status == .exited(65))
                    #expect(
                        process.lines.contains {
                            $0.text.contains("segment 1, offset 0: the segment is not there")
                        })
                }
            }
        }

        @Test func aSystemTermEndsEveryDaemonCleanly() async throws {
            try await Stack.with { stack in
                let plugin = try stack.plugin("tasks", "#!/bin/sh\nexit 0\n")
                try await stack.startAll(plugin: plugin)
                let id = try #require(try await stack.post(EndToEndTests.task).taskID)
                #expect(try await stack.finished(id)["state"].string == "completed")
                for name in ["worker tasks", "ingest", "broker"] {
                    #expect(try await stack.process(name).terminate() == .exited(0), "\(name)")
                }
            }
        }
    }
}
