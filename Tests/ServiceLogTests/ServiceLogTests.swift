import Glibc
import LinuxSystem
import Logging
import ServiceLog
import TestSupport
import Testing

@Suite(.serialized) struct ServiceLogTests {
    /// A pipe that nobody reads is full at 64 KiB: then the log's thread waits, and its ring fills.
    private struct Pipe {
        let reader: CInt
        let writer: CInt

        init() throws {
            var ends: [CInt] = [0, 0]
            try #require(pipe(&ends) == 0)
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            (reader, writer) = (ends[0], ends[1])
        }

        /// Everything up to the end of the stream.
        func readAll() -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(reader, &chunk, chunk.count)
                guard count > 0 else { return String(decoding: bytes, as: UTF8.self) }
                bytes += chunk[..<count]
            }
        }
    }

    @Test func whatWasLoggedIsWrittenInOrderBeforeShutdownReturns() throws {
        try TemporaryDirectory.with { directory in
            let path = try directory.write("", to: "log")
            let file = try OwnedDescriptor(opening: path, flags: O_WRONLY)
            let log = try ServiceLog(identifier: "taskq-test", format: .json, descriptor: file.rawValue)
            var logger = log.makeLogger(label: "test")
            logger[metadataKey: "queue"] = "tasks"
            for number in 0..<500 { logger.info("line", metadata: ["number": "\(number)"]) }
            logger.debug("below the level")
            log.shutdown()
            let lines = try TextFile.lines(of: path).dropLast()
            #expect(lines.count == 500)
            for (number, line) in lines.enumerated() {
                #expect(line.hasSuffix(#""message":"line","number":"\#(number)","queue":"tasks"}"#))
            }
        }
    }

    @Test func aFullRingDropsAndCountsAndSaysSo() throws {
        let pipe = try Pipe()
        let log = try ServiceLog(
            identifier: "taskq-test", format: .json, descriptor: pipe.writer, ringLines: 64)
        let logger = log.makeLogger(label: "test")
        let padding = "dropped or written" + String(repeating: "x", count: 1_000)
        for number in 0..<2_000 { logger.info("\(padding)", metadata: ["number": "\(number)"]) }
        let reader = SharedList<String>()
        let thread = try SystemThread(name: "reader") { reader.append(pipe.readAll()) }
        log.shutdown()
        close(pipe.writer)
        thread.join()
        close(pipe.reader)
        let lines = reader.values.joined().split(separator: "\n")
        let written = lines.count { $0.contains(padding) }
        let dropped = lines.compactMap { line -> Int? in
            guard line.contains("log lines dropped") else { return nil }
            // "log.dropped":"123" among the other members.
            let words = line.split(separator: "\"")
            return words.firstIndex(of: "log.dropped").flatMap { Int(words[$0 + 2]) }
        }
        #expect(written < 2_000)
        #expect(written + dropped.reduce(0, +) == 2_000)
    }

    @Test func anOfferIsRefusedByAFullRingAndNothingIsLost() throws {
        let pipe = try Pipe()
        let log = try ServiceLog(
            identifier: "taskq-test", format: .json, descriptor: pipe.writer, ringLines: 8)
        let padding = "offered" + String(repeating: "x", count: 30_000)
        var taken = 0
        // The pipe holds two such lines and the ring eight: nobody reads, so one offer has to be refused.
        while taken < 1_000, log.offer(.info, padding) { taken += 1 }
        #expect(taken < 1_000)
        let reader = SharedList<String>()
        let thread = try SystemThread(name: "reader") { reader.append(pipe.readAll()) }
        log.shutdown()
        close(pipe.writer)
        thread.join()
        close(pipe.reader)
        #expect(reader.values.joined().split(separator: "\n").count == taken)
    }

    @Test func anOfferBelowTheLevelIsTakenAndNotWritten() throws {
        let pipe = try Pipe()
        defer { close(pipe.reader) }
        let log = try ServiceLog(identifier: "t", format: .json, level: .warning, descriptor: pipe.writer)
        #expect(log.offer(.info, "quiet"))
        log.shutdown()
        close(pipe.writer)
        #expect(pipe.readAll() == "")
    }
}
