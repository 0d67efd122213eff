import Configuration
import Testing

@Suite struct QuantitiesTests {
    @Test(
        arguments: [
            ("30s", 30_000), ("30 s", 30_000), ("1.5h", 5_400_000), ("14d", 1_209_600_000), ("250ms", 250),
            ("0", 0),
            ("0s", 0), ("5m", 300_000), ("5min", 300_000), ("0.001s", 1),
        ] as [(String, UInt64)])
    func aDurationIsMilliseconds(text: String, milliseconds: UInt64) {
        #expect(Quantities.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "s", "30", "-1s", "1.s", ".5s", "1.2345s", "0.5ms", "1e3s", "30  s", "٣s", "99999999999999d",
        "1s ",
    ])
    func anythingElseIsNoDuration(text: String) {
        #expect(Quantities.milliseconds(text) == nil)
    }

    @Test(arguments: [
        ("64 MiB", 64 << 20), ("1KiB", 1_024), ("10MB", 10_000_000), ("5 B", 5), ("1.5 KiB", 1_536),
    ])
    func aSizeIsBytes(text: String, bytes: UInt64) {
        #expect(Quantities.bytes(text) == bytes)
    }

    @Test(arguments: ["64", "64 mib", "MiB", "1.0001 KiB", "20000000 TiB"])
    func anythingElseIsNoSize(text: String) {
        #expect(Quantities.bytes(text) == nil)
    }

    @Test func theTextReadsBackAsTheValue() {
        for milliseconds in [1, 999, 1_000, 90_000, 3_600_000, 5_400_000, 86_400_000] as [UInt64] {
            #expect(Quantities.milliseconds(Quantities.durationText(milliseconds)) == milliseconds)
        }
        for bytes in [1, 1_000, 1_024, 1 << 20, 3 << 30] as [UInt64] {
            #expect(Quantities.bytes(Quantities.sizeText(bytes)) == bytes)
        }
    }
}
