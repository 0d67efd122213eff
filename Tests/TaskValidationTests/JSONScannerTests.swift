import TestSupport
import Testing

@testable import TaskValidation

@Suite struct JSONScannerTests {
    @Test func textsAreAcceptedAndRefusedAsPythonDoesWithItsWordsAndPlaces() throws {
        let cases = try FixtureTable.read("syntax")
        #expect(cases.count >= 200)
        for row in cases {
            let text = Array(try #require(row["text"]?.string).utf8)
            let shown = Comment(rawValue: String(decoding: text, as: UTF8.self))
            do throws(JSONError) {
                _ = try JSONValue.parse(text)
                #expect(row["valid"]?.bool == true, shown)
            } catch {
                #expect(row["valid"]?.bool == false, shown)
                // Python accepts byte order marks and UTF-16, whose first bytes look like these texts.
                if error.reason == .notUTF8 { continue }
                #expect(row["msg"]?.string == error.message, shown)
                #expect(
                    row["pos"]?.integer() == text.withUnsafeBytes { error.characterOffset(in: $0) }, shown)
            }
        }
    }

    @Test(
        arguments: [
            ("\u{FEFF}{}", .notUTF8, 0), ("[\"a\u{0}\"]", .invalidControlCharacter, 3),
            ("NaN", .expectingValue, 0),
            ("[Infinity]", .expectingValue, 1), ("[-Infinity]", .expectingValue, 1),
            (#"{"a":1,"a":2}"#, .duplicateKey, 7), (#"{"a":1,"b":{"x":0,"\u0078":1}}"#, .duplicateKey, 18),
            (#"{"\ud800":1,"\ud800":2}"#, .duplicateKey, 12), (#"["\ud800"]"#, .loneSurrogate, 1),
            (#"{"\udc00":1}"#, .loneSurrogate, 1), (#"["x\ud800\u0041"]"#, .loneSurrogate, 1),
            (#"["\ud800\ud800\udc00"]"#, .loneSurrogate, 1),
        ] as [(String, JSONError.Reason, Int)])
    func whatPythonLetsPassIsRefusedWithItsPlace(text: String, reason: JSONError.Reason, offset: Int) {
        #expect(throws: JSONError(reason, at: offset)) { try JSONValue.parse(Array(text.utf8)) }
    }

    @Test(
        arguments: [
            [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xC3, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22],
            [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22], [0x22, 0xE0, 0x9F, 0xBF, 0x22],
            [0x22, 0xF0, 0x8F, 0xBF, 0xBF, 0x22],
            [0xFF, 0xFE, 0x31, 0x00], [0x31, 0x00], [0x00, 0x31], [0x7B, 0xFF],
            [0x5B, 0x31, 0x20, 0x32, 0xFF],
        ] as [[UInt8]])
    func whatIsNotUTF8IsRefusedAsSuchWhateverElseIsWrong(bytes: [UInt8]) {
        let error = #expect(throws: JSONError.self) { try JSONValue.parse(bytes) }
        #expect(error?.reason == .notUTF8)
    }

    @Test func nestingIsReadTo64AndRefusedAt65() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue.parse(nested(64))
        #expect(throws: JSONError(.tooDeep, at: 64)) { try JSONValue.parse(nested(65)) }
        #expect(throws: JSONError(.tooDeep, at: 64)) {
            try JSONValue.parse(Array(String(repeating: "[", count: 1_000_000).utf8))
        }
    }

    @Test(arguments: [2, 12, 13, 500]) func theFirstRepeatedKeyIsFoundInObjectsOfAnySize(count: Int) {
        let keys = (0..<count).map { "\"k\($0)\":0" } + ["\"k1\":1", "\"k0\":1"]
        let text = "{" + keys.joined(separator: ",") + "}"
        let before = "{" + keys.prefix(count).joined(separator: ",") + ","
        #expect(throws: JSONError(.duplicateKey, at: before.utf8.count)) {
            try JSONValue.parse(Array(text.utf8))
        }
    }

    @Test func aHundredThousandKeysCostNoMoreThanSortingThem() throws {
        let text = "{" + (0..<100_000).map { "\"\($0)\":0" }.joined(separator: ",") + "}"
        #expect(try JSONValue.parse(Array(text.utf8)).members?.count == 100_000)
    }

    @Test func specialBytesAreFoundAtEveryPlaceOfAWord() throws {
        for length in 0..<40 {
            let plain = String(repeating: "~", count: length)
            #expect(try JSONValue.parse(Array("\"\(plain)\"".utf8)).string == plain)
            for (written, meant) in [("\\n", "\n"), ("é", "é"), ("\u{7F}", "\u{7F}"), (" ", " "), ("!", "!")]
            {
                let value = try JSONValue.parse(Array("\"\(plain)\(written)\(plain)\"".utf8))
                #expect(value.string == plain + meant + plain)
            }
            #expect(throws: JSONError(.invalidControlCharacter, at: length + 1)) {
                try JSONValue.parse(Array("\"\(plain)\u{1F}\(plain)\"".utf8))
            }
        }
    }

    @Test func noBytesWhateverMakeItTrap() {
        var generator = SeededGenerator(seed: 11)
        let seeds = [
            #"{"title":"a\u00e9\ud83d\ude00","n":[-1.5e+3,true,null,{}]}"#, #"[[["é😀"]],{"a":{"b":"\\\""}}]"#,
        ]
        var accepted = 0
        for _ in 0..<60_000 {
            var bytes = Array(seeds[Int.random(in: 0..<seeds.count, using: &generator)].utf8)
            if generator.oneIn(4) {
                bytes = generator.bytes(count: Int.random(in: 0..<24, using: &generator))
            }
            for _ in 0..<Int.random(in: 0..<4, using: &generator) where !bytes.isEmpty {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes.remove(at: place)
                case 1: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case _: bytes.removeSubrange(place...)
                }
            }
            let value = try? JSONValue.parse(bytes)  // ignoring: most of these are no JSON
            let compact = try? JSONCompaction.compact(bytes)  // ignoring: as above
            #expect((value == nil) == (compact == nil))
            if value != nil { accepted += 1 }
        }
        #expect(accepted > 1_000)
    }
}
