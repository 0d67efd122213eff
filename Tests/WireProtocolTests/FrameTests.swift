import BinaryCoding
import TestSupport
import Testing
import WireProtocol

@Suite struct FrameTests {
    @Test func everyRequestSurvivesInOneFrame() throws {
        var writer = FrameWriter()
        for request in MessageSamples.requests { writer.append(request) }
        var reader = try FrameReader(writer.bytes)
        var read: [Request] = []
        while let request = try reader.nextRequest() { read.append(request) }
        #expect(read == MessageSamples.requests)
    }

    @Test func everyReplySurvivesInOneFrame() throws {
        var writer = FrameWriter()
        for reply in MessageSamples.replies { writer.append(reply) }
        var reader = try FrameReader(writer.bytes)
        var read: [Reply] = []
        while let reply = try reader.nextReply() { read.append(reply) }
        #expect(read == MessageSamples.replies)
    }

    @Test func aFrameCutAnywhereGivesWholeMessagesAndThenAFailure() throws {
        var writer = FrameWriter()
        for request in MessageSamples.requests { writer.append(request) }
        for length in 1..<writer.bytes.count {
            var reader = try FrameReader(Array(writer.bytes.prefix(length)))
            var read: [Request] = []
            var failed = false
            do {
                while let request = try reader.nextRequest() { read.append(request) }
            } catch {
                failed = true
            }
            #expect(read == Array(MessageSamples.requests.prefix(read.count)))
            #expect(failed || isBoundary(length, of: writer.bytes))
        }
    }

    private func isBoundary(_ length: Int, of bytes: [UInt8]) -> Bool {
        var end = 1
        while end < length {
            let size = (0..<4).reduce(0) { $0 | Int(bytes[end + $1]) << (8 * $1) }
            end += 4 + size
        }
        return end == length
    }

    @Test func anEmptyFrameAndAnotherVersionAreRefused() {
        #expect(throws: DecodingFailure.truncated) { try FrameReader([]) }
        #expect(throws: DecodingFailure.unknown(kind: "wire version", value: 9)) { try FrameReader([9]) }
        #expect(throws: DecodingFailure.unknown(kind: "wire version", value: 0)) { try FrameReader([0, 1]) }
    }

    @Test func bytesAfterAMessagesBodyAreRefused() throws {
        var writer = FrameWriter()
        writer.append(Request.credit(tasks: 1))
        var bytes = writer.bytes
        bytes[1] += 1
        bytes.append(0)
        var reader = try FrameReader(bytes)
        #expect(throws: DecodingFailure.self) { try reader.nextRequest() }
    }

    @Test func mutatedFramesNeverTrapTheReader() {
        var random = SeededGenerator(announcedAs: "mutatedFramesNeverTrapTheReader", seed: 31)
        var writer = FrameWriter()
        for request in MessageSamples.requests { writer.append(request) }
        for reply in MessageSamples.replies { writer.append(reply) }
        var failures = 0
        for _ in 0..<4_000 {
            var bytes = writer.bytes
            for _ in 0..<Int.random(in: 1..<4, using: &random) {
                bytes[Int.random(in: 1..<bytes.count, using: &random)] = UInt8.random(
                    in: 0...255, using: &random)
            }
            do {
                var requests = try FrameReader(bytes)
                while try requests.nextRequest() != nil {}
            } catch {
                failures += 1
            }
            do {
                var replies = try FrameReader(bytes)
                while try replies.nextReply() != nil {}
            } catch {
                failures += 1
            }
        }
        #expect(failures > 4_000)
    }

    @Test func aWriterSaysWhenAFrameIsFull() {
        var writer = FrameWriter()
        #expect(!writer.isFull(adding: 100 << 20), "one message alone may be of any size")
        writer.append(Request.credit(tasks: 1))
        #expect(writer.isFull(adding: 4 << 20))
        #expect(!writer.isFull(adding: 100))
        #expect(writer.take().count > 1)
        #expect(writer.isEmpty)
    }
}
