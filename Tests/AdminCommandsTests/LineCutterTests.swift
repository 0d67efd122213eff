import AdminCommands
import Testing

@Suite struct LineCutterTests {
    private static func lines(_ pieces: [String], lineBytesMax: Int = 16) -> [LineCutter.Line] {
        var cutter = LineCutter(lineBytesMax: lineBytesMax)
        var found: [LineCutter.Line] = []
        for piece in pieces {
            cutter.add(Array(piece.utf8)[...])
            while let line = cutter.next() { found.append(line) }
        }
        cutter.end()
        while let line = cutter.next() { found.append(line) }
        return found
    }

    private static func text(_ number: Int, _ text: String) -> LineCutter.Line {
        .text(number: number, Array(text.utf8))
    }

    @Test func linesAreTheSameWhereverTheInputIsCut() {
        let input = "{\"a\":1}\n\n{\"b\":2}\r\n  \n{\"c\":3}"
        let expected = [Self.text(1, "{\"a\":1}"), Self.text(3, "{\"b\":2}\r"), Self.text(5, "{\"c\":3}")]
        for cut in 0...input.utf8.count {
            let bytes = Array(input.utf8)
            let pieces = [bytes[..<cut], bytes[cut...]].map { String(decoding: $0, as: UTF8.self) }
            #expect(Self.lines(pieces) == expected, "cut at \(cut)")
        }
    }

    @Test func aLineThatIsTooLongIsPassedOverAndKeepsItsNumber() {
        let long = String(repeating: "x", count: 17)
        let expected: [LineCutter.Line] = [Self.text(1, "a"), .tooLong(number: 2), Self.text(3, "b")]
        #expect(Self.lines(["a\n\(long)\nb\n"]) == expected)
        #expect(Self.lines(["a\n"] + Array(long).map(String.init) + [long, "\nb"]) == expected)
        #expect(Self.lines([long]) == [.tooLong(number: 1)])
    }

    @Test func anEmptyInputHasNoLine() {
        #expect(Self.lines([]).isEmpty)
        #expect(Self.lines(["\n"]).isEmpty)
    }
}

@Suite struct PostCountsTests {
    @Test func theSummaryNamesOnlyWhatThereWas() {
        var counts = PostCounts()
        counts.add(.accepted(id: "1"))
        #expect(counts.text == "accepted 1")
        #expect(counts.isWhole)
        for outcome in [.replayed(id: "2"), .refused(status: 422, detail: ""), .unknown, .unsent]
            as [PostOutcome]
        { counts.add(outcome) }
        #expect(
            counts.text
                == "accepted 1, known already 1, refused 1, without an answer 1, the rest was not sent")
        #expect(!counts.isWhole)
        #expect(
            counts.json
                == #"{"summary":{"accepted":1,"replayed":1,"refused":1,"unknown":1,"complete":false}}"#)
    }
}
