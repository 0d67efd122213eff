import ProcessorSupervision
import TestSupport
import Testing

@Suite struct LineSplitterTests {
    /// Feeds the text in pieces of so many bytes, and shows lines as text, `>` before one that is too long.
    private func split(
        _ text: String, limit: Int = 8, _ longLines: LineSplitter.LongLines, piece: Int
    ) -> (lines: [String], rest: String?) {
        var splitter = LineSplitter(limitBytes: limit, longLines: longLines)
        var lines: [String] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: piece) {
            bytes[start..<min(start + piece, bytes.count)].withUnsafeBytes { splitter.append($0) }
            while let line = splitter.next() {
                switch line {
                case .whole(let bytes): lines.append(String(decoding: bytes, as: UTF8.self))
                case .tooLong(let start): lines.append(">" + String(decoding: start, as: UTF8.self))
                }
            }
        }
        return (lines, splitter.finish().map { String(decoding: $0, as: UTF8.self) })
    }

    @Test(arguments: [1, 2, 3, 5, 7, 100])
    func linesComeOutTheSameInWhateverPiecesTheyCome(piece: Int) {
        let text = "one\ntwo\r\n\n\r\nthree"
        let (lines, rest) = split(text, .areReported, piece: piece)
        #expect(lines == ["one", "two", "", ""])
        #expect(rest == "three")
    }

    @Test(arguments: [1, 3, 100])
    func aLineAtTheLimitIsWhole(piece: Int) {
        #expect(
            split("12345678\n12345678\r\n", .areReported, piece: piece).lines == ["12345678", "12345678"])
    }

    @Test(arguments: [1, 4, 9, 100])
    func aLongLineIsReportedOnceAndSkippedToItsEnd(piece: Int) {
        let (lines, rest) = split("1234567890123456789\nok\n123456789", .areReported, piece: piece)
        #expect(lines == [">12345678", "ok", ">12345678"])
        #expect(rest == nil)
    }

    @Test(arguments: [1, 4, 9, 100])
    func aLongLineComesInPiecesAndNothingIsLost(piece: Int) {
        let (lines, rest) = split("1234567890123456789\nok\nend", .comeInPieces, piece: piece)
        #expect(lines.joined() + (rest ?? "") == "1234567890123456789okend")
        #expect(lines.prefix(3) == ["12345678", "90123456", "789"])
    }

    @Test func anyBytesInAnyPiecesGiveBackWhatWentIn() {
        var generator = SeededGenerator(seed: 20_261_123)
        for _ in 0..<2_000 {
            let count = Int.random(in: 0...60, using: &generator)
            let alphabet = Array("ab\n\r".utf8)
            let bytes = (0..<count).map { _ in alphabet[Int.random(in: 0..<4, using: &generator)] }
            let text = String(decoding: bytes, as: UTF8.self)
            let whole = split(text, limit: 1_000, .comeInPieces, piece: 1_000)
            let pieces = split(
                text, limit: 1_000, .comeInPieces, piece: Int.random(in: 1...9, using: &generator))
            #expect(whole.lines == pieces.lines && whole.rest == pieces.rest, "\(text.debugDescription)")
            let short = split(text, limit: 3, .comeInPieces, piece: 2)
            let letters: (String) -> String = { $0.filter { $0 == "a" || $0 == "b" } }
            #expect(letters(short.lines.joined() + (short.rest ?? "")) == letters(text))
        }
    }
}
