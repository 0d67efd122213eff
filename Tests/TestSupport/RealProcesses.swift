import Glibc

/// A place for tests that start processes: a few at a time, and on threads of their own, so that they neither
/// take Swift's few threads away from other tests nor measure each other's load.
package enum RealProcesses {
    private static let atOnce = 3

    /// A pipe with a byte for each test that may run.
    private static let tokens: [CInt] = {
        var ends: [CInt] = [-1, -1]
        let status = pipe(&ends)
        precondition(status == 0, "a pipe can be made")
        for _ in 0..<atOnce { giveBack(to: ends[1]) }
        return ends
    }()

    private static func giveBack(to descriptor: CInt) {
        var token: UInt8 = 0
        let count = write(descriptor, &token, 1)
        precondition(count == 1, "a pipe holds a byte")
    }

    package static func run(_ body: @escaping @Sendable () throws -> Void) async throws {
        let ends = tokens
        try await DedicatedThreads.run {
            var token: UInt8 = 0
            while read(ends[0], &token, 1) != 1 {}
            defer { giveBack(to: ends[1]) }
            try body()
        }
    }
}
