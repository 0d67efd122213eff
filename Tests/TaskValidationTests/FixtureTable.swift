import TestSupport
import Testing

@testable import TaskValidation

/// A table of cases that `Fixtures/make_fixtures.py` wrote with pydantic and Python's json as oracles.
enum FixtureTable {
    static func read(_ name: String, file: String = #filePath) throws -> [JSONValue] {
        let folder = file.split(separator: "/").dropLast().reduce(into: "") { $0 += "/" + $1 }
        let bytes = try TextFile.bytes(of: "\(folder)/Fixtures/\(name).jsonl")
        return try bytes.split(separator: UInt8(ascii: "\n")).map { try JSONValue.parse($0) }
    }
}

/// 2027-01-01T00:00:00Z, as in the fixtures.
let fixtureNow: UInt64 = 1_798_761_600_000
