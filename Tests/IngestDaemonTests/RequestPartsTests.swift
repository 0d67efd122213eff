import TaskModel
import TaskValidation
import Testing
import WireProtocol

@testable import IngestDaemon

@Suite struct RouteTests {
    private func find(_ path: String) -> Route { Array(path.utf8).withUnsafeBytes { Route.find($0) } }

    @Test func pathsAreTakenAsTheyWereSent() {
        let id = "0198f6e2-7c1a-7d54-9b3e-0f2a6c8d4e10"
        #expect(find("/tasks") == .queue("tasks"))
        #expect(find("/queues/mail-2_x/tasks") == .queue("mail-2_x"))
        #expect(find("/tasks/\(id)") == TaskID(id).map { .task($0) })
        #expect(find("/healthz") == .health)
        #expect(find("/readyz") == .readiness)
        #expect(find("/tasks/") == .redirect("/tasks"))
        #expect(find("/queues/a/tasks/") == .redirect("/queues/a/tasks"))
        for unknown in [
            "/", "//", "", "/task", "/Tasks", "//tasks", "/tasks//", "/./tasks", "/tasks/../tasks",
            "/%74asks",
            "/tasks/\(id)x", "/tasks/\(id.dropLast())", "/queues//tasks", "/queues/A/tasks",
            "/queues/a%20/tasks",
            "/queues/\(String(repeating: "a", count: 65))/tasks", "/queues/a", "*", "/healthz/x",
            "/tasks/batch",
        ] {
            #expect(find(unknown) == .unknown, "\(unknown)")
        }
    }
}

@Suite struct TaskIDMintTests {
    @Test func idsGrowWhateverTheClockDoes() {
        var mint = TaskIDMint(seed: (1, 2, 3, 4))
        var last = TaskID(high: 0, low: 0)
        for step in 0..<200_000 {
            let id = mint.next(unixMilliseconds: UInt64(1_000_000 + (step / 1_000) * (step % 3 == 0 ? 1 : 0)))
            #expect(id > last)
            last = id
        }
    }

    @Test func idsAreOfVersion7AndCarryTheTime() {
        var mint = TaskIDMint(seed: (9, 8, 7, 6))
        for time in [UInt64(1), 1_798_761_600_000, 0xFFFF_FFFF_FFFF] {
            let text = mint.next(unixMilliseconds: time).description
            #expect(Array(text)[14] == "7")
            #expect("89ab".contains(Array(text)[19]))
            #expect(TaskID(text)?.unixMilliseconds == time)
        }
    }

    @Test func twoProcessesDoNotMeet() {
        var first = TaskIDMint(seed: (1, 2, 3, 4))
        var second = TaskIDMint(seed: (1, 3, 3, 4))
        let ids = (0..<1_000).flatMap { _ in
            [first.next(unixMilliseconds: 7), second.next(unixMilliseconds: 7)]
        }
        #expect(Set(ids).count == ids.count)
    }
}

@Suite struct ContentDigestTests {
    private func siphash(_ bytes: some Sequence<UInt8>) -> [UInt8] {
        var hash = SipHash128(key: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
        for byte in bytes { hash.add(byte) }
        let digest = hash.finish()
        return [digest.low, digest.high].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
    }

    /// From the reference implementation's vectors: key 00…0f, inputs 00, 01, … of growing length.
    @Test func theHashIsSipHash24With128Bits() {
        #expect(
            siphash([]) == [
                0xA3, 0x81, 0x7F, 0x04, 0xBA, 0x25, 0xA8, 0xE6, 0x6D, 0xF6, 0x72, 0x14, 0xC7, 0x55, 0x02,
                0x93,
            ])
        #expect(
            siphash([0]) == [
                0xDA, 0x87, 0xC1, 0xD8, 0x6B, 0x99, 0xAF, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9B, 0x22, 0xFC,
                0x45,
            ])
    }

    /// Kept in journals: if this fails, the digest has changed, and that must not be.
    @Test func digestsAreTheSameForEver() {
        let key = ContentDigest.ofKey(apiKey: [], key: Array("order-1".utf8))
        let content = ContentDigest.ofContent(group: Array("g".utf8), stored: Array("{\"a\":1}".utf8))
        #expect(key == Digest(high: 0xC430_8BE6_1C70_B726, low: 0xA1C1_5AC3_47C2_1B9A))
        #expect(content == Digest(high: 0x8E97_8C7E_8464_574A, low: 0x3828_331D_AD98_E706))
    }

    @Test func whatStandsInOnePartNeverLooksLikeTheOther() {
        let pairs = [("", "ab"), ("a", "b"), ("ab", ""), ("", "a"), ("a", ""), ("", "")]
        let digests = pairs.map { ContentDigest.ofContent(group: Array($0.0.utf8), stored: Array($0.1.utf8)) }
        #expect(Set(digests).count == pairs.count)
    }
}

