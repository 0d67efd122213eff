private import CSpawn
private import Glibc
internal import LinuxSystem

/// Notices that a program was replaced: inotify on its folder says when to look, `stat` says whether it is
/// another.
struct ProgramWatch {
    private struct Identity: Equatable {
        let device: UInt64
        let inode: UInt64
        let bytes: Int64
        let modifiedSeconds: Int
        let modifiedNanoseconds: Int
        let mode: UInt32
    }

    struct Changes {
        /// The program, or a file in its command.
        let program: Bool
        let manifest: Bool
    }

    private let paths: [String]
    private let manifest: String?
    private let watch: OpenDescriptor?
    private var identities: [Identity?]
    private var manifestIdentity: Identity?

    /// Without inotify (its limits are per user) nothing is noticed until the next retry.
    init(_ program: ProcessorProgram, manifest: String?) {
        let arguments = program.arguments.dropFirst().map {
            $0.hasPrefix("/") ? $0 : "\(program.directory)/\($0)"
        }
        paths = [program.path] + arguments
        identities = paths.map(Self.identity)
        self.manifest = manifest
        manifestIdentity = manifest.flatMap(Self.identity)
        let descriptor = taskq_watch_directory(program.directory)
        watch = descriptor >= 0 ? OpenDescriptor(OwnedDescriptor(adopting: descriptor)) : nil
    }

    var descriptor: CInt? { watch?.rawValue }

    /// Reads the events away, and says what is another than before.
    mutating func changes(scratch: UnsafeMutableRawBufferPointer) -> Changes {
        if let descriptor {
            var isRead = true
            while isRead {
                let outcome = try? OwnedDescriptor.read(descriptor, into: scratch)  // ignoring: stat decides
                if case .read = outcome {} else { isRead = false }
            }
        }
        let programNow = paths.map(Self.identity)
        let manifestNow = manifest.flatMap(Self.identity)
        defer {
            identities = programNow
            manifestIdentity = manifestNow
        }
        return Changes(program: programNow != identities, manifest: manifestNow != manifestIdentity)
    }

    private static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(
            device: UInt64(status.st_dev), inode: UInt64(status.st_ino), bytes: Int64(status.st_size),
            modifiedSeconds: status.st_mtim.tv_sec, modifiedNanoseconds: status.st_mtim.tv_nsec,
            mode: UInt32(status.st_mode))
    }
}
