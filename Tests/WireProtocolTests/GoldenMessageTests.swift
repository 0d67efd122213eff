import Glibc
import TestSupport
import Testing
import WireProtocol

/// Every message as an earlier build wrote it, byte for byte: see Fixtures/README.md.
@Suite struct GoldenMessageTests {
    private static let fixtures = "\(BuiltProducts.repositoryRoot())/Tests/WireProtocolTests/Fixtures"

    /// One line: which way it goes, its kind, and a frame that holds it alone.
    private static func line(_ direction: String, _ frame: [UInt8]) -> String {
        let digits = frame.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(direction) \(frame[5]) \(digits)"
    }

    private static var requests: [String] {
        MessageSamples.requests.map { request in
            var writer = FrameWriter()
            writer.append(request)
            return line("request", writer.bytes)
        }
    }

    private static var replies: [String] {
        MessageSamples.replies.map { reply in
            var writer = FrameWriter()
            writer.append(reply)
            return line("reply", writer.bytes)
        }
    }

    private func golden(_ version: String, _ direction: String) throws -> [String] {
        let text = String(
            decoding: try TextFile.bytes(of: "\(Self.fixtures)/\(version)/messages.txt"), as: UTF8.self)
        return text.split(separator: "\n").map(String.init).filter { $0.hasPrefix("\(direction) ") }
    }

    private func frame(_ line: String) throws -> [UInt8] {
        let digits = try #require(line.split(separator: " ").last)
        return stride(from: 0, to: digits.count, by: 2).compactMap { at in
            UInt8(digits.dropFirst(at).prefix(2), radix: 16)
        }
    }

    @Test(arguments: ["v1"]) func goldenRequestsAreReadAsTheyWereMeant(version: String) throws {
        let lines = try golden(version, "request")
        #expect(lines.count >= 17)
        for (line, meant) in zip(lines, MessageSamples.requests) {
            var reader = try FrameReader(try frame(line))
            #expect(try reader.nextRequest() == meant, "\(line)")
            #expect(try reader.nextRequest() == nil)
        }
    }

    @Test(arguments: ["v1"]) func goldenRepliesAreReadAsTheyWereMeant(version: String) throws {
        let lines = try golden(version, "reply")
        #expect(lines.count >= 25)
        for (line, meant) in zip(lines, MessageSamples.replies) {
            var reader = try FrameReader(try frame(line))
            #expect(try reader.nextReply() == meant, "\(line)")
            #expect(try reader.nextReply() == nil)
        }
    }

    @Test func thePresentVersionWritesItsGoldenMessagesByteForByte() throws {
        let version = "v\(WireVersion.current)"
        let (requests, replies) = (try golden(version, "request"), try golden(version, "reply"))
        #expect(Array(Self.requests.prefix(requests.count)) == requests)
        #expect(Array(Self.replies.prefix(replies.count)) == replies)
    }

    /// Writes the golden file of the present version into the folder that `TASKQ_WRITE_GOLDEN` names; for the
    /// one time in a version's life when there is none.
    @Test(.enabled(if: getenv("TASKQ_WRITE_GOLDEN") != nil)) func goldenMessagesAreWritten() throws {
        let folder = String(cString: try #require(getenv("TASKQ_WRITE_GOLDEN")))
        let descriptor = open("\(folder)/messages.txt", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
        #expect(descriptor >= 0)
        var bytes = Array((Self.requests + Self.replies).map { $0 + "\n" }.joined().utf8)
        #expect(write(descriptor, &bytes, bytes.count) == bytes.count)
        close(descriptor)
    }
}
