import TestSupport
import Testing

@testable import Configuration

/// The list of keys, the reader and docs/configuration.md are one.
@Suite struct ConfigurationKeyTests {
    private static func page() throws -> [String] {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        return try TextFile.lines(of: "\(root)/docs/configuration.md")
    }

    private static func cell(_ text: String) -> String { text.replacing("|", with: "\\|") }

    /// The rows that docs/configuration.md has to show.
    static var rows: [String] {
        let configuration = ServiceConfiguration()
        let scope = QueueKey.Scope(configuration, queue: "", manifest: nil)
        let expectations = ConfigurationKey.expectations
        return ConfigurationKey.all.map { key in
            let change = key.change.rawValue + (key.isObeyed ? "" : ", not yet")
            let value = "\(key.value(configuration, scope))"
            return "| `\(key.path)` | \(cell(expectations[key.path] ?? "?")) | `\(value)` | \(change) |"
        }
    }

    static var manifestRows: [String] {
        ConfigurationKey.manifestExpectations.sorted { $0.key < $1.key }.map { key, expected in
            "| `\(key)` | \(cell(expected)) |"
        }
    }

    @Test func everyKeyThatIsReadIsShownAndEveryKeyShownIsRead() {
        let read = ConfigurationKey.expectations.keys.filter { !$0.hasPrefix("queues.") }
        #expect(Set(read) == Set(ConfigurationKey.all.map(\.path)))
    }

    @Test func aQueuesTableTakesTheKeysOfEveryQueue() {
        let read = ConfigurationKey.expectations.keys.filter { $0.hasPrefix("queues.name.") }
        #expect(Set(read) == Set(QueueKey.all.map { "queues.name.\($0.name)" }))
    }

    @Test func aManifestTakesTheKeysOfAQueue() {
        let read = Set(ConfigurationKey.manifestExpectations.keys)
        for key in QueueKey.all {
            #expect(read.contains(key.manifestSteps.joined(separator: ".")), "\(key.name)")
        }
    }

    @Test func thePageShowsEveryKeyWithItsRangeItsDefaultAndWhatAChangeTakes() throws {
        let found = try Self.page().filter { $0.hasPrefix("| `") }
        #expect(found == Self.rows + Self.manifestRows)
    }

    @Test func everyShippedKeyIsShownAsItWasWrittenWithItsFileAndLine() throws {
        let root = #filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" }
        for name in ["dev", "staging", "prod"] {
            let path = "\(root)/config/\(name).toml"
            let inspection = ConfigurationSources(file: path).inspect()
            #expect(inspection.problems.isEmpty)
            let written = try TextFile.lines(of: path).enumerated().filter {
                $1.contains(" = ") && !$1.hasPrefix("#")
            }
            let shown = inspection.values.filter { $0.origin != nil }
            #expect(
                Set(shown.compactMap { $0.origin?.line }) == Set(written.map { $0.offset + 1 }), "\(name)")
            for value in shown {
                #expect(value.origin?.source == path)
                let line = written.first { $0.offset + 1 == value.origin?.line }?.element ?? ""
                let last = value.key.split(separator: ".").last ?? ""
                #expect(line == "\(last) = \(value.value)", "\(name): \(value.key)")
            }
        }
    }
}
