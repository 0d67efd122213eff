import Glibc
import TestSupport
import Testing

/// A real file system of a few MiB, mounted where a life has its state.
enum SmallDisk: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case tmpfs
    case ext4

    var testDescription: String { rawValue }

    /// Those that this machine lets the test mount.
    static let usable: [SmallDisk] = {
        let isPermitted = try? TemporaryDirectory.with(mayMount)  // ignoring: no folder, no mount.
        guard geteuid() == 0, isPermitted == true else { return [] }
        return allCases.filter { $0 == .tmpfs || access("/usr/sbin/mkfs.ext4", X_OK) == 0 }
    }()

    private static func mayMount(_ folder: TemporaryDirectory) -> Bool {
        guard mount("tmpfs", folder.path, "tmpfs", 0, "size=64k") == 0 else { return false }
        return umount2(folder.path, Int32(MNT_DETACH)) == 0
    }

    /// Mounted over the life's parent folder for the time of the closure.
    func with(mebibytes: Int, on folder: LifeFolder, _ body: () async throws -> Void) async throws {
        switch self {
        case .tmpfs:
            try await run(["mount", "-t", "tmpfs", "-o", "size=\(mebibytes)m", "tmpfs", folder.parent])
        case .ext4:
            let image = folder.path("image")
            try await run(["truncate", "-s", "\(mebibytes)M", image])
            try await run(["/usr/sbin/mkfs.ext4", "-q", "-F", "-m", "0", image])
            try await run(["mount", "-o", "loop", image, folder.parent])
        }
        do {
            try await body()
        } catch {
            umount2(folder.parent, Int32(MNT_DETACH))
            throw error
        }
        umount2(folder.parent, Int32(MNT_DETACH))
    }

    private func run(_ command: [String]) async throws {
        try await ProcessFixture.with(ProcessDescription("/usr/bin/env", command)) { process in
            let status = try await process.end()
            guard status == .exited(0) else {
                throw TestSupportError.processEnded(
                    status, waitingFor: command.joined(separator: " "), output: process.lines.map(\.text))
            }
        }
    }
}