@Suite struct PostFieldsTests {
    private func fields(
        _ header: String
    ) throws -> Result<PostFields, HTTPValidationError> {
        let text = Array("POST /tasks HTTP/1.1\r\nHost: x\r\n\(header)\r\n\r\n".utf8)
        return try text.withUnsafeBytes { bytes in
            let head = try RequestHeadParser.parse(bytes, limits: RequestLimits())
            do throws(HTTPValidationError) {
                return .success(try PostFields(head, in: bytes))
            } catch {
                return .failure(error)
            }
        }
    }

    @Test(arguments: [
        ("application/json", true), ("Application/JSON; charset=utf-8", true),
        ("application/vnd.x+json", true),
        ("application/json ;x", true), ("application/+json", false), ("text/json", false),
        ("application/jsonx", false),
        ("application/x-www-form-urlencoded", false), ("text/plain", false), ("", false), ("json", false),
    ])
    func jsonIsWhatFastAPICallsJSON(type: String, isJSON: Bool) throws {
        #expect(try fields("Content-Type: \(type)").get().saysJSON == isJSON)
    }

    @Test(arguments: [
        ("abc", "abc"), ("\"abc\"", "abc"), ("\"a\\\"b\\\\\"", "a\"b\\"), ("a\"b", "a\"b"), ("a b", "a b"),
        ("\"\"", nil), ("", nil), ("\"abc", nil), ("\"", nil), ("\"a\"b\"", nil), ("\"a\\\"", nil),
        ("\"a\\n\"", nil),
        ("\u{E9}", nil), (String(repeating: "k", count: 255), String(repeating: "k", count: 255)),
        (String(repeating: "k", count: 256), nil),
    ])
    func aKeyIsBareOrInQuotes(written: String, meant: String?) throws {
        switch try fields("Idempotency-Key: \(written)") {
        case .success(let fields):
            #expect(fields.idempotencyKey.map { String(decoding: $0, as: UTF8.self) } == meant)
        case .failure(let error):
            #expect(meant == nil)
            #expect(
                String(decoding: error.json, as: UTF8.self).contains(#""loc":["header","Idempotency-Key"]"#))
        }
    }

    @Test func aGroupIs1To128PrintableCharacters() throws {
        #expect(try fields("Taskq-Group: customer 7").get().group == "customer 7")
        let longest = String(repeating: "g", count: 128)
        #expect(try fields("Taskq-Group: \(longest)").get().group == longest)
        for wrong in ["", longest + "g", "a\tb", "\u{E9}"] {
            #expect(throws: HTTPValidationError.self) { try fields("Taskq-Group: \(wrong)").get() }
        }
    }

    @Test func aTraceparentThatIsNoneIsLeftOut() throws {
        let good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        #expect(try fields("traceparent: \(good)").get().traceparent == Array(good.utf8))
        for wrong in [
            "", "x", good + "-x", good.uppercased(), String(good.dropLast()), "ff" + good.dropFirst(2),
        ] {
            #expect(try fields("traceparent: \(wrong)").get().traceparent.isEmpty)
        }
        #expect(try fields("traceparent: \(good)\r\ntraceparent: \(good)").get().traceparent.isEmpty)
    }
}
