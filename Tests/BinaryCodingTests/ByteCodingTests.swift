import BinaryCoding
import TestSupport
import Testing

@Suite struct ByteCodingTests {
    @Test func whatIsWrittenIsReadBack() throws {
        var writer = ByteWriter()
        writer.write(UInt8(7))
        writer.write(UInt32(0xDEAD_BEEF))
        writer.write(Int32(-5))
        writer.writeVariable(300)
        writer.writePrefixed("grün")
        writer.writePrefixed([1, 2, 3][...])
        var reader = ByteReader(writer.bytes)
        #expect(try reader.read(UInt8.self) == 7)
        #expect(try reader.read(UInt32.self) == 0xDEAD_BEEF)
        #expect(try reader.read(Int32.self) == -5)
        #expect(try reader.readVariable() == 300)
        #expect(try reader.readText() == "grün")
        #expect(try reader.readPrefixed() == [1, 2, 3])
        try reader.expectEnd()
    }

    @Test func integersAreLittleEndian() {
        var writer = ByteWriter()
        writer.write(UInt32(0x0102_0304))
        #expect(writer.bytes == [4, 3, 2, 1])
    }

    @Test(arguments: [0, 1, 127, 128, 16_383, 16_384, UInt64(UInt32.max), .max - 1, .max])
    func aVariableIntegerSurvives(value: UInt64) throws {
        var writer = ByteWriter()
        writer.writeVariable(value)
        var reader = ByteReader(writer.bytes)
        #expect(try reader.readVariable() == value)
        #expect(reader.isAtEnd)
    }

    @Test func aVariableIntegerOfMoreThan64BitsIsRefused() {
        var reader = ByteReader([UInt8](repeating: 0xFF, count: 11))
        #expect(throws: DecodingFailure.self) { try reader.readVariable() }
    }

    @Test func aLengthBeyondTheEndIsRefusedBeforeAnythingIsTaken() {
        var writer = ByteWriter()
        writer.writeVariable(1 << 40)
        var reader = ByteReader(writer.bytes + [1, 2])
        #expect(throws: DecodingFailure.truncated) { try reader.readPrefixed() }
    }

    @Test func aByteStringOverItsLimitIsRefused() {
        var writer = ByteWriter()
        writer.writePrefixed([1, 2, 3][...])
        var reader = ByteReader(writer.bytes)
        #expect(throws: DecodingFailure.self) { try reader.readPrefixed(maximum: 2) }
    }

    @Test func textThatIsNotUTF8IsRefused() {
        var reader = ByteReader([2, 0xC3, 0x28])
        #expect(throws: DecodingFailure.self) { try reader.readText() }
    }

    @Test func randomBytesNeverTrapTheReader() {
        var random = SeededGenerator(announcedAs: "randomBytesNeverTrapTheReader", seed: 11)
        var failures = 0
        for _ in 0..<20_000 {
            var reader = ByteReader(random.bytes(count: Int.random(in: 0..<24, using: &random)))
            do {
                while !reader.isAtEnd {
                    switch Int.random(in: 0..<5, using: &random) {
                    case 0: _ = try reader.read(UInt64.self)
                    case 1: _ = try reader.readVariable()
                    case 2: _ = try reader.readPrefixed()
                    case 3: _ = try reader.readText(maximum: 8)
                    case _: _ = try reader.readRaw(Int.random(in: -3..<9, using: &random))
                    }
                }
            } catch {
                failures += 1
            }
        }
        #expect(failures > 10_000)
    }
}
