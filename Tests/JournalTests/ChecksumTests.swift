import CChecksum
import TestSupport
import Testing

@testable import Journal

@Suite struct ChecksumTests {
    @Test func theChecksumIsCRC32C() {
        #expect(Array("123456789".utf8).withUnsafeBytes { Checksum.crc32c($0) } == 0xE306_9283)
        #expect([UInt8](repeating: 0, count: 32).withUnsafeBytes { Checksum.crc32c($0) } == 0x8A91_36AA)
    }

    @Test func hardwareAndTablesAgreeAtEveryLengthAndAlignment() {
        var random = SeededGenerator(announcedAs: "crc", seed: 21)
        let bytes = random.bytes(count: 20_000)
        bytes.withUnsafeBytes { bytes in
            for count in Array(0..<800) + [6_143, 6_144, 6_145, 12_289, 19_000] {
                let start = Int(random.next() % 900)
                let part = UnsafeRawBufferPointer(rebasing: bytes[start..<start + count])
                let seed = UInt32(truncatingIfNeeded: random.next())
                #expect(
                    taskq_crc32c(seed, part.baseAddress, count)
                        == taskq_crc32c_portable(seed, part.baseAddress, count))
            }
        }
    }

    @Test func aChecksumGoesOnWhereAnotherStopped() {
        let bytes = payload(of: 3, count: 999)
        let whole = bytes.withUnsafeBytes { Checksum.crc32c($0) }
        let first = bytes[..<400].withUnsafeBytes { Checksum.crc32c($0) }
        #expect(bytes[400...].withUnsafeBytes { Checksum.crc32c($0, seed: first) } == whole)
    }

    @Test func theZeroPrefixEndsAtTheFirstByteThatIsNotZero() {
        for place in [0, 1, 31, 32, 63, 99] {
            var bytes = [UInt8](repeating: 0, count: 100)
            bytes[place] = 128
            #expect(bytes.withUnsafeBytes { Checksum.zeroPrefix($0) } == place)
        }
        #expect([UInt8](repeating: 0, count: 77).withUnsafeBytes { Checksum.isZero($0) })
    }
}
